"""The report: one page, and beside it every figure and table as files, in one folder.

Everything is made from the two tables alone, the sentences as much as the figures, so that a page
never says what its numbers do not.
"""

import gc
import re
from collections.abc import Callable, Iterable
from functools import cache
from itertools import repeat
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from bench import disk, figures
from bench.printable import signs
from bench.report import (
    answers,
    claims,
    coverage,
    differences,
    folder,
    front,
    frozen,
    frozen_answers,
    gradients,
    learned,
    pretraining,
    scaling,
    schedule,
    strings,
    summary,
    sweep,
)
from bench.report import made as origin
from bench.statistics import climbs, headline, quality, stats
from bench.tables import schema, store
from bench.tables.naming import fitting
from bench.tables.store import Tables

TEMPLATE = "page.html.j2"
Key = tuple[str, str, str, int]  # experiment, task, source, length
#: What whoever publishes numbers owes to the source of the data.
CREDITS = {
    "kantrowitz": "Names: Names Corpus, version 1.3 (1994), copyright 1991 Mark Kantrowitz, with "
    "additions by Bill Ross."
}


class Job(NamedTuple):
    """A part of the report that is made by itself: a figure of a slice, or its words and tables."""

    key: Key | None  # None: all slices together
    figure: str = ""


def write(
    results: Path,
    reports: Path,
    each: Callable[..., Iterable[Any]] = map,
    told: Callable[[int, int, int], None] = lambda drawn, done, jobs: None,
) -> Path:
    """Write the page, the figures and the tables of a results folder; gives the page's path.

    Args:
        results: the folder.
        reports: where to.
        each: `map`, or something like it that works on several jobs at once.
        told: how many figures are drawn, and how many of how many jobs done, whenever one is.
    """
    known.cache_clear()  # a folder may have changed since this process last read it
    _, slices = known(results)
    jobs = planned(slices)
    made: dict[Job, Any] = {}
    with folder.written(reports):
        for job, part in zip(jobs, each(do, repeat(results), repeat(reports), jobs), strict=True):
            made[job] = part
            told(sum(isinstance(found, figures.Saved) for found in made.values()), len(made), len(jobs))
        return put(results, reports, made)


def put(results: Path, reports: Path, made: dict[Job, Any]) -> Path:
    """Write the page, of parts that are made; gives its path."""
    tables, slices = known(results)
    first = front.page({key: (slug(key), part) for key, part in slices.items()}, tables, reports)
    page = render(
        TEMPLATE,
        front=first,
        drawings=pictures(made, None),
        sections=[made[Job(key)] | {"figures": pictures(made, key)} for key in slices],
        made=origin.describe(tables),
        notes=tables.notes,
    )
    path = reports / "index.html"
    disk.put(path, page.encode())
    return path


@cache
def known(results: Path) -> tuple[Tables, dict[Key, Tables]]:
    """Read a folder: all of it, and slice by slice. Each process that draws does so once."""
    tables = store.read(results)
    named = tables.metrics.assign(
        metric=tables.metrics["metric"].astype("category")
    )  # asked for by the thousand
    tables = tables._replace(metrics=named)
    slices = dict(stats.slices(tables))
    gc.freeze()  # this and all that is imported stays: looking for garbage in it took a tenth of the time
    return tables, slices


def planned(slices: dict[Key, Tables]) -> list[Job]:
    """Every figure that there may be, and the words; the longest tables first, so that none is waited for."""
    order = sorted(slices, key=lambda key: len(slices[key].metrics), reverse=True)
    whole = [name for name in figures.available() if figures.whole(name)]
    own = [name for name in figures.available() if name not in whole]
    return [*(Job(None, name) for name in whole), *(Job(key, name) for key in order for name in ("", *own))]


def do(results: Path, reports: Path, job: Job) -> figures.Saved | dict[str, Any] | None:
    """Make one part of the report, and write its files; None where a figure has nothing to show."""
    tables, slices = known(results)
    if job.key is None:
        return figures.save(job.figure, tables, reports / "figures" / f"front-{job.figure}.svg")
    part, name = slices[job.key], slug(job.key)
    if job.figure:
        return figures.save(job.figure, part, reports / "figures" / f"{name}-{job.figure}.svg")
    return section(job.key, part, reports)


def section(key: Key, tables: Tables, reports: Path) -> dict[str, Any]:
    """Gather all that the page says of one slice, and write its tables."""
    name = slug(key)
    climbed = climbs.are(tables)
    found = {
        "summary": frozen.table(tables) if climbed else summary.table(tables),
        "differences": None if climbed else differences.table(tables),
    }
    for kind, table in found.items():
        if table is not None:
            summary.save(table, reports / "tables" / f"{name}-{kind}")
    return found | {
        "id": name,
        "title": title(key),
        "heads": 2 if climbed else 1,
        "headline": headline.of(tables).name,
        "answers": said(tables),
        "strings": strings.table(tables),
        "ticked": strings.ticked(tables),
        "forced": strings.forced(tables),
        "credit": CREDITS.get(key[2], ""),
    }


def pictures(made: dict[Job, Any], key: Key | None) -> list[figures.Saved]:
    """The figures of a slice, or of all together, that had something to show: the learning curves first."""
    found = [made[job] for job in made if job.key == key and job.figure and made[job]]
    return sorted(found, key=lambda saved: (saved.name != "learning_curves", saved.name))


def said(tables: Tables) -> list[answers.Answer]:
    """All the sentences of one slice."""
    if climbs.are(tables):
        return frozen_answers.sentences(tables)
    if quality.measured(tables):
        return gradients.sentences(tables)
    if coverage.is_coverage(tables):
        return coverage.sentences(tables)
    if scaling.is_scaling(tables):
        return scaling.sentences(tables)
    if sweep.is_sweep(tables):
        return [*pretraining.sentences(tables), *schedule.sentences(tables), *sweep.sentences(tables)]
    return [*answers.sentences(tables), *learned.sentences(tables), *claims.sentences(tables)]


def slug(key: Key) -> str:
    """The beginning of the names of a slice's files, without what a file's name or a link cannot have."""
    experiment, task, source, length = key
    text = f"{experiment} {schema.with_source(task, source)} {length}"
    return fitting("-".join(dict.fromkeys(re.findall(r"\w+", text))))


def title(key: Key) -> str:
    """Name a slice for a reader."""
    experiment, task, source, length = key
    where = f"length {length}" if experiment == task else f"{task}, length {length}"
    return f"{schema.with_source(experiment, source)}: {where}"


def render(template: str, **content: Any) -> str:
    """Fill in a template."""
    loader = PackageLoader("bench.report", "")
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, finalize=seen
    )
    return environment.get_template(template).render(**content)


def seen(value: Any) -> Any:
    """Show of any value on a page what is in it: no text from elsewhere changes how others are read."""
    return value if isinstance(value, Markup) else signs(str(value))
