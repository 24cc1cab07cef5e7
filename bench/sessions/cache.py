"""The folder for what is kept from run to run: fetched lists of names, checkpoints."""

import os
from pathlib import Path

import pooch

VARIABLE = "DISCGAN_BENCH_CACHE"


def folder() -> Path:
    """Give the folder that DISCGAN_BENCH_CACHE names, or else the user's own cache."""
    return Path(os.environ.get(VARIABLE) or pooch.os_cache("discgan-bench")).expanduser()
