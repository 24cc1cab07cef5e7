"""Ends before the goal, told to the user in one line: what, where, and what to do."""

import sys
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path

SCRIPT = "discgan-bench"


def program() -> str:
    """Name the program as it was called, for what the user is told to type."""
    return "python -m bench" if Path(sys.argv[0]).parts[-2:] == ("bench", "__main__.py") else SCRIPT


class BenchError(Exception):
    """The command line prints only the message, and exits with this code."""

    exit_code = 1


class UserError(BenchError):
    """Something in the command or in the folders that only the user can put right."""

    exit_code = 2


class Stopped(BenchError):
    """The command was asked to stop, and did so in good order."""

    def __init__(self, line: str, exit_code: int) -> None:
        """Say so, and end with 128 and the signal's number."""
        super().__init__(line)
        self.exit_code = exit_code


def unknown(kind: str, name: str, known: Iterable[str]) -> UserError:
    """Say that there is no such name, and which one was probably meant."""
    known = sorted(known)
    near = get_close_matches(name.lower(), known, n=1, cutoff=0.5)
    hint = f'did you mean "{near[0]}"?' if near else f"choose from {', '.join(known)}"
    return UserError(f'unknown {kind} "{name}": {hint}')
