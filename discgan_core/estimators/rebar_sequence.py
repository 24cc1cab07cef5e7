"""REBAR as REGAN writes it (eq. 8-9): one control variate over the whole relaxed sequence.

    g_hat = (f(s) - eta c(z~)) sum_t grad log p(s_t | s_<t) + eta grad c(z) - eta grad c(z~)
    c(z) = f(sigma_lambda(z_1), .., sigma_lambda(z_T)),   s_t = argmax z_t,   z~_t ~ p(z_t | s_t)

Biased for T > 1: the path gradient of c(z) misses that an earlier token's change switches the later
steps' distributions. `rebar` is the unbiased form; the difference between the two is what we measure.
"""

from __future__ import annotations

from torch import Tensor

from discgan_core import rewards
from discgan_core.checks import not_negative, positive, real
from discgan_core.control import Relaxation, gumbels, sample
from discgan_core.interface import Estimate, Estimator, Need, Noise, Policy, Reward, State
from discgan_core.optim import learn_by_adam
from discgan_core.sequences import soften


def rebar_sequence(temperature: float = 1.0, eta: float = 1.0, learning_rate: float = 0.0) -> Estimator:
    """Subtract the reward of the wholly relaxed sequence, and add its path gradient back.

    Args:
        temperature: lambda, of the relaxation.
        eta: weight of the control variate.
        learning_rate: where positive, log lambda and eta are learned by Adam on the estimate's variance.
    """
    positive("rebar_sequence", temperature=temperature)
    real("rebar_sequence", eta=eta)
    not_negative("rebar_sequence", learning_rate=learning_rate)
    relaxation = Relaxation(temperature, eta, learned=learning_rate > 0)
    start, adapt = learn_by_adam(learning_rate)

    def estimate(policy: Policy, reward: Reward, noise: Noise, state: State, data: Tensor | None) -> Estimate:
        lam, weight = relaxation.read(state.learned)
        x, scores, z, z_tilde = sample(policy, noise)
        f, c, c_tilde = rewards.together(reward, x, soften(z, lam), soften(z_tilde, lam))
        return Estimate((f - weight * c_tilde) * scores.sum(1) + weight * (c - c_tilde), {"rewards": f})

    return Estimator(
        estimate,
        gumbels,
        lambda *_: start(relaxation.init()),
        adapt,
        unbiased=False,
        needs=(Need.DERIVATIVE,),
    )
