"""`python -m bench`, and what the script `discgan-bench` calls."""

import io
import os
import sys


def main() -> int:
    """Carry out the command line."""
    from bench import stopping, surroundings  # not above: a user's signal.py could hide what these import

    stopping.prepare()
    surroundings.prepare()
    surroundings.require_folder()
    surroundings.mark()
    stopping.cleaning(surroundings.clear)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that lacks a sign shows ?, and all else
    try:
        from bench.cli import main  # worker processes import this file too, and need nothing of it

        code = main()
    except MemoryError:
        print("error: there is not enough memory", file=sys.stderr)
        code = 1
    surroundings.clear()
    return stopping.ended(code)


def _folder() -> str:
    """Give the current folder; "" where it has been removed, which `main` tells."""
    try:
        return os.getcwd()  # noqa: PTH109
    except OSError:
        return ""


if __name__ == "__main__":
    # Python looks first into the current folder, where a names.py or pathlib.py would hide what we import.
    if sys.path[0] == _folder() != os.path.dirname(os.path.dirname(__file__)):  # noqa: PTH120
        del sys.path[0]
    sys.exit(main())
