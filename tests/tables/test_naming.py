"""Names of files that are made of what users have named: whole where they fit, and never the same for two."""

from __future__ import annotations

from bench.tables import naming


def test_a_name_that_fits_is_kept():
    for name in ("grammar-15", "ł" * (naming.MOST // 2), "a" * naming.MOST):
        assert naming.fitting(name) == name


def test_a_longer_one_is_cut_in_its_middle_and_stays_its_own():
    names = [
        f"{start}{'ł' * 60}{middle}{'語' * 100}-s0000" for start in ("a", "ab", "abc") for middle in "xy"
    ]
    cut = [naming.fitting(name) for name in names]
    assert len(set(cut)) == len(names)
    for name, short in zip(names, cut, strict=True):
        assert len(short.encode()) <= naming.MOST
        assert short[:40] == name[:40]
        assert short.endswith("-s0000")
