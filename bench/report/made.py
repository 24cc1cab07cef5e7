"""How the report was produced: what is needed to make it again, and to doubt it."""

import json
import shlex
from importlib.metadata import version
from typing import Any, NamedTuple

import pandas as pd

from bench.errors import SCRIPT
from bench.report.words import NOTHING
from bench.statistics import lineup
from bench.tables import schema
from bench.tables.store import Tables

PROVENANCE = [
    "preset",
    "commit",
    "version",
    "config_hash",
    "torch",
    "python",
    "machine",
    "device",
    "threads",
    "sessions_stacked",
]
USUAL = "census"  # where names come from unless it is told
TOOLS = ["numpy", "scipy", "pandas", "matplotlib", "seaborn"]


class Made(NamedTuple):
    """What the page says of its origin."""

    commands: list[str]
    facts: pd.DataFrame  # a row per fact, a column per experiment and source
    settings: pd.DataFrame  # a row per setting, a column per experiment and source
    errors: list[str]  # what lost sessions reported, with counts
    tools: str


def describe(tables: Tables) -> Made:
    """Collect it from the trials."""
    groups = list(tables.trials.groupby(["experiment", "source"], observed=True))
    named = {schema.with_source(*key): trials for key, trials in groups}
    return Made(
        commands=[command(experiment, trials) for (experiment, _), trials in groups],
        facts=side_by_side({name: facts(trials) for name, trials in named.items()}),
        settings=side_by_side({name: settings(trials) for name, trials in named.items()}),
        errors=errors(tables.trials),
        tools=", ".join(f"{tool} {version(tool)}" for tool in TOOLS),
    )


def side_by_side(columns: dict[str, dict[str, str]]) -> pd.DataFrame:
    """A row for each name, a column for each experiment and source."""
    return pd.DataFrame({name: pd.Series(column, dtype=object) for name, column in columns.items()}).fillna(
        NOTHING
    )


def command(experiment: str, trials: pd.DataFrame) -> str:
    """What computes exactly these trials again."""
    lengths, estimators = (
        shlex.quote(",".join(map(str, sorted(trials[name].unique())))) for name in ("length", "estimator")
    )
    options = (
        f"--preset {trials['preset'].iloc[0]} --sessions {numbers(trials['session'])} --lengths {lengths}"
    )
    own = [
        f" --set {shlex.quote(f'{name}={json.dumps(value)}')}"
        for name, value in not_the_preset_s(trials).items()
    ]
    own += [f" --plugin {shlex.quote(path)}" for path in plugin_files(trials)]
    return f"{SCRIPT} run {experiment} {options} --estimators {estimators}{source(trials)}{''.join(own)}"


def numbers(sessions: pd.Series) -> str:
    """Sessions as `--sessions` takes them: how many, if they are the first, or their ranges."""
    found = sorted(sessions.unique())
    if found == list(range(len(found))):
        return str(len(found))
    starts = [number for number in found if number - 1 not in set(found)]
    ends = [number for number in found if number + 1 not in set(found)]
    return ",".join(f"{start}-{end}" for start, end in zip(starts, ends, strict=True))


def not_the_preset_s(trials: pd.DataFrame) -> dict[str, Any]:
    """The settings that were given in the place of the preset's."""
    configs = [json.loads(text) for text in trials["config"].dropna().unique() if text]
    return {name: value for config in configs for name, value in config.get(schema.SET, {}).items()}


def plugin_files(trials: pd.DataFrame) -> list[str]:
    """The files of estimators that are a user's own."""
    paths = (plugin.rpartition("#")[0] for plugin in plugins(trials))
    return [path for path in paths if path.endswith(".py")]  # an installed package's needs no option


def plugins(trials: pd.DataFrame) -> list[str]:
    """Every estimator that is not one of ours: where it is from, and a hash of what is in its file."""
    found = (json.loads(text).get(schema.PLUGIN) for text in trials["config"].dropna().unique() if text)
    return sorted({plugin for plugin in found if plugin})


def source(trials: pd.DataFrame) -> str:
    """The option for words from elsewhere than usual: a list known by name, or a file and its hash."""
    path, _, known = settings(trials).get("source", USUAL).rpartition("#")
    if path:
        return f" --data {shlex.quote(path)}"
    return f" --source {known}" if known != USUAL else ""


def facts(trials: pd.DataFrame) -> dict[str, str]:
    """Under what circumstances the trials ran."""
    known = {name: distinct(trials[name]) for name in PROVENANCE if name in trials}
    sessions, finished = trials["session"], trials["finished"]
    return {name.replace("_", " "): text for name, text in known.items() if text} | {
        **({"set": pairs(not_the_preset_s(trials))} if not_the_preset_s(trials) else {}),
        **({"plug-ins": ", ".join(plugins(trials))} if plugins(trials) else {}),
        "seeds": f"{sessions.min()} to {sessions.max()}, shared by all estimators",
        "sessions in all": f"{len(trials):,}",
        "seconds in all": f"{trials['seconds'].sum():,.0f} (sum over sessions)",
        "finished": f"{finished.min()} to {finished.max()}",
    }


def pairs(values: dict[str, Any]) -> str:
    """Settings with their values, in a line."""
    return ", ".join(f"{name} = {plain(value)}" for name, value in values.items())


def distinct(column: pd.Series) -> str:
    """Every value of a column once, less what tables hold that were written before there was the column."""
    return ", ".join(str(value) for value in sorted(column.dropna().unique()) if value != "")


def settings(trials: pd.DataFrame) -> dict[str, str]:
    """The settings of the trials' JSON text, nested names joined by dots."""
    configs = [json.loads(text) for text in trials["config"].dropna().unique() if text]
    own = [{k: v for k, v in config.items() if k not in schema.BESIDE_SETTINGS} for config in configs]
    return {str(name): plain(value) for config in own for name, value in flat(config).items()}


def flat(config: dict[str, Any], before: str = "") -> dict[str, Any]:
    """Nested settings as one level."""
    found: dict[str, Any] = {}
    for name, value in config.items():
        found |= flat(value, f"{before}{name}.") if isinstance(value, dict) else {before + name: value}
    return found


def plain(value: Any) -> str:
    """A setting's value as text."""
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def errors(trials: pd.DataFrame) -> list[str]:
    """Each way in which sessions were lost, with how often."""
    lost = trials[trials["status"] != schema.OK]
    groups = lost.groupby([*schema.CONDITION, "status", "error"], dropna=False, observed=True)
    found = []
    for (experiment, task, source, length, *condition, status, error), count in groups.size().items():
        where = f"{experiment}, {schema.with_source(task, source)}, length {length}"
        found.append(f"{where}, {lineup.label(*condition)}: {count} {status}: {error}")
    return found
