"""The command line: what can be said, and nothing of how it is done (that is in `commands`).

What was typed becomes a request in `options`. `commands` is imported only once a command is carried out, so
that help comes at once.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import fields
from functools import wraps
from inspect import Parameter, signature
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

import bench
from bench import experiments, lists, options, stopping
from bench.errors import SCRIPT, BenchError, Stopped, UserError, program
from bench.options import Estimator, Experiments, Names, Options, Plugins, Preset, Reports, Results

app = typer.Typer(
    add_completion=program() == SCRIPT,  # a shell completes nothing behind `python -m bench`
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)


def taking_options(command: Callable[..., int]) -> Callable[..., int]:
    """Let a command's last parameter, its `Options`, be typed as one option for each field."""
    own = [p for p in signature(command, eval_str=True).parameters.values() if p.annotation is not Options]
    hints = get_type_hints(Options, include_extras=True)
    typed = [
        Parameter(field.name, Parameter.KEYWORD_ONLY, default=field.default, annotation=hints[field.name])
        for field in fields(Options)
    ]

    @wraps(command)
    def called(**given: Any) -> int:
        before = [given.pop(parameter.name) for parameter in own]
        return command(*before, Options(**given))

    called.__signature__ = signature(command).replace(parameters=[*own, *typed])  # type: ignore[attr-defined]
    called.__annotations__ = {p.name: p.annotation for p in (*own, *typed)}
    return called


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"{SCRIPT} {bench.__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def root(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Compare gradient estimators for discrete-sequence GANs: run experiments, write the report."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@app.command()
@taking_options
def run_all(typed: Options) -> int:
    """Run every experiment, then write the report. Run again, it goes on where it stopped."""
    return _run(None, typed)


@app.command()
@taking_options
def run(experiments: Experiments, typed: Options) -> int:
    """Run the named experiments, then write the report."""
    return _run(experiments, typed)


def _run(names: Sequence[str] | None, typed: Options) -> int:
    request = options.request(names, typed)
    if not request.dry_run:
        _prepare()
    from bench import commands

    return commands.run(request)


def _prepare() -> None:
    """Have the workers' libraries loaded while `commands` loads its own."""
    from bench.running import processes

    processes.prepare()


@app.command("list")
def list_(names: Names = None, plugins: Plugins = None) -> int:
    """List what there is or, given a name, its settings or hyperparameters with their meanings."""
    known = options.known_estimators(plugins)
    for name in names or []:
        options.require_no_file(name, [*known, *experiments.available()], "list")
        if "(" in name:  # only an estimator's has hyperparameters behind it
            options.require_estimators([name], known, "list")
    from bench import commands

    return commands.list_(known, names or [])


@app.command("test")
def examine(estimator: Estimator, plugins: Plugins = None) -> int:
    """Check that an estimator keeps the contract, and say in words what it does not keep."""
    options.require_estimators([estimator], options.known_estimators(plugins), "test")
    _prepare()
    from bench import commands

    return commands.examine(estimator)


@app.command()
def report(preset: Preset = "standard", results: Results = None, reports: Reports = None) -> int:
    """Write the report again from the tables alone, without training."""
    folders = options.folders(preset, results, reports)
    from bench import commands

    return commands.report(*folders)


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
    lists.number("--top", top)
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


@app.command()
def cache(
    clear: Annotated[bool, typer.Option("--clear", help="Remove all that is kept; it is made anew.")] = False,
) -> int:
    """Show what is kept from run to run, and where: pre-training and lists of names."""
    from bench import commands

    return commands.cache(clear)


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out a command line and give the exit code; whatever goes wrong is told in one line."""
    try:
        lists.require_joined(sys.argv[1:] if arguments is None else arguments, experiments.available())
        code = app(arguments, prog_name=program(), standalone_mode=False) or 0
    except typer.TyperException as error:
        context = getattr(error, "ctx", None)
        command = context.command_path if context else program()
        return _complain(f"error: {error.format_message()} (see `{command} --help`)", 2)
    except Stopped as stopped:
        stopping.told()
        return _complain(str(stopped), stopped.exit_code)
    except stopping.Stop as stop:
        stopping.told()
        return _complain(stopping.LINE, stop.exit_code)
    except BenchError as error:
        return _complain(f"error: {error}", error.exit_code)
    except OSError as error:  # of whatever no command looks after itself, such as a full disk behind `>`
        return _complain(f"error: {error}", (UserError if error.filename else BenchError).exit_code)
    return code


def _complain(line: str, code: int) -> int:
    print(" ".join(line.split()), file=sys.stderr)
    return code
