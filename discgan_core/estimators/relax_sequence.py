"""RELAX as REGAN writes it (eq. 10-12): one control variate over the whole relaxed sequence.

    g_hat = (f(s) - c(z~)) sum_t grad log p(s_t | s_<t) + grad c(z) - grad c(z~)
    c(z) = eta f(sigma_lambda(z_1), .., sigma_lambda(z_T)) + c_hat_phi(z)

c_hat_phi is the paper's convolutional network, trained on the gradient's variance. Biased for T > 1, for
the reason given in `rebar_sequence`; as phi grows, so may the bias.
"""

from __future__ import annotations

from numpy.random import Generator
from torch import Tensor

from discgan_core import rewards
from discgan_core.checks import positive, real
from discgan_core.control import Relaxation, gumbels, sample
from discgan_core.interface import Estimate, Estimator, Need, Noise, Policy, Reward, State
from discgan_core.models.control_variate import init_control_variate, whole_sequence
from discgan_core.optim import learn_by_adam
from discgan_core.randomness import seeded
from discgan_core.sequences import soften


def relax_sequence(
    temperature: float = 1.0,
    eta: float = 1.0,
    learning_rate: float = 0.0003,
    learn_relaxation: bool = False,
) -> Estimator:
    """Add a trained function of the whole z to the sequence form of REBAR's control variate.

    Args:
        temperature: lambda, of the relaxation.
        eta: weight of the relaxed reward in the control variate.
        learning_rate: of Adam on the variance, for phi; the default gave the lowest variance over training
            among 0.0003, 0.001, 0.003 and 0.01 (grammar, lengths 3 and 15, 8 sessions).
        learn_relaxation: whether log lambda and eta are learned with phi.
    """
    positive("relax_sequence", temperature=temperature, learning_rate=learning_rate)
    real("relax_sequence", eta=eta)
    relaxation = Relaxation(temperature, eta, learn_relaxation)
    start, adapt = learn_by_adam(learning_rate)

    def init(policy: Policy, generator: Generator | None) -> State:
        phi = init_control_variate(policy.length, policy.vocabulary, seeded(generator))
        return start(phi | relaxation.init())

    def estimate(policy: Policy, reward: Reward, noise: Noise, state: State, data: Tensor | None) -> Estimate:
        lam, weight = relaxation.read(state.learned)
        x, scores, z, z_tilde = sample(policy, noise)
        f, relaxed, relaxed_tilde = rewards.together(reward, x, soften(z, lam), soften(z_tilde, lam))
        c = weight * relaxed + whole_sequence(state.learned, z)
        c_tilde = weight * relaxed_tilde + whole_sequence(state.learned, z_tilde)
        return Estimate((f - c_tilde) * scores.sum(1) + c - c_tilde, {"rewards": f})

    return Estimator(estimate, gumbels, init, adapt, unbiased=False, needs=(Need.DERIVATIVE,))
