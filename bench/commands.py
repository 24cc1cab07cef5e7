"""What the commands do. Whatever a user can get wrong is looked at before anything is computed."""

from __future__ import annotations

import ast
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import BrokenExecutor
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import torch

from bench import execute, experiments, plan, schema, store, wordlists
from bench.errors import BenchError, Stopped, UserError, unknown
from bench.progress import Display, duration
from bench.provenance import ROOT, commit, cpu_count
from discgan_core import estimators, tasks

REFERENCE = ROOT / "results" / "reference"


@dataclass(frozen=True)
class Options:
    """The options of `run` and `run-all`, as they were typed."""

    preset: str
    sessions: int | None
    estimators: Sequence[str] | None
    lengths: Sequence[str] | None
    source: str | None
    data: Path | None
    results: Path | None
    reports: Path | None
    device: str
    workers: int | None
    dry_run: bool


def run(names: Sequence[str] | None, options: Options) -> int:
    """Compute what is missing of the named experiments, or of all, and write the report."""
    start = time.monotonic()
    request = _request(names or experiments.available(), options)
    results, reports = _folders(options.preset, options.results, options.reports)
    trials = store.read_trials(results)
    entries = plan.make(request, trials, store.read_trials(REFERENCE))
    units = plan.units(request, entries)
    if not entries:
        raise UserError("nothing to run: no experiment has these estimators at these lengths")
    workers = max(1, min(_workers(options), len(units)))
    if options.dry_run:
        _show_plan(entries, units, workers)
        return 0
    store.require_writable(results)
    store.require_writable(reports)
    failed = _compute(units, workers, results) if units else 0
    if not units:
        print(f"nothing left to compute: every session asked for is in {results}")
    older = int((trials["commit"] != commit()).sum())
    if older:
        print(f"{older} sessions were kept from other code; remove {results} to compute all anew")
    _write_report(results, reports)
    print(f"finished in {duration(time.monotonic() - start)}")
    if failed:
        print(f"{failed} sessions failed (see above); the same command tries them again")
    return 1 if failed else 0


def report(preset: str, results: Path | None, reports: Path | None) -> int:
    """Write the report from the tables alone."""
    _require_known("preset", [preset], plan.PRESETS)
    _write_report(*_folders(preset, results, reports))
    return 0


def list_() -> int:
    """Print what there is to choose from."""
    _show_list("experiments", {n: _summary(f"bench.experiments.{n}") for n in experiments.available()})
    for package in (estimators, tasks):
        title = package.__name__.rpartition(".")[2]
        _show_list(title, {n: _summary(f"{package.__name__}.{n}") for n in package.available()})
    _show_list("presets", plan.PRESETS)
    return 0


def _request(names: Sequence[str], options: Options) -> plan.Request:
    """Turn what was typed into a request, refusing what cannot be meant."""
    known = estimators.available()
    chosen = _split(options.estimators) or known
    _require_known("experiment", names, experiments.available())
    _require_known("preset", [options.preset], plan.PRESETS)
    _require_known("estimator", chosen, known)
    _require_known("device", [options.device], ["cpu", "cuda"])
    if options.device == "cuda" and not torch.cuda.is_available():
        raise UserError("--device cuda: PyTorch finds no CUDA device here; use --device cpu")
    if options.sessions is not None:
        _require_positive("--sessions", options.sessions)
    lengths = [_whole("--lengths", text) for text in _split(options.lengths)]
    if options.source and options.data:
        raise UserError("--source and --data: give one of them; a file is a source of its own")
    _require_known("source", [options.source] if options.source else [], wordlists.SOURCES)
    return plan.Request(
        experiments=list(dict.fromkeys(names)),
        preset=options.preset,
        estimators=list(dict.fromkeys(chosen)),
        sessions=options.sessions,
        lengths=list(dict.fromkeys(lengths)) or None,
        device=options.device,
        source=wordlists.fingerprint(options.data) if options.data else options.source,
    )


def _folders(preset: str, results: Path | None, reports: Path | None) -> tuple[Path, Path]:
    own = Path("reports") if preset == "standard" else Path("reports") / preset
    return results or Path("results") / preset, reports or own


def _workers(options: Options) -> int:
    """One per core; on CUDA one in all, since every process would hold its own context there."""
    if options.workers is None:
        return 1 if options.device == "cuda" else cpu_count()
    return _require_positive("--workers", options.workers)


def _compute(units: Sequence[plan.Unit], workers: int, results: Path) -> int:
    """Compute and keep the units; give the number of sessions that failed."""
    display = Display(units, workers)

    def keep(item: execute.Finished) -> None:
        store.write(results, item.unit.name, item.metrics, item.trials)
        display.finished(item)

    try:
        with display, execute.local_workers(workers) as pool:
            execute.run(units, pool, keep)
    except (KeyboardInterrupt, BrokenExecutor) as error:
        safe = f"{display.done} of {display.units} units are done and kept in {results}"
        if isinstance(error, KeyboardInterrupt):
            raise Stopped(f"stopped: {safe}; the same command goes on from there") from None
        raise BenchError(
            f"a worker process was killed, often for want of memory: {safe}; "
            "the same command goes on from there, with less memory if given --workers 1"
        ) from None
    return display.failed


def _write_report(results: Path, reports: Path) -> None:
    from bench.report import write  # loads the plotting libraries, which nothing else needs

    print(f"report: {write(results, reports)}")


def _show_plan(entries: Sequence[plan.Entry], units: Sequence[plan.Unit], workers: int) -> None:
    header = [*schema.CONDITION, "done", "pending", "core time"]
    _show_table([header, *map(_plan_line, entries)])
    pending = sum(len(entry.pending) for entry in entries)
    time_left = duration(sum(map(_left, entries)) / workers)
    print(
        f"{pending} sessions to run in {len(units)} units: "
        f"about {time_left} with {workers} worker{'s'[: workers > 1]}"
    )


def _plan_line(entry: plan.Entry) -> list[object]:
    known = {"experiment": entry.experiment, **entry.condition._asdict()}
    condition = [known[column] for column in schema.CONDITION]
    return [*condition, entry.done, len(entry.pending), duration(_left(entry))]


def _left(entry: plan.Entry) -> float:
    return entry.seconds * len(entry.pending)


def _show_list(title: str, lines: dict[str, str]) -> None:
    print(title)
    _show_table([("", *line) for line in lines.items()])
    print()


def _show_table(rows: Sequence[Sequence[object]]) -> None:
    cells = [[str(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        padded = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print("  ".join(padded).rstrip())


def _summary(module: str) -> str:
    """Give the first line of a module's docstring, without importing it."""
    spec = find_spec(module)
    path = spec.origin if spec else None
    text = ast.get_docstring(ast.parse(Path(path).read_text(encoding="utf-8"))) if path else None
    return (text or "").partition("\n")[0]


def _split(texts: Sequence[str] | None) -> list[str]:
    """Split `a,b` and repeated options alike."""
    return [part.strip() for text in texts or [] for part in text.split(",") if part.strip()]


def _require_known(kind: str, names: Iterable[str], known: Iterable[str]) -> None:
    for name in names:
        if name not in known:
            raise unknown(kind, name, known)


def _require_positive(option: str, value: int) -> int:
    if value < 1:
        raise UserError(f"{option} {value}: it must be 1 or more")
    return value


def _whole(option: str, text: str) -> int:
    try:
        return _require_positive(option, int(text))
    except ValueError:
        raise UserError(f'{option}: "{text}" is not a whole number; write it as 3,15') from None
