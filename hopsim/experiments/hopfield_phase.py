"""Where on the load-temperature plane does a Hopfield network recall? Overlaps, and the line at which it stops."""

from __future__ import annotations

import sys
from functools import lru_cache
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import ArrayLike, NDArray

from hopsim.datasets.random_patterns import patterns_at, patterns_on_grid
from hopsim.evaluation.cell_statistics import CellStatistics
from hopsim.evaluation.network_bootstrap import NORMAL_975
from hopsim.experiments.observer import Observer
from hopsim.experiments.recall_point import RecallCell
from hopsim.experiments.study import cell_summary, cell_variables, point_variables, run_study
from hopsim.experiments.study_checks import (
    check_axis,
    check_burn_in,
    check_counts,
    check_loads,
    check_seed,
    check_sizes,
)
from hopsim.storage.records import Records, Variable
from hopsim.theory.hopfield import critical_noise, overlap_at_noise, retrieval_overlap
from hopsim.theory.hopfield_phases import (
    coexistence_temperature,
    largest_retrieval_load,
    retrieval_temperature,
    spin_glass_temperature,
)

EXPERIMENT = "hopfield_phase"
NAME = "phase"
GRID = ("n_neurons", "load", "temperature")
AXES = {"n_neurons": "n_neurons", "load": "loads", "temperature": "temperatures"}

FloatArray = NDArray[np.float64]

_LINE, _LOAD = ("n_neurons", "load"), ("load",)
VARIABLES = {
    "n_neurons": Variable(("n_neurons",), "number of neurons N"),
    "load": Variable(_LOAD, "load alpha = P/N asked for"),
    "temperature": Variable(("temperature",), "temperature T (k_B = 1)"),
    **point_variables(*GRID),
    **cell_variables(*GRID),
    "n_patterns": Variable(_LINE, "number of patterns P = floor(alpha N + 1/2)"),
    "success_threshold": Variable(_LINE, "overlap above which a pattern counts as recalled, m_M/2"),
    "boundary": Variable(_LINE, "temperature at which the mean overlap falls below the threshold"),
    "boundary_low": Variable(
        _LINE, "lower end of its 95 % interval, networks fully correlated over temperatures"
    ),
    "boundary_high": Variable(
        _LINE, "upper end of its 95 % interval, networks fully correlated over temperatures"
    ),
    "boundary_distance": Variable(_LINE, "boundary less the mean-field T_M at the load P/N"),
    "overlap_theory": Variable(
        ("load", "temperature"), "mean-field overlap of the retrieval state, NaN where there is none"
    ),
    "t_m": Variable(_LOAD, "mean-field T_M, below which retrieval states exist"),
    "t_c": Variable(_LOAD, "mean-field T_c, below which retrieval states are the global minima"),
    "t_g": Variable(_LOAD, "mean-field T_g, below which the spin-glass state exists"),
}


class HopfieldPhase(msgspec.Struct, frozen=True, kw_only=True):
    """Configuration of a study of the load-temperature plane: Hebbian rule, random updates, from a pattern.

    Attributes
    ----------
    n_neurons, loads, temperatures : tuple
        Sizes N, loads alpha and temperatures T; every combination is a point.
    n_networks, n_trials : int
        Networks a point, the same at every temperature; recalls a network, from different patterns.
    burn_in, n_sweeps : int
        At T > 0: sweeps before and during the time average. States that are lost decay slowly close to T_M: a
        burn-in of 50 sweeps moves the boundary up by 0.015 to 0.025, from 400 on it hardly moves. Networks of
        2,000 neurons then lose patterns 0.01 below T_M at loads up to 0.05, and 0.03 above it at 0.13.
    max_sweeps : int
        Limit of a recall at T = 0.
    seed : int
    threads : int, optional
    """

    seed: int
    n_neurons: tuple[int, ...] = (500, 2000)
    loads: tuple[float, ...] = tuple(round(0.01 * k, 2) for k in range(1, 16))
    temperatures: tuple[float, ...] = tuple(round(0.04 * k, 2) for k in range(1, 37))
    n_networks: int = 10
    n_trials: int = 1
    burn_in: int = 400
    n_sweeps: int = 200
    max_sweeps: int = 1000
    threads: int | None = None

    def __post_init__(self) -> None:
        check_counts(self, "n_networks", "n_trials", "n_sweeps", "max_sweeps")
        check_burn_in(self)
        check_sizes(self)
        check_loads(self)
        check_axis(self, "temperatures", lambda each: 0 <= each < np.inf, "finite numbers of at least 0")
        check_seed(self)


CONFIGURATION = HopfieldPhase


def run(configuration: HopfieldPhase, observer: Observer) -> Records:
    """Run the study; an interrupted one gives the networks that were finished."""
    return run_study(sys.modules[__name__], configuration, observer)


def grid_shape(configuration: HopfieldPhase) -> tuple[int, ...]:
    """Return the numbers of sizes, loads and temperatures."""
    return len(configuration.n_neurons), len(configuration.loads), len(configuration.temperatures)


def cells(configuration: HopfieldPhase) -> list[RecallCell]:
    """Return the cells: sizes first, then loads."""
    return [
        RecallCell.at(
            n_neurons,
            patterns_at(n_neurons, load),
            n_trials=configuration.n_trials,
            flip=0.0,
            temperature=temperature,
            rule="hebbian",
            order="random",
            max_sweeps=configuration.max_sweeps,
            burn_in=configuration.burn_in,
            n_sweeps=configuration.n_sweeps,
        )
        for n_neurons in configuration.n_neurons
        for load in configuration.loads
        for temperature in configuration.temperatures
    ]


def n_networks(configuration: HopfieldPhase) -> NDArray[np.int64]:
    """Return the number of networks of each cell, the same for all."""
    return np.full(int(np.prod(grid_shape(configuration))), configuration.n_networks)


def thresholds(configuration: HopfieldPhase) -> FloatArray:
    """Return the overlap above which a pattern counts as recalled, for each cell: the same at all temperatures."""
    return np.repeat(_lines(configuration).threshold.ravel(), len(configuration.temperatures))


def summary(configuration: HopfieldPhase, statistics: CellStatistics) -> dict[str, ArrayLike]:
    """Return all but the single points."""
    shape = grid_shape(configuration)
    loads, temperatures = np.array(configuration.loads), np.array(configuration.temperatures)
    boundaries = _boundaries(configuration, statistics)
    lines = _lines(configuration)
    return {
        "n_neurons": np.array(configuration.n_neurons, np.int64),
        "load": loads,
        "temperature": temperatures,
        "n_patterns": patterns_on_grid(configuration.n_neurons, configuration.loads),
        "success_threshold": lines.threshold,
        **cell_summary(statistics, shape),
        "boundary": boundaries[..., 0],
        "boundary_low": boundaries[..., 1],
        "boundary_high": boundaries[..., 2],
        "boundary_distance": boundaries[..., 0] - lines.t_m,
        "overlap_theory": retrieval_overlap(loads[:, None], temperatures),
        "t_m": retrieval_temperature(loads),
        "t_c": coexistence_temperature(loads),
        "t_g": spin_glass_temperature(loads),
    }


def headline(configuration: HopfieldPhase, statistics: CellStatistics) -> str:
    """Return how far the boundary at each size lies from T_M on average, as far as the points tell it."""
    distances = np.abs(_boundaries(configuration, statistics)[..., 0] - _lines(configuration).t_m)
    parts = []
    for n_neurons, distance in zip(configuration.n_neurons, distances, strict=True):
        known = distance[~np.isnan(distance)]
        if known.size:
            loads = "load" if known.size == 1 else "loads"
            parts.append(f"N = {n_neurons}: {known.mean():.3f} from T_M ({known.size} {loads})")
    return ", ".join(parts)


def find_boundary(
    temperatures: ArrayLike, overlaps: ArrayLike, errors: ArrayLike, threshold: float
) -> tuple[float, float, float]:
    """Temperature at which the overlap falls through a threshold, and its 95 % interval.

    The overlaps are made to fall by isotonic regression, so that they cross once, and interpolated linearly.

    Parameters
    ----------
    temperatures, overlaps, errors : array_like (n,)
        In any order; temperatures whose overlap is NaN are left out.
    threshold : float

    Returns
    -------
    value, low, high : float
        NaN if the overlaps do not begin above the threshold and end below it; the ends also without errors.

    Notes
    -----
    The networks are the same at every temperature, so overlaps at neighbouring ones are correlated. The interval is
    by the delta method, for the correlation at which it is widest, 1. To it is added, in quadrature, that a line
    tells little where the overlap jumps: where it drops by the fraction d of the larger one, the place within the
    gap has a uniform error of width d^2 gaps, as in `capacity_threshold.critical_load`.

    Examples
    --------
    >>> value, low, high = find_boundary([0.1, 0.2, 0.3], [0.9, 0.6, 0.3], [0.0, 0.02, 0.02], 0.5)
    >>> print(f"{value:.3f} ({low:.3f} to {high:.3f})")
    0.233 (0.214 to 0.253)
    """
    from scipy.optimize import isotonic_regression

    temperature, overlap, error = (
        np.asarray(values, np.float64) for values in (temperatures, overlaps, errors)
    )
    known = np.argsort(temperature, kind="stable")
    known = known[~np.isnan(overlap[known])]
    if known.size < 2:
        return np.nan, np.nan, np.nan
    temperature, error = temperature[known], error[known]
    overlap = isotonic_regression(overlap[known], increasing=False).x
    if not overlap[0] > threshold >= overlap[-1]:
        return np.nan, np.nan, np.nan
    right = int(np.argmax(overlap <= threshold))
    left = right - 1
    gap, drop = temperature[right] - temperature[left], overlap[left] - overlap[right]
    place = (overlap[left] - threshold) / drop
    value = temperature[left] + place * gap
    by_networks = gap / drop * ((1.0 - place) * error[left] + place * error[right])
    by_jump = gap * (drop / overlap[left]) ** 2 / np.sqrt(12.0)
    reach = NORMAL_975 * np.hypot(by_networks, by_jump)
    return float(value), float(value - reach), float(value + reach)


def _boundaries(configuration: HopfieldPhase, statistics: CellStatistics) -> FloatArray:
    """Return the boundary and the ends of its interval, shape (n_sizes, n_loads, 3)."""
    shape = grid_shape(configuration)
    means, errors = statistics.overlap_mean.reshape(shape), statistics.overlap_se().reshape(shape)
    boundaries = np.empty((*shape[:2], 3))
    for line, threshold in np.ndenumerate(_lines(configuration).threshold):
        boundaries[line] = find_boundary(configuration.temperatures, means[line], errors[line], threshold)
    return boundaries


class _Lines(NamedTuple):
    """Mean-field theory at the loads P/N that there are; arrays (n_sizes, n_loads)."""

    t_m: FloatArray  # NaN at loads without retrieval states
    threshold: FloatArray  # half the overlap m_M with which retrieval states end


@lru_cache(maxsize=1)  # who waits asks for it again and again
def _lines(configuration: HopfieldPhase) -> _Lines:
    loads = (
        patterns_on_grid(configuration.n_neurons, configuration.loads)
        / np.array(configuration.n_neurons)[:, None]
    )
    t_m = np.asarray(retrieval_temperature(loads))
    # at loads without retrieval states: where the last of them end
    temperature = np.where(np.isnan(t_m), largest_retrieval_load().temperature, t_m).ravel()
    overlap = overlap_at_noise(critical_noise(temperature), temperature)
    return _Lines(t_m, overlap.reshape(loads.shape) / 2)
