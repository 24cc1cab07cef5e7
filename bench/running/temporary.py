"""A folder of its own for whatever a command keeps for as long as it runs, its workers' included.

Python's server of processes, plotting libraries and users' own code make temporary folders, which a kill
would leave behind. They lie in one that goes with the command or, if that was killed, with the next one.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from multiprocessing.util import Finalize
from pathlib import Path

from bench import disk, stopping

NAME = "discgan-bench"
LONGEST = 60
"""Bytes of a folder's path, below which there still can be a socket (108 bytes in all)."""
SHORT = (Path("/tmp"), Path("/var/tmp"))
"""Where to make one if the system's own is too long for sockets."""
LAST = -1000
"""After what Python's own processes have to put away in it."""


def prepare() -> None:
    """Make the folder, once, and have it removed in the end; where none can be made, the system's serves."""
    if Path(tempfile.gettempdir()).name == disk.signed(NAME):
        return
    for above in (Path(tempfile.gettempdir()), *SHORT):
        _sweep(above)
        if len(os.fsencode(above / disk.signed(NAME))) <= LONGEST and _made(above):
            return


def _made(above: Path) -> bool:
    own = above / disk.signed(NAME)
    stopping.cleaning(lambda: shutil.rmtree(own, ignore_errors=True))
    try:
        own.mkdir(mode=0o700)
    except OSError:
        return False
    os.environ["TMPDIR"] = tempfile.tempdir = str(own)
    Finalize(None, shutil.rmtree, (own, True), exitpriority=LAST)
    return True


def _sweep(above: Path) -> None:
    """Remove what dead commands have left."""
    for other in above.glob(f"{NAME}.*"):
        if disk.abandoned(other.name):
            shutil.rmtree(other, ignore_errors=True)
