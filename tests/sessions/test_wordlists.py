"""Lists of names: the two sources, and a user's own file. Nothing here leaves the machine."""

from __future__ import annotations

import gc
import hashlib
import io
import threading
import unicodedata
import zipfile
from functools import partial
from http.server import HTTPServer, SimpleHTTPRequestHandler
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.errors import UserError
from bench.sessions import wordlists
from discgan_core import tasks
from discgan_core.tasks.names import split

ORIGINAL = Path(__file__).parents[3] / "shared" / "data" / "names.zip"
FEMALE = "Abbey\nAnn-Marie\nDee Dee\nGale\nGale \nLeAnn\nLeann\nAlexandrina\n"
MALE = "Abbey\r\nO'Neil\r\nZed\r\nAl\r\n\r\n"


def zipped(female: str, male: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("names/female.txt", female)
        archive.writestr("names/male.txt", male)
        archive.writestr("names/README", "Names Corpus")
    return buffer.getvalue()


SMALL = zipped(FEMALE, MALE)


@pytest.fixture
def cache(monkeypatch, tmp_path) -> Path:
    """A cache folder, not there yet; the small archive is the right one, and no address answers."""
    folder = tmp_path / "cache" / "folder"
    monkeypatch.setenv("DISCGAN_BENCH_CACHE", str(folder))
    monkeypatch.setattr(wordlists, "SHA256", hashlib.sha256(SMALL).hexdigest())
    monkeypatch.setattr(wordlists, "URL", "http://127.0.0.1:1/names.zip")
    for variable in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(variable, "127.0.0.1")
    return folder


@pytest.fixture
def served(monkeypatch, tmp_path, cache):
    """A folder whose names.zip is what the address gives."""
    folder = tmp_path / "served"
    folder.mkdir()
    monkeypatch.setattr(SimpleHTTPRequestHandler, "log_message", lambda *_: None)
    with HTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=str(folder))) as server:
        monkeypatch.setattr(wordlists, "URL", f"http://127.0.0.1:{server.server_port}/names.zip")
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield folder
        server.shutdown()
        thread.join()


def told(function, *arguments) -> str:
    """The one line that a user reads."""
    with pytest.raises(UserError) as caught:
        function(*arguments)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def by_length(names: list[str]) -> list[int]:
    return [sum(len(name) == k for name in names) for k in range(1, 10)]


def mean_length(names: list[str]) -> float:
    return sum(map(len, names)) / len(names)


def test_the_census():
    names = wordlists.load("census")
    assert (len(names), names[0], names[-1]) == (5105, "mary", "alonso")
    assert sum(1 for _ in wordlists.census()) == 5494
    assert by_length(names) == [0, 33, 193, 589, 1127, 1350, 1076, 528, 209]
    assert f"{mean_length(names):.2f}" == "5.95"
    check_task(names)


@pytest.mark.skipif(not ORIGINAL.exists(), reason="NLTK's archive is not here, and tests fetch nothing")
def test_kantrowitz(monkeypatch):
    monkeypatch.setenv("DISCGAN_BENCH_CACHE", str(ORIGINAL.parent))
    names = wordlists.load("kantrowitz")
    lines = list(wordlists.kantrowitz())
    assert (len(lines), len(set(lines))) == (7944, 7944 - 365)
    plain = [line.strip() for line in lines if line.strip().isalpha()]
    assert (len(plain), sum(len(name) > 9 for name in plain)) == (7944 - 39, 136)
    assert len(names) == 7401 == 7944 - 39 - 136 - 364 - 1 - 3
    assert by_length(names) == [0, 17, 240, 856, 1756, 1946, 1417, 829, 340]
    assert f"{mean_length(names):.2f}" == "5.98"
    check_task(names)


def check_task(names: list[str]) -> None:
    training, held_out = split(names)
    assert len(held_out) == round(len(names) / 10)
    for words in (names, training):
        assert "".join(tasks.make("names", 10, words=words).symbols) == "abcdefghijklmnopqrstuvwxyz."


def test_the_archives_names_are_made_plain_and_distinct(cache):
    cache.mkdir(parents=True)
    (cache / "names.zip").write_bytes(SMALL)
    assert wordlists.load("kantrowitz") == ["abbey", "gale", "leann", "zed", "al"]


def test_the_archive_is_fetched_once(cache, served, capfd):
    (served / "names.zip").write_bytes(SMALL)
    assert "gale" in wordlists.load("kantrowitz")
    (served / "names.zip").unlink()
    assert "gale" in wordlists.load("kantrowitz")
    assert [path.name for path in cache.iterdir()] == ["names.zip"]
    assert capfd.readouterr() == ("", "")


def test_another_file_at_the_address_is_not_kept(cache, served):
    (served / "names.zip").write_bytes(b"tampered")
    message = told(wordlists.load, "kantrowitz")
    for part in (wordlists.URL, wordlists.SHA256, hashlib.sha256(b"tampered").hexdigest(), "--source census"):
        assert part in message
    assert not cache.exists()


def test_another_file_in_the_cache_is_refused_and_left_alone(cache, served):
    (served / "names.zip").write_bytes(SMALL)
    cache.mkdir(parents=True)
    (cache / "names.zip").write_bytes(SMALL[:-1])
    message = told(wordlists.load, "kantrowitz")
    actual = hashlib.sha256(SMALL[:-1]).hexdigest()
    for part in (str(cache / "names.zip"), actual, f"expected {wordlists.SHA256}", "delete it", "census"):
        assert part in message
    assert (cache / "names.zip").read_bytes() == SMALL[:-1]


def test_without_network_and_cache_both_ways_out_are_named(cache):
    message = told(wordlists.load, "kantrowitz")
    for part in (wordlists.URL, wordlists.SHA256, str(cache), "--source census", "(ConnectionError)"):
        assert part in message


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_an_address_without_the_file(cache, served):
    assert "(HTTPError)" in told(wordlists.load, "kantrowitz")
    gc.collect()  # pooch leaves the connection to be closed by whoever comes next


def test_a_cache_that_is_no_folder(cache):
    cache.parent.mkdir()
    cache.write_text("")
    message = told(wordlists.load, "kantrowitz")
    assert str(cache) in message
    assert "--source census" in message


def test_without_the_variable_the_cache_is_the_systems(cache, monkeypatch, tmp_path):
    monkeypatch.delenv("DISCGAN_BENCH_CACHE")
    monkeypatch.setattr(wordlists.pooch, "os_cache", lambda project: tmp_path / project)
    assert str(tmp_path / "discgan-bench") in told(wordlists.load, "kantrowitz")


def test_an_unknown_source_is_told():
    assert told(wordlists.load, "sensus") == 'unknown source "sensus": did you mean "census"?'


ELSEWHERE = "".join(["İ", *map(chr, wordlists.LIGATURES)])
words = st.text(st.characters(categories=["L"], exclude_characters=ELSEWHERE), min_size=1, max_size=8)
lines = st.lists(st.tuples(words | st.sampled_from(["", " ", "\t"]), st.sampled_from(["\n", "\r\n", "\r"])))


@settings(max_examples=100, deadline=None)
@given(lines=lines, last=words, mark=st.booleans())
def test_reading_gives_the_distinct_names_back(tmp_path_factory, lines, last, mark):
    path = tmp_path_factory.getbasetemp() / "own.txt"
    text = "".join(word + end for word, end in [*lines, *lines]) + f"  {last} "
    path.write_bytes(text.encode("utf-8-sig" if mark else "utf-8"))
    names = [unicodedata.normalize("NFC", word.lower()) for word, _ in [*lines, (last, "")] if word.strip()]
    found = wordlists.read(path, 99)
    assert found == list(dict.fromkeys(names))
    path.write_bytes("\n".join(found).encode())
    assert wordlists.read(path, 99) == found


def test_names_of_any_script(tmp_path):
    path = tmp_path / "own.txt"
    path.write_text("ZOE\u0308\nZoë\nİpek\nमीरा\nŁukasz\n李\n", encoding="utf-8")
    assert wordlists.read(path, 6) == ["zoë", "ipek", "मीरा", "łukasz", "李"]


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("İstanİbul", "istanibul"),
        ("I\u0307stanI\u0307bul", "istanibul"),
        ("Straßen\u1e9eer", "straßenßer"),
        ("O\u0308zle\u0301mX", "özlémx"),
        ("ΣΙΣΥΦΟΣ", "σισυφος"),
        ("Gra\ufb01\ufb02", "grafifl"),
        ("\u212bngstro\u0308m", "ångström"),
    ],
)
def test_letters_are_counted_as_they_are_read(tmp_path, line, name):
    path = tmp_path / "own.txt"
    path.write_text(line, encoding="utf-8")
    assert wordlists.read(path, len(name)) == [name]
    assert f"has {len(name)} letters" in told(wordlists.read, path, len(name) - 1)


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        (b"", ["has no names"]),
        (b"\xef\xbb\xbf\r\n \n", ["has no names"]),
        (b"anna\n\nAlexandrina\n", ["line 3: 'alexandrina' has 11 letters; at most 9 fit"]),
        (b"anna\r\nJos\xe9\r\n", ["line 2: this is not UTF-8"]),
        ("anna\n".encode("utf-16"), ["line 1: this is not UTF-8"]),
        (b"anna\rann-marie\r", ["line 2: 'ann-marie' has '-'"]),
        (b"anna\nr2d2", ["line 2: 'r2d2' has '2'"]),
        (b"dee dee", ["line 1: 'dee dee' has ' '"]),
        (b"a\x00b", [r"line 1: 'a\x00b' has '\x00'"]),
        ("\u0308a".encode(), ["line 1", "no letter"]),
        ("annam\u0303m\u0303nna".encode(), ["has 9 letters and 2 marks on them; at most 9 fit"]),
        (b"a" * 1000, ["line 1: 'aaaa", "…' has 1000 letters"]),
    ],
)
def test_what_is_wrong_with_a_file_is_told(tmp_path, content, parts):
    path = tmp_path / "own.txt"
    path.write_bytes(content)
    message = told(wordlists.read, path, 9)
    assert message.startswith(str(path))
    assert all(part in message for part in parts)
    assert len(message) < len(str(path)) + 120


def test_what_is_no_file_is_told(tmp_path):
    assert told(wordlists.read, tmp_path, 9).startswith(f"{tmp_path} is a folder")
    missing = tmp_path / "missing.txt"
    assert told(wordlists.read, missing, 9).startswith(f"cannot read {missing}: No such file or directory")
