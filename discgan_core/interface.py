"""The whole vocabulary: what an estimator is, what it sees, and what it gives back. Read this first.

For a policy p_theta over sequences s = (s_1..s_T) of V tokens and a reward f, an estimator gives an
estimate g_hat of the gradient of J(theta) = E_{s ~ p_theta}[f(s)]. It knows nothing of GANs, sessions or
optimisers: it is a few pure functions in one tuple, so that `torch.func` can take its gradient, vmap it
over sessions and over draws, and differentiate it again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, NamedTuple, Protocol

from numpy.random import Generator
from torch import Tensor

Noise = Mapping[str, Tensor]
Params = dict[str, Tensor]

Continue = Callable[[int, Tensor, Tensor], Tensor]
"""(t, choices [N, C], uniforms [N, C, T - t - 1]) -> tokens [N, C, T - t]: after the prefix s_<t (t from 0),
each choice of token t and what the policy lets follow it; no gradient."""

Judge = Callable[[int, Tensor], Tensor]
"""(t, tokens [N, C, T - t]) -> f of the prefix s_<t (t from 0) with these after it, [N, C]; no gradient."""


class Policy(Protocol):
    """An autoregressive distribution over sequences; `discgan_core.check` says whether one is.

    Attributes that it may have besides: `device`, where it computes, if theta is empty; `contexts` and
    `context`, where it is one distribution for each of several contexts (`discgan_core.contexts`). Methods
    that the exact gradient alone asks for: `of_all`, to read every prefix once (`policies.log_probs_of_all`),
    and `first_order`, log p(s_1) and log p(s_t | s_t-1), to take no list (`discgan_core.automata`).
    """

    length: int
    vocabulary: int
    params: Params
    """theta."""

    def sample(self, uniforms: Tensor) -> Tensor:
        """Turn uniforms [N, T] in (0, 1) into tokens [N, T], one inverse-CDF draw each; no gradient."""
        ...

    def logits(self, tokens: Tensor) -> Tensor:
        """Give log p(. | s_<t) up to a constant for every prefix of tokens [N, T]: [N, T, V].

        -inf is for a token that is forbidden.
        """
        ...

    def unroll(self, batch: int, token: Callable[[int, Tensor], Tensor]) -> Tensor:
        """Run token by token, feeding back x_t = token(t, logits_t), [N, V] both: x [N, T, V].

        Tokens may be relaxed, points of the simplex, and carry a gradient, which flows into all later
        logits. Only estimators that feed relaxed tokens back ask for it.
        """
        ...

    def after(self, tokens: Tensor) -> Continue:
        """Go on from every prefix of tokens [N, T]; only estimators that roll out ask for it."""
        ...

    def at(self, params: Params) -> Policy:
        """Give the same policy with other parameters; only estimators that keep some of their own ask."""
        ...


Reward = Callable[[Tensor], Tensor]
"""f: sequences or prefixes [N, t, V], one-hot or relaxed -> [N], for any t from 1 to T.

A reward may have methods for what it can do more cheaply than so; the functions of these names in
`discgan_core.rewards` say what they mean: `of_tokens`, `along`, `after`, `log_odds`, `of_all`."""


class State(NamedTuple):
    """What an estimator carries from one update to the next.

    Attributes:
        learned: tensors trained to lower the estimate's variance (a control variate, eta); may be empty.
        carried: anything else (an optimiser's moments, a running mean); a pytree of tensors.
    """

    learned: Params = {}
    carried: Any = ()


class Estimate(NamedTuple):
    """One batch of independent draws.

    Attributes:
        surrogate: [draws]; the theta-gradient of each entry is one draw of g_hat (ascend it).
        info: what `adapt` or a reader may want to know, by name, such as `rewards`, f of the samples [N].
    """

    surrogate: Tensor
    info: dict[str, Tensor] = {}


class Feedback(NamedTuple):
    """What `adapt` may learn from after an update.

    Attributes:
        variance_gradient: gradient of E[|g_hat|^2] by each of `State.learned`; empty if there are none.
        estimate: the update's own estimate, detached.
        theta: the policy's parameters after the update.
    """

    variance_gradient: Params
    estimate: Estimate
    theta: Params


class Need(Enum):
    """What an estimator asks for beside a causal policy and a reward of whole sequences, in words."""

    DERIVATIVE = "a reward with a derivative"
    PREFIXES = "a reward of prefixes"
    PROBABILITY = "a reward in (0, 1)"
    POSITIVE = "a positive reward"
    DATA = "real sequences"
    RELAXED = "a policy that takes relaxed tokens"
    PARAMETERS = "a policy with parameters of its own"


def no_state(policy: Policy, generator: Generator | None) -> State:
    """Start with nothing to carry."""
    return State()


def keep(state: State, feedback: Feedback) -> State:
    """Carry the state on unchanged."""
    return state


def any_size(length: int, vocabulary: int) -> bool:
    """Serve every length and vocabulary."""
    return True


class Estimator(NamedTuple):
    """An estimator of the gradient of J(theta) = E[f(s)].

    Attributes:
        estimate: (policy, reward, noise, state, data) -> Estimate. `noise` holds uniforms in (0, 1), as
            `noise` below asks; `data` [N, T] are real sequences, for those that learn from data.
        noise: (length, vocabulary) -> shape per sample of every uniform array that `estimate` reads.
            Arrays of one name hold the same numbers for all estimators: `tokens` always drives sampling.
        init: (policy, generator) -> State, before the first update of that policy; no generator is one that
            torch's global one seeds.
        adapt: (state, feedback) -> State.
        samples_per_draw: the smallest number of samples from which one independent draw can be made.
        variance_draws: from how many of a batch's draws `Feedback.variance_gradient` is taken.
        unbiased: whether E[g_hat] is the gradient of J; a test holds it to that.
        supports: (length, vocabulary) -> whether it can run there at all.
        needs: what it asks of reward, policy and user; without it, it refuses to run.
    """

    estimate: Callable[[Policy, Reward, Noise, State, Tensor | None], Estimate]
    noise: Callable[[int, int], dict[str, tuple[int, ...]]]
    init: Callable[[Policy, Generator | None], State] = no_state
    adapt: Callable[[State, Feedback], State] = keep
    samples_per_draw: int = 1
    variance_draws: int = 32
    unbiased: bool = True
    supports: Callable[[int, int], bool] = any_size
    needs: tuple[Need, ...] = ()
