"""Figures, one file each, found by file name: adding a file is all there is to adding one.

A figure's module has `TITLE`, `CAPTION` (what is shown, how to read it, what not to conclude) and
`draw(tables)`, which returns a matplotlib Figure, or None where the tables hold nothing for it. The tables
are those of one slice, or all where the module says `WHOLE = True`. Figures see tables only and never train;
seaborn draws them without pyplot, so that nothing of them stays behind in a process.
"""

import re
from importlib import import_module
from io import StringIO
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType
from typing import NamedTuple

from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from bench import disk
from bench.figures import _style as style
from bench.tables.store import Tables

PLACES = re.compile(r' (d|x|y|width|height|transform)="[^"]*"')
DIGITS = re.compile(r"(\.\d\d)\d+")


class Saved(NamedTuple):
    """A figure on disk, with the words that belong to it."""

    name: str
    title: str
    caption: str
    svg: Path


def available() -> list[str]:
    """Name every figure, in alphabetical order."""
    found = (module.name for module in iter_modules(__path__))
    return sorted(name for name in found if not name.startswith("_"))


def whole(name: str) -> bool:
    """Tell whether a figure takes the tables of all experiments, and is drawn once."""
    return getattr(load(name), "WHOLE", False)


def load(name: str) -> ModuleType:
    """Import the figure of that name."""
    return import_module(f"{__name__}.{name}")


def save(name: str, tables: Tables, svg: Path) -> Saved | None:
    """Draw one figure and write it; None where there is nothing to draw."""
    module = load(name)
    with style.theme():
        figure = module.draw(tables)
        if figure is None:
            return None
        write(figure, svg)
    return Saved(name, module.TITLE, module.CAPTION, svg)


def write(figure: Figure, svg: Path) -> None:
    """Without dates, so that the same tables give the same files, and in hundredths of a point."""
    text = StringIO()
    FigureCanvasSVG(figure).print_svg(text, metadata={"Date": None})
    disk.put(svg, PLACES.sub(lambda found: DIGITS.sub(r"\1", found[0]), text.getvalue()).encode())
