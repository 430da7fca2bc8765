"""How many patterns can a Hopfield network hold? Recall against load, and the load alpha_c at which it is lost."""

from __future__ import annotations

import sys

import msgspec
import numpy as np
from numpy.typing import ArrayLike, NDArray

from hopsim.datasets.probes import check_fraction
from hopsim.datasets.random_patterns import patterns_at, patterns_on_grid
from hopsim.evaluation.capacity_extrapolation import extrapolate_largest
from hopsim.evaluation.cell_statistics import CellStatistics
from hopsim.experiments.capacity_by_size import critical_loads, say_half_heights
from hopsim.experiments.observer import Observer
from hopsim.experiments.recall_point import RECALL_SETTINGS, RecallCell
from hopsim.experiments.study import cell_summary, cell_variables, point_variables, run_study
from hopsim.experiments.study_checks import (
    check_burn_in,
    check_counts,
    check_loads,
    check_seed,
    check_sizes,
    check_success,
)
from hopsim.learning.storage_rules import check_rule
from hopsim.sampling.chains import check_order, check_temperature
from hopsim.storage.records import Records, Variable
from hopsim.theory.hopfield import retrieval_overlap
from hopsim.theory.hopfield_phases import critical_load as mean_field_critical_load

EXPERIMENT = "hopfield_capacity"
NAME = "capacity"
GRID = ("n_neurons", "load")
AXES = {"n_neurons": "n_neurons", "load": "loads"}


VARIABLES = {
    "n_neurons": Variable(("n_neurons",), "number of neurons N"),
    "load": Variable(("load",), "load alpha = P/N asked for"),
    **point_variables(*GRID),
    **cell_variables(*GRID),
    "n_patterns": Variable(GRID, "number of patterns P = floor(alpha N + 1/2)"),
    "success_threshold": Variable(GRID, "overlap above which a recall counts as retrieved"),
    "alpha_c": Variable(("n_neurons",), "load at which the retrieval fraction crosses 1/2"),
    "alpha_c_low": Variable(("n_neurons",), "lower end of its 95 % bootstrap interval over networks"),
    "alpha_c_high": Variable(("n_neurons",), "upper end of its 95 % bootstrap interval over networks"),
    "alpha_c_infinite": Variable((), "alpha_c extrapolated to infinite N"),
    "alpha_c_infinite_low": Variable((), "lower end of its interval, the union over the exponents of N"),
    "alpha_c_infinite_high": Variable((), "upper end of its interval, the union over the exponents of N"),
    "overlap_theory": Variable(("load",), "replica-symmetric mean-field overlap at infinite N"),
    "alpha_c_theory": Variable((), "replica-symmetric mean-field capacity"),
    "m_c_theory": Variable((), "replica-symmetric mean-field overlap at the capacity"),
}


class HopfieldCapacity(msgspec.Struct, frozen=True, kw_only=True):
    """Configuration of a capacity study.

    Attributes
    ----------
    n_neurons, loads : tuple
        Sizes N and loads alpha; every combination is a point.
    n_networks, n_trials : int
        Networks a point, recalls a network (from different patterns).
    flip : float
        Fraction of neurons flipped at the start.
    temperature : float
    rule, order : str
    success : float
        Overlap above which a recall counts as retrieved. At T > 0 half the mean-field overlap stands in its
        place, where the rule has a theory.
    max_sweeps : int
        Limit of a recall at T = 0.
    burn_in, n_sweeps : int
        At T > 0: sweeps before and during the time average.
    seed : int
    threads : int, optional
    """

    n_neurons: tuple[int, ...]
    loads: tuple[float, ...]
    seed: int
    n_networks: int = 20
    n_trials: int = 5
    flip: float = 0.0
    temperature: float = 0.0
    rule: str = "hebbian"
    order: str = "random"
    success: float = 0.9
    max_sweeps: int = 1000
    burn_in: int = 100
    n_sweeps: int = 100
    threads: int | None = None

    def __post_init__(self) -> None:
        check_counts(self, "n_networks", "n_trials", "max_sweeps", "n_sweeps")
        check_burn_in(self)
        check_sizes(self)
        check_loads(self)
        check_success(self)
        check_seed(self)
        check_fraction("flip", self.flip)
        check_temperature(self.temperature)
        check_rule(self.rule)
        check_order(self.order)


CONFIGURATION = HopfieldCapacity


def run(configuration: HopfieldCapacity, observer: Observer) -> Records:
    """Run the study; an interrupted one gives the networks that were finished."""
    return run_study(sys.modules[__name__], configuration, observer)


def grid_shape(configuration: HopfieldCapacity) -> tuple[int, ...]:
    """Return the numbers of sizes and loads."""
    return len(configuration.n_neurons), len(configuration.loads)


def cells(configuration: HopfieldCapacity) -> list[RecallCell]:
    """Return the cells, sizes first."""
    settings = {name: getattr(configuration, name) for name in RECALL_SETTINGS}
    return [
        RecallCell.at(n_neurons, patterns_at(n_neurons, load), **settings)
        for n_neurons in configuration.n_neurons
        for load in configuration.loads
    ]


def n_networks(configuration: HopfieldCapacity) -> NDArray[np.int64]:
    """Return the number of networks of each cell, the same for all."""
    return np.full(int(np.prod(grid_shape(configuration))), configuration.n_networks)


def thresholds(configuration: HopfieldCapacity) -> NDArray[np.float64]:
    """Return the overlap above which a recall counts as retrieved, for each cell."""
    n_patterns = patterns_on_grid(configuration.n_neurons, configuration.loads)
    if configuration.temperature == 0.0 or configuration.rule != "hebbian":
        return np.full(n_patterns.size, configuration.success)
    load = n_patterns / np.array(configuration.n_neurons)[:, None]
    overlap = np.asarray(retrieval_overlap(load, configuration.temperature))
    # where theory has lost retrieval, half of what it last had
    return np.where(np.isnan(overlap), _theory(configuration)["m_c_theory"], overlap).ravel() / 2


def summary(configuration: HopfieldCapacity, statistics: CellStatistics) -> dict[str, ArrayLike]:
    """Return all but the single points."""
    shape = grid_shape(configuration)
    return {
        "n_neurons": np.array(configuration.n_neurons, np.int64),
        "load": np.array(configuration.loads),
        "n_patterns": patterns_on_grid(configuration.n_neurons, configuration.loads),
        "success_threshold": statistics.thresholds.reshape(shape),
        **cell_summary(statistics, shape),
        **_critical_loads(configuration, statistics),
        **_theory(configuration),
    }


def headline(configuration: HopfieldCapacity, statistics: CellStatistics) -> str:
    """Return alpha_c at each size, as far as the points tell it."""
    loads = (
        patterns_on_grid(configuration.n_neurons, configuration.loads)
        / np.array(configuration.n_neurons)[:, None]
    )
    return say_half_heights(configuration.n_neurons, loads, statistics)


def _critical_loads(configuration: HopfieldCapacity, statistics: CellStatistics) -> dict[str, ArrayLike]:
    sizes = configuration.n_neurons
    loads = patterns_on_grid(configuration.n_neurons, configuration.loads) / np.array(sizes)[:, None]
    estimates = critical_loads(configuration.seed, sizes, loads, statistics)
    limit = extrapolate_largest(sizes, estimates["value"], estimates["standard_error"])
    return {
        "alpha_c": estimates["value"],
        "alpha_c_low": estimates["low"],
        "alpha_c_high": estimates["high"],
        "alpha_c_infinite": limit.value,
        "alpha_c_infinite_low": limit.low,
        "alpha_c_infinite_high": limit.high,
    }


def _theory(configuration: HopfieldCapacity) -> dict[str, NDArray | float]:
    """Mean-field predictions for the Hebbian rule; NaN for others, and where there is no retrieval."""
    loads = np.array(configuration.loads)
    if configuration.rule != "hebbian":
        return {
            "overlap_theory": np.full(loads.shape, np.nan),
            "alpha_c_theory": np.nan,
            "m_c_theory": np.nan,
        }
    alpha_c = float(mean_field_critical_load(configuration.temperature))
    return {
        "overlap_theory": np.asarray(retrieval_overlap(loads, configuration.temperature)),
        "alpha_c_theory": alpha_c,
        "m_c_theory": float(retrieval_overlap(alpha_c, configuration.temperature)),
    }
