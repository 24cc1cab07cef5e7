"""Lists as they are typed: `a,b(c=1, d=2)`, `3,15`, `30-59`; and those typed with blanks instead."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from bench.errors import UserError

MOST = 10_000
"""Sessions, tokens or processes: with more, planning alone would not end."""

JOINED = {
    "--lengths": (r"\d+", "separate lengths by commas: --lengths {a},{b}"),
    "--sessions": (r"[\d-]+", "give a number of sessions, as --sessions 30, or the first and last: {a}-{b}"),
    "--estimators": (r"[a-z_]+(\(.*)?", "separate estimators by commas: --estimators {a},{b}"),
    "--parameters": (r"[a-z_.]+\[.*", "separate parameters by commas: --parameters {a},{b}"),
    "--set": (r"[\w.]+=.*", "give --set again for each: --set {a} --set {b}"),
    "--plugin": (r".*\.py", "give --plugin again for each: --plugin {a} --plugin {b}"),
}
"""Options of which several can be meant -> what a further one looks like, and how it is to be typed."""


def split(option: str, texts: Sequence[str] | None) -> list[str]:
    """Split `a,b` and repeated options alike, but not within brackets; what is given has to say something."""
    found = [part.strip() for text in texts or [] for part in parts(text)]
    found = [part for part in found if part]
    if texts and not found:
        raise UserError(f"{option}: nothing is named; name at least one, or leave it out")
    return found


def parts(text: str) -> Iterator[str]:
    """Give what stands between the commas outside brackets and quotes."""
    start, depth, quote = 0, 0, ""
    for place, letter in enumerate(text):
        if quote or letter in "'\"":
            quote = "" if letter == quote else quote or letter
        elif letter in "([{":
            depth += 1
        elif letter in ")]}":
            depth -= 1
        elif letter == "," and depth <= 0:
            yield text[start:place]
            start = place + 1
    yield text[start:]


def number(option: str, value: int) -> int:
    """Refuse less than 1, and what nobody can mean."""
    if not 1 <= value <= MOST:
        raise UserError(f"{option} {value}: it must be 1 or more, and {MOST:,} at most")
    return value


def whole(option: str, text: str) -> int:
    """Read a number from 1 on."""
    try:
        return number(option, int(text))
    except ValueError:
        raise UserError(f'{option}: "{text}" is not a whole number; write it as 3,15') from None


def sessions(text: str | None) -> tuple[int, ...] | None:
    """Read which sessions are asked for: `30` is the first 30, `30-59` those of these numbers."""
    if text is None:
        return None
    if re.fullmatch(r"\s*-?\d{1,20}\s*", text):
        return tuple(range(number("--sessions", int(text))))
    ranges = [re.fullmatch(r"(\d{1,20})-(\d{1,20})", part) for part in split("--sessions", [text])]
    ends = [(int(found[1]), int(found[2])) for found in ranges if found]
    if len(ends) < len(ranges) or any(first > last or last >= MOST for first, last in ends):
        raise UserError(
            f"--sessions {text}: give a number of sessions, as 30, or their first and last, as 30-59 "
            f"(from 0 to {MOST - 1:,})"
        )
    return tuple(sorted({number for first, last in ends for number in range(first, last + 1)}))


def require_joined(arguments: Sequence[str], experiments: Sequence[str]) -> None:
    """Refuse `--lengths 3 5`, whose 5 would be taken for something else, and `--results ""`."""
    words = [word for text in arguments for word in text.split("=", text.startswith("--"))]
    for option, value in pairwise(words):
        if option.startswith("--") and not value:  # which would be the current folder where one is asked for
            raise UserError(f"{option}: nothing is named; name at least one, or leave it out")
    for option, a, b in zip(words, words[1:], words[2:], strict=False):
        if option == "--set" and "=" not in a and not b.startswith("-"):
            raise UserError(f"--set {a} {b}: write it as --set {a}={b}")
        if option in JOINED and b not in experiments:
            further, instead = JOINED[option]
            if re.fullmatch(further, b):
                raise UserError(f"{option} {a} {b}: {instead.format(a=a.rstrip(','), b=b)}")
