"""What an estimator needs beside a causal policy and a reward of whole sequences, against what it declares.

It is asked to estimate with a reward and a policy that see what is asked of them, and with rewards and data
that lack what others have. What it asks for, or cannot do without, it needs.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor
from torch.utils._pytree import tree_flatten

from bench.contract import case
from bench.contract.case import Broken, Case
from bench.contract.draws import CLOSE
from discgan_core.gradients import Problem, update_gradient
from discgan_core.interface import Estimator, Need, Noise, Params, Policy, Reward
from discgan_core.meter import Meter, MeteredPolicy

Outcome = tuple[Params, Params]
"""The gradient, and that of its variance by what is learned."""

Change = Callable[[Tensor], Tensor]
"""Of the rewards [N]."""


def declared(estimator: Estimator) -> str:
    """Check that whatever an estimator needs is in its `needs`; tell what is there and was not seen."""
    one = case.some(estimator)
    found, told = seen(estimator, one), set(estimator.needs)
    missing = [need for need in Need if need in found - told]
    if missing:
        raise Broken(
            f"it needs {words(missing)}, and does not declare it: needs=({names(told | found)},) so that "
            "who cannot give it is told"
        )
    spare = [need for need in Need if need in told - found]
    more = f"; {words(spare)} is declared and was not seen to be used" if spare else ""
    return (
        words([need for need in Need if need in told & found]) or "nothing beside policy and reward"
    ) + more


def words(needs: list[Need]) -> str:
    """Name needs in words."""
    return " and ".join(need.value for need in needs)


def names(needs: set[Need]) -> str:
    """Name needs as in code."""
    return ", ".join(f"Need.{need.name}" for need in Need if need in needs)


class Spy:
    """A reward that notes what it is asked for, and has no method but `log_odds`."""

    def __init__(self, reward: Reward, length: int, asked: set[Need]) -> None:
        self.reward, self.length, self.asked = reward, length, asked

    def __call__(self, x: Tensor) -> Tensor:
        """Judge; a prefix is noted."""
        if x.shape[1] < self.length:
            self.asked.add(Need.PREFIXES)
        return self.reward(x)

    def log_odds(self, x: Tensor) -> Tensor:
        """Give the odds, which only a probability has."""
        self.asked.add(Need.PROBABILITY)
        return self(x).logit()


class SpyPolicy(MeteredPolicy):
    """A policy that notes what it is asked for."""

    def __init__(self, policy: Policy, asked: set[Need]) -> None:
        super().__init__(policy, Meter())
        self.asked = asked

    def unroll(self, batch: int, token: Callable[[int, Tensor], Tensor]) -> Tensor:
        """Run token by token; that is for relaxed tokens."""
        self.asked.add(Need.RELAXED)
        return super().unroll(batch, token)

    def at(self, params: Params) -> MeteredPolicy:
        """Give the policy with other parameters."""
        self.asked.add(Need.PARAMETERS)
        return SpyPolicy(self.policy.at(params), self.asked)


def seen(estimator: Estimator, one: Case) -> set[Need]:
    """Find what an estimator asks for, or cannot do without."""
    asked: set[Need] = set()
    full = outcome(estimator, one, asked)
    lacks = {
        Need.DERIVATIVE: other(full, tried(estimator, one, cut)),
        Need.DATA: other(full, tried(estimator, one, same, with_data=False)),
        Need.POSITIVE: not finite(tried(estimator, one, lambda f: -f)),
        Need.PROBABILITY: not finite(tried(estimator, one, lambda f: 1 + f)),
    }
    found = asked | {need for need, lacking in lacks.items() if lacking}
    return found - {Need.POSITIVE} if Need.PROBABILITY in found else found


def same(f: Tensor) -> Tensor:
    """Leave rewards as they are."""
    return f


def cut(f: Tensor) -> Tensor:
    """Leave rewards without a derivative."""
    return f.detach()


def outcome(
    estimator: Estimator, one: Case, asked: set[Need], change: Change = same, with_data: bool = True
) -> Outcome:
    """Estimate with a reward that is changed, or without data, noting what is asked for."""
    aim, length, data = one.problem(), one.data.shape[-1], one.data if with_data else None

    def reward(noise: Noise) -> Reward:
        judge = aim.reward(noise)
        return Spy(lambda x: change(judge(x)), length, asked)

    posed = Problem(lambda theta, noise: SpyPolicy(aim.policy(theta, noise), asked), reward)
    gradient, feedback = update_gradient(estimator, posed, one.theta, one.noise, one.state, data)
    return gradient, feedback.variance_gradient


def tried(estimator: Estimator, one: Case, change: Change, with_data: bool = True) -> Outcome | None:
    """Estimate without what an estimator may need; None if it refuses."""
    try:
        return outcome(estimator, one, set(), change, with_data)
    except Exception:
        return None


def other(full: Outcome, found: Outcome | None) -> bool:
    """Tell whether an outcome is another than with all that may be needed."""
    return found is None or not finite(found) or case.gap(found, full) > CLOSE


def finite(found: Outcome | None) -> bool:
    """Tell whether an outcome is there, and in numbers."""
    return found is not None and all(bool(leaf.isfinite().all()) for leaf in tree_flatten(found)[0])
