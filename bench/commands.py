"""What the commands do, given what `options` has made of what was typed.

Libraries are imported by the commands that need them: plotting takes seconds, a list none.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import BrokenExecutor, Executor
from pathlib import Path
from typing import TYPE_CHECKING

from bench.errors import BenchError, UserError, program
from bench.options import plugin_errors_told
from bench.printable import in_lines, signs
from bench.running.request import Request
from discgan_core import estimators

if TYPE_CHECKING:
    import pandas as pd

    from bench.contract.check import Change

DRAWING = 8
"""Processes at most that a report alone is worth: each has to load the plotting libraries."""


def run(request: Request) -> int:
    """Compute what is missing of what is asked for, and write the report."""
    import pandas as pd

    from bench.running import plan, preview, processes, provenance
    from bench.running.compute import compute
    from bench.running.progress import duration
    from bench.tables import store
    from bench.tables.files import COLUMNS
    from bench.tables.schema import FAILED

    start, results = time.monotonic(), request.results
    store.require_possible(results, request.reports)
    notes = plan.notes(request)
    trials = store.read_trials(results)
    entries = plan.make(request, trials, store.read_trials(provenance.ROOT / "results" / "reference"))
    units = plan.units(request, entries)
    if not entries:
        nothing = "nothing to run: no experiment has these estimators at these lengths"
        raise UserError("; ".join([nothing, *notes]))
    for note in notes:
        print(note)
    workers = min(_workers(request), len(units) or DRAWING)
    if request.dry_run:
        _show_table(preview.table(entries))
        print(preview.summary(entries, units, workers))
        return 0
    _require_writable(request, [*COLUMNS] if units else [])
    with processes.workers(workers) as pool:
        computed = compute(units, workers, pool, results) if units else trials[:0]
        if not units:
            print(f"nothing left to compute: every session asked for is in {results}")
        if not request.anew:
            _tell_of_other_code(trials)
        _write_report(results, request.reports, pool)
    print(f"finished in {duration(time.monotonic() - start)}")
    failed = int((computed["status"] == FAILED).sum())
    if failed:
        print(f"{failed} sessions failed (see above); the same command tries them again")
    _require_all(results, pd.concat([trials, computed]))
    return 1 if failed else 0


def _tell_of_other_code(trials: pd.DataFrame) -> None:
    """Say which of the sessions that are kept are not what the code of today gives."""
    from bench.running import code, provenance

    older = trials[code.others(trials, provenance.commit())]
    if len(older):
        print(f"{len(older)} sessions are kept that other code has made: {code.told(older)}")
        print("they are in the report as they are; --anew computes those that are asked for again")


def _require_all(results: Path, done: pd.DataFrame) -> None:
    """Hold what is in the folder, from which the report is made, against what was done."""
    from bench.tables import store

    lost = store.lacking(results, done)
    if lost:
        raise BenchError(
            f"{lost} sessions that were done are not in {results} any more, nor in the report: it was moved, "
            "or files were taken out, while this command ran; the same command computes them again"
        )


def _require_writable(request: Request, kinds: Sequence[str]) -> None:
    """Find out before any computing whether tables of these kinds and a report can be written.

    What commands that were killed have left half-written there is removed.
    """
    from bench import disk
    from bench.sessions import cache
    from bench.tables import store

    for folder in [request.results, *(request.results / kind for kind in kinds), request.reports]:
        store.require_writable(folder)
        disk.sweep(folder)
    cache.sweep()


def report(results: Path, reports: Path) -> int:
    """Write the report from the tables alone."""
    from bench.running import processes
    from bench.running.provenance import cpu_count
    from bench.tables import store

    store.require_name(results)
    store.require_possible(reports)
    with processes.workers(min(cpu_count(), DRAWING)) as pool:
        _write_report(results, reports, pool)
    return 0


def compare(a: Path, b: Path, reports: Path, top: int) -> int:
    """Compare two results folders, in the terminal and as a page."""
    from bench import comparison
    from bench.comparison import terminal
    from bench.tables import store

    store.require_possible(reports)
    found = comparison.compare(a, b)
    for text, table in terminal.blocks(found, top):
        print(in_lines(text))
        _show_table(table)
    print(f"comparison: {comparison.write(found, reports)}")
    return 0


def check(update: bool) -> int:
    """Measure every estimator anew and tell what is not as the baseline has it."""
    import torch
    from rich.console import Console

    from bench.contract import check as regression
    from bench.tables import store

    try:
        before = regression.read()
    except regression.NoBaselineError:
        if not update:
            raise
        before = {}
    if update:
        store.require_writable(regression.BASELINE.parent)
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


def _change_line(change: Change) -> list[str]:
    ratio = f"x {change.now / change.before:.3g}" if change.before > 0 else ""
    verdict = "worse" if change.worse else "better"
    return [change.estimator, change.figure, f"{change.before:.4g}", f"{change.now:.4g}", ratio, verdict]


def list_(known: Sequence[str], names: Sequence[str]) -> int:
    """Print what there is to choose from, or all about what is named; the estimators are those known."""
    from bench import listing

    with plugin_errors_told():
        told = [listing.one(name, known) for name in names] or [listing.everything(known)]
        lines = [line for part in told for line in part]
    print(in_lines("\n".join(lines)))
    return 0


def examine(name: str) -> int:
    """Check one estimator against the contract, telling each finding as soon as there is one."""
    from bench import contract
    from bench.contract import Finding
    from bench.running import processes

    path, broken = estimators.path(name), 0
    print(f"testing {name} ({path})")
    with processes.workers(1) as pool:
        for place, check in enumerate(contract.CHECKS):
            print(f"{check.name} ... ", end="", flush=True)
            try:
                finding = pool.submit(contract.find, place, name, path).result()
            except BrokenExecutor as error:
                finding = Finding(False, f"{path}: {error}")
            broken += not finding.kept
            print(f"{'ok' if finding.kept else 'FAILED'}: {in_lines(finding.text)}")
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


def cache(clear: bool) -> int:
    """Show what is kept from run to run, or remove it."""
    from bench.running.progress import ago
    from bench.sessions import cache

    kept = cache.clear() if clear else cache.files()
    kinds = sorted({file.kind for file in kept})
    lines = [("kind", "files", "MB", "last used")]
    for kind in kinds:
        own = [file for file in kept if file.kind == kind]
        used = ago(max(file.used for file in own))
        lines.append((kind, str(len(own)), f"{sum(file.size for file in own) / 1e6:.1f}", used))
    if kept:
        _show_table(lines)
    size = sum(file.size for file in kept) / 1e6
    print(
        f"removed {len(kept)} files, {size:.1f} MB, of {cache.folder()}"
        if clear
        else f"{len(kept)} files, {size:.1f} of at most {cache.LIMIT / 1e6:,.0f} MB, in {cache.folder()} "
        f"({cache.VARIABLE}=DIR names another); --clear removes them"
    )
    return 0


def _workers(request: Request) -> int:
    """One per core; on CUDA one in all, since every process would hold its own context there."""
    from bench.running.provenance import cpu_count

    return request.workers or (1 if request.device == "cuda" else cpu_count())


def _write_report(results: Path, reports: Path, pool: Executor) -> None:
    from bench.report import write
    from bench.running import processes
    from bench.running.progress import drawing

    try:
        with drawing() as told:
            page = write(results, reports, processes.mapping(pool), told)
        print(f"report: {page}")
    except BrokenExecutor:
        raise BenchError(
            "a worker process was killed while it drew, often for want of memory: the numbers are kept in "
            f"{results}; `{program()} report` draws them again"
        ) from None


def _show_table(rows: Sequence[Sequence[object]]) -> None:
    cells = [[signs(str(cell)) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        padded = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print("  ".join(padded).rstrip())
