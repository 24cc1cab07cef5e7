"""Lists of names for the task `names`: two of English first names, and a user's own file.

Both sources give the distinct names of at most nine letters a to z, in lower case, women's before men's;
the paper on the likelihood GAN took the same of Kantrowitz's.

    source       lines   a-z only, at most 9   distinct   mean letters
    kantrowitz   7,944                 7,769      7,401           5.98
    census       5,494                 5,435      5,105           5.95

`census` is the first names of the 1990 US Census, in the public domain, as the package `names` has them:
4,275 of women and 1,219 of men, 331 being both. It needs no network. 59 lines have over nine letters.

`kantrowitz` is the Names Corpus, version 1.3 (1994), copyright 1991 Mark Kantrowitz, with additions by
Bill Ross: any use is free so long as credit is given in published work. NLTK's repository has it. The
paper calls its 5,001 women's and 2,943 men's names 7,944 unique ones, but 365 names are in both files,
and "Gale" twice in one, once with a space behind it. 39 lines have a hyphen, space or apostrophe, 136
more than nine letters; what is left has 364 names of both, Gale, and three that differ in case only.
"""

from __future__ import annotations

import codecs
import hashlib
import io
import unicodedata
import zipfile
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory

import pooch

from bench import disk
from bench.errors import UserError, unknown
from bench.printable import printable
from bench.sessions import cache

URL = "https://raw.githubusercontent.com/nltk/nltk_data/gh-pages/packages/corpora/names.zip"
SHA256 = "0eec7e958b34982662b8f05824ae64642dea097b08057ade65c252191c5fe7ca"
LONGEST = 9
LARGEST = 10_000_000
"""Bytes of a list of words."""
LIGATURES = {
    c: unicodedata.normalize("NFKC", chr(c)) for c in (*range(0xFB00, 0xFB07), *range(0xFB13, 0xFB18))
}
"""Pairs of letters that fonts have as one character, "ﬁ", as they come out of a printed page."""


def load(source: str) -> list[str]:
    """Give a source's names: distinct, lower-case, a to z, at most nine letters.

    Args:
        source: one of `SOURCES`.

    Raises:
        UserError: there is no such source, or its file cannot be had.
    """
    if source not in SOURCES:
        raise unknown("source", source, SOURCES)
    plain = (name.strip().lower() for name in SOURCES[source]())
    return list(dict.fromkeys(n for n in plain if n.isascii() and n.isalpha() and len(n) <= LONGEST))


def census() -> Iterable[str]:
    """Give every line's name; its frequency and rank stand behind it."""
    tables = [files("names") / f"dist.{sex}.first" for sex in ("female", "male")]
    return (line.split()[0] for table in tables for line in table.read_text("ascii").splitlines())


def kantrowitz() -> Iterable[str]:
    """Give every line of both files."""
    with zipfile.ZipFile(io.BytesIO(archive())) as opened:
        texts = [opened.read(f"names/{sex}.txt").decode("ascii") for sex in ("female", "male")]
    return (line for text in texts for line in text.splitlines())


SOURCES = {"census": census, "kantrowitz": kantrowitz}


def archive() -> bytes:
    """Give NLTK's archive out of the cache, where it is put the first time; nothing else is believed.

    Raises:
        UserError: it is neither there nor to be had, or it is not what it should be.
    """
    path = cache.folder() / "names.zip"
    try:
        if not path.exists():
            download(path)
        found = path.read_bytes()
    except OSError as error:  # those of the network are among them
        reason = error.strerror or type(error).__name__
        ways = f"put that file (SHA-256 {SHA256}) into {path.parent} yourself, or use --source census"
        raise UserError(f"cannot fetch {URL} ({reason}): {ways}") from None
    actual = hashlib.sha256(found).hexdigest()
    if actual != SHA256:
        ways = "delete it, to have it fetched anew, or use --source census"
        raise UserError(f"{path} is damaged: its SHA-256 is {actual}, expected {SHA256}; {ways}")
    return found


def download(path: Path) -> None:
    """Fetch the archive; a wrong one is not kept.

    Raises:
        UserError: what came is another file.
        OSError: nothing came, or it cannot be written.
    """
    pooch.get_logger().setLevel("WARNING")
    try:
        with TemporaryDirectory() as place:
            found = Path(pooch.retrieve(URL, f"sha256:{SHA256}", path.name, place)).read_bytes()
        path.parent.mkdir(parents=True, exist_ok=True)
        disk.put(path, found)
    except ValueError as error:
        what, _, _ = str(error).partition(". ")  # says which was expected and which came
        raise UserError(f"{URL}: {what}; try again, or use --source census") from None


def read(path: Path, longest: int) -> list[str]:
    """Read a user's own list: UTF-8, one name on a line, letters of any script.

    Names come in lower case and in Unicode's composed form (NFC), in the order of the file; one that
    comes again is dropped, and so are blank lines, space around a name and a byte-order mark. A ligature is
    the letters that it joins, and a mark that no letter has in it is a token of its own.

    Args:
        path: the file.
        longest: letters that a name may have.

    Raises:
        UserError: the file cannot be read, has no names, or a line is no name of at most so many letters.
    """
    lines = content(path).removeprefix(codecs.BOM_UTF8).splitlines()
    found = [name(line, f"{path}, line {number}", longest) for number, line in enumerate(lines, 1)]
    if not any(found):
        raise UserError(f"{path} has no names; write one on a line")
    return list(dict.fromkeys(filter(None, found)))


def fingerprint(path: Path) -> str:
    """Name a user's file and what is in it, so that results from another content are never taken for these.

    Raises:
        UserError: the file cannot be read.
    """
    found = hashlib.sha256(content(path)).hexdigest()[:8]  # first: a path may be none that can be resolved
    return f"{path.resolve()}#{found}"


def content(path: Path) -> bytes:
    """Read a user's file.

    Raises:
        UserError: the file cannot be read.
    """
    return disk.read(path, LARGEST, "a text file with one name on a line")


def shown(source: str) -> str:
    """Name a source for tables and files: a file by its name and hash, wherever it lies.

    What cannot be seen, such as a line break or a byte that is no UTF-8, would spoil both.
    """
    return printable(Path(source).name)


def path_of(source: str) -> Path:
    """Give the file that a fingerprint names."""
    return Path(source.rpartition("#")[0])


def name(line: bytes, where: str, longest: int) -> str:
    """Read one line, which may be blank, or tell `where` it is wrong."""
    try:
        text = plain(line.decode().strip())
    except UnicodeDecodeError:
        raise UserError(f"{where}: this is not UTF-8; save the file as UTF-8") from None
    shown = repr(text if len(text) <= 40 else f"{text[:40]}…")
    wrong = next((c for place, c in enumerate(text) if not is_letter(c, place)), None)
    if wrong is not None:
        raise UserError(f"{where}: {shown} has {wrong!r}, which is no letter; names are letters only")
    if len(text) > longest:
        marks = sum(map(is_mark, text))
        counted = (
            f"{len(text) - marks} letters and {marks} marks on them" if marks else f"{len(text)} letters"
        )
        raise UserError(f"{where}: {shown} has {counted}; at most {longest} fit")
    return text


def plain(text: str) -> str:
    """Give a name in lower case and NFC; no letter becomes two, as "İ" does in Python's lower case."""
    composed = unicodedata.normalize("NFC", text).translate({**LIGATURES, ord("İ"): "i"})
    return unicodedata.normalize("NFC", composed.lower())


def is_letter(character: str, place: int) -> bool:
    """Tell letters from the rest; a mark behind a letter, such as a vowel sign, counts as one."""
    return unicodedata.category(character)[0] == "L" or (place > 0 and is_mark(character))


def is_mark(character: str) -> bool:
    """Tell what stands on or below the letter before it."""
    return unicodedata.category(character)[0] == "M"
