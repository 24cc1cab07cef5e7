"""RELAX with a control variate per step (Grathwohl et al., 2018; REGAN eq. 18, applied token by token).

    g_hat = sum_t (f(s) - c_t(z~_t)) grad log p(s_t | s_<t) + grad c_t(z_t) - grad c_t(z~_t)
    c_t(z) = eta f(s_<t, sigma_lambda(z)) + c_hat_phi(s_<t, z)

phi is trained on the estimate's variance; at phi's start RELAX is REBAR. Unbiased at any length and phi.
"""

from __future__ import annotations

import torch
from numpy.random import Generator
from torch import Tensor

from discgan_core import rewards
from discgan_core.checks import positive, real
from discgan_core.control import Relaxation, gumbels, sample
from discgan_core.interface import Estimate, Estimator, Need, Noise, Policy, Reward, State
from discgan_core.models.control_variate import along_sequence, init_control_variate
from discgan_core.optim import learn_by_adam
from discgan_core.randomness import seeded
from discgan_core.sequences import soften


def relax(
    temperature: float = 1.0,
    eta: float = 1.0,
    learning_rate: float = 0.01,
    learn_relaxation: bool = False,
) -> Estimator:
    """Add a trained function of the relaxed token to REBAR's control variate.

    Args:
        temperature: lambda, of the relaxation.
        eta: weight of the relaxed reward in the control variate.
        learning_rate: of Adam on the variance, for phi; the default gave the lowest variance over training
            among 0.0003, 0.001, 0.003 and 0.01 (grammar, lengths 3 and 15, 8 sessions).
        learn_relaxation: whether log lambda and eta are learned with phi.
    """
    positive("relax", temperature=temperature, learning_rate=learning_rate)
    real("relax", eta=eta)
    relaxation = Relaxation(temperature, eta, learn_relaxation)
    start, adapt = learn_by_adam(learning_rate)

    def init(policy: Policy, generator: Generator | None) -> State:
        phi = init_control_variate(policy.length, policy.vocabulary, seeded(generator))
        return start(phi | relaxation.init())

    def estimate(policy: Policy, reward: Reward, noise: Noise, state: State, data: Tensor | None) -> Estimate:
        lam, weight = relaxation.read(state.learned)
        x, scores, z, z_tilde = sample(policy, noise)
        f, (relaxed, relaxed_tilde) = rewards.along(reward, x, soften(torch.stack([z, z_tilde]), lam))
        c = weight * relaxed + along_sequence(state.learned, x, z)
        c_tilde = weight * relaxed_tilde + along_sequence(state.learned, x, z_tilde)
        return Estimate(((f[:, None] - c_tilde) * scores + c - c_tilde).sum(1), {"rewards": f})

    return Estimator(estimate, gumbels, init, adapt, needs=(Need.DERIVATIVE, Need.PREFIXES))
