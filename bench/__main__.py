"""`python -m bench`, and what the script `discgan-bench` calls."""

import io
import os
import sys


def main() -> int:
    """Carry out the command line."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that lacks a sign shows ?, and all else
    try:
        from bench.cli import main  # not above: worker processes import this file too, and need nothing of it

        return main()
    except KeyboardInterrupt:
        print("stopped: run the command again", file=sys.stderr)
        return 130


if __name__ == "__main__":
    # Python looks first into the current folder, where a names.py or pathlib.py would hide what we import.
    if sys.path[0] == os.getcwd() != os.path.dirname(os.path.dirname(__file__)):  # noqa: PTH109, PTH120
        del sys.path[0]
    sys.exit(main())
