"""What there is to say that stops nothing, such as a cache that cannot be used: a line each.

Workers gather theirs and hand them over with what they have computed, so that a display is not written into;
wherever nobody gathers, a line goes to stderr at once.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

_log = logging.getLogger("bench")


def say(line: str) -> None:
    """Say it."""
    _log.warning("%s", line)


@contextmanager
def gathered() -> Iterator[list[str]]:
    """Gather what is said in the block, every line once."""
    said: dict[str, None] = {}
    handler = logging.Handler()
    handler.emit = lambda record: said.setdefault(record.getMessage())  # type: ignore[method-assign]
    _log.addHandler(handler)
    lines: list[str] = []
    try:
        yield lines
    finally:
        _log.removeHandler(handler)
        lines.extend(said)
