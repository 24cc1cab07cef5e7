"""How often to train the discriminator: from one batch for 5 generator updates to 78 batches for each.

The paper's own code trains the discriminator on 78 batches before each generator update. Here `d_per_g=78` is
that, `d_per_g=1` is one batch, and `d_per_g=0.2` five updates after each batch. All spend the same number of
batches in all, a generator update's being one of them: that is the comparison at equal cost. Everything is
measured as well where all have made the same number of generator updates, as many as there is time for at the
largest ratio. All else is as in `grammar`; steps count generator updates.

`standard` has length 3 alone, small batches, one estimator, and 20 discriminator batches at the most, as 78
would leave it less than three updates. Beside it stand maximum likelihood and a null reward, for as many
updates as there are at a ratio, and in `paper` the other controls; those that never ask the discriminator
train none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

from bench.experiments import grammar
from bench.sessions import adversarial, controls
from bench.sessions.controls import NULL, SAME_SECONDS, SHUFFLED
from bench.sessions.parameters import require_parameters
from bench.sessions.settings import Settings, smoke
from bench.tables.condition import Condition, Outcome
from discgan_core import estimators
from discgan_core.game import REGAN, Game

FEW = ("reinforce_loo", "maximum_likelihood")
FIXED = ("updates", "generator_steps", "discriminator_steps", "common", "left_out")


@dataclass(frozen=True)
class RatioSettings(Settings):
    """An adversarial experiment's settings, and what is compared; rounds follow from it.

    Attributes:
        batches: in all, of both players.
        ratios: discriminator batches for each generator update, or the inverse of whole numbers of updates.
        compared: the estimators.
        controls: beside them.
        common: rounds of a ratio by which it has made as many generator updates as all ratios do.
    """

    batches: int = 0
    ratios: tuple[float, ...] = ()
    compared: tuple[str, ...] = FEW
    controls: tuple[str, ...] = (NULL,)
    common: int = 0

    def at(self, ratio: float) -> RatioSettings:
        """Give the settings of a ratio: its rounds, and what each has."""
        each, judged = max(1, round(1 / ratio)), max(1, round(ratio))
        least = self.batches // (1 + round(max(self.ratios)))
        return replace(
            self,
            updates=self.batches // (each + judged),
            generator_steps=each,
            discriminator_steps=judged,
            common=least // each,
        )

    def moments(self) -> set[int]:
        """Measure besides where all ratios have made as many generator updates."""
        return super().moments() | {self.common}


STANDARD = RatioSettings(
    **grammar.SWEPT,
    lengths=(3,),
    updates=0,
    discriminator_steps=0,
    batches=210,
    ratios=(0.2, 1.0, 5.0, 20.0),
)
PRESETS = {
    "smoke": smoke(STANDARD, updates=0, warmup=2, training_set=640, batches=30, ratios=(0.2, 1.0, 5.0)),
    "standard": STANDARD,
    "paper": RatioSettings(
        **asdict(grammar.PRESETS["paper"]),
        batches=16_590,
        ratios=(0.2, 1.0, 5.0, 20.0, 78.0),
        compared=("reinforce", "rebar", "relax", *FEW),
        controls=(NULL, SHUFFLED, SAME_SECONDS),
    ),
}


def conditions(settings: RatioSettings, lengths: Sequence[int], names: Sequence[str]) -> list[Condition]:
    """The estimators asked for of those compared, and the controls, at every ratio."""
    found = []
    for length in lengths:
        require_parameters(settings, grammar.check("grammar", length))
        plain = [Condition("grammar", length, n) for n in estimators.among(names, settings.compared)]
        found += controls.swept(plain, settings.controls, [f"d_per_g={ratio:g}" for ratio in settings.ratios])
    return found


def run(settings: RatioSettings, condition: Condition, sessions: Sequence[int], device: str) -> Outcome:
    """Train and measure some sessions at the ratio in the setting's name."""
    ratio = settings.at(ratio_of(condition))
    own, game = setup(settings, condition)
    estimator = estimators.make(condition.estimator)
    outcome = adversarial.run("schedule", own, condition, sessions, device, estimator, game)
    steps = outcome.metrics["step"] * ratio.generator_steps
    return outcome._replace(metrics=outcome.metrics.assign(step=steps))


def ratio_of(condition: Condition) -> float:
    """Read the ratio off the setting."""
    return float(condition.setting.rpartition("=")[2])


def setup(settings: RatioSettings, condition: Condition) -> tuple[Settings, Game]:
    """Give what a condition trains with."""
    own, game = controls.applied(settings.at(ratio_of(condition)), REGAN, condition.setting)
    return controls.unjudged(own, condition), game


def cost(settings: RatioSettings, condition: Condition) -> float:
    """Predict seconds per session on one core."""
    own, _ = setup(settings, condition)
    measured = len(own.moments()) * (0.7 + own.draws * 0.1) / 1000
    return grammar.training_cost(own, condition) + condition.length * measured
