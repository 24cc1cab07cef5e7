"""The benchmark: runs experiments in small units, keeps their tables, writes the report."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    __version__: str
else:

    def __getattr__(name: str) -> str:
        """Give `__version__`, read only when it is asked for, so that a command line begins at once."""
        if name == "__version__":
            from importlib.metadata import version

            return version("discgan-bench")
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
