"""A clone is small."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MOST = 12e6  # bytes


def test_the_tracked_tree_is_small() -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("this is no git checkout, so there is nothing tracked")
    listed = subprocess.run(["git", "-C", str(ROOT), "ls-files", "-z"], capture_output=True, check=True)
    paths = [ROOT / name.decode() for name in listed.stdout.split(b"\0") if name]
    sizes = {
        path.relative_to(ROOT): path.lstat().st_size for path in paths if path.is_symlink() or path.exists()
    }
    largest = sorted(sizes, key=sizes.__getitem__)[-3:]
    assert sum(sizes.values()) < MOST, f"the largest files: {', '.join(map(str, largest))}"
