"""The environment in which notebooks, containers and schedulers start a command, made fit for the libraries.

Nothing of it is meant for this program, yet libraries stop at it, or print of it what is not ours to say.
Workers inherit what is set here.
"""

import logging
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

MARK = "DISCGAN_BENCH_COMMAND"
"""Variable by which whatever a command has started, and what that has, is known to be its."""


def prepare() -> None:
    """Make it fit; to be called before any library is loaded, in every process."""
    number = 0
    while number <= 2:  # one of these is closed, and what is opened next would be taken for it
        number = os.open(os.devnull, os.O_RDWR)
    os.close(number)
    os.environ["MPLBACKEND"] = "svg"  # a notebook's own is not there outside it, and matplotlib then stops
    os.environ.pop("TORCH_LOGS", None)  # PyTorch stops at words that it does not know
    # Without a folder of its own matplotlib makes a temporary one, which works, and warns of it.
    logging.getLogger("matplotlib").setLevel(logging.ERROR)


def require_folder() -> None:
    """End in one line where the current folder has been removed; a worker can do without it."""
    try:
        os.getcwd()  # noqa: PTH109
    except OSError:
        print("error: the current folder is not there any more: change to another", file=sys.stderr)
        sys.exit(2)


def mark() -> None:
    """Mark what this command starts from now on."""
    os.environ[MARK] = str(os.getpid())


def clear() -> None:
    """End what a user's code has started and left, in whatever group; where the system tells (Linux)."""
    told = f"{MARK}={os.getpid()}".encode()
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended, or is another user's
            if int(process.name) != os.getpid() and told in (process / "environ").read_bytes().split(b"\0"):
                os.kill(int(process.name), signal.SIGKILL)
