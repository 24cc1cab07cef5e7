"""The unordered-set estimator: sampling without replacement (Kool, van Hoof and Welling, 2020).

    g_hat = sum_{s in S} p(s) R(S, s) (f(s) - sum_{s' in S} p(s') R_s(S, s') f(s')) grad log p(s)
    R(S, s) = P_s(S - s) / P(S),   R_s(S, s') = P_ss'(S - s - s') / P_s(S - s),   R_s(S, s) = 1

S is a set of K distinct sequences, and P_E(B) the probability that |B| sequences, drawn one by one without
replacement from all but those of E, are those of B. p(s) R(S, s) is then w_s, the probability that s came
first, given S; p(s') R_s(S, s') is 1 - p(s) times w_s'|s, that s' came second, given S and that s came first:

    g_hat = sum_{s in S} w_s (1 - p(s)) (f(s) - sum_{s' in S - s} w_s'|s f(s')) grad log p(s)

S comes from stochastic beam search (Kool, van Hoof and Welling, 2019): the K sequences with the largest
Gumbel-perturbed log-probabilities, found from the root of the tree of prefixes, where the value of a node is
the largest of those below it. What is cut off on the way adds up to 1 - sum_{s in S} p(s), which no
rounding spoils however little it is.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from discgan_core.checks import whole, wide
from discgan_core.interface import Estimate, Estimator, Noise, Policy, Reward, State
from discgan_core.policies import log_softmax, logits_of
from discgan_core.rewards import of_tokens
from discgan_core.sequences import LOWEST, bounded, centred, gumbel, log_likelihood, score

MOST = 6
"""Samples at most: the weights take sums over all 2^K subsets."""

Logits = Callable[[Tensor], Tensor]
"""Tokens [N, T] -> the logits of every token after its prefix [N, T, V], as `Policy.logits`."""


def unordered_set(samples: int = 4) -> Estimator:
    """Weigh each distinct sequence's score by its chance to have been the first of its set.

    Args:
        samples: K, from 2 to 6; a batch of N makes N/K independent sets.
    """
    whole("unordered_set", 2, samples=samples)
    if samples > MOST:
        raise ValueError(f"unordered_set: samples is {samples}, and must be from 2 to {MOST}")

    def estimate(policy: Policy, reward: Reward, noise: Noise, state: State, data: Tensor | None) -> Estimate:
        logits = from_one_start(policy, samples) if "latent" in noise else partial(logits_of, policy)
        with torch.no_grad():
            sets = stochastic_beams(logits, noise["gumbel"].unflatten(0, (-1, samples)))
            first, second = weights(sets.log_p, sets.log_rest)
        # where fewer than K sequences are allowed, the first stands in for those that weigh nothing
        tokens = sets.tokens.where(sets.log_p[..., None] > LOWEST / 2, sets.tokens[:, :1]).flatten(0, 1)
        log_probs = log_softmax(logits(tokens))
        f = of_tokens(reward, tokens, log_probs)
        scores = score(log_likelihood(log_probs, tokens)).sum(1).reshape(-1, samples)
        groups = centred(f.reshape(-1, samples))
        baseline = (second * groups[:, None]).sum(-1)
        return Estimate((first * (groups - baseline) * scores).sum(1), {"rewards": f})

    return Estimator(
        estimate,
        noise=lambda length, vocabulary: {"gumbel": (length, vocabulary)},
        samples_per_draw=samples,
        supports=lambda length, vocabulary: vocabulary**length >= samples,
    )


def from_one_start(policy: Policy, samples: int) -> Logits:
    """Let all rows of a set start as its first does, where a policy's rows start from noise of their own.

    There is no drawing without replacement but from one distribution. It takes K times the calls.
    """

    def logits(tokens: Tensor) -> Tensor:
        places = tokens.unflatten(0, (-1, samples)).unbind(1)
        found = [logits_of(policy, place.repeat_interleave(samples, 0))[::samples] for place in places]
        return torch.stack(found, 1).flatten(0, 1)

    return logits


class Beams(NamedTuple):
    """D sets of K distinct sequences, or of prefixes on the way there.

    Attributes:
        tokens: s [D, K, T].
        log_p: log p(s) [D, K]; -inf in places that no prefix fills yet.
        log_rest: log-probabilities that add up to all that was cut off, 1 - sum_{s in S} p(s), [D, K].
        perturbed: log p(s) plus Gumbel noise, [D, K], the largest first.
    """

    tokens: Tensor
    log_p: Tensor
    log_rest: Tensor
    perturbed: Tensor


def stochastic_beams(logits: Logits, uniforms: Float[Tensor, "D K T V"]) -> Beams:
    """Draw sets of K sequences without replacement.

    The largest perturbed log-probability of all is fixed, at 0: the others' order does not depend on it.

    Args:
        logits: of the policy, asked for once per token.
        uniforms: of the Gumbel noise of each beam's children.
    """
    sets, beams, length, _ = uniforms.shape
    place = torch.arange(beams, device=uniforms.device).expand(sets, beams)
    root = uniforms.new_zeros(sets, beams).where(place == 0, -torch.inf)
    found = Beams(place.new_zeros(sets, beams, length), root, torch.full_like(root, -torch.inf), root)
    for t in range(length):
        # bounded before it is normalised: after a prefix that is forbidden all tokens may be
        log_probs = bounded(wide(logits(found.tokens.flatten(0, 1))[:, t])).log_softmax(-1)
        found = extended(found, t, log_probs.unflatten(0, (sets, beams)), gumbel(uniforms[:, :, t]))
    return found


def extended(found: Beams, t: int, log_probs: Float[Tensor, "D K V"], noise: Float[Tensor, "D K V"]) -> Beams:
    """Keep the K best of all children of the prefixes s_<t, and cut the others off."""
    _, beams, vocabulary = log_probs.shape
    log_p = found.log_p[..., None] + log_probs
    best, kept = perturbed_given(log_p + noise, found.perturbed).flatten(1).topk(beams)
    cut = (torch.arange(beams * vocabulary, device=kept.device) != kept[..., None]).all(1)
    log_cut = log_p.where(cut.unflatten(1, (beams, vocabulary)), -torch.inf).logsumexp(-1)
    parents = found.tokens.gather(1, (kept // vocabulary)[..., None].expand_as(found.tokens))
    here = torch.arange(found.tokens.shape[-1], device=kept.device) == t
    return Beams(
        torch.where(here, (kept % vocabulary)[..., None], parents),
        log_p.flatten(1).gather(1, kept),
        torch.logaddexp(found.log_rest, log_cut),
        best,
    )


def perturbed_given(z: Float[Tensor, "*n V"], largest: Float[Tensor, "*n"]) -> Float[Tensor, "*n V"]:
    """Draw Gumbel-perturbed log-probabilities whose maximum is given (Kool et al., 2019).

    -log(exp(-m) - exp(-max z) + exp(-z)) = m - max(0, v) - log(1 + exp(-|v|)),
    v = m - z + log(1 - exp(z - max z)),   for a maximum m

    Args:
        z: the same with a maximum of their own [..., V].
        largest: m; -inf makes all -inf.
    """
    m = largest[..., None]
    gap = z - z.amax(-1, keepdim=True)
    v = m - z + torch.where(gap > -math.log(2), (-gap.expm1()).log(), (-gap.exp()).log1p())
    return (m - v.relu() - (-v.abs()).exp().log1p()).where(m > -torch.inf, -torch.inf)


def weights(
    log_p: Float[Tensor, "D K"], log_rest: Float[Tensor, "D K"]
) -> tuple[Float[Tensor, "D K"], Float[Tensor, "D K K"]]:
    """Give w_s (1 - p(s)) for every s of a set, and w_s'|s for every pair (s, s'), zero where s' is s.

    Args: as `Beams` has them.
    """
    count = log_p.shape[1]
    # as many rows as samples, so that tensors are as large as `discgan_core.randomness` needs them
    log_p, log_rest = (x.repeat_interleave(count, 0) for x in (log_p, log_rest))
    single = [1 << s for s in range(count)]
    filled = log_completions(log_p, log_rest)
    first = (log_p + torch.stack([filled[s] for s in single], -1)).softmax(-1)
    after = torch.stack([torch.stack([filled[s | o] for o in single], -1) for s in single], 1)
    same = torch.eye(count, dtype=torch.bool, device=log_p.device)
    second = (log_p[:, None] + after).masked_fill(same, -torch.inf).softmax(-1)
    left = torch.stack([log_left(log_p, log_rest, s) for s in single], -1).exp()
    return (first * left)[::count], second[::count]


def log_completions(log_p: Float[Tensor, "N K"], log_rest: Float[Tensor, "N K"]) -> dict[int, Tensor]:
    """Give log P_B(S - B), [N], for every B within S but the empty one, which its bits name.

    P_S(none) = 1,   P_B(S - B) = sum_{s in S - B} p(s) / (1 - p(B)) P_B+s(S - B - s)

    Args: as `Beams` has them.
    """
    count = log_p.shape[1]
    everything = (1 << count) - 1
    found = {everything: torch.zeros_like(log_p[:, 0])}
    for taken in range(everything - 1, 0, -1):
        ways = [log_p[:, s] + found[taken | 1 << s] for s in range(count) if not taken >> s & 1]
        found[taken] = torch.stack(ways, -1).logsumexp(-1) - log_left(log_p, log_rest, taken)
    return found


def log_left(log_p: Float[Tensor, "N K"], log_rest: Float[Tensor, "N K"], taken: int) -> Float[Tensor, " N"]:
    """Give log(1 - p(B)), [N], B being the sequences whose bits are set in `taken`."""
    others = [log_p[:, s] for s in range(log_p.shape[1]) if not taken >> s & 1]
    return torch.cat([torch.stack(others, -1), log_rest], -1).logsumexp(-1)
