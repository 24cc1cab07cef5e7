"""Leave-one-out REINFORCE with double control variates (Titsias and Shi, 2022), for sequences.

    g_hat = 1/k sum_i (y_i - 1/(k-1) sum_{j != i} y_j) grad log p(s^i) + alpha sum_t G^i_t . grad p^i_t
    y_i = f(s^i) - alpha h_i,   h_i = sum_t G^i_t . (x^i_t - p^i_t),   G^i = 1/(k-1) sum_{j != i} df/dx(x^j)

x^i_t is the unit vector of token s^i_t, p^i_t = p_theta(. | s^i_<t) the vector of its probabilities. h_i is
what the reward's slopes at the other samples make of this one: a control variate of f(s^i), and a second one
within the leave-one-out baseline.

No bias at any alpha and T: each term of h_i has mean zero given its prefix and the other samples. So nothing
is left of its product with the scores of other tokens, earlier or later, and of other samples; of that with
its own token's score, E[G_t . x_t grad log p(s_t | s_<t)] = G_t . grad p_t at a fixed prefix is, which is the
last term of g_hat. alpha is trained on the estimate's variance.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.func import grad

from discgan_core import rewards
from discgan_core.checks import positive, real, whole
from discgan_core.interface import Estimate, Estimator, Need, Noise, Policy, Reward, State
from discgan_core.optim import learn_by_adam
from discgan_core.policies import log_probs_of
from discgan_core.sequences import centred, log_likelihood, mean_of_others, one_hot, score


def double_control_variate(samples: int = 8, alpha: float = 0.5, learning_rate: float = 0.03) -> Estimator:
    """Subtract what the reward's slopes predict, and add the gradient of that, summed over tokens exactly.

    Args:
        samples: k, at least 2; a batch of N makes N/k independent draws.
        alpha: weight of the control variates to start with; at 0 nothing is left of them.
        learning_rate: of Adam on the variance, for alpha.
    """
    whole("double_control_variate", 2, samples=samples)
    real("double_control_variate", alpha=alpha)
    positive("double_control_variate", learning_rate=learning_rate)
    start, adapt = learn_by_adam(learning_rate)

    def estimate(policy: Policy, reward: Reward, noise: Noise, state: State, data: Tensor | None) -> Estimate:
        tokens, weight = policy.sample(noise["tokens"]), state.learned["alpha"]
        log_probs = log_probs_of(policy, tokens)
        x, p = one_hot(tokens, policy.vocabulary, log_probs.dtype), log_probs.exp()
        f, slopes = with_slopes(reward, x)
        g = mean_of_others(slopes.unflatten(0, (-1, samples))).flatten(0, 1)
        h = (g * (x - p.detach())).sum((1, 2))
        path = (g * (p - p.detach())).sum((1, 2)).reshape(-1, samples)
        y = centred((f - weight * h).reshape(-1, samples))
        scores = score(log_likelihood(log_probs, tokens)).sum(1).reshape(-1, samples)
        draws = (y - mean_of_others(y)) * scores + weight * path
        return Estimate(draws.mean(1), {"rewards": f})

    return Estimator(
        estimate,
        noise=lambda length, vocabulary: {"tokens": (length,)},
        init=lambda *_: start({"alpha": torch.tensor(float(alpha))}),
        adapt=adapt,
        samples_per_draw=samples,
        variance_draws=4,
        needs=(Need.DERIVATIVE,),
    )


def with_slopes(reward: Reward, x: Tensor) -> tuple[Tensor, Tensor]:
    """Give f(x) of sequences [N, T, V], and the slope of each at itself, df/dx [N, T, V]."""

    def total(x: Tensor) -> tuple[Tensor, Tensor]:
        f = rewards.of(reward, x)
        return f.sum(), f

    slopes, f = grad(total, has_aux=True)(x)
    return f, slopes
