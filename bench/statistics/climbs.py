"""Climbs of J under a reward that stands still: every session's curve, and what it has reached at a budget.

A setting is `<reward>[ <variant>] rate=<r>`. The sessions from number `reported` on (in the trials' `config`)
choose rates and knobs, those before are told of (`bench.statistics.tuned`).

A session that diverged or failed is never dropped: it counts as one that stayed at the J it started from,
which all sessions of its number under its reward share, and as one that ended below its start.
"""

import json
from typing import NamedTuple

import numpy as np
import pandas as pd

from bench.statistics import lineup, stats
from bench.statistics.aggregates import mean_by_bootstrap
from bench.tables import schema
from bench.tables.store import Tables

FROZEN = "frozen"
NULL = "null_reward"
UPDATES = "updates"
BUDGETS = {
    UPDATES: "updates",
    schema.DISCRIMINATOR_CALLS: "discriminator calls",
    schema.SECONDS: "seconds",
}
"""What can be equal, and its name in words; what one update takes of it is a column of that name."""
YARDSTICK = "reinforce_loo"
"""Whose spending in all its updates is the budget of the others."""
RESOLUTION = 5e-4
"""Differences in J below this, which three digits do not show, count as none."""
WAY = ["reward", "variant", "estimator"]
CLIMB = [*WAY, "rate"]


class Climbs(NamedTuple):
    """The sessions of one experiment, task and length.

    Attributes:
        sessions: a row for each, with `CLIMB`, `bare` (the estimator without its knob), `session`, `tuning`,
            `lost`, and what one update takes of every budget.
        curves: J of these, in their order: [sessions, steps].
        steps: the updates after which J was measured.
        main: the reward that everyone climbs.
    """

    sessions: pd.DataFrame
    curves: np.ndarray
    steps: np.ndarray
    main: str = ""


def are(tables: Tables) -> bool:
    """Whether that is what a slice holds."""
    return bool((tables.trials["experiment"] == FROZEN).all()) and not tables.trials.empty


def read(tables: Tables) -> Climbs:
    """Gather all sessions of a slice that have a start; no curve has gaps."""
    trials = tables.trials.reset_index(drop=True)
    found = pd.concat([trials[["estimator", "session"]], parsed(trials["setting"])], axis=1)
    found = found.assign(
        bare=found["estimator"].map(lineup.bare),
        tuning=found["session"] >= reported(tables),
        lost=trials["status"] != schema.OK,
    )
    wide = objective(tables).reindex(pd.MultiIndex.from_frame(trials[[*stats.COMPARED, "session"]]))
    steps, curves = wide.columns.to_numpy(float), wide.to_numpy(float)
    found["lost"] |= ~np.isfinite(curves).all(axis=1)
    curves = held(curves, found["lost"].to_numpy(), starts(found, curves))
    there = np.isfinite(curves).all(axis=1)
    found = found.merge(costs(tables), on=WAY, how="left")
    return Climbs(found[there].reset_index(drop=True), curves[there], steps, main(tables, found))


def parsed(settings: pd.Series) -> pd.DataFrame:
    """Reward, variant and rate of each setting: `d79 sgd rate=5`."""
    found = settings.astype(str).str.extract(r"^(?P<reward>\S+)(?: (?P<variant>.+))? rate=(?P<rate>\S+)$")
    return found.assign(variant=found["variant"].fillna(""), rate=pd.to_numeric(found["rate"]))


def reported(tables: Tables) -> int:
    """How many sessions are told of: those below this number."""
    configs = tables.trials["config"].dropna().unique()
    return max((json.loads(text).get("reported", 0) for text in configs if text), default=0)


def objective(tables: Tables) -> pd.DataFrame:
    """J at every step that was measured, a row for each session of a condition."""
    rows = tables.metrics[tables.metrics["metric"] == schema.OBJECTIVE]
    keys = [*stats.COMPARED, "session"]
    wide = rows.pivot_table(index=keys, columns="step", values="value", observed=True)
    return wide if len(wide.columns) else wide.reindex(columns=[0])


def starts(found: pd.DataFrame, curves: np.ndarray) -> np.ndarray:
    """Where each session began; where that is not known, where others of its number and reward did."""
    own = pd.Series(curves[:, 0], found.index)
    return own.fillna(own.groupby([found["reward"], found["session"]]).transform("first")).to_numpy(float)


def held(curves: np.ndarray, lost: np.ndarray, begin: np.ndarray) -> np.ndarray:
    """The curves, of lost sessions flat at their start."""
    return np.where(lost[:, None], begin[:, None], curves)


def costs(tables: Tables) -> pd.DataFrame:
    """What one update takes of every budget: the median over the sessions and rates of an estimator."""
    rows = tables.metrics[tables.metrics["metric"].isin(set(BUDGETS)) & (tables.metrics["step"] > 0)]
    rows = rows.reset_index(drop=True)
    each = pd.concat([rows[["estimator", "metric"]], parsed(rows["setting"])], axis=1)
    each["value"] = rows["value"] / rows["step"]
    wide = each.pivot_table(index=WAY, columns="metric", values="value", aggfunc="median", observed=True)
    return wide.reindex(columns=list(BUDGETS)).assign(**{UPDATES: 1.0}).reset_index()


def long(climbs: Climbs) -> pd.DataFrame:
    """A row for each session and step, J being its `value`."""
    count = len(climbs.steps)
    found = climbs.sessions.loc[climbs.sessions.index.repeat(count)].reset_index(drop=True)
    return found.assign(step=np.tile(climbs.steps, len(climbs.sessions)), value=climbs.curves.ravel())


def budgets(climbs: Climbs, budget: str) -> pd.Series:
    """By reward, what leave-one-out REINFORCE spends in all its updates; updates are everybody's alike."""
    rows = climbs.sessions
    if budget == UPDATES:
        return pd.Series(climbs.steps.max(), rows["reward"].unique())
    mine = rows[(rows["estimator"] == YARDSTICK) & (rows["variant"] == "")]
    return mine.groupby("reward")[budget].first() * climbs.steps.max()


def at(climbs: Climbs, budget: str) -> pd.DataFrame:
    """The sessions with J at the budget as `value`, of the rewards whose budget is known.

    Cost grows linearly in updates, and J is interpolated between those after which it was measured. A curve
    that ends before the budget is spent counts at its end.
    """
    rows = climbs.sessions
    spent = rows["reward"].map(budgets(climbs, budget)).to_numpy(float)
    with np.errstate(divide="ignore", invalid="ignore"):
        reach = spent / rows[budget].to_numpy(float)
    last = climbs.steps.max()
    found = rows.assign(value=interpolated(climbs, np.fmin(reach, last)))
    return found[np.isfinite(spent)]


def ends(climbs: Climbs) -> pd.DataFrame:
    """The sessions with J at the end as `value`, and at the start as `begin`."""
    return climbs.sessions.assign(value=climbs.curves[:, -1], begin=climbs.curves[:, 0])


def interpolated(climbs: Climbs, updates: np.ndarray) -> np.ndarray:
    """J of each curve after so many updates."""
    steps, curves = climbs.steps, climbs.curves
    if len(steps) < 2:
        return curves[:, -1]
    right = np.clip(np.searchsorted(steps, updates), 1, len(steps) - 1)
    share = (updates - steps[right - 1]) / (steps[right] - steps[right - 1])
    row = np.arange(len(curves))
    return curves[row, right - 1] * (1 - share) + curves[row, right] * share


def means(table: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Mean of `value` over sessions with its BCa bootstrap interval, which stays within J's range."""
    if table.empty:
        return table[by].assign(mean=np.nan, low=np.nan, high=np.nan, n=0)
    wide = table.pivot_table(index=by, columns="session", values="value", observed=True, sort=False)
    parts = [over(part) for _, part in wide.groupby(wide.notna().sum(axis=1))]
    return pd.concat(parts).reindex(wide.index).reset_index()


def over(wide: pd.DataFrame) -> pd.DataFrame:
    """Mean and interval of rows that have the same number of sessions."""
    values = np.array([row[np.isfinite(row)] for row in wide.to_numpy(float)])
    value, low, high = mean_by_bootstrap(values)
    return pd.DataFrame({"mean": value, "low": low, "high": high, "n": values.shape[1]}, wide.index)


def main(tables: Tables, sessions: pd.DataFrame) -> str:
    """The reward that everyone climbs: as the newest settings say, or the one with most estimators."""
    newest = tables.trials.sort_values("finished").iloc[-1]
    place = (newest["task"], newest["length"])
    rows = json.loads(newest["config"] or "{}").get("everyone", [])
    named = [reward for task, reward, length in rows if (task, length) == place]
    counts = sessions[sessions["variant"] == ""].groupby("reward")["bare"].nunique()
    return next((reward for reward in named if reward in counts), str(counts.idxmax()) if len(counts) else "")


def needs(tables: Tables) -> dict[str, frozenset[str]]:
    """What each estimator asks for, by the names of `discgan_core.interface.Need`."""
    first = tables.trials.drop_duplicates("estimator")
    return {
        lineup.bare(name): frozenset(json.loads(config).get(schema.NEEDS, []) if config else [])
        for name, config in zip(first["estimator"], first["config"], strict=True)
    }
