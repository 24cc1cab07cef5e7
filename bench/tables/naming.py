"""Names of files: made of what users have named, yet never more than a file system takes."""

from hashlib import sha256

MOST, HEAD, TAIL = 200, 100, 50
"""Bytes of a name, and of one that was longer, from its beginning and its end; 255 are the usual limit, and
what is written stands beside its place first, under a name with more before and behind it."""


def fitting(name: str) -> str:
    """Cut a name that is too long in its middle, where a hash of all of it stands for the rest."""
    whole = name.encode()
    if len(whole) <= MOST:
        return name
    head, tail = (part.decode(errors="ignore") for part in (whole[:HEAD], whole[-TAIL:]))
    return f"{head}~{sha256(whole).hexdigest()[:8]}~{tail}"
