"""Text from elsewhere, such as an error's or a file's name, as it can be shown: one line, nothing hidden."""

import re
import unicodedata

MOST = 300
"""Characters that are shown of a text."""

SPACES = re.compile(r"\s+")


def printable(text: str, most: int = MOST) -> str:
    r"""Put a text on one line, escape what is no sign to be seen, and cut it.

    Control characters, marks that change the direction of writing, halves of surrogate pairs and unassigned
    code points come as Python writes them: `\x1b`, `\u202e`, `\udcff`.

    Args:
        text: any.
        most: characters that are kept; an ellipsis stands for the rest.
    """
    begin = SPACES.sub(" ", text[: 10 * most]).strip()  # of 50 MB only the beginning is looked at
    shown = signs(begin[: most + 1])
    return shown if len(shown) <= most else f"{shown[: most - 1]}…"


def signs(text: str) -> str:
    """Escape what is no sign to be seen, line breaks among it, and leave all else, however long."""
    if text.isprintable():
        return text
    return "".join(letter if _seen(letter) else ascii(letter)[1:-1] for letter in text)


def in_lines(text: str) -> str:
    """Escape what is no sign to be seen in a text of several lines of our own making."""
    return "\n".join(map(signs, text.split("\n")))


def _seen(letter: str) -> bool:
    """Tell whether a character is a sign or a space of any width."""
    return letter.isprintable() or unicodedata.category(letter) == "Zs"
