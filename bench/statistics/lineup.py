"""Who is on the bench: what every condition is called, whom it stands with, in which order.

An estimator that is not in the table (a plug-in) competes under its own name, after the others; a line
in the table gives it another name or a family. One with hyperparameters of its own, `rebar(temperature=0.5)`,
stands with the one that has not, under its name and theirs. Nothing here is about how a condition is drawn.
"""

import re
from typing import NamedTuple

import pandas as pd

Condition = tuple[str, str]  # estimator, setting

DEFAULT = "default"
BESIDE = "beside"  # references, ceilings and controls: no contenders
SCORE = "score function"
CONTROL_VARIATES = "control variates"
ROLLOUTS = "rollouts and expectations"
RELAXED = "relaxed or straight-through"
SETTINGS = "Gumbel-softmax by setting"
IMPORTANCE = "importance sampling on data"
OTHERS = "others"


class Known(NamedTuple):
    """A condition's name, and which others it is shown with where one panel is too small."""

    label: str
    family: str = OTHERS


KNOWN: dict[Condition, Known] = {
    ("maximum_likelihood", DEFAULT): Known("maximum likelihood (reference)", BESIDE),
    ("maximum_likelihood", "same_seconds"): Known("maximum likelihood, same seconds (control)", BESIDE),
    ("exact", DEFAULT): Known("exact gradient (ceiling)", BESIDE),
    ("reinforce", DEFAULT): Known("REINFORCE", SCORE),
    ("reinforce_loo", DEFAULT): Known("REINFORCE, leave-one-out", SCORE),
    ("reinforce_loo", "null_reward"): Known("null reward (control)", BESIDE),
    ("reinforce", "null_reward"): Known("null reward, no baseline (control)", BESIDE),
    ("reinforce_loo", "shuffled_reward"): Known("shuffled reward (control)", BESIDE),
    ("unordered_set", DEFAULT): Known("unordered set", SCORE),
    ("arsm", DEFAULT): Known("ARSM", SCORE),
    ("disarm", DEFAULT): Known("DisARM", SCORE),
    ("rebar", DEFAULT): Known("REBAR (per step)", CONTROL_VARIATES),
    ("rebar_sequence", DEFAULT): Known("REBAR (whole sequence, as the paper)", CONTROL_VARIATES),
    ("relax", DEFAULT): Known("RELAX (per step)", CONTROL_VARIATES),
    ("relax_sequence", DEFAULT): Known("RELAX (whole sequence, as the paper)", CONTROL_VARIATES),
    ("double_control_variate", DEFAULT): Known("double control variate", CONTROL_VARIATES),
    ("rollout", DEFAULT): Known("rollouts (SeqGAN)", ROLLOUTS),
    ("rollout", "lagged"): Known("rollouts, lagged policy", ROLLOUTS),
    ("rollout", "no_baseline"): Known("rollouts, no baseline", ROLLOUTS),
    ("local_expectation", DEFAULT): Known("local expectation", ROLLOUTS),
    ("gumbel_softmax", DEFAULT): Known("Gumbel-softmax", RELAXED),
    ("straight_through", DEFAULT): Known("straight-through Gumbel-softmax", RELAXED),
    ("gumbel_rao", DEFAULT): Known("Gumbel-Rao", RELAXED),
    ("reinmax", DEFAULT): Known("ReinMax", RELAXED),
    ("gapped_straight_through", DEFAULT): Known("gapped straight-through", RELAXED),
    # The settings of the Gumbel-softmax paper, by its letters.
    ("gumbel_softmax", "annealed"): Known("Gumbel-softmax (a) annealed", SETTINGS),
    ("gumbel_softmax", "generated_1000"): Known("Gumbel-softmax (b) 1,000 generated", SETTINGS),
    ("gumbel_softmax", "input_annealed"): Known("Gumbel-softmax (c) input annealed", SETTINGS),
    ("gumbel_softmax", "hidden_noise"): Known("Gumbel-softmax (d) noise in h only", SETTINGS),
    ("gumbel_softmax", "tuned"): Known("Gumbel-softmax, tuned", SETTINGS),
    ("likelihood", DEFAULT): Known("likelihood, log L", IMPORTANCE),
    ("likelihood", "eq5"): Known("likelihood, eq. 5", IMPORTANCE),
    ("self_normalised", DEFAULT): Known("self-normalised importance sampling", IMPORTANCE),
    ("maligan", DEFAULT): Known("MaliGAN", IMPORTANCE),
}

# What must be exceeded before a gain is one.
UNINFORMED: list[Condition] = [
    ("reinforce_loo", "null_reward"),
    ("reinforce_loo", "shuffled_reward"),
    ("reinforce", "null_reward"),
]
CONTROLS = [*UNINFORMED, ("maximum_likelihood", DEFAULT), ("maximum_likelihood", "same_seconds")]

# What a sweep varies, in words.
NUMBERS = {
    "lambda": "λ",
    "d_per_g": "discriminator batches per update",
    "epochs": "epochs",
    "sessions": "sessions at once",
}


def known(estimator: str, setting: str = DEFAULT) -> Known:
    """What is known of a condition; a setting without a line of its own has its estimator's, and its name."""
    if (estimator, setting) in KNOWN:
        return KNOWN[estimator, setting]
    if own(estimator) and not swept(setting)[1]:
        base = known(bare(estimator), setting)
        return base._replace(label=f"{base.label}, {in_words(own(estimator))}")
    if setting == DEFAULT:
        return Known(estimator.replace("_", " "))
    variant, point = swept(setting)
    base = known(estimator, variant if point else DEFAULT)
    return base._replace(label=f"{base.label}, {name_setting(point or setting)}")


VALUE = r"(?<==)-?\d+(?:\.\d+)?(?:e-?\d+)?"
"""A number that a hyperparameter has."""


def bare(estimator: str) -> str:
    """An estimator's name without hyperparameters."""
    return estimator.partition("(")[0]


def own(estimator: str) -> str:
    """The hyperparameters that it has of its own, as they are typed: `temperature=0.5` of `rebar(..)`."""
    return estimator.partition("(")[2].removesuffix(")")


def in_words(hyperparameters: str) -> str:
    """Hyperparameters as they are read: `learning_rate=0.1` as learning rate = 0.1."""
    return re.sub(r"(\w+)=", lambda name: f"{name[1].replace('_', ' ')} = ", hyperparameters)


def label(estimator: str, setting: str = DEFAULT) -> str:
    """The name of a condition in every legend, table and sentence."""
    return known(estimator, setting).label


def family(estimator: str, setting: str = DEFAULT) -> str:
    """Whom it stands with."""
    return known(estimator, setting).family


def competes(estimator: str, setting: str = DEFAULT) -> bool:
    """Whether it is a contender: no reference, ceiling or control."""
    return family(estimator, setting) != BESIDE


def swept(setting: str) -> tuple[str, str]:
    """What a sweep varies, and the point of it if there is one: `eq5 covered=0.1` as `eq5`, `covered=0.1`."""
    variant, _, point = setting.rpartition(" ")
    return (variant or DEFAULT, point) if "=" in point else (setting, "")


def name_setting(setting: str) -> str:
    """A setting in words: `lambda=0.1` as λ = 0.1."""
    name, equals, value = setting.partition("=")
    return f"{NUMBERS.get(name, name.replace('_', ' '))}{equals and ' = '}{value}"


def ordered(conditions: pd.DataFrame) -> list[Condition]:
    """The distinct conditions of a table in the order of every legend: as above, then by name."""
    return sorted(set(zip(conditions["estimator"], conditions["setting"], strict=True)), key=place)


def place(condition: Condition) -> tuple[int, str, list[float], str, float, str]:
    """What to sort by: an estimator's settings stay together, by what they vary, then by number if any."""
    estimator, setting = condition
    listed = list(KNOWN)
    variants = dict.fromkeys([setting, swept(setting)[0], DEFAULT])
    bases = [(name, variant) for name in dict.fromkeys([estimator, bare(estimator)]) for variant in variants]
    base = next((c for c in bases if c in KNOWN), None)
    axis = setting.rpartition("=")[0]
    index = listed.index(base) if base else len(listed)
    given = re.sub(VALUE, "", estimator), [float(text) for text in re.findall(VALUE, estimator)]
    return index, *given, axis, number(setting), setting


def number(setting: str) -> float:
    """The number that a setting gives, or 0."""
    text = setting.rpartition("=")[2]
    return float(text) if text.replace(".", "", 1).isdecimal() else 0.0


def variants(table: pd.DataFrame) -> list[Condition]:
    """The contenders that are an estimator in a setting set apart: no default, no point of a sweep."""
    return [c for c in ordered(table) if c in KNOWN and c[1] != DEFAULT and competes(*c)]


def set_apart(table: pd.DataFrame) -> list[Condition]:
    """The contenders of every family with variants in it: those, and what they stand beside."""
    found = {family(*condition) for condition in variants(table)}
    return [c for c in ordered(table) if competes(*c) and family(*c) in found]


def points(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """Only settings that give a number to a name, with the number and what it varies as columns."""
    point = table["setting"].astype(str).str.extract(f"^(?:(?P<variant>.+) )?{name}=(?P<number>.+)$")
    variant, number = point["variant"].fillna(DEFAULT), pd.to_numeric(point["number"])
    return table.assign(**{"variant": variant, name: number}).dropna(subset=name)
