"""The folder of a report: there before anything is drawn, and an error of the disk told in one line."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench import disk
from bench.tables import store
from bench.tables.files import unwritable


@contextmanager
def written(reports: Path) -> Iterator[None]:
    """Write files to a folder of pages, its `figures` and its `tables`.

    Raises:
        UserError: it cannot be written to, in this process or in one that draws.
    """
    every = [reports, reports / "figures", reports / "tables"]
    for folder in every:
        store.require_writable(folder)
    disk.sweep(*every)
    try:
        yield
    except OSError as error:
        raise unwritable(reports, error) from None
    finally:
        disk.sweep(*every)  # a worker that was killed may have left something as well
