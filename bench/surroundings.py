"""The environment in which notebooks, containers and schedulers start a command, made fit for the libraries.

Nothing of it is meant for this program, yet libraries stop at it, or print of it what is not ours to say.
Workers inherit what is set here.
"""

import logging
import os
import sys


def prepare() -> None:
    """Make it fit; to be called before any library is loaded, in every process."""
    try:
        os.getcwd()  # noqa: PTH109
    except OSError:
        print("error: the current folder is not there any more: change to another", file=sys.stderr)
        sys.exit(2)
    os.environ["MPLBACKEND"] = "svg"  # a notebook's own is not there outside it, and matplotlib then stops
    # Without a folder of its own matplotlib makes a temporary one, which works, and warns of it.
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
