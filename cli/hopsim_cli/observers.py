"""What watches a run from the command line: progress, signals, and the finished points on disk."""

import signal
import sys
import time
from collections.abc import Callable, Mapping
from types import FrameType, TracebackType
from typing import Any

import click
from tqdm import tqdm

from hopsim.errors import Interrupted
from hopsim.experiments.observer import Observer
from hopsim.storage.records import Records
from hopsim_cli.printing import as_json, note

REFRESH_SECONDS = 0.5
LINE_SECONDS = 10.0
SAVE_SECONDS = 30.0
SAVE_SHARE = 0.05  # of the time, at most, goes into checkpoints


_BAR_WITHOUT_TIME_LEFT = "{l_bar}{bar}| {n_fmt}/{total_fmt} [{elapsed}, {rate_fmt}{postfix}]"


class ProgressBar(Observer):
    """A bar with rate and time left, on a terminal's stderr."""

    def __init__(self) -> None:
        self.bar: tqdm | None = None
        self.refreshed = 0.0

    def begin(self, n_points: int, unit: str, n_finished: int = 0) -> None:  # noqa: D102
        self.bar = tqdm(
            total=n_points,
            initial=n_finished,
            unit=f" {unit}",
            file=sys.stderr,
            dynamic_ncols=True,
            leave=False,
        )

    def tick(self) -> None:  # noqa: D102
        if self.bar is not None and time.monotonic() - self.refreshed > REFRESH_SECONDS:
            self.refreshed = time.monotonic()
            self.bar.refresh()

    def advance(self, n_points: int, records: Callable[[], Records]) -> None:  # noqa: D102
        if self.bar is not None:
            self.bar.update(n_points)

    def message(self, text: str) -> None:  # noqa: D102
        tqdm.write(f"hopsim: {text}", file=sys.stderr)

    def event(self, name: str, details: Mapping[str, Any]) -> None:  # noqa: D102
        if self.bar is not None:
            self.bar.bar_format = _BAR_WITHOUT_TIME_LEFT
            left = f"{tqdm.format_interval(details['seconds_left'])} left"
            self.bar.set_postfix_str(", ".join(filter(None, [left, details["headline"]])), refresh=False)

    def end(self) -> None:  # noqa: D102
        if self.bar is not None:
            self.bar.close()
            self.bar = None


class ProgressLines(Observer):
    """A line on stderr every ten seconds, where stderr is no terminal."""

    def __init__(self) -> None:
        self.n_points = self.n_finished = self.n_before = 0
        self.unit = self.headline = ""
        self.left = 0.0  # seconds, if they are told
        self.began = self.printed = time.monotonic()

    def begin(self, n_points: int, unit: str, n_finished: int = 0) -> None:  # noqa: D102
        self.n_points, self.n_finished, self.n_before, self.unit = n_points, n_finished, n_finished, unit
        self.began = self.printed = time.monotonic()

    def tick(self) -> None:  # noqa: D102
        now = time.monotonic()
        if now - self.printed < LINE_SECONDS:
            return
        self.printed = now
        seconds = now - self.began
        text = f"{self.n_finished} of {self.n_points} ({self.unit}), {tqdm.format_interval(seconds)} gone"
        if n_new := self.n_finished - self.n_before:
            left = self.left or seconds / n_new * (self.n_points - self.n_finished)
            text += f", {tqdm.format_interval(left)} left, {n_new / seconds:.3g} a second"
        note(f"{text}; {self.headline}" if self.headline else text)

    def advance(self, n_points: int, records: Callable[[], Records]) -> None:  # noqa: D102
        self.n_finished += n_points
        self.tick()

    def message(self, text: str) -> None:  # noqa: D102
        note(text)

    def event(self, name: str, details: Mapping[str, Any]) -> None:  # noqa: D102
        self.headline, self.left = details["headline"], details["seconds_left"]


class EventLines(Observer):
    """A JSON object on stderr for everything that happens to a sweep, for machines.

    ``begin``, then a ``commit`` whenever points have become safe: which (cell, first and last + 1 network), how many
    in all, the rate and the time left in seconds; messages for people; in the end ``end``.
    """

    def __init__(self) -> None:
        self.n_points = self.n_finished = self.n_before = 0
        self.began = time.monotonic()

    def begin(self, n_points: int, unit: str, n_finished: int = 0) -> None:  # noqa: D102
        self.n_points, self.n_finished, self.n_before = n_points, n_finished, n_finished
        self.began = time.monotonic()
        self._write("begin", {"unit": unit, "n_points": n_points, "n_finished": n_finished})

    def event(self, name: str, details: Mapping[str, Any]) -> None:  # noqa: D102
        self.n_finished += details.get("n_points", 0)
        seconds = time.monotonic() - self.began
        rate = (self.n_finished - self.n_before) / seconds if seconds > 0 else 0.0
        self._write(name, {**details, "n_finished": self.n_finished, "rate": rate})

    def message(self, text: str) -> None:  # noqa: D102
        self._write("message", {"text": text})

    def end(self) -> None:  # noqa: D102
        if self.n_points:
            self._write("end", {"n_finished": self.n_finished})
            self.n_points = 0

    def _write(self, name: str, details: Mapping[str, Any]) -> None:
        click.echo(as_json({"event": name, **details}), err=True)


class StopOnSignal(Observer):
    """In its ``with`` block the first signal stops the run at its next tick, the second at once.

    SIGINT, SIGTERM, and SIGUSR1, which is a batch system's warning.

    Attributes
    ----------
    stopped : bool
        Whether the run was told to stop.
    """

    SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)

    def __init__(self) -> None:
        self.requested = False
        self.stopped = False

    def __enter__(self) -> "StopOnSignal":
        self.before: list[Any] = [signal.signal(number, self._request) for number in self.SIGNALS]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for number, handler in zip(self.SIGNALS, self.before, strict=True):
            signal.signal(number, handler)

    def _request(self, number: int, frame: FrameType | None) -> None:
        self.requested = True
        for each in self.SIGNALS:
            signal.signal(each, signal.SIG_DFL)  # kills, even within a compiled call

    def tick(self) -> None:  # noqa: D102
        if self.requested:
            self.stopped = True
            raise Interrupted


class FinishedPoints(Observer):
    """Counts the finished points and saves them from time to time.

    Parameters
    ----------
    save : callable, optional
        Writes the records of the finished points.
    """

    def __init__(self, save: Callable[[Records], None] | None = None) -> None:
        self.save = save
        self.n_points = self.n_finished = 0
        self.unit = ""
        self.records: Callable[[], Records] | None = None
        self.next_save = time.monotonic() + SAVE_SECONDS

    def begin(self, n_points: int, unit: str, n_finished: int = 0) -> None:  # noqa: D102
        self.n_points, self.n_finished, self.unit = n_points, n_finished, unit

    def advance(self, n_points: int, records: Callable[[], Records]) -> None:  # noqa: D102
        self.n_finished += n_points
        self.records = records
        began = time.monotonic()
        if self.save is not None and self.n_finished < self.n_points and began >= self.next_save:
            self.save(records())
            now = time.monotonic()
            self.next_save = now + max(SAVE_SECONDS, (now - began) / SAVE_SHARE)
