"""How many patterns can a Hopfield network hold? Recall against load, and the load alpha_c at which it is lost."""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

from hopsim.datasets.probes import check_fraction
from hopsim.datasets.random_patterns import MAX_LOAD, patterns_at
from hopsim.errors import InputError, Interrupted
from hopsim.evaluation.capacity_threshold import critical_load, extrapolate
from hopsim.evaluation.proportions import binomial_interval, mean_over_networks
from hopsim.experiments.capacity_point import (
    RecallTask,
    networks_per_batch,
    recall_networks,
    require_point_memory,
)
from hopsim.experiments.observer import Observer
from hopsim.learning.storage_rules import check_rule
from hopsim.models.seeds import MAX_SEED, Stream, stream_keys
from hopsim.sampling.chains import check_order, check_temperature
from hopsim.sampling.threads import using_threads
from hopsim.storage.records import Records, Variable
from hopsim.theory.hopfield import retrieval_overlap
from hopsim.theory.hopfield_phases import critical_load as mean_field_critical_load

EXPERIMENT = "hopfield_capacity"

_SCALING_FROM = 8000  # from here on alpha_c(N) approaches its limit by one power of N

_TRIAL = ("n_neurons", "load", "network", "trial")
_POINT = ("n_neurons", "load")

VARIABLES = {
    "n_neurons": Variable(("n_neurons",), "number of neurons N"),
    "load": Variable(("load",), "load alpha = P/N asked for"),
    "network": Variable(("network",), "number of the network"),
    "trial": Variable(("trial",), "number of the trial on a network"),
    "overlap": Variable(_TRIAL, "overlap with the start pattern: final, or at T > 0 averaged over time"),
    "n_sweeps": Variable(_TRIAL, "sweeps done", "sweep"),
    "converged": Variable(_TRIAL, "ended in a proven fixed point"),
    "retrieved": Variable(_TRIAL, "overlap above the threshold of success"),
    "finished": Variable(("n_neurons", "load", "network"), "all trials of the network were run"),
    "n_patterns": Variable(_POINT, "number of patterns P = floor(alpha N + 1/2)"),
    "success_threshold": Variable(_POINT, "overlap above which a recall counts as retrieved"),
    "overlap_mean": Variable(_POINT, "mean overlap over networks"),
    "overlap_se": Variable(_POINT, "standard error of the mean overlap, over networks"),
    "retrieval_fraction": Variable(_POINT, "fraction of trials retrieved"),
    "retrieval_low": Variable(_POINT, "lower end of its 95 % binomial interval"),
    "retrieval_high": Variable(_POINT, "upper end of its 95 % binomial interval"),
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
        for name in ("n_networks", "n_trials", "max_sweeps", "n_sweeps"):
            if getattr(self, name) < 1:
                raise InputError(name, f"expected at least 1, got {getattr(self, name)}")
        if self.burn_in < 0:
            raise InputError("burn_in", f"expected at least 0, got {self.burn_in}")
        if not self.n_neurons or min(self.n_neurons) < 1:
            raise InputError("n_neurons", f"expected sizes of at least 1, got {_listed(self.n_neurons)}")
        for name in ("n_neurons", "loads"):
            if len(set(getattr(self, name))) < len(getattr(self, name)):
                raise InputError(name, f"expected different values, got {_listed(getattr(self, name))}")
        if not self.loads or not all(0 < load <= MAX_LOAD for load in self.loads):
            raise InputError(
                "loads", f"expected loads above 0, {MAX_LOAD:g} at most; got {_listed(self.loads)}"
            )
        if not 0.0 < self.success < 1.0:
            raise InputError("success", f"expected an overlap between 0 and 1, got {self.success}")
        if not 0 <= self.seed <= MAX_SEED:
            raise InputError("seed", f"expected an integer from 0 to 2^64 - 1, got {self.seed}")
        check_fraction("flip", self.flip)
        check_temperature(self.temperature)
        check_rule(self.rule)
        check_order(self.order)
        for n_neurons in self.n_neurons:
            for load in self.loads:
                if patterns_at(n_neurons, load) < 1:
                    raise InputError("loads", f"load {load:g} of {n_neurons} neurons rounds to no pattern")

    def task(self) -> RecallTask:
        """Return what the recalls need to know."""
        names = RecallTask._fields
        return RecallTask(**{name: getattr(self, name) for name in names})


def run(configuration: HopfieldCapacity, observer: Observer) -> Records:
    """Run the study; an interrupted one gives the networks that were finished."""
    study = _Study(configuration)
    task = configuration.task()
    points = [(i, k) for i in range(len(configuration.n_neurons)) for k in range(len(configuration.loads))]
    for i, k in points:
        require_point_memory(configuration.n_neurons[i], int(study.arrays["n_patterns"][i, k]), task)
    observer.begin(len(points) * configuration.n_networks, "network")
    try:
        with using_threads(configuration.threads):
            for i, k in points:
                _run_point(study, task, i, k, observer)
    except Interrupted:
        pass
    finally:
        observer.end()
    return study.records()


def _run_point(study: _Study, task: RecallTask, i: int, k: int, observer: Observer) -> None:
    configuration = study.configuration
    n_neurons, n_patterns = configuration.n_neurons[i], int(study.arrays["n_patterns"][i, k])
    step = networks_per_batch(n_neurons, n_patterns, task)
    for first in range(0, configuration.n_networks, step):
        batch = range(first, min(first + step, configuration.n_networks))
        outcome = recall_networks(configuration.seed, n_neurons, n_patterns, batch, task, observer.tick)
        where = (i, k, slice(batch.start, batch.stop))
        study.arrays["overlap"][where] = outcome.overlap
        study.arrays["n_sweeps"][where] = outcome.n_sweeps
        study.arrays["converged"][where] = outcome.converged
        study.arrays["retrieved"][where] = outcome.overlap > study.arrays["success_threshold"][i, k]
        study.arrays["finished"][where] = True
        observer.advance(len(batch), study.records)


class _Study:
    """The arrays of a study while it fills, and what follows from them."""

    def __init__(self, configuration: HopfieldCapacity) -> None:
        self.configuration = configuration
        sizes, loads = configuration.n_neurons, configuration.loads
        shape = (len(sizes), len(loads), configuration.n_networks, configuration.n_trials)
        n_patterns = np.array([[patterns_at(n, load) for load in loads] for n in sizes], np.int64)
        self.theory = _theory(configuration)
        self.arrays: dict[str, NDArray] = {
            "n_neurons": np.array(sizes, np.int64),
            "load": np.array(loads),
            "network": np.arange(configuration.n_networks),
            "trial": np.arange(configuration.n_trials),
            "overlap": np.full(shape, np.nan),
            "n_sweeps": np.zeros(shape, np.int32),
            "converged": np.zeros(shape, bool),
            "retrieved": np.zeros(shape, bool),
            "finished": np.zeros(shape[:3], bool),
            "n_patterns": n_patterns,
            "success_threshold": self._success_thresholds(n_patterns),
        }

    def _success_thresholds(self, n_patterns: NDArray[np.int64]) -> NDArray[np.float64]:
        configuration = self.configuration
        if configuration.temperature == 0.0 or configuration.rule != "hebbian":
            return np.full(n_patterns.shape, configuration.success)
        load = n_patterns / np.array(configuration.n_neurons)[:, None]
        overlap = np.asarray(retrieval_overlap(load, configuration.temperature))
        # where theory has lost retrieval, half of what it last had
        return np.where(np.isnan(overlap), self.theory["m_c_theory"], overlap) / 2

    def records(self) -> Records:
        """Return the arrays with what can be said of them so far."""
        arrays = self.arrays
        finished = arrays["finished"]
        mean, standard_error = mean_over_networks(arrays["overlap"])
        n_total = finished.sum(axis=2) * self.configuration.n_trials
        n_retrieved = arrays["retrieved"].sum(axis=(2, 3))
        low, high = binomial_interval(n_retrieved, n_total)
        with np.errstate(invalid="ignore"):
            fraction = n_retrieved / n_total
        return Records(
            VARIABLES,
            {
                **arrays,
                "overlap_mean": mean,
                "overlap_se": standard_error,
                "retrieval_fraction": fraction,
                "retrieval_low": low,
                "retrieval_high": high,
                **self._thresholds(),
                **self.theory,
            },
        )

    def _thresholds(self) -> dict[str, NDArray | float]:
        sizes = self.arrays["n_neurons"]
        order = np.argsort(self.configuration.loads)
        estimates = []
        for i in range(len(sizes)):
            retrieved = np.where(self.arrays["finished"][i, :, :, None], self.arrays["retrieved"][i], np.nan)
            loads = self.arrays["n_patterns"][i] / sizes[i]
            key = stream_keys(self.configuration.seed, Stream.BOOTSTRAP, int(sizes[i]))
            estimates.append(critical_load(loads[order], retrieved[order], int(key[0])))
        values = np.array([estimate.value for estimate in estimates])
        errors = np.array([estimate.standard_error for estimate in estimates])
        largest = _largest_sizes(sizes)
        small = bool(sizes[largest].min() < _SCALING_FROM)
        limit = extrapolate(sizes[largest], values[largest], errors[largest], keep_all=small)
        return {
            "alpha_c": values,
            "alpha_c_low": np.array([estimate.low for estimate in estimates]),
            "alpha_c_high": np.array([estimate.high for estimate in estimates]),
            "alpha_c_infinite": limit.value,
            "alpha_c_infinite_low": limit.low,
            "alpha_c_infinite_high": limit.high,
        }


def _largest_sizes(sizes: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which sizes to extrapolate from: those from 8,000 on, or the three largest if there are fewer."""
    threshold = min(_SCALING_FROM, np.sort(sizes)[-min(3, len(sizes))])
    return sizes >= threshold


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


def _listed(values: tuple) -> str:
    return ", ".join(f"{value:g}" for value in values) or "none"
