"""What the commands do. Whatever a user can get wrong is looked at before anything is computed."""

from __future__ import annotations

import ast
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from threading import Thread
from types import ModuleType

import torch
from rich.console import Console

from bench import experiments
from bench.contract import check as regression
from bench.errors import BenchError, Stopped, UserError, unknown
from bench.options import Options
from bench.running import execute, plan, processes
from bench.running.progress import Display, duration
from bench.running.provenance import ROOT, commit, cpu_count
from bench.sessions import wordlists
from bench.tables import schema, store
from discgan_core import estimators, tasks
from discgan_core.plugins import PluginError

REFERENCE = ROOT / "results" / "reference"
DRAWING = 8
"""Processes at most that a report alone is worth: each has to load the plotting libraries."""


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
    workers = min(_workers(options), len(units) or DRAWING)
    if options.dry_run:
        _show_plan(entries, units, workers)
        return 0
    store.require_writable(results)
    store.require_writable(reports)
    with processes.workers(workers) as pool:
        failed = _compute(units, workers, pool, results) if units else 0
        if not units:
            print(f"nothing left to compute: every session asked for is in {results}")
        older = int((trials["commit"] != commit()).sum())
        if older:
            print(f"{older} sessions were kept from other code; remove {results} to compute all anew")
        _write_report(results, reports, pool)
    print(f"finished in {duration(time.monotonic() - start)}")
    if failed:
        print(f"{failed} sessions failed (see above); the same command tries them again")
    return 1 if failed else 0


def report(preset: str, results: Path | None, reports: Path | None) -> int:
    """Write the report from the tables alone."""
    _require_known("preset", [preset], plan.PRESETS)
    with processes.workers(min(cpu_count(), DRAWING)) as pool:
        _write_report(*_folders(preset, results, reports), pool)
    return 0


def compare(a: Path, b: Path, reports: Path, top: int) -> int:
    """Compare two results folders, in the terminal and as a page."""
    _require_positive("--top", top)
    from bench import comparison  # loads the plotting libraries, which nothing else needs
    from bench.comparison import terminal

    found = comparison.compare(a, b)
    for text, table in terminal.blocks(found, top):
        print(text)
        _show_table(table)
    print(f"comparison: {comparison.write(found, reports)}")
    return 0


def check(update: bool) -> int:
    """Measure every estimator anew and tell what is not as the baseline has it."""
    before = {} if update and not regression.BASELINE.exists() else regression.read()
    torch.set_num_threads(1)
    with Console(stderr=True).status("measuring") as status:
        now = regression.measure(before, lambda name: status.update(f"measuring {name}"))
    found = regression.changes(before, now)
    if found:
        _show_table([("estimator", "what", "baseline", "now", "", ""), *map(_change_line, found)])
    if update:
        regression.write(now)
        print(f"wrote {regression.BASELINE}: {len(now)} estimators, {len(found)} figures changed")
        return 0
    worse = sum(change.worse for change in found)
    new = [name for name in now if name not in before]
    if new:
        print(f"not in the baseline, so not compared: {', '.join(new)}; --update-baseline takes them in")
    print(f"{worse} figures got worse" if worse else f"no figure of {len(before)} estimators got worse")
    return 1 if worse else 0


def _change_line(change: regression.Change) -> list[str]:
    ratio = f"x {change.now / change.before:.3g}" if change.before > 0 else ""
    verdict = "worse" if change.worse else "better"
    return [change.estimator, change.figure, f"{change.before:.4g}", f"{change.now:.4g}", ratio, verdict]


def list_(plugins: Sequence[Path] | None) -> int:
    """Print what there is to choose from."""
    known = _estimators(plugins)
    with _plugin_errors_told():
        files = {name: estimators.path(name) for name in known}
    _show_list("experiments", {n: _summary(_path(experiments, n)) for n in experiments.available()})
    _show_list("estimators", {name: _summary(path) for name, path in files.items()})
    _show_list("tasks", {n: _summary(_path(tasks, n)) for n in tasks.available()})
    _show_list("presets", plan.PRESETS)
    return 0


def examine(name: str, plugins: Sequence[Path] | None) -> int:
    """Check one estimator against the contract, telling each finding as soon as there is one."""
    from bench import contract  # loads what nothing else needs

    _require_known("estimator", [name], _estimators(plugins))
    with _plugin_errors_told():
        estimator, path = estimators.make(name), estimators.path(name)
    print(f"testing {name} ({path})")
    broken = 0
    for check, run in contract.examine(estimator, path):
        print(f"{check.name} ... ", end="", flush=True)
        finding = run()
        broken += not finding.kept
        print(f"{'ok' if finding.kept else 'FAILED'}: {finding.text}")
    print(f"{broken} of {len(contract.CHECKS)} checks failed" if broken else "it keeps the contract")
    return 1 if broken else 0


def merge(folders: Sequence[Path], to: Path) -> int:
    """Put results folders together in packed tables."""
    from bench.tables.merge import merge as put_together

    found, count = put_together(folders, to), len(folders)
    print(
        f"merged {found.sessions:,} sessions of {count} {'folder' if count == 1 else 'folders'}, "
        f"{found.shared:,} of them in several: {found.size / 1e6:.1f} MB in {to}"
    )
    return 0


def _request(names: Sequence[str], options: Options) -> plan.Request:
    """Turn what was typed into a request, refusing what cannot be meant."""
    known = _estimators(options.plugins)
    chosen = _split(options.estimators) or known
    _require_known("experiment", names, experiments.available())
    _require_known("preset", [options.preset], plan.PRESETS)
    _require_known("estimator", chosen, known)
    with _plugin_errors_told():
        for name in chosen:
            estimators.make(name)
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


def _estimators(plugins: Sequence[Path] | None) -> list[str]:
    """Name all estimators, a user's own files among them, which are loaded."""
    with _plugin_errors_told():
        for path in plugins or []:
            estimators.load(path)
        return estimators.available()


@contextmanager
def _plugin_errors_told() -> Iterator[None]:
    try:
        yield
    except PluginError as error:
        raise UserError(str(error)) from None


def _folders(preset: str, results: Path | None, reports: Path | None) -> tuple[Path, Path]:
    own = Path("reports") if preset == "standard" else Path("reports") / preset
    return results or Path("results") / preset, reports or own


def _workers(options: Options) -> int:
    """One per core; on CUDA one in all, since every process would hold its own context there."""
    if options.workers is None:
        return 1 if options.device == "cuda" else cpu_count()
    return _require_positive("--workers", options.workers)


def _compute(units: Sequence[plan.Unit], workers: int, pool: Executor, results: Path) -> int:
    """Compute and keep the units; give the number of sessions that failed."""
    display = Display(units, workers)
    Thread(target=import_module, args=("bench.report",), daemon=True).start()  # while this process waits

    def keep(item: execute.Finished) -> None:
        store.write(results, item.unit.name, item.metrics, item.trials)
        display.finished(item)

    try:
        with display:
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


def _write_report(results: Path, reports: Path, pool: Executor) -> None:
    from bench.report import write  # loads the plotting libraries, which nothing else needs

    try:
        print(f"report: {write(results, reports, processes.mapping(pool))}")
    except BrokenExecutor:
        raise BenchError(
            "a worker process was killed while it drew, often for want of memory: the numbers are kept in "
            f"{results}; python -m bench report draws them again"
        ) from None


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


def _path(package: ModuleType, name: str) -> Path:
    """Find a module's file, without importing it."""
    spec = find_spec(f"{package.__name__}.{name}")
    return Path(spec.origin if spec and spec.origin else "")


def _summary(path: Path) -> str:
    """Give the first line of a file's docstring, without importing it."""
    text = ast.get_docstring(ast.parse(path.read_bytes()))
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
