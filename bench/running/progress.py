"""How far a run is and how long it will still take, on a terminal and in a log file."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from bench.printable import signs
from bench.running.execute import Finished
from bench.running.plan import Unit
from bench.tables import schema


class Clock:
    """Predicts the end from the predicted cost of the units and the pace of those finished."""

    def __init__(self, units: Sequence[Unit], workers: int) -> None:
        """Start the clock; `units` stand in the order in which they will be started."""
        self._waiting = list(units)
        self._workers = workers
        self._total = sum(unit.seconds for unit in units)
        self._start = time.monotonic()
        self._end = self._start + self._total / workers

    def finish(self, unit: Unit) -> None:
        """Take note that a unit is finished, and predict anew."""
        self._waiting.remove(unit)
        now = time.monotonic()
        in_hand = sum(unit.seconds for unit in self._waiting[: self._workers])
        left = sum(unit.seconds for unit in self._waiting) - in_hand / 2
        trust = self._total / 10  # what the prediction weighs against the measurement
        pace = (trust + self.passed() * self._workers) / (trust + self._total - left)
        self._end = now + left * pace / self._workers

    def left(self) -> float:
        """Seconds still to go."""
        return max(0.0, self._end - time.monotonic())

    def passed(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._start


class Display:
    """A live bar on a terminal; elsewhere a line for each finished unit."""

    def __init__(self, units: Sequence[Unit], workers: int) -> None:
        """Show nothing yet; that begins with the `with` block."""
        self._clock = Clock(units, workers)
        self._console = Console(stderr=True, highlight=False, soft_wrap=True)
        self._live = self._console.is_terminal
        self._bar = Progress(
            TextColumn("{task.fields[done]} of {task.fields[units]} units"),
            BarColumn(),
            _Times(self._clock),
            console=self._console,
            transient=True,
        )
        total = sum(unit.seconds for unit in units)
        self._task = self._bar.add_task("", total=total, done=0, units=len(units))
        self._workers = workers
        self.units = len(units)
        self.done = 0
        self._said: set[str] = set()

    def __enter__(self) -> Display:
        """Begin to show."""
        if self._live:
            self._bar.start()
        else:
            left = duration(self._clock.left())
            _say(self._console, f"{self.units} units of work, {self._workers} at a time: about {left}")
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the terminal as it was."""
        if self._live:
            self._bar.stop()

    def finished(self, item: Finished) -> None:
        """Show that a unit is finished, and what went wrong in it."""
        self.done += 1
        self._clock.finish(item.unit)
        self._bar.update(self._task, advance=item.unit.seconds, done=self.done)
        if not self._live or (item.trials["status"] != schema.OK).any():
            _say(self._console, self._line(item))
        for line in (line for line in item.notices if line not in self._said):
            self._said.add(line)
            _say(self._console, line)

    def _line(self, item: Finished) -> str:
        where = f"[{self.done}/{self.units}] {item.unit.name}"
        counts = item.trials["status"].value_counts()
        how = ", ".join(f"{count} {status}" for status, count in counts.items())
        errors = [error for error in item.trials["error"].unique() if error]
        return "; ".join([f"{where}: {how}", *errors[:1], f"{duration(self._clock.left())} left"])


@contextmanager
def drawing() -> Iterator[Callable[[int, int, int], None]]:
    """Show how far a report is: a live bar on a terminal; elsewhere a line before, and one after.

    Gives what is to be told how many figures are drawn, and how many of how many jobs done.
    """
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    bar = Progress(
        TextColumn("drawing the report: {task.fields[drawn]} figures so far"),
        BarColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
    )
    task, last = bar.add_task("", total=None, drawn=0), 0

    def told(drawn: int, done: int, jobs: int) -> None:
        nonlocal last
        if done == 1 and not console.is_terminal:
            _say(console, "drawing the report")
        bar.update(task, total=jobs, completed=done, drawn=drawn)
        last = drawn

    with bar if console.is_terminal else nullcontext():  # older rich ends a bar that is disabled with a line
        yield told
    if last and not console.is_terminal:
        _say(console, f"{last} figures drawn")


def _say(console: Console, line: str) -> None:
    """Print a line; if nobody can be told any more, what is done goes on all the same."""
    with suppress(OSError):
        console.print(signs(line), markup=False)


class _Times(ProgressColumn):
    """Time passed and time left; rich's own column cannot see inside long units."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    def render(self, task: Task) -> Text:
        passed, left = duration(self._clock.passed()), duration(self._clock.left())
        return Text(f"{passed} passed, about {left} left")


def ago(moment: float) -> str:
    """Write how long ago a moment was, in seconds since 1970, for people."""
    seconds = max(0.0, time.time() - moment)
    return f"{duration(seconds)} ago" if seconds < 86400 else f"{seconds / 86400:.0f} days ago"


def duration(seconds: float) -> str:
    """Write a time for people: 40 s, 3 min 40 s, 2 h 05 min."""
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 1:
        return f"{rest} s"
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"
