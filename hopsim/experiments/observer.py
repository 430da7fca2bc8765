"""What an experiment tells the outside while it runs: an observer is called between compiled blocks."""

from collections.abc import Callable, Mapping
from typing import Any

from hopsim.storage.records import Records


class Observer:
    """Watches a run. This one does nothing; progress bars, checkpoints and interruption derive from it."""

    def begin(self, n_points: int, unit: str, n_finished: int = 0) -> None:
        """Announce a run of `n_points` things, each called `unit` (``"recall"``), some of them finished before."""

    def tick(self) -> None:
        """Look up between compiled blocks, at least four times a second; may raise `hopsim.errors.Interrupted`."""

    def advance(self, n_points: int, records: Callable[[], Records]) -> None:
        """Say that `n_points` more are finished; `records()` gives all that is finished so far."""

    def message(self, text: str) -> None:
        """Pass on a line for the user."""

    def event(self, name: str, details: Mapping[str, Any]) -> None:
        """Pass on what happened, for machines; of a commit, `seconds_left` and `headline` are for people too."""

    def end(self) -> None:
        """Say that the run is over, finished or not."""


class Observers(Observer):
    """Several observers as one."""

    def __init__(self, *observers: Observer) -> None:
        self.observers = observers

    def begin(self, n_points: int, unit: str, n_finished: int = 0) -> None:  # noqa: D102
        for observer in self.observers:
            observer.begin(n_points, unit, n_finished)

    def tick(self) -> None:  # noqa: D102
        for observer in self.observers:
            observer.tick()

    def advance(self, n_points: int, records: Callable[[], Records]) -> None:  # noqa: D102
        for observer in self.observers:
            observer.advance(n_points, records)

    def message(self, text: str) -> None:  # noqa: D102
        for observer in self.observers:
            observer.message(text)

    def event(self, name: str, details: Mapping[str, Any]) -> None:  # noqa: D102
        for observer in self.observers:
            observer.event(name, details)

    def end(self) -> None:  # noqa: D102
        for observer in self.observers:
            observer.end()
