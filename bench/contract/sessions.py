"""A session among others: what is computed of a stack of sessions is each session's own."""

from __future__ import annotations

from torch.func import vmap
from torch.utils._pytree import tree_map

from bench.contract import case
from bench.contract.case import Broken, Case
from bench.contract.draws import CLOSE, distance
from bench.contract.forms import same
from discgan_core import tasks, training
from discgan_core.interface import Estimator, Params, State
from discgan_core.randomness import Streams
from discgan_core.training import Schedule

TASK, LENGTHS = "grammar", (3, 15)
SCHEDULE = Schedule(
    updates=2,
    discriminator_steps=1,
    generator_rate=0.01,
    discriminator_rate=0.005,
    pretraining_epochs=1,
    pretraining_rate=0.003,
    warmup=1,
    hidden=8,
    training_set=256,
)


def alone(estimator: Estimator) -> str:
    """Check gradients, draws and states of two and of three sessions at once against each by itself."""
    found = case.some(estimator)
    sizes = len(found.theta["out.bias"]), found.data.shape[-1]
    ones = [case.make(estimator, *sizes, seed=seed) for seed in range(3)]

    def all_of(one: Case) -> tuple[Params, Params, State]:
        gradient, feedback = one.update(estimator)
        return gradient, one.draws(estimator), estimator.adapt(one.state, feedback)

    each = [all_of(one) for one in ones]
    for count in (2, 3):
        stacked = vmap(all_of)(training.stack(ones[:count]))
        for place in range(count):
            mine = tree_map(lambda leaf: leaf[place], stacked)  # noqa: B023 - used at once
            apart = max(distance(*pair) for pair in zip(mine[:2], each[place][:2], strict=True))
            if apart > CLOSE or case.gap(mine[2], each[place][2]) > CLOSE:
                raise Broken(
                    f"session {place} in a stack of {count} differs from itself alone by {apart:.2g} of its "
                    "gradient: what `estimate` and `adapt` do must not depend on who else is in the stack"
                )
    return "gradients, draws and states"


def company(estimator: Estimator) -> str:
    """Check two updates of a session in stacks of two and of three, bit for bit."""
    able = [t for t in LENGTHS if estimator.supports(t, tasks.make(TASK, t).vocabulary)]
    if not able:
        return f"not tried: supports no length of {TASK}"
    first, second = (trained(estimator, able[0], list(range(count))) for count in (2, 3))
    pair = tree_map(lambda leaf: leaf[:2], second)
    if not same(first, pair):
        raise Broken(
            f"trained beside one other session and beside two, one differs by {case.gap(first, pair):.1g}: "
            "an operation in `estimate` or `adapt` rounds in another way in another stack"
        )
    if not all(leaf.isfinite().all() for leaf in first[0].values()):
        raise Broken("after two updates the generator's parameters are not finite")
    return f"{TASK}, length {able[0]}"


def trained(estimator: Estimator, length: int, sessions: list[int]) -> tuple[Params, State]:
    """Train a few sessions for two updates; gives the generators and the estimator's states."""
    task = tasks.make(TASK, length)
    players, data = training.pretrain(task, SCHEDULE, Streams("contract/pretraining", sessions))
    streams = Streams("contract/adversarial", sessions)
    loop = training.adversarial(players, data, task, estimator, SCHEDULE, streams)
    *_, last = loop
    return last.generator, last.state
