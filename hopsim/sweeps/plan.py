"""What a sweep will take: points, memory, disk and time, the time measured on a few of its own points."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hopsim.experiments.finished_points import Part
from hopsim.experiments.recall_point import RecallCell, recall_parts
from hopsim.experiments.study import Study
from hopsim.sampling.threads import using_threads

N_PROBES = 7
_PROBE_SECONDS = 1.0  # of one probe at least, so that many small points are timed together
_LONGEST_PROBE = 20.0  # guessed seconds: cells that take longer are judged by smaller ones
_FIXED_BYTES = 20  # of a point on the disk, at most, beside its trials
_TRIAL_BYTES = 13


@dataclass(frozen=True)
class Plan:
    """What a sweep will take.

    Attributes
    ----------
    n_cells, n_points, n_recalls : int
    memory_bytes : int
        Of the largest point, or of a batch of small ones on all threads.
    disk_bytes : int
        Upper bound of the points in the sweep's file.
    seconds : float
        Estimated time on this machine, without compiling.
    seconds_low, seconds_high : float
        What the extremes of the probes would make it.
    probes : tuple of Probe
        The points that were timed.
    """

    n_cells: int
    n_points: int
    n_recalls: int
    memory_bytes: int
    disk_bytes: int
    seconds: float
    seconds_low: float
    seconds_high: float
    probes: tuple["Probe", ...]


@dataclass(frozen=True)
class Probe:
    """Points that were run for their time."""

    cell: RecallCell
    n_points: int
    seconds: float

    @property
    def pace(self) -> float:
        """Measured over guessed time."""
        return self.seconds / (self.n_points * self.cell.seconds())


def plan_sweep(study: Study, configuration: Any, threads: int | None, tick: Callable[[], None]) -> Plan:
    """Estimate what a sweep will take, running a few of its points to see.

    Cells are guessed by N, P and sweeps; what the guess is off by is measured on some cells from the cheapest to the
    dearest, and taken from the nearest of them for all others.

    Raises
    ------
    InputError
        If a point does not fit the memory there is.
    """
    cells = study.cells(configuration)
    for cell in cells:
        cell.require_memory()
    with using_threads(threads) as n_threads:
        probes = [_probe(configuration.seed, cells, number, n_threads, tick) for number in _chosen(cells)]
    guesses = np.array([cell.seconds() for cell in cells])
    nearest = np.abs(np.log(guesses[:, None] / [probe.cell.seconds() for probe in probes])).argmin(axis=1)
    paces = np.array([probe.pace for probe in probes])
    n_networks = study.n_networks(configuration)
    n_points = int(n_networks.sum())
    return Plan(
        n_cells=len(cells),
        n_points=n_points,
        n_recalls=n_points * configuration.n_trials,
        memory_bytes=max(cell.point_bytes() * (n_threads if cell.is_small() else 1) for cell in cells),
        disk_bytes=n_points * (_FIXED_BYTES + 8 * len(study.GRID) + _TRIAL_BYTES * configuration.n_trials),
        seconds=float((guesses * paces[nearest] * n_networks).sum()),
        seconds_low=float((guesses * n_networks).sum() * paces.min()),
        seconds_high=float((guesses * n_networks).sum() * paces.max()),
        probes=tuple(probes),
    )


def _chosen(cells: Sequence[RecallCell]) -> list[int]:
    """Choose cells to probe, spread evenly from the cheapest to the dearest that does not take too long."""
    by_cost = sorted(range(len(cells)), key=lambda number: (cells[number].seconds(), number))
    bearable = [number for number in by_cost if cells[number].seconds() <= _LONGEST_PROBE] or by_cost[:1]
    places = np.unique(np.linspace(0, len(bearable) - 1, N_PROBES).round().astype(int))
    return [bearable[place] for place in places]


def _probe(
    seed: int, cells: Sequence[RecallCell], number: int, n_threads: int, tick: Callable[[], None]
) -> Probe:
    """Time points of one cell, twice as many each time until they take long enough; compiling does not count."""
    cell = cells[number]
    n_points = n_threads if cell.is_small() else 1
    recall_parts(seed, cells, [Part(number, 0, 1)], tick)
    while True:
        began = time.perf_counter()
        recall_parts(seed, cells, [Part(number, 0, n_points)], tick)
        seconds = time.perf_counter() - began
        tick()
        if seconds >= _PROBE_SECONDS / N_PROBES or n_points >= cell.most_together():
            return Probe(cell, n_points, seconds)
        n_points = min(2 * n_points, cell.most_together())
