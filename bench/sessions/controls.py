"""Controls: what an estimator must do better than, before its gain is one.

A generator may also gain from what has nothing to do with the estimator. So beside the estimators stand

* `null_reward`: leave-one-out REINFORCE with a reward that is noise (`discgan_core.game.null`);
* `shuffled_reward`: the same with each batch's rewards permuted over it (`discgan_core.game.Shuffled`);
* maximum likelihood continued for as many updates, which is an estimator in its default setting;
* `same_seconds`: maximum likelihood continued for as many seconds as leave-one-out REINFORCE takes with its
  discriminator. A clock would make a session's numbers depend on the machine, so the seconds are counted in
  updates, `in_the_time_of_a_round` for each round of the adversarial schedule; no discriminator is trained.
  Its curves are drawn over rounds, so that they lie over the others. What it took in truth, the report tells.

In a sweep a control is named before the number that is swept: `null_reward epochs=3`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from bench.sessions.settings import Settings
from bench.tables.condition import Condition
from discgan_core.game import Game, null, shuffled

NULL = "null_reward"
SHUFFLED = "shuffled_reward"
SAME_SECONDS = "same_seconds"
NAMES = (NULL, SHUFFLED, SAME_SECONDS)
OF = {"reinforce_loo": (NULL, SHUFFLED), "maximum_likelihood": (SAME_SECONDS,)}
"""The estimators that are controls in a setting of their own."""


def beside(conditions: Sequence[Condition]) -> Iterator[Condition]:
    """Give the controls that belong beside these conditions."""
    for condition in conditions:
        for setting in OF.get(condition.estimator, ()):
            yield condition._replace(setting=setting)


def swept(plain: Sequence[Condition], controls: Sequence[str], points: Sequence[str]) -> list[Condition]:
    """Give these conditions, and the controls named that belong beside them, at every point of a sweep.

    Args:
        plain: in their default settings.
        controls: their settings.
        points: a name and a number each, such as `epochs=3`.
    """
    beside_them = [condition for condition in beside(plain) if condition.setting in controls]
    return [
        *(condition._replace(setting=point) for condition in plain for point in points),
        *(c._replace(setting=f"{c.setting} {point}") for c in beside_them for point in points),
    ]


def applied(settings: Settings, game: Game, setting: str) -> tuple[Settings, Game]:
    """Give what a control trains with; any other setting leaves all as it is."""
    name = setting.partition(" ")[0]
    if name == NULL:
        return settings, game._replace(reward=null)
    if name == SHUFFLED:
        return settings, game._replace(reward=shuffled(game.reward))
    if name == SAME_SECONDS:
        steps = in_the_time_of_a_round(settings)
        return replace(settings, generator_steps=steps, discriminator_steps=0), game
    return settings, game


def unjudged(settings: Settings, condition: Condition) -> Settings:
    """Leave out the discriminator's batches where the generator never asks it, which changes none of its."""
    asks = condition.estimator != "maximum_likelihood" and not condition.setting.startswith(NULL)
    return settings if asks else replace(settings, discriminator_steps=0)


def in_the_time_of_a_round(settings: Settings) -> int:
    """Count the maximum-likelihood updates that take as long as a round of leave-one-out REINFORCE."""
    update, batch = settings.prices
    return max(1, round(update * settings.generator_steps + batch * settings.discriminator_steps))
