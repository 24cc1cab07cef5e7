"""`python -m bench`, and what the script `discgan-bench` calls."""

import io
import os
import sys
import threading

from bench import stopping, surroundings


def main() -> int:
    """Carry out the command line."""
    surroundings.folder()
    stopping.prepare()
    surroundings.prepare()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that lacks a sign shows ?, and all else
    from bench.cli import main  # not above: worker processes import this file too, and need nothing of it

    code = main()
    if any(not thread.daemon for thread in threading.enumerate() if thread is not threading.main_thread()):
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(code)  # a user's own code has left threads, for which Python would wait
    return code


if __name__ == "__main__":
    # Python looks first into the current folder, where a names.py or pathlib.py would hide what we import.
    if sys.path[0] == surroundings.folder() != os.path.dirname(os.path.dirname(__file__)):  # noqa: PTH120
        del sys.path[0]
    sys.exit(main())
