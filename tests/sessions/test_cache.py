"""The cache is a convenience: whatever becomes of it, what is asked for is right, and a line says so."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from filelock import FileLock

from bench import notices
from bench.sessions import cache, checkpoints, intact

RIGHT = {"x": torch.arange(3.0), "steps": torch.tensor(7), "none": torch.zeros(0, 2)}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "cache"))
    monkeypatch.setattr(checkpoints, "PATIENCE", 0.2)
    return tmp_path / "cache"


class Maker:
    """Makes what is right, and counts how often."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> dict[str, torch.Tensor]:
        self.times += 1
        return dict(RIGHT)


@pytest.fixture
def make() -> Maker:
    return Maker()


def asked(make: Maker, name: str = "three") -> list[str]:
    """Ask for the tensors, hold them against what is right, and give what was said."""
    with notices.gathered() as said:
        (found,) = checkpoints.kept({checkpoints.path_of(name, [1]): make})
    assert found.keys() == RIGHT.keys()
    for key, tensor in RIGHT.items():
        assert torch.equal(found[key], tensor)
        assert found[key].dtype == tensor.dtype
    return said


def test_what_is_kept_is_not_made_again_and_leaves_no_lock(folder: Path, make: Maker) -> None:
    assert asked(make) == asked(make) == []
    assert make.times == 1
    (path,) = (folder / "checkpoints").iterdir()
    assert path.suffix == ".safetensors"


@pytest.fixture
def path(folder: Path) -> Path:
    asked(Maker())
    return checkpoints.path_of("three", [1])


def flipped(path: Path) -> Iterator[None]:
    whole = path.read_bytes()
    for bit in range(0, 8 * len(whole), 13):
        changed = bytearray(whole)
        changed[bit // 8] ^= 1 << (bit % 8)
        path.write_bytes(changed)
        yield


def test_no_bit_flips_unnoticed(path: Path, make: Maker) -> None:
    noticed = []
    for _ in flipped(path):
        before = make.times
        said = asked(make)  # holds the numbers against what is right
        noticed.append(make.times > before)
        assert said == [f"{path} is damaged, and made anew"] * noticed[-1]
    assert sum(noticed) > 0.9 * len(noticed)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "empty": lambda path: path.write_bytes(b""),
    "cut": lambda path: path.write_bytes(path.read_bytes()[:-5]),
    "longer": lambda path: path.write_bytes(path.read_bytes() + b"00000"),
    "text": lambda path: path.write_text("not what was here"),
    "another's": lambda path: asked(Maker(), "other") or checkpoints.path_of("other", [1]).replace(path),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_entry_is_made_anew_with_a_line(damage: str, path: Path, make: Maker) -> None:
    DAMAGES[damage](path)
    assert asked(make) == [f"{path} is damaged, and made anew"]
    assert asked(make) == []
    assert make.times == 1


KINDS: dict[str, Callable[[Path], object]] = {
    "a folder": Path.mkdir,
    "a pipe": os.mkfifo,
    "symbolic links": lambda path: path.symlink_to(path),
    "a device": lambda path: path.symlink_to("/dev/zero"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_file_is_neither_read_nor_waited_for(kind: str, path: Path, make: Maker) -> None:
    path.unlink()
    KINDS[kind](path)
    (line, *_) = asked(make)
    assert kind in line
    assert make.times == 1


PLACES: dict[str, Callable[[Path], object]] = {
    "a file": lambda folder: folder.write_text(""),
    "a dangling link": lambda folder: folder.symlink_to("nowhere/at/all"),
    "a pipe": os.mkfifo,
}


@pytest.mark.parametrize("place", PLACES)
def test_without_a_folder_everything_is_computed_and_one_line_says_so(
    place: str, folder: Path, make: Maker
) -> None:
    PLACES[place](folder)
    (line,) = asked(make)
    assert line.startswith(f"the cache {folder} cannot be used (")
    assert "DISCGAN_BENCH_CACHE=DIR names another" in line


@pytest.mark.parametrize("call", ["open", "mkdir", "replace"])
def test_a_folder_that_cannot_be_written_stops_nothing(
    call: str, folder: Path, make: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it is when the disk is full, or another user's; root may write anywhere, so nobody is tried here."""

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, call, refuse)
    (line,) = asked(make)
    assert "(Permission denied): pre-training is computed" in line


def test_an_entry_that_somebody_else_holds_is_made_without_it(folder: Path, make: Maker) -> None:
    path = checkpoints.path_of("three", [1])
    path.parent.mkdir(parents=True)
    with FileLock(path.with_suffix(".lock"), is_singleton=False):
        (line,) = asked(make)
    assert line.startswith(f"{path} is held by another process")
    assert make.times == 1


def test_without_a_home_folder_there_is_one_for_the_run(
    tmp_path: Path, make: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(cache.VARIABLE)
    monkeypatch.setattr(cache.pooch, "os_cache", lambda name: Path(f"~/.cache/{name}"))
    monkeypatch.setattr(Path, "expanduser", lambda path: path)
    monkeypatch.setattr(cache.tempfile, "gettempdir", lambda: str(tmp_path))
    cache._passing.cache_clear()
    (line,) = asked(make)
    assert line == "there is no home folder to keep pre-training in; DISCGAN_BENCH_CACHE=DIR names another"
    cache._passing.cache_clear()
    assert not Path("~").exists()


def test_the_longest_unused_give_way_to_the_limit(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in "abc":
        asked(Maker(), name)
    for age, name in enumerate("bca"):
        os.utime(checkpoints.path_of(name, [1]), (age, age))
    (size,) = {kept.size for kept in cache.files()}
    asked(Maker(), "b")  # of use again
    monkeypatch.setattr(cache, "LIMIT", 3 * size)
    intact.beginning.cache_clear()
    asked(Maker(), "d")
    assert sorted(kept.kind for kept in cache.files()) == ["a", "b", "d"]
    assert len(cache.clear()) == 3
    assert cache.files() == []


@pytest.mark.parametrize("umask", [0o022, 0o077, 0o000])
def test_permissions_follow_the_umask(umask: int, folder: Path) -> None:
    before = os.umask(umask)
    try:
        asked(Maker())
    finally:
        os.umask(before)
    path = checkpoints.path_of("three", [1])
    assert path.stat().st_mode & 0o777 == 0o666 & ~umask
    assert path.parent.stat().st_mode & 0o777 == 0o777 & ~umask


def test_what_a_user_s_code_has_had_a_hand_in_is_not_kept(folder: Path, make: Maker) -> None:
    with cache.only_read(True):
        assert asked(make) == asked(make) == []
    assert make.times == 2
    assert cache.files() == []
    asked(make)
    with cache.only_read(True):
        asked(make)
    assert make.times == 3
