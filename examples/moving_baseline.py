"""REINFORCE with a moving average of past rewards as its baseline (Williams, 1992)."""

import torch

from discgan_core.interface import Estimate, Estimator, State
from discgan_core.policies import log_probs_of
from discgan_core.rewards import of_tokens
from discgan_core.sequences import log_likelihood, score


def moving_baseline(decay=0.9):
    """Subtract what the last updates' samples earned."""

    def estimate(policy, reward, noise, state, data):
        tokens = policy.sample(noise["tokens"])
        log_probs = log_probs_of(policy, tokens)
        f = of_tokens(reward, tokens, log_probs)
        scores = score(log_likelihood(log_probs, tokens)).sum(1)
        return Estimate((f - state.carried) * scores, {"rewards": f})

    def adapt(state, feedback):
        mean = feedback.estimate.info["rewards"].mean()
        return State(carried=decay * state.carried + (1 - decay) * mean)

    return Estimator(
        estimate,
        noise=lambda length, vocabulary: {"tokens": (length,)},
        init=lambda policy, generator: State(carried=torch.zeros(())),
        adapt=adapt,
    )
