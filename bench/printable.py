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
    shown = "".join(letter if _seen(letter) else ascii(letter)[1:-1] for letter in begin[: most + 1])
    return shown if len(shown) <= most else f"{shown[: most - 1]}…"


def _seen(letter: str) -> bool:
    """Tell whether a character is a sign or a space."""
    return letter == " " or (letter.isprintable() and unicodedata.category(letter)[0] not in "CZ")
