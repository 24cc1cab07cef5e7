"""A user's code is loaded first in a process of its own, so that whatever it does there is told in one line.

It may end the process, without a word and with success, or change what all that runs in it has in common.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from bench import stopping
from bench.errors import UserError
from discgan_core import plugins

MOST = 4096
"""Bytes of a message; a pipe holds as many without a reader."""
WELL = b"well"


def rehearse(what: str, load: Callable[[], object]) -> None:
    """Load something in a process of its own, where that can be had.

    Args:
        what: is loaded, for the user.
        load: does so; called once more if it goes well.

    Raises:
        UserError: it fails, ends the process or changes what is common to all in it.
    """
    if sys.platform != "linux":
        return
    import bench.sessions.intact  # noqa: F401 - loads PyTorch, which the process then has already

    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    pid = os.fork()
    if pid == 0:
        _alone(writing, what, load)
    alive = [pid]
    stopping.cleaning(lambda: os.killpg(alive[0], signal.SIGKILL))
    os.close(writing)
    _, status = os.waitpid(pid, 0)
    alive.clear()  # its number may become another's
    with suppress(OSError):  # what it may have started
        os.killpg(pid, signal.SIGKILL)
    with suppress(BlockingIOError), os.fdopen(reading, "rb", buffering=0) as pipe:
        told = pipe.read(MOST) or b""
        if told == WELL:
            return
        if told:
            raise UserError(told.decode(errors="replace"))
    raise UserError(
        f"{what} ends the process that loads it, {_fate(status)}: what is at its top must not do so"
    )


def _alone(writing: int, what: str, load: Callable[[], object]) -> None:
    """Load it, say what came of it, and end."""
    os.setpgid(0, 0)
    for number in stopping.SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):  # what it prints is printed when it is loaded again
        os.dup2(nowhere, stream)
    try:
        from bench.sessions import intact

        intact.beginning.cache_clear()
        intact.beginning()
        load()
        intact.require()
        told = WELL
    except (plugins.PluginError, UserError) as error:
        told = str(error).encode(errors="replace")[:MOST]
    except BaseException as error:
        told = f"{what}: {type(error).__name__}: {plugins.text(error)}".encode(errors="replace")[:MOST]
    os.write(writing, told)
    os._exit(0)


def _fate(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    return f"with exit code {code}" if code >= 0 else f"by {signal.Signals(-code).name}"


@contextmanager
def environment_kept() -> Iterator[None]:
    """Undo what is done in the block to the environment, which workers of others would inherit."""
    before = dict(os.environ)
    try:
        yield
    finally:
        for name in os.environ.keys() - before.keys():
            del os.environ[name]
        os.environ.update(before)
