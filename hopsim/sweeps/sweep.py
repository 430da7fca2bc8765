"""Running what is missing of a study, wherever its points are kept and whichever engine runs them."""

import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from typing import Any, NamedTuple, Protocol

from hopsim.errors import Interrupted
from hopsim.evaluation.cell_statistics import CellStatistics
from hopsim.experiments.finished_points import FinishedPart, FinishedPoints, Part, Ranges
from hopsim.experiments.observer import Observer
from hopsim.experiments.recall_point import RecallCell
from hopsim.experiments.study import Study, grid_records, statistics_of
from hopsim.storage.records import Records

COMMIT_SECONDS = 1.0  # between two commits, each a file
COMMIT_POINTS = 100_000  # that wait for one at most


class Engine(Protocol):
    """What runs parts: `hopsim.experiments.point_batches.run_parts` in this process, or a cluster."""

    def __call__(
        self, seed: int, cells: Sequence[RecallCell], parts: Iterator[Part], tick: Callable[[], None], /
    ) -> Generator[list[FinishedPart], None, None]:
        """Run parts and give what is finished, time and again; closed, it leaves nothing running."""


class Share(NamedTuple):
    """The part of a sweep that one job of an array runs: number `number` of `n_shares`."""

    number: int
    n_shares: int

    def networks(self, cell: int, n_networks: int) -> tuple[int, int]:
        """Return the range of networks of a cell that belongs to this share.

        The shares of a cell differ by one network at most, and cells take turns in whose share is the larger.

        Examples
        --------
        >>> [Share(i, 3).networks(0, 8) for i in range(3)], [Share(i, 3).networks(1, 8) for i in range(3)]
        ([(0, 2), (2, 5), (5, 8)], [(0, 3), (3, 6), (6, 8)])
        """
        turn = cell * n_networks % self.n_shares
        first, last = (
            min((n_networks * i + turn) // self.n_shares, n_networks) for i in (self.number, self.number + 1)
        )
        return first, last


WHOLE = Share(0, 1)


def missing_parts(points: FinishedPoints, n_networks: Sequence[int], share: Share = WHOLE) -> Iterator[Part]:
    """Give the parts of a share that are not finished."""
    for cell, n_of_cell in enumerate(n_networks):
        ranges = points.ranges.get(cell, Ranges())
        for first, last in ranges.missing(*share.networks(cell, n_of_cell)):
            yield Part(cell, first, last)


def run_sweep(
    study: Study,
    configuration: Any,
    points: FinishedPoints,
    engine: Engine,
    observer: Observer,
    *,
    share: Share = WHOLE,
    budget_seconds: float | None = None,
) -> bool:
    """Run what is missing of a study; each point is reported as finished once it is safe.

    Parameters
    ----------
    study, configuration
        What to run.
    points : FinishedPoints
        What is finished; what finishes is committed there about each second.
    engine : Engine
    observer : Observer
    share : Share
        The part of all points to run.
    budget_seconds : float, optional
        Stop after this time, as if interrupted.

    Returns
    -------
    bool
        Whether all of the share is done, finished or failed; False if it was interrupted.
    """
    cells = study.cells(configuration)
    for cell in cells:
        cell.require_memory()
    n_networks = study.n_networks(configuration).tolist()
    parts = list(missing_parts(points, n_networks, share))
    n_missing = sum(last - first for _, first, last in parts)
    n_share = sum(last - first for first, last in map(share.networks, range(len(cells)), n_networks))
    reporter = _Reporter(study, configuration, points, observer, parts)
    observer.begin(n_share, "network", n_share - n_missing)
    tick = observer.tick if budget_seconds is None else _Budget(budget_seconds, observer.tick)
    batches = engine(configuration.seed, cells, iter(parts), tick)
    pending: list[FinishedPart] = []
    committed = time.monotonic()
    try:
        with closing(batches):
            for finished in batches:
                pending += finished
                n_pending = sum(part.last - part.first for part, _, _ in pending)
                if time.monotonic() - committed >= COMMIT_SECONDS or n_pending >= COMMIT_POINTS:
                    pending, waiting = [], pending
                    reporter.commit(waiting)
                    committed = time.monotonic()
    except Interrupted:
        return False
    finally:
        if pending:
            reporter.commit(pending)
        observer.end()
    return True


class _Budget:
    """A tick that interrupts when the time is spent."""

    def __init__(self, seconds: float, tick: Callable[[], None]) -> None:
        self.end = time.monotonic() + seconds
        self.tick = tick

    def __call__(self) -> None:
        self.tick()
        if time.monotonic() > self.end:
            raise Interrupted


class _Reporter:
    """Commits finished parts, then tells the observer; the time left follows from what is left, not how many points."""

    def __init__(
        self, study: Study, configuration: Any, points: FinishedPoints, observer: Observer, parts: list[Part]
    ) -> None:
        self.study = study
        self.configuration = configuration
        self.points = points
        self.observer = observer
        self.statistics: CellStatistics = statistics_of(study, configuration, points.blocks())
        self.seconds_of = [cell.seconds() for cell in study.cells(configuration)]
        self.guessed_left = self._guessed(parts)
        self.guessed_done = 0.0
        self.began = time.monotonic()

    def commit(self, parts: list[FinishedPart]) -> None:
        self.points.commit(parts)
        for part, columns, failure in parts:
            if failure is None:
                self.statistics.add(part.cell, columns["overlap"])
        n_points = sum(part.last - part.first for part, _, _ in parts)
        guessed = self._guessed(part for part, _, _ in parts)
        self.guessed_done += guessed
        self.guessed_left -= guessed
        seconds = time.monotonic() - self.began
        self.observer.event(
            "commit",
            {
                "n_points": n_points,
                "finished": [part for part, _, failure in parts if failure is None],
                "failed": [[*part, failure] for part, _, failure in parts if failure is not None],
                "seconds_left": max(0.0, seconds / self.guessed_done * self.guessed_left),
                "headline": self.study.headline(self.configuration, self.statistics),
            },
        )
        self.observer.advance(n_points, self._records)

    def _guessed(self, parts: Iterable[Part]) -> float:
        """Return how long parts take, by the guesses of their cells: good enough for proportions."""
        return sum(self.seconds_of[cell] * (last - first) for cell, first, last in parts)

    def _records(self) -> Records:
        return grid_records(self.study, self.configuration, self.points)
