"""REBAR with a control variate per step (Tucker et al., 2017; REGAN eq. 17, applied token by token).

    g_hat = sum_t (f(s) - eta c_t(z~_t)) grad log p(s_t | s_<t) + eta grad c_t(z_t) - eta grad c_t(z~_t)
    c_t(z) = f(s_<t, sigma_lambda(z)),   s_t = argmax z_t,   z~_t ~ p(z_t | s_t)

The prefix is held fixed and nothing follows the relaxed token, so each step is REBAR for one categorical
variable and the sum is unbiased at any length. (The whole-sequence form, `rebar_sequence`, is not.)
"""

from __future__ import annotations

import torch
from torch import Tensor

from discgan_core import rewards
from discgan_core.checks import not_negative, positive, real
from discgan_core.control import Relaxation, gumbels, sample
from discgan_core.interface import Estimate, Estimator, Need, Noise, Policy, Reward, State
from discgan_core.optim import learn_by_adam
from discgan_core.sequences import soften


def rebar(temperature: float = 1.0, eta: float = 1.0, learning_rate: float = 0.0) -> Estimator:
    """Subtract the reward of relaxed tokens, and add its reparameterised gradient back.

    Args:
        temperature: lambda, of the relaxation.
        eta: weight of the control variate.
        learning_rate: where positive, log lambda and eta are learned by Adam on the estimate's variance.
    """
    positive("rebar", temperature=temperature)
    real("rebar", eta=eta)
    not_negative("rebar", learning_rate=learning_rate)
    relaxation = Relaxation(temperature, eta, learned=learning_rate > 0)
    start, adapt = learn_by_adam(learning_rate)

    def estimate(policy: Policy, reward: Reward, noise: Noise, state: State, data: Tensor | None) -> Estimate:
        lam, weight = relaxation.read(state.learned)
        x, scores, z, z_tilde = sample(policy, noise)
        f, (c, c_tilde) = rewards.along(reward, x, soften(torch.stack([z, z_tilde]), lam))
        steps = (f[:, None] - weight * c_tilde) * scores + weight * (c - c_tilde)
        return Estimate(steps.sum(1), {"rewards": f})

    return Estimator(
        estimate, gumbels, lambda *_: start(relaxation.init()), adapt, needs=(Need.DERIVATIVE, Need.PREFIXES)
    )
