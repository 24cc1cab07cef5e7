"""Mathematics of sequences of categorical variables that estimators, models and tasks share.

Letters: N sequences, T tokens each, V values of a token; log-probabilities are normalised over V.
"""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor


def one_hot(tokens: Int[Tensor, "*n"], vocabulary: int, dtype: torch.dtype) -> Float[Tensor, "*n V"]:
    """Turn tokens [...] into unit vectors [..., V]."""
    return (tokens[..., None] == torch.arange(vocabulary, device=tokens.device)).to(dtype)


def inverse_cdf(log_probs: Float[Tensor, "*n V"], uniforms: Float[Tensor, "*n"]) -> Int[Tensor, "*n"]:
    """Sample tokens: the smallest v with u < P(s <= v).

    Args:
        log_probs: [..., V].
        uniforms: u in (0, 1), [...].

    Returns:
        tokens [...].
    """
    below = log_probs.exp().cumsum(-1)[..., :-1] <= uniforms[..., None]
    return below.sum(-1)


def log_likelihood(log_probs: Float[Tensor, "N T V"], tokens: Int[Tensor, "N T"]) -> Float[Tensor, "N T"]:
    """Pick log p(s_t | s_<t) of the tokens [N, T] out of log_probs [N, T, V]: [N, T]."""
    return log_probs.gather(-1, tokens[..., None])[..., 0]


def score(log_probs: Float[Tensor, "*n"]) -> Float[Tensor, "*n"]:
    """Be zero, with the gradient of log p: the factor of every score-function term.

    w * score(log p) has the theta-gradient w * grad(log p), whatever w itself depends on, while its
    gradient by a control variate's parameters keeps the factor w: no term needs to be detached
    (Foerster et al., 2018, DiCE).
    """
    return log_probs - log_probs.detach()


def mean_of_others(x: Float[Tensor, "D k *n"]) -> Float[Tensor, "D k *n"]:
    """Give every one of k samples the mean of the k - 1 others, which it is independent of."""
    return (x.sum(1, keepdim=True) - x) / (x.shape[1] - 1)


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
    others = -torch.logaddexp(log_e - log_probs, log_e_s)
    return torch.where(one_hot(tokens, log_probs.shape[-1], torch.bool), -log_e_s, others)


def gumbel_with(
    log_probs: Float[Tensor, "*n V"], tokens: Int[Tensor, "*n"], uniforms: Float[Tensor, "*n V"]
) -> Float[Tensor, "*n V"]:
    """Draw z = log p + g with argmax z = s, g being free of theta: the reparameterised sample behind s."""
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
    tokens = torch.arange(vocabulary, device=device)
    return torch.cartesian_prod(*[tokens] * length).reshape(-1, length)
