"""The program with the fake experiment `nap` in place of the real ones, taking signals over as the real one does.

Workers import the main file too, under another name, so the replacement holds in them as well.
"""

import sys

from bench import stopping

if __name__ == "__main__":
    stopping.prepare()

import fake_bench  # noqa: E402 - signals first, as in `bench.__main__`

from bench import experiments  # noqa: E402

experiments.__path__[:] = [str(fake_bench.FOLDER)]
sys.modules["bench.report"] = fake_bench.report

if __name__ == "__main__":
    from bench.__main__ import main

    sys.exit(main())
