"""What an estimator asks of the models, which is what its cost is counted in."""

from __future__ import annotations

from bench.contract import case
from bench.contract.case import Broken, Case
from bench.contract.draws import distance
from discgan_core.interface import Estimator
from discgan_core.meter import Calls, Meter, MeteredPolicy, MeteredReward


def counted(estimator: Estimator) -> str:
    """Check that whatever is asked of the models goes through the wrappers that count."""
    one = case.some(estimator)
    seen, true = calls(estimator, one)
    for model, ours, theirs in zip(Calls._fields, seen, true, strict=True):
        if ours != theirs:
            raise Broken(
                f"{theirs:g} sequences passed through the {model}, of which {ours:g} were counted: ask the "
                "policy and the reward that are given, not what they wrap"
            )
    if not seen.generator:
        raise Broken("no call of the generator is counted: ask the policy, not its parameters")
    if not seen.discriminator and heeds_reward(estimator, one):
        raise Broken("the reward matters, but no call of the discriminator is counted")
    per_sample = [count / len(one.data) for count in seen]
    count, size = one.sequences(estimator), estimator.samples_per_draw
    takes = f"a draw takes {count} sequence{'s'[: count > 1]}"
    more = f", not the {size} it declares: by {count} its variance is multiplied" if count > size else ""
    return f"{per_sample[0]:.3g} and {per_sample[1]:.3g} sequences for every sample; {takes}{more}"


def calls(estimator: Estimator, one: Case) -> tuple[Calls, Calls]:
    """Count an estimate's calls as the benchmark does, and once more behind that."""
    outer, inner, aim = Meter(), Meter(), one.problem()
    like = one.theta["out.bias"]
    policy = MeteredPolicy(MeteredPolicy(aim.policy(one.theta, one.noise), inner), outer)
    reward = MeteredReward(MeteredReward(aim.reward(one.noise), inner, like), outer, like)
    estimator.estimate(policy, reward, one.noise, one.state, one.data)
    return outer.calls, inner.calls


def heeds_reward(estimator: Estimator, one: Case) -> bool:
    """Tell whether another discriminator makes another gradient."""
    other = {name: -value for name, value in one.discriminator.items()}
    changed = one._replace(discriminator=other).update(estimator)[0]
    return distance(changed, one.update(estimator)[0]) > 0
