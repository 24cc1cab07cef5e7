"""The report: one self-contained page, and beside it every figure and table as files.

Everything is made from the two tables alone, the sentences as much as the figures, so that a page
never says what its numbers do not.
"""

import re
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator
from itertools import repeat
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from bench import figures
from bench.report import (
    answers,
    claims,
    coverage,
    differences,
    front,
    gradients,
    learned,
    made,
    pretraining,
    scaling,
    schedule,
    strings,
    summary,
    sweep,
)
from bench.statistics import headline, quality, stats
from bench.tables import schema, store
from bench.tables.store import Tables

TEMPLATE = "page.html.j2"
#: What whoever publishes numbers owes to the source of the data.
CREDITS = {
    "kantrowitz": "Names: Names Corpus, version 1.3 (1994), copyright 1991 Mark Kantrowitz, with "
    "additions by Bill Ross."
}


def write(results: Path, reports: Path, each: Callable[..., Iterable[dict[str, Any]]] = map) -> Path:
    """Write the page, the figures and the tables of a results folder; gives the page's path.

    Args:
        results: the folder.
        reports: where to.
        each: `map`, or something like it that works on several sections at once.
    """
    tables = store.read(results)
    for folder in (reports / "figures", reports / "tables"):
        store.require_writable(folder)
    slices = list(stats.slices(tables))
    longest_first = sorted(slices, key=lambda pair: len(pair[1].metrics), reverse=True)
    sections = each(section, *zip(*longest_first, strict=True), repeat(reports))
    known = {(key[0], key[3]): (slug(key), part) for key, part in slices}
    first = front.page(known, tables, reports)
    found = {section["id"]: section for section in sections}
    page = render(
        TEMPLATE,
        front=first,
        drawings=[shown(f) for f in first.figures],
        sections=[found[slug(key)] for key, _ in slices],
        made=made.describe(tables),
        notes=tables.notes,
    )
    path = reports / "index.html"
    path.write_text(page, encoding="utf-8")
    return path


def section(key: tuple[str, str, str, int], tables: Tables, reports: Path) -> dict[str, Any]:
    """Gather all that the page shows of one slice, and write its files."""
    name = slug(key)
    found = {"summary": summary.table(tables), "differences": differences.table(tables)}
    for kind, table in found.items():
        if table is not None:
            summary.save(table, reports / "tables" / f"{name}-{kind}")
    return found | {
        "id": name,
        "title": title(key),
        "headline": headline.of(tables).name,
        "answers": said(tables),
        "figures": list(drawn(name, tables, reports / "figures")),
        "strings": strings.table(tables),
        "ticked": strings.ticked(tables),
        "forced": strings.forced(tables),
        "credit": CREDITS.get(key[2], ""),
    }


def said(tables: Tables) -> list[answers.Answer]:
    """All the sentences of one slice."""
    if quality.measured(tables):
        return gradients.sentences(tables)
    if coverage.is_coverage(tables):
        return coverage.sentences(tables)
    if scaling.is_scaling(tables):
        return scaling.sentences(tables)
    if sweep.is_sweep(tables):
        return [*pretraining.sentences(tables), *schedule.sentences(tables), *sweep.sentences(tables)]
    return [*answers.sentences(tables), *learned.sentences(tables), *claims.sentences(tables)]


def drawn(name: str, tables: Tables, folder: Path) -> Iterator[dict[str, str]]:
    """Every figure that has something to show, the learning curves first."""
    each = [name for name in figures.available() if not figures.whole(name)]
    for figure in sorted(each, key=lambda n: (n != "learning_curves", n)):
        saved = figures.save(figure, tables, folder, f"{name}-{figure}")
        if saved:
            yield shown(saved)


def shown(saved: figures.Saved) -> dict[str, str]:
    """A figure as the page takes it."""
    return {
        "title": saved.title,
        "caption": saved.caption,
        "stem": saved.svg.stem,
        "data": b64encode(saved.svg.read_bytes()).decode(),
    }


def slug(key: tuple[str, str, str, int]) -> str:
    """The beginning of the names of a slice's files, without what a file's name or a link cannot have."""
    experiment, task, source, length = key
    text = f"{experiment} {schema.with_source(task, source)} {length}"
    return "-".join(dict.fromkeys(re.findall(r"\w+", text)))


def title(key: tuple[str, str, str, int]) -> str:
    """Name a slice for a reader."""
    experiment, task, source, length = key
    where = f"length {length}" if experiment == task else f"{task}, length {length}"
    return f"{schema.with_source(experiment, source)}: {where}"


def render(template: str, **content: Any) -> str:
    """Fill in a template."""
    loader = PackageLoader("bench.report", "")
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    return environment.get_template(template).render(**content)
