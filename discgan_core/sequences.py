"""Mathematics of sequences of categorical variables that estimators, models and tasks share.

Letters: N sequences, T tokens each, V values of a token; log-probabilities are normalised over V.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

from discgan_core.checks import wide

LOWEST = -1e30
"""Stands for log 0: small beside it is every difference that counts, and its exponential is 0."""


def one_hot(tokens: Int[Tensor, "*n"], vocabulary: int, dtype: torch.dtype) -> Float[Tensor, "*n V"]:
    """Turn tokens [...] into unit vectors [..., V]."""
    return (tokens[..., None] == torch.arange(vocabulary, device=tokens.device)).to(dtype)


def inverse_cdf(log_probs: Float[Tensor, "*n V"], uniforms: Float[Tensor, "*n"]) -> Int[Tensor, "*n"]:
    """Sample tokens: the smallest v with u < P(s <= v); none of probability 0.

    Probabilities are added up in float32 at least, and u is held below what they add up to.

    Args:
        log_probs: [..., V].
        uniforms: u in (0, 1), [...].

    Returns:
        tokens [...].
    """
    below = wide(log_probs).exp().cumsum(-1)
    total = below[..., -1:]
    u = torch.minimum(uniforms[..., None].to(below.dtype), torch.nextafter(total, torch.zeros_like(total)))
    return (below[..., :-1] <= u).sum(-1)


def bounded(log_probs: Float[Tensor, "*n"]) -> Float[Tensor, "*n"]:
    """Give -inf, the log-probability of what is forbidden, as `LOWEST`, a number, without a gradient.

    Differences of two of them, which relaxed tokens are made of, are then 0 and not NaN.
    """
    return log_probs.clamp(min=LOWEST)


def log_likelihood(log_probs: Float[Tensor, "N T V"], tokens: Int[Tensor, "N T"]) -> Float[Tensor, "N T"]:
    """Pick log p(s_t | s_<t) of the tokens [N, T] out of log_probs [N, T, V]: [N, T]."""
    return log_probs.gather(-1, tokens[..., None])[..., 0]


def score(log_probs: Float[Tensor, "*n"]) -> Float[Tensor, "*n"]:
    """Be zero, with the gradient of log p: the factor of every score-function term.

    w * score(log p) has the theta-gradient w * grad(log p), whatever w itself depends on, while its
    gradient by a control variate's parameters keeps the factor w: no term needs to be detached
    (Foerster et al., 2018, DiCE).
    """
    log_probs = bounded(log_probs)
    return log_probs - log_probs.detach()


def mean_of_others(x: Float[Tensor, "D k *n"]) -> Float[Tensor, "D k *n"]:
    """Give every one of k samples the mean of the k - 1 others, which it is independent of."""
    return (x.sum(1, keepdim=True) - x) / (x.shape[1] - 1)


def centred(x: Float[Tensor, "*n k"]) -> Float[Tensor, "*n k"]:
    """Subtract the first of k numbers, so that what is the same for all cancels exactly.

    The rounding of a mean would be left over of equal rewards, and Adam makes a full step of it.
    """
    return x - x[..., :1]


def expected(p: Float[Tensor, "*n k"], f: Float[Tensor, "*n k"]) -> Float[Tensor, "*n"]:
    """Give sum_i p_i f_i of probabilities p, whose gradient is exactly zero where all f are the same."""
    return f[..., 0] + (p * centred(f)).sum(-1)


def shares(log_weights: Float[Tensor, "D k"]) -> Float[Tensor, "D k"]:
    """Normalise weights over k; where all are zero nothing has a share."""
    none = (log_weights == -torch.inf).all(-1, keepdim=True)
    return bounded(log_weights).softmax(-1).masked_fill(none, 0)


def gumbel(uniforms: Float[Tensor, "*n"]) -> Float[Tensor, "*n"]:
    """Turn uniforms in (0, 1) into Gumbel noise, -log(-log u)."""
    return -torch.log(-torch.log(uniforms))


def gumbel_given(
    log_probs: Float[Tensor, "*n V"], tokens: Int[Tensor, "*n"], uniforms: Float[Tensor, "*n V"]
) -> Float[Tensor, "*n V"]:
    """Draw Gumbel-perturbed log-probabilities z given that argmax z = s (Tucker et al., 2017, appendix C).

    With e = -log v:  z_s = -log e_s,   z_i = -log(e_i / p_i + e_s) for i != s,
    a differentiable function of p at fixed v, whose marginal over s ~ p is log p + Gumbel noise.

    Args:
        log_probs: log p [..., V].
        tokens: s [...].
        uniforms: v in (0, 1), [..., V].

    Returns:
        z [..., V].
    """
    log_e = torch.log(-torch.log(uniforms))
    log_e_s = log_e.gather(-1, tokens[..., None])
    others = -torch.logaddexp(log_e - bounded(log_probs), log_e_s)
    return torch.where(one_hot(tokens, log_probs.shape[-1], torch.bool), -log_e_s, others)


def gumbel_with(
    log_probs: Float[Tensor, "*n V"], tokens: Int[Tensor, "*n"], uniforms: Float[Tensor, "*n V"]
) -> Float[Tensor, "*n V"]:
    """Draw z = log p + g with argmax z = s, g being free of theta: the reparameterised sample behind s."""
    log_probs = bounded(log_probs)
    noise = (gumbel_given(log_probs, tokens, uniforms) - log_probs).detach()
    return log_probs + noise


def soften(z: Float[Tensor, "*n V"], temperature: Tensor | float) -> Float[Tensor, "*n V"]:
    """sigma_lambda(z) = softmax(z / lambda): a point of the simplex, one-hot as lambda -> 0."""
    return torch.softmax(z / temperature, -1)


def softmax_slope(pi: Float[Tensor, "*n V"], logits: Float[Tensor, "*n V"]) -> Float[Tensor, "*n V"]:
    """Have the derivative J(pi) d logits of a softmax whose value is pi, J(pi) = diag(pi) - pi pi'."""
    pi = pi.detach()
    return pi * (logits - (pi * logits).sum(-1, keepdim=True))


def all_sequences(length: int, vocabulary: int, device: torch.device | None = None) -> Int[Tensor, "S T"]:
    """List all V^T sequences, [V^T, T], the first token changing slowest."""
    return beginning((), length, vocabulary, device)


def beginning(
    start: Sequence[int], length: int, vocabulary: int, device: torch.device | None = None
) -> Int[Tensor, "M T"]:
    """List all sequences of a length that begin with k tokens, [V^(T - k), T], in the same order."""
    given = [torch.arange(token, token + 1, device=device) for token in start]
    free = [torch.arange(vocabulary, device=device)] * (length - len(start))
    return torch.cartesian_prod(*given, *free).reshape(-1, length)
