"""REGAN section 5, no learning without pre-training: from 0 to many epochs of maximum likelihood first.

The paper pre-trains for one epoch at length 3 and for three at length 15, and finds that its estimators do
not learn without. Here the epochs differ and all else is as in `grammar`, but that `standard`, for its time,

* has one discriminator batch before each generator update;
* halves batches and training set, so that an epoch is as many updates as in the paper;
* measures the start and the end alone, and no gradients;
* leaves out REBAR and two of the controls at length 15, and the paper's other estimators altogether.

The rates are those of `grammar`, chosen for a pre-trained generator: this asks whether that schedule needs
the pre-training, not whether every other would. Controls that never ask the discriminator train none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from math import log

from bench.experiments import grammar
from bench.sessions import adversarial, controls
from bench.sessions.controls import NULL, SAME_SECONDS, SHUFFLED
from bench.sessions.parameters import require_parameters
from bench.sessions.settings import Settings, smoke
from bench.tables.condition import Condition, Outcome
from discgan_core import estimators
from discgan_core.game import REGAN, Game

FIXED = ("left_out",)
CONTROLS = (NULL, SHUFFLED, SAME_SECONDS)
FEW = ("reinforce_loo", "maximum_likelihood")
MORE = ("reinforce", "rebar", "relax", *FEW)


@dataclass(frozen=True)
class PretrainingSettings(Settings):
    """An adversarial experiment's settings, and what is compared.

    Attributes:
        compared: for each length the epochs, the estimators, and the controls beside them.
    """

    compared: tuple[tuple[int, tuple[int, ...], tuple[str, ...], tuple[str, ...]], ...] = ()


STANDARD = PretrainingSettings(
    **grammar.SWEPT,
    lengths=(3, 15),
    updates=24,
    discriminator_steps=1,
    compared=((3, (0, 1, 3), ("rebar", *FEW), CONTROLS), (15, (0, 1, 3), FEW, (NULL,))),
)
PRESETS = {
    "smoke": smoke(
        STANDARD,
        lengths=(3,),
        warmup=2,
        training_set=640,
        compared=((3, (0, 1), FEW, (NULL,)),),
    ),
    "standard": STANDARD,
    "paper": PretrainingSettings(
        **asdict(grammar.PRESETS["paper"]),
        compared=(
            (3, (0, 1, 3, 10, 30), MORE, CONTROLS),
            (15, (0, 1, 3, 10, 30, 120), MORE, CONTROLS),
        ),
    ),
}


def conditions(
    settings: PretrainingSettings, lengths: Sequence[int], names: Sequence[str]
) -> list[Condition]:
    """The estimators of a length that are asked for, and the controls, after every number of epochs."""
    found = []
    for length in lengths:
        require_parameters(settings, grammar.check("grammar", length))
        _, epochs, able, kept = min(settings.compared, key=lambda row: abs(log(row[0] / length)))
        plain = [Condition("grammar", length, name) for name in estimators.among(names, able)]
        found += controls.swept(plain, kept, [f"epochs={count}" for count in epochs])
    return found


def run(settings: PretrainingSettings, condition: Condition, sessions: Sequence[int], device: str) -> Outcome:
    """Train and measure some sessions after the epochs in the setting's name."""
    own, game = setup(settings, condition)
    estimator = estimators.make(condition.estimator)
    return adversarial.run("pretraining", own, condition, sessions, device, estimator, game)


def setup(settings: PretrainingSettings, condition: Condition) -> tuple[Settings, Game]:
    """Give what a condition trains with: its epochs, at each length's rate."""
    epochs = int(condition.setting.rpartition("=")[2])
    rates = tuple((length, epochs, rate) for length, _, rate in settings.pretraining)
    own, game = controls.applied(replace(settings, pretraining=rates), REGAN, condition.setting)
    return controls.unjudged(own, condition), game


def cost(settings: PretrainingSettings, condition: Condition) -> float:
    """Predict seconds per session on one core; conditions share the pre-training that a worker has done."""
    own, _ = setup(settings, condition)
    schedule = own.schedule(condition.length)
    shared = schedule.pretraining_epochs * schedule.training_set * 0.6e-6
    measured = own.measurements * (0.7 + own.draws * 0.1) / 1000
    return grammar.training_cost(own, condition) + condition.length * (shared + measured)
