"""The program with the fake experiment `nap` in place of the real ones; signals as in the real one.

Workers import the main file too, under another name, so the replacement holds in them as well.
"""

import sys

from bench import stopping

if __name__ == "__main__":
    stopping.prepare()

import fake_bench

from bench import experiments

experiments.__path__[:] = [str(fake_bench.FOLDER)]
sys.modules["bench.report"] = fake_bench.report

if __name__ == "__main__":
    from bench.__main__ import main

    sys.exit(main())
