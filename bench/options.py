"""The options: how they are typed, and the request that is made of them, once, for all that follows.

What cannot be meant is refused here. Nothing large is imported unless something that was typed needs it, so
that help, completion and mistakes come at once.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from bench import assigned, experiments, lists
from bench.errors import UserError, unknown
from bench.rehearsal import environment_kept, rehearse
from bench.running.request import Request
from discgan_core import estimators
from discgan_core.plugins import PluginError

Value = TypeVar("Value")

DEVICES = ("cpu", "cuda")


def completing(names: Callable[[], Iterable[str]]) -> Callable[[str], list[str]]:
    """Complete one of several names, the last in `a,b`."""

    def complete(incomplete: str) -> list[str]:
        before, comma, last = incomplete.rpartition(",")
        return [before + comma + name for name in names() if name.startswith(last)]

    return complete


@contextmanager
def plugin_errors_told() -> Iterator[None]:
    """Tell what is wrong with a plug-in as the user's mistake."""
    try:
        yield
    except PluginError as error:
        raise UserError(str(error)) from None


def known_estimators(plugins: Sequence[Path] | None = None) -> list[str]:
    """Name all estimators, a user's own files among them, which are loaded."""
    with plugin_errors_told(), environment_kept():
        for path in plugins or []:
            rehearse(str(path), partial(estimators.load, path))
            estimators.load(path)
        return estimators.available()


Experiments = Annotated[
    list[str],
    typer.Argument(
        metavar="EXPERIMENT...",
        help="As `list` names them.",
        autocompletion=completing(experiments.available),
    ),
]
Names = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="NAME",
        help="An experiment, estimator, task or preset.",
        autocompletion=completing(lambda: [*experiments.available(), *known_estimators()]),
        show_default="all, a line each",
    ),
]
Estimator = Annotated[
    str,
    typer.Argument(
        metavar="ESTIMATOR", help="As `list` names it.", autocompletion=completing(known_estimators)
    ),
]
Preset = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help="How much to compute: smoke, standard or paper.",
        autocompletion=completing(lambda: experiments.PRESETS),
    ),
]
Device = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help="Where to compute: cpu or cuda.",
        autocompletion=completing(lambda: DEVICES),
    ),
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


@dataclass(frozen=True)
class Options:
    """The options of `run` and `run-all`, as they are typed: an option is a field here."""

    preset: Preset = "standard"
    sessions: Annotated[
        str | None,
        typer.Option(
            metavar="N",
            help="Sessions of each condition: the first N or, as 30-59, those of these numbers.",
            show_default="the preset's",
        ),
    ] = None
    estimators: Annotated[
        list[str] | None,
        typer.Option(
            metavar="A,B",
            help="Only these estimators; hyperparameters in brackets: 'rebar(temperature=0.5),relax'.",
            show_default="all",
            autocompletion=completing(known_estimators),
        ),
    ] = None
    lengths: Annotated[
        list[str] | None,
        typer.Option(metavar="3,15", help="Sequence lengths.", show_default="the preset's"),
    ] = None
    set: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE",
            help="A setting, as updates=234 or grammar.updates=234; may be given again. `list grammar` "
            "shows all.",
        ),
    ] = None
    settings: Annotated[
        Path | None,
        typer.Option(metavar="FILE.toml", help="Settings, those of one experiment in a table of its name."),
    ] = None
    parameters: Annotated[
        list[str] | None,
        typer.Option(
            metavar="A,B",
            help="Parameters whose gradient's variance is kept: 'out.weight[0,0],lstm.recurrent[3,7]'.",
            show_default="the paper's, out.weight[0,0]",
        ),
    ] = None
    source: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Where `names` come from: census or kantrowitz.", show_default="census"
        ),
    ] = None
    data: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A word list of your own for `names`, one on a line.")
    ] = None
    plugins: Plugins = None
    results: Results = None
    reports: Reports = None
    device: Device = "cpu"
    workers: Annotated[
        int | None,
        typer.Option(metavar="N", help="Worker processes.", show_default="one per core; one with cuda"),
    ] = None
    anew: Annotated[
        bool, typer.Option("--anew", help="Compute again what other code has made, as it was before an edit.")
    ] = False
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Only show what is done, what is to do, and how long it takes."),
    ] = False


def request(names: Sequence[str] | None, typed: Options) -> Request:
    """Turn what was typed into a request: for the experiments of these names, or for all."""
    require_known("experiment", names or [], experiments.available())
    results, reports = folders(typed.preset, typed.results, typed.reports)
    require_known("device", [typed.device], DEVICES)
    if typed.workers is not None:
        lists.number("--workers", typed.workers)
    lengths = [lists.whole("--lengths", text) for text in lists.split("--lengths", typed.lengths)]
    return Request(
        experiments=_distinct(names or experiments.available()),
        preset=typed.preset,
        estimators=_chosen(typed),
        sessions=lists.sessions(typed.sessions),
        lengths=_distinct(lengths) or None,
        assignments=assigned.assignments(typed.settings, typed.set, typed.parameters),
        source=_source(typed),
        device=_device(typed.device),
        workers=typed.workers,
        results=results,
        reports=reports,
        anew=typed.anew,
        dry_run=typed.dry_run,
    )


def folders(preset: str, results: Path | None, reports: Path | None) -> tuple[Path, Path]:
    """Give the folders of the tables and of the report."""
    require_known("preset", [preset], experiments.PRESETS)
    own = Path("reports") if preset == "standard" else Path("reports") / preset
    return results or Path("results") / preset, reports or own


def require_known(kind: str, names: Iterable[str], known: Iterable[str]) -> None:
    """Refuse a name that is none of those known."""
    for name in names:
        if name not in known:
            raise unknown(kind, name, known)


def _chosen(typed: Options) -> list[str]:
    known = known_estimators(typed.plugins)
    chosen = lists.split("--estimators", typed.estimators) or known
    require_estimators(chosen, known)
    return _distinct(chosen)


def require_estimators(names: Sequence[str], known: Sequence[str], typed: str = "--estimators") -> None:
    """Refuse estimators that are none of those known, and those that cannot be made.

    Args:
        names: of the estimators, with or without hyperparameters.
        known: as `known_estimators` gives them.
        typed: what stood before the names.
    """
    for name in map(estimators.bare, names):
        require_no_file(name, known, typed)
        if name not in known:
            near = get_close_matches(name.lower(), known, 1, 0.7)
            own = "" if near else " (if it is your own, give its file: --plugin FILE.py)"
            raise UserError(f"{unknown('estimator', name, known)}{own}")
    for name in names:
        _require_made(name)


def require_no_file(name: str, known: Sequence[str], typed: str) -> None:
    """Refuse what is a file's path, or the name of one that is at hand, and say how to give the file."""
    if name.endswith(".py"):
        path = Path(name)
        raise UserError(f"{name} is a file; write: {typed} {path.stem} --plugin {shlex.quote(name)}")
    at_hand = [*Path().glob("*.py"), *Path("examples").glob("*.py")]
    own = [path for path in at_hand if path.stem == name]
    if name not in known and own:
        raise UserError(f"{name} is none of ours: give its file, --plugin {own[0]}")


def _require_made(name: str) -> None:
    try:
        with environment_kept():
            if not estimators.is_ours(name):
                rehearse(f"estimator {name}", partial(estimators.make, name))
            if "(" in name or not estimators.is_ours(name):  # ours can be made as they are
                estimators.spelled(name)
                estimators.make(name)
    except ValueError as error:  # a plug-in's among them
        raise UserError(" ".join(str(error).split())) from None


def _source(typed: Options) -> str | None:
    if typed.source is None and typed.data is None:
        return None
    from bench.sessions import wordlists  # loads what nothing else needs

    if typed.source and typed.data:
        raise UserError("--source and --data: give one of them; a file is a source of its own")
    if typed.data:
        return wordlists.fingerprint(typed.data)
    require_known("source", [typed.source or ""], wordlists.SOURCES)
    return typed.source


def _device(name: str) -> str:
    if name == "cuda":
        import torch

        if not torch.cuda.is_available():
            raise UserError("--device cuda: PyTorch finds no CUDA device here; use --device cpu")
    return name


def _distinct(values: Iterable[Value]) -> list[Value]:
    return list(dict.fromkeys(values))
