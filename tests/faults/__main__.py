"""`python -m faults`: the campaign within a time, its table, and an exit code for whether all was well."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from faults import campaign, shown
from faults.tries import wrong


def main() -> int:
    """Read the options, try everything and show it."""
    parser = argparse.ArgumentParser(prog="python -m faults", description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="of all that is drawn")
    parser.add_argument("--minutes", type=float, default=10, help="at most, shared by the kinds")
    parser.add_argument("--table", type=Path, help="file for the table, in Markdown")
    parser.add_argument("--only", choices=campaign.KINDS, help="one kind alone")
    given = parser.parse_args()
    begin = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="faults-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)  # for the tries of another user
        kinds = [given.only] if given.only else [*campaign.KINDS]
        tries = campaign.run(Path(folder), given.seed, given.minutes * 60, kinds)
    page = shown.page(tries, given.seed, given.minutes).replace(folder, "…")
    if given.table:
        given.table.parent.mkdir(parents=True, exist_ok=True)
        given.table.write_text(page, encoding="utf-8")
    print("\n".join(shown.summary(tries)))
    print(f"{len(tries)} tries in {time.monotonic() - begin:.0f} s, {len(wrong(tries))} wrong")
    return 1 if wrong(tries) else 0


if __name__ == "__main__":
    sys.exit(main())
