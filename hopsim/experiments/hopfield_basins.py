"""How far from a pattern does a Hopfield network still find it? Recall against the initial overlap."""

from __future__ import annotations

import sys

import msgspec
import numpy as np
from numpy.typing import ArrayLike, NDArray

from hopsim.datasets.random_patterns import patterns_at, patterns_on_grid
from hopsim.evaluation.capacity_threshold import critical_load, half_height
from hopsim.evaluation.cell_statistics import CellStatistics
from hopsim.evaluation.proportions import binomial_interval
from hopsim.experiments.observer import Observer
from hopsim.experiments.recall_point import RecallCell
from hopsim.experiments.study import cell_summary, cell_variables, point_variables, run_study
from hopsim.experiments.study_checks import (
    check_axis,
    check_counts,
    check_loads,
    check_seed,
    check_sizes,
    check_success,
)
from hopsim.learning.storage_rules import check_rule
from hopsim.models.seeds import Stream, stream_keys
from hopsim.sampling.chains import check_order
from hopsim.storage.records import Records, Variable
from hopsim.theory.first_step import first_step_overlap
from hopsim.theory.hopfield import retrieval_overlap
from hopsim.theory.hopfield_phases import capacity

EXPERIMENT = "hopfield_basins"
NAME = "basins"
GRID = ("n_neurons", "load", "start_overlap")
AXES = {"n_neurons": "n_neurons", "load": "loads", "start_overlap": "start_overlaps"}

FloatArray = NDArray[np.float64]

_CURVE = ("n_neurons", "load")
VARIABLES = {
    "n_neurons": Variable(("n_neurons",), "number of neurons N"),
    "load": Variable(("load",), "load alpha = P/N asked for"),
    "start_overlap": Variable(("start_overlap",), "overlap m0 at the start, asked for"),
    **point_variables(*GRID),
    **cell_variables(*GRID),
    "n_patterns": Variable(_CURVE, "number of patterns P = floor(alpha N + 1/2)"),
    "n_flipped": Variable(
        ("n_neurons", "start_overlap"), "neurons flipped at the start, floor((1 - m0) N/2 + 1/2)"
    ),
    "success_threshold": Variable((), "overlap above which a recall counts as retrieved"),
    "overlap_half": Variable(_CURVE, "start overlap at which half of the recalls succeed"),
    "overlap_half_low": Variable(_CURVE, "lower end of its 95 % interval"),
    "overlap_half_high": Variable(_CURVE, "upper end of its 95 % interval"),
    "basin_radius": Variable(_CURVE, "radius of the basin of attraction, 1 - overlap_half"),
    "first_step_theory": Variable(
        ("load", "start_overlap"), "overlap after one parallel step, erf(m0/sqrt(2 alpha)), at infinite N"
    ),
    "overlap_theory": Variable(("load",), "replica-symmetric mean-field overlap of the retrieval state"),
    "alpha_c_theory": Variable((), "replica-symmetric mean-field capacity"),
}


class HopfieldBasins(msgspec.Struct, frozen=True, kw_only=True):
    """Configuration of a study of basins of attraction, at T = 0.

    Attributes
    ----------
    n_neurons, loads, start_overlaps : tuple
        Sizes N, loads alpha and initial overlaps m0; every combination is a point, with (1 - m0)/2 of the
        neurons flipped at the start.
    n_networks, n_trials : int
        Networks a point, others at every start overlap; recalls a network, from different patterns.
    rule, order : str
    success : float
        Final overlap above which a recall counts as retrieved.
    max_sweeps : int
        Limit of a recall. A single synchronous sweep shows the first parallel step.
    seed : int
    threads : int, optional
    """

    seed: int
    n_neurons: tuple[int, ...] = (2000,)
    loads: tuple[float, ...] = tuple(round(0.01 * k, 2) for k in range(1, 15))
    start_overlaps: tuple[float, ...] = tuple(round(0.02 * k, 2) for k in range(1, 51))
    n_networks: int = 100
    n_trials: int = 2
    rule: str = "hebbian"
    order: str = "random"
    success: float = 0.9
    max_sweeps: int = 1000
    threads: int | None = None

    def __post_init__(self) -> None:
        check_counts(self, "n_networks", "n_trials", "max_sweeps")
        check_sizes(self)
        check_loads(self)
        check_axis(self, "start_overlaps", lambda overlap: 0 <= overlap <= 1, "overlaps from 0 to 1")
        check_success(self)
        check_seed(self)
        check_rule(self.rule)
        check_order(self.order)


CONFIGURATION = HopfieldBasins


def run(configuration: HopfieldBasins, observer: Observer) -> Records:
    """Run the study; an interrupted one gives the networks that were finished."""
    return run_study(sys.modules[__name__], configuration, observer)


def grid_shape(configuration: HopfieldBasins) -> tuple[int, ...]:
    """Return the numbers of sizes, loads and start overlaps."""
    return len(configuration.n_neurons), len(configuration.loads), len(configuration.start_overlaps)


def cells(configuration: HopfieldBasins) -> list[RecallCell]:
    """Return the cells: sizes first, then loads."""
    return [
        RecallCell.at(
            n_neurons,
            patterns_at(n_neurons, load),
            n_trials=configuration.n_trials,
            flip=(1.0 - overlap) / 2.0,
            temperature=0.0,
            rule=configuration.rule,
            order=configuration.order,
            max_sweeps=configuration.max_sweeps,
            burn_in=0,
            n_sweeps=0,
        )
        for n_neurons in configuration.n_neurons
        for load in configuration.loads
        for overlap in configuration.start_overlaps
    ]


def n_networks(configuration: HopfieldBasins) -> NDArray[np.int64]:
    """Return the number of networks of each cell, the same for all."""
    return np.full(int(np.prod(grid_shape(configuration))), configuration.n_networks)


def thresholds(configuration: HopfieldBasins) -> FloatArray:
    """Return the overlap above which a recall counts as retrieved, for each cell."""
    return np.full(np.prod(grid_shape(configuration)), configuration.success)


def summary(configuration: HopfieldBasins, statistics: CellStatistics) -> dict[str, ArrayLike]:
    """Return all but the single points."""
    shape = grid_shape(configuration)
    halves = _halves(configuration, statistics)
    return {
        "n_neurons": np.array(configuration.n_neurons, np.int64),
        "load": np.array(configuration.loads),
        "start_overlap": np.array(configuration.start_overlaps),
        "n_patterns": patterns_on_grid(configuration.n_neurons, configuration.loads),
        "n_flipped": _n_flipped(configuration),
        "success_threshold": configuration.success,
        **cell_summary(statistics, shape),
        "overlap_half": halves[..., 0],
        "overlap_half_low": halves[..., 1],
        "overlap_half_high": halves[..., 2],
        "basin_radius": 1.0 - halves[..., 0],
        **_theory(configuration),
    }


def headline(configuration: HopfieldBasins, statistics: CellStatistics) -> str:
    """Return the start overlap at which half of the recalls succeed, as far as the points tell it."""
    fractions = statistics.retrieval()[0].reshape(grid_shape(configuration))
    parts = []
    for n_neurons, starts, of_size in zip(
        configuration.n_neurons, _start_overlaps(configuration), fractions, strict=True
    ):
        halves = [-half_height(-starts, of_load) for of_load in of_size]
        known = [
            f"{half:.3f} ({load:g})"
            for load, half in zip(configuration.loads, halves, strict=True)
            if not np.isnan(half)
        ]
        if known:
            parts.append(f"N = {n_neurons}: half recalled from m0 (load) = {', '.join(known)}")
    return "; ".join(parts)


def find_half(start_overlaps: ArrayLike, histograms: ArrayLike, seed: int) -> tuple[float, float, float]:
    """Start overlap at which half of the recalls succeed, and its 95 % interval, bootstrapped over networks.

    The half-height of `capacity_threshold.critical_load`, of a fraction that rises.

    Parameters
    ----------
    start_overlaps : array_like (n,)
        In any order.
    histograms : array_like of int (n, n_trials + 1)
        Number of networks in which 0, 1, ... n_trials of the trials were retrieved.
    seed : int
        Key of the bootstrap's random numbers.

    Returns
    -------
    value, low, high : float
        The value is NaN where the data do not bracket 1/2. If that is because more than half succeed from the
        smallest start overlap already, the interval goes from 0 to there.
    """
    starts, counts = np.asarray(start_overlaps, np.float64), np.asarray(histograms)
    mirrored = critical_load(-starts, counts, seed)
    if not np.isnan(mirrored.value):
        return -mirrored.value, -mirrored.high, -mirrored.low
    smallest = int(np.argmin(starts))
    n_networks, n_trials = counts[smallest].sum(), counts.shape[1] - 1
    n_retrieved = counts[smallest] @ np.arange(n_trials + 1)
    if binomial_interval(n_retrieved, n_networks * n_trials)[0] > 0.5:
        return np.nan, 0.0, float(starts[smallest])
    return np.nan, np.nan, np.nan


def _halves(configuration: HopfieldBasins, statistics: CellStatistics) -> FloatArray:
    """Return `find_half` of each size and load, shape (n_sizes, n_loads, 3)."""
    histograms = statistics.histograms.reshape(*grid_shape(configuration), -1)
    starts, n_flipped = _start_overlaps(configuration), _n_flipped(configuration)
    halves = np.empty((*histograms.shape[:2], 3))
    for (i, k), n_patterns in np.ndenumerate(patterns_on_grid(configuration.n_neurons, configuration.loads)):
        key = stream_keys(configuration.seed, Stream.BOOTSTRAP, configuration.n_neurons[i])
        seed = int(stream_keys(key, Stream.N_PATTERNS, int(n_patterns))[0])
        # start overlaps of the same flips are the same points, which count once
        _, different = np.unique(n_flipped[i], return_index=True)
        halves[i, k] = find_half(starts[i, different], histograms[i, k, different], seed)
    return halves


def _n_flipped(configuration: HopfieldBasins) -> NDArray[np.int64]:
    of_cells = [cell.n_flipped for cell in cells(configuration)]
    return np.array(of_cells, np.int64).reshape(grid_shape(configuration))[:, 0]


def _start_overlaps(configuration: HopfieldBasins) -> FloatArray:
    """Return the start overlaps that there really are, shape (n_sizes, n_start_overlaps)."""
    return 1.0 - 2.0 * _n_flipped(configuration) / np.array(configuration.n_neurons)[:, None]


def _theory(configuration: HopfieldBasins) -> dict[str, ArrayLike]:
    """Mean-field predictions for the Hebbian rule; NaN for others, and where there is no retrieval."""
    loads, starts = np.array(configuration.loads), np.array(configuration.start_overlaps)
    if configuration.rule != "hebbian":
        return {
            "first_step_theory": np.full((loads.size, starts.size), np.nan),
            "overlap_theory": np.full(loads.shape, np.nan),
            "alpha_c_theory": np.nan,
        }
    return {
        "first_step_theory": first_step_overlap(starts, loads[:, None]),
        "overlap_theory": retrieval_overlap(loads),
        "alpha_c_theory": capacity().load,
    }
