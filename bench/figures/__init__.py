"""Figures, one file each, found by file name: adding a file is all there is to adding one.

A figure's module has `TITLE`, `CAPTION` (what is shown, how to read it, what not to conclude) and
`draw(tables)`, which returns a matplotlib Figure, or None where the tables hold nothing for it.
Figures see tables only and never train; they are drawn without pyplot, so that nothing of them
stays behind in a process.
"""

from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType
from typing import NamedTuple

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from bench.figures import _style as style
from bench.tables.store import Tables


class Saved(NamedTuple):
    """A figure on disk, with the words that belong to it."""

    name: str
    title: str
    caption: str
    png: Path
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


def save(name: str, tables: Tables, folder: Path, stem: str) -> Saved | None:
    """Draw one figure and write `<stem>.png` and `.svg`; None where there is nothing to draw."""
    module = load(name)
    with style.theme():
        figure = module.draw(tables)
        if figure is None:
            return None
        png, svg = folder / f"{stem}.png", folder / f"{stem}.svg"
        write(figure, png, svg)
    return Saved(name, module.TITLE, module.CAPTION, png, svg)


def write(figure: Figure, png: Path, svg: Path) -> None:
    """Without dates, so that the same tables give the same files.

    Each canvas draws once; `Figure.savefig` would draw everything twice for each file.
    """
    figure.set_dpi(mpl.rcParams["savefig.dpi"])
    FigureCanvasAgg(figure).print_png(png)
    figure.set_layout_engine("none")  # laid out already: keep the places
    FigureCanvasSVG(figure).print_svg(svg, metadata={"Date": None})
