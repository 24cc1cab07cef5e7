"""A short campaign: a few faults of every kind, none of which may go unnoticed."""

from __future__ import annotations

from pathlib import Path

import pytest

from faults import campaign, shown
from faults.tries import wrong

SECONDS = 240.0
"""At most; a minute is usual."""


@pytest.mark.slow
@pytest.mark.parametrize("kind", campaign.KINDS)
def test_nothing_goes_wrong_silently(tmp_path: Path, kind: str) -> None:
    tries = campaign.run(tmp_path, 0, SECONDS, [kind], few=True)
    assert tries
    assert not wrong(tries), "\n".join([*shown.summary(tries), *map(str, wrong(tries))])
