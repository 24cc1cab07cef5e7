"""The command line: what can be said, and nothing of how it is done (that is in `commands`).

`commands` is imported only once a command is carried out, so that help comes at once.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from bench.errors import BenchError, Stopped
from bench.options import Options
from bench.running import processes

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

Experiments = Annotated[list[str], typer.Argument(metavar="EXPERIMENT...", help="As `list` names them.")]
Preset = Annotated[str, typer.Option(metavar="NAME", help="How much to compute: smoke, standard or paper.")]
Sessions = Annotated[
    int | None,
    typer.Option(metavar="N", help="Sessions of each condition.", show_default="the preset's"),
]
Estimators = Annotated[
    list[str] | None,
    typer.Option(metavar="A,B", help="Only these estimators.", show_default="all"),
]
Lengths = Annotated[
    list[str] | None,
    typer.Option(metavar="3,15", help="Sequence lengths.", show_default="the preset's"),
]
Source = Annotated[
    str | None,
    typer.Option(
        metavar="NAME", help="Where `names` come from: census or kantrowitz.", show_default="census"
    ),
]
Data = Annotated[
    Path | None, typer.Option(metavar="FILE", help="A word list of your own for `names`, one on a line.")
]
Plugins = Annotated[
    list[Path] | None,
    typer.Option("--plugin", metavar="FILE.py", help="An estimator of your own; may be given again."),
]
Results = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="Folder of the tables.", show_default="results/<preset>"),
]
Reports = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        help="Folder of the report.",
        show_default="reports; reports/<preset> if not standard",
    ),
]
Device = Annotated[str, typer.Option(metavar="NAME", help="Where to compute: cpu or cuda.")]
Workers = Annotated[
    int | None,
    typer.Option(metavar="N", help="Worker processes.", show_default="one per core; one with cuda"),
]
DryRun = Annotated[
    bool,
    typer.Option("--dry-run", help="Only show what is done, what is to do, and how long it takes."),
]


@app.callback(invoke_without_command=True)
def root(context: typer.Context) -> None:
    """Compare gradient estimators for discrete-sequence GANs: run experiments, write the report."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@app.command()
def run_all(
    preset: Preset = "standard",
    sessions: Sessions = None,
    estimators: Estimators = None,
    lengths: Lengths = None,
    source: Source = None,
    data: Data = None,
    own: Plugins = None,
    results: Results = None,
    reports: Reports = None,
    device: Device = "cpu",
    workers: Workers = None,
    dry_run: DryRun = False,
) -> int:
    """Run every experiment, then write the report. Run again, it goes on where it stopped."""
    options = Options(
        preset, sessions, estimators, lengths, source, data, own, results, reports, device, workers, dry_run
    )
    return _run(None, options)


@app.command()
def run(
    experiments: Experiments,
    preset: Preset = "standard",
    sessions: Sessions = None,
    estimators: Estimators = None,
    lengths: Lengths = None,
    source: Source = None,
    data: Data = None,
    own: Plugins = None,
    results: Results = None,
    reports: Reports = None,
    device: Device = "cpu",
    workers: Workers = None,
    dry_run: DryRun = False,
) -> int:
    """Run the named experiments, then write the report."""
    options = Options(
        preset, sessions, estimators, lengths, source, data, own, results, reports, device, workers, dry_run
    )
    return _run(experiments, options)


def _run(names: Sequence[str] | None, options: Options) -> int:
    if not options.dry_run:
        processes.prepare()  # the workers' libraries are loaded while `commands` loads its own
    from bench import commands

    return commands.run(names, options)


@app.command("list")
def list_(own: Plugins = None) -> int:
    """List the experiments, estimators, tasks and presets."""
    from bench import commands

    return commands.list_(own)


@app.command("test")
def examine(
    estimator: Annotated[str, typer.Argument(metavar="ESTIMATOR", help="As `list` names it.")],
    own: Plugins = None,
) -> int:
    """Check that an estimator keeps the contract, and say in words what it does not keep."""
    from bench import commands

    return commands.examine(estimator, own)


@app.command()
def report(preset: Preset = "standard", results: Results = None, reports: Reports = None) -> int:
    """Write the report again from the tables alone, without training."""
    from bench import commands

    return commands.report(preset, results, reports)


@app.command()
def compare(
    a: Annotated[Path, typer.Argument(metavar="A", help="A results folder.")],
    b: Annotated[Path, typer.Argument(metavar="B", help="Another: B is compared with A.")],
    reports: Annotated[Path, typer.Option(metavar="DIR", help="Folder of the page.")] = Path(
        "reports/compare"
    ),
    top: Annotated[int, typer.Option(metavar="N", help="Differences to print, the most certain first.")] = 10,
) -> int:
    """Compare two results folders: two commits, two machines or two settings."""
    from bench import commands

    return commands.compare(a, b, reports, top)


@app.command()
def check(
    update_baseline: Annotated[
        bool,
        typer.Option("--update-baseline", help="Make these figures the baseline, and show what changes."),
    ] = False,
) -> int:
    """Check that no estimator has become worse or slower than the baseline says."""
    from bench import commands

    return commands.check(update_baseline)


@app.command()
def merge(
    folders: Annotated[list[Path], typer.Argument(metavar="FOLDER...", help="Results folders.")],
    to: Annotated[Path, typer.Option(metavar="DIR", help="Folder of the packed tables.")],
) -> int:
    """Put results folders together, check that they agree, and pack them in two files."""
    from bench import commands

    return commands.merge(folders, to)


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out a command line and give the exit code; whatever goes wrong is told in one line."""
    try:
        code = app(arguments, prog_name="python -m bench", standalone_mode=False) or 0
    except typer.TyperException as error:
        context = getattr(error, "ctx", None)
        command = context.command_path if context else "python -m bench"
        return _complain(f"error: {error.format_message()} (see `{command} --help`)", 2)
    except Stopped as stopped:
        return _complain(str(stopped), stopped.exit_code)
    except BenchError as error:
        return _complain(f"error: {error}", error.exit_code)
    if code == Stopped.exit_code:  # Ctrl-C outside the computing, which typer turns into this
        return _complain("stopped: what is finished is kept; run the command again", code)
    return code


def _complain(line: str, code: int) -> int:
    print(" ".join(line.split()), file=sys.stderr)
    return code
