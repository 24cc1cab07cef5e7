"""Bad surroundings: the program ends with the right numbers or in one line, and leaves nothing."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from bench.tables import store
from faults import flips, originals, runs
from faults.originals import Originals
from faults.surroundings_plugins import PLUGINS
from faults.surroundings_shell import SHELL
from faults.surroundings_variables import VARIABLES
from faults.tries import OTHER, SAME, SKIPPED, TOLD, TRACEBACK, Job, Try, chance

KIND = "surroundings"


def jobs(made: Originals, seed: int) -> Iterator[Job]:
    """Give every surrounding once, in a drawn order."""
    right = store.read(made.nap)
    every = [lambda name=name: _variables(made, right, name) for name in VARIABLES]
    every += [lambda name=name: _shell(made, right, name) for name in SHELL]
    every += [lambda name=name: _plugin(made, name) for name in PLUGINS]
    chance(seed, KIND).shuffle(every)
    yield from every


def _variables(made: Originals, right: store.Tables, name: str) -> Try:
    """Run the fake experiment with variables set."""
    at = runs.place(made.root)
    values = {key: value.format(work=at.work) for key, value in VARIABLES[name].items()}
    done = runs.run(at, [*runs.FAKE, *originals.NAP], at.environment(**values))
    return _end(at, f"variables: {name}", right, done)


def _shell(made: Originals, right: store.Tables, name: str) -> Try:
    """Run it from a line of shell, which makes the surroundings."""
    at = runs.place(made.root, made.cache)
    fake = shlex.join([*runs.FAKE, *originals.NAP])
    real = shlex.join([*runs.REAL, *originals.GRAMMAR])
    data = shlex.join([*runs.REAL, "run", "names", "--preset", "smoke", "--estimators", "rebar", "--data"])
    report = shlex.join([*runs.REAL, "report", "--preset", "smoke"])
    line = SHELL[name].format(
        python=sys.executable,
        run=fake,
        real=real,
        report=report,
        data=data,
        work=at.work,
        tmp=at.tmp,
        cache=at.cache,
        grammar=made.grammar,
    )
    done = runs.run(at, ["bash", "-c", line])
    for mounted in (at.work / "small", at.work / "reports"):
        if os.path.ismount(mounted):
            subprocess.run(["umount", "-l", mounted], check=False, capture_output=True)
    if done.code == 77:
        return Try(KIND, f"shell: {name}", SKIPPED, "not possible here")
    real = "{real}" in SHELL[name] or "{grammar}" in SHELL[name]
    right = store.read(made.grammar) if real else right
    return _end(at, f"shell: {name}", right, done)


def _plugin(made: Originals, name: str) -> Try:
    """Run a plug-in beside an estimator of ours, which must have its numbers whatever the plug-in does."""
    at = runs.place(made.root, made.cache)
    file = at.work / "mine.py"
    file.write_text(PLUGINS[name], encoding="utf-8")
    command = [*runs.REAL, *originals.GRAMMAR]
    command[command.index("--estimators") + 1] += ",mine"
    done = runs.run(at, [*command, "--plugin", "mine.py"])
    if done.code in (0, 1) and not (at.work / "reports/smoke/index.html").exists():
        done = done._replace(code=-1, err=f"{done.err}\nno page is made")
    return _end(at, f"plug-in: {name}", store.read(made.grammar), done)


def _end(at: runs.Place, case: str, right: store.Tables, done: runs.Done) -> Try:
    """Look at the end of a command, and at ours of the numbers."""
    outcome = _judged(at, right, done)
    runs.remove(at)
    return Try(KIND, case, *outcome)


def _judged(at: runs.Place, right: store.Tables, done: runs.Done) -> tuple[str, str]:
    outcome = flips.judged(done, at)
    if outcome[0] == TOLD:
        return outcome
    if outcome[0] == OTHER and done.code in (1, 2) and _told(done.err.splitlines()):
        outcome = TOLD, done.last
    if outcome[0] not in (SAME, TOLD):
        return outcome
    results = at.work / originals.RESULTS
    return _ours(results, right, outcome) if (results / "trials").is_dir() else outcome


def _told(lines: list[str]) -> bool:
    """Tell whether the last word is what was wrong, or sessions are said to have failed."""
    return bool(lines) and (lines[-1].startswith("error: ") or any(" failed; " in line for line in lines))


def _ours(results: Path, right: store.Tables, outcome: tuple[str, str]) -> tuple[str, str]:
    """Hold what is there of our own estimators against what is right."""
    try:
        found = store.read(results)
    except Exception as error:
        return outcome if outcome[0] == TOLD else (TRACEBACK, f"what was written cannot be read: {error}")
    mine = {"mine"}
    own = store.Tables(
        found.metrics[~found.metrics["estimator"].isin(mine)],
        found.trials[~found.trials["estimator"].isin(mine)],
        [],
    )
    verdict = originals.compared(right, own, again=True)
    return outcome if verdict[0] == SAME else verdict
