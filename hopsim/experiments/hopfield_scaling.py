"""How does a Hopfield network's capacity alpha_c(N) approach its limit as N grows? Finite-size scaling at T = 0."""

from __future__ import annotations

import sys

import msgspec
import numpy as np
from numpy.typing import ArrayLike, NDArray

from hopsim.errors import InputError
from hopsim.evaluation.capacity_extrapolation import (
    EXPONENTS,
    Extrapolation,
    extrapolate_largest,
    largest_sizes,
)
from hopsim.evaluation.cell_statistics import CellStatistics
from hopsim.experiments.capacity_by_size import critical_loads, logistic_critical_loads, say_half_heights
from hopsim.experiments.observer import Observer
from hopsim.experiments.recall_point import RecallCell
from hopsim.experiments.study import cell_summary, cell_variables, point_variables, run_study
from hopsim.experiments.study_checks import check_counts, check_seed, check_sizes, check_success
from hopsim.sampling.chains import check_order
from hopsim.storage.records import Records, Variable
from hopsim.theory.hopfield_phases import critical_load as mean_field_critical_load

EXPERIMENT = "hopfield_scaling"
NAME = "scaling"
GRID = ("n_neurons", "step")
AXES = {"n_neurons": "n_neurons"}

ALPHA_C_RSB = 0.138186  # with one step of replica-symmetry breaking (Steffan and Kuhn 1994)
MAX_LOADS = 1000  # at each size
ALL_NETWORKS_UP_TO = 1000  # neurons; of larger networks there are fewer

_CENTRE, _HALF_WIDTH = (0.1409, 0.65, 3.0), 1.2
WINDOW = "{:g} + {:g} N^-1/2 + {:g}/N ± {:g} N^-1/2".format(*_CENTRE, _HALF_WIDTH)

VARIABLES = {
    "n_neurons": Variable(("n_neurons",), "number of neurons N"),
    "step": Variable(("step",), "number of the load within the window of its size"),
    **point_variables(*GRID),
    **cell_variables(*GRID),
    "n_patterns": Variable(GRID, "number of patterns P"),
    "load": Variable(GRID, "load alpha = P/N"),
    "success_threshold": Variable(GRID, "overlap above which a recall counts as retrieved"),
    "alpha_c": Variable(("n_neurons",), "load at which the isotonic retrieval fraction crosses 1/2"),
    "alpha_c_low": Variable(("n_neurons",), "lower end of its 95 % bootstrap interval over networks"),
    "alpha_c_high": Variable(("n_neurons",), "upper end of its 95 % bootstrap interval over networks"),
    "alpha_c_se": Variable(("n_neurons",), "its standard error: that interval's width over 2 x 1.96"),
    "alpha_c_logistic": Variable(("n_neurons",), "half-height of the logistic fit to the trials"),
    "alpha_c_logistic_low": Variable(
        ("n_neurons",), "lower end of its 95 % bootstrap interval over networks"
    ),
    "alpha_c_logistic_high": Variable(
        ("n_neurons",), "upper end of its 95 % bootstrap interval over networks"
    ),
    "alpha_c_logistic_se": Variable(
        ("n_neurons",), "its standard error: that interval's width over 2 x 1.96"
    ),
    "logistic_width": Variable(("n_neurons",), "width w of the logistic fit 1/(1 + exp((load - alpha_c)/w))"),
    "in_fits": Variable(("n_neurons",), "the logistic half-height of the size enters the fits over N"),
    "exponent": Variable(("exponent",), "exponent x of the fit alpha_c + b N^-x"),
    "fit_value": Variable(("exponent",), "alpha_c of the fit, at infinite N"),
    "fit_se": Variable(("exponent",), "its standard error"),
    "fit_amplitude": Variable(("exponent",), "amplitude b of the fit"),
    "fit_p": Variable(("exponent",), "probability of a larger chi-square if the fit's law holds"),
    "fit_accepted": Variable(("exponent",), "the fit counts for alpha_c at infinite N"),
    "alpha_c_infinite": Variable((), "alpha_c extrapolated to infinite N"),
    "alpha_c_infinite_low": Variable((), "lower end of its interval, the union over the fits accepted"),
    "alpha_c_infinite_high": Variable((), "upper end of its interval, the union over the fits accepted"),
    "alpha_c_theory": Variable((), "replica-symmetric mean-field capacity"),
    "alpha_c_rsb": Variable((), "mean-field capacity with one step of replica-symmetry breaking"),
}


class HopfieldScaling(msgspec.Struct, frozen=True, kw_only=True):
    """Configuration of a study of finite-size scaling: Hebbian rule, T = 0, from the pattern.

    Attributes
    ----------
    n_neurons : tuple of int
        Sizes N.
    n_loads : int
        Loads at each size, within a window around the fall of the retrieval fraction (see `window`).
    n_networks : int
        Networks a load at sizes up to 1,000; of larger networks there are fewer, as 1/N (see `n_networks`).
    n_trials : int
        Recalls a network, from different patterns.
    order : str
    success : float
        Overlap above which a recall counts as retrieved.
    max_sweeps : int
        Limit of a recall. Close to alpha_c large networks take a thousand sweeps and more.
    seed : int
    threads : int, optional
    """

    seed: int
    n_neurons: tuple[int, ...] = (1000, 2000, 4000, 8000, 16000, 32000, 64000)
    n_loads: int = 9
    n_networks: int = 3000
    n_trials: int = 1
    order: str = "random"
    success: float = 0.9
    max_sweeps: int = 10_000
    threads: int | None = None

    def __post_init__(self) -> None:
        check_counts(self, "n_networks", "n_trials", "max_sweeps")
        if not 2 <= self.n_loads <= MAX_LOADS:
            raise InputError("n_loads", f"expected 2 to {MAX_LOADS}, got {self.n_loads}")
        check_sizes(self)
        check_success(self)
        check_seed(self)
        check_order(self.order)
        for n_neurons in self.n_neurons:
            if (np.diff(window(n_neurons, self.n_loads)) < 1).any():
                problem = f"{n_neurons} neurons are too few for {self.n_loads} different loads around alpha_c"
                raise InputError("n_neurons", problem)


CONFIGURATION = HopfieldScaling


def run(configuration: HopfieldScaling, observer: Observer) -> Records:
    """Run the study; an interrupted one gives the networks that were finished."""
    return run_study(sys.modules[__name__], configuration, observer)


def window(n_neurons: int, n_loads: int) -> NDArray[np.int64]:
    """Return the numbers of patterns at one size: equal steps of load over `WINDOW`.

    There the retrieval fraction fell in earlier simulations of N = 200 to 16,000, on logistic curves of width
    0.35 N^-1/2: from 97 to 3 %. The centre is that of half-heights up to N = 64,000.
    """
    limit, root, inverse = _CENTRE
    centre = limit + root * n_neurons**-0.5 + inverse / n_neurons
    loads = centre + _HALF_WIDTH * n_neurons**-0.5 * np.linspace(-1.0, 1.0, n_loads)
    return np.floor(loads * n_neurons + 0.5).astype(np.int64)


def grid_shape(configuration: HopfieldScaling) -> tuple[int, ...]:
    """Return the numbers of sizes and loads."""
    return len(configuration.n_neurons), configuration.n_loads


def cells(configuration: HopfieldScaling) -> list[RecallCell]:
    """Return the cells, sizes first."""
    return [
        RecallCell.at(
            n_neurons,
            int(n_patterns),
            n_trials=configuration.n_trials,
            flip=0.0,
            temperature=0.0,
            rule="hebbian",
            order=configuration.order,
            max_sweeps=configuration.max_sweeps,
            burn_in=0,
            n_sweeps=0,
        )
        for n_neurons in configuration.n_neurons
        for n_patterns in window(n_neurons, configuration.n_loads)
    ]


def n_networks(configuration: HopfieldScaling) -> NDArray[np.int64]:
    """Return the networks of each cell: as many as asked for up to N = 1,000, beyond fewer, as 1/N, two at least.

    A large network costs more and tells more: the fall narrows as N^-1/2, so alpha_c has the same error at every size.
    """
    most = configuration.n_networks
    share = np.minimum(1.0, ALL_NETWORKS_UP_TO / np.array(configuration.n_neurons))
    of_size = np.clip(np.ceil(most * share), min(2, most), most).astype(np.int64)
    return np.repeat(of_size, configuration.n_loads)


def thresholds(configuration: HopfieldScaling) -> NDArray[np.float64]:
    """Return the overlap above which a recall counts as retrieved, for each cell."""
    return np.full(len(configuration.n_neurons) * configuration.n_loads, configuration.success)


def summary(configuration: HopfieldScaling, statistics: CellStatistics) -> dict[str, ArrayLike]:
    """Return all but the single points."""
    sizes = configuration.n_neurons
    n_patterns, loads = _windows(configuration)
    half_height = critical_loads(configuration.seed, sizes, loads, statistics)
    logistic = logistic_critical_loads(configuration.seed, sizes, loads, statistics)
    limit = extrapolate_largest(sizes, logistic["value"], logistic["standard_error"])
    return {
        "n_neurons": np.array(sizes, np.int64),
        "step": np.arange(configuration.n_loads),
        "n_patterns": n_patterns,
        "load": loads,
        "success_threshold": statistics.thresholds.reshape(loads.shape),
        **cell_summary(statistics, loads.shape),
        "alpha_c": half_height["value"],
        "alpha_c_low": half_height["low"],
        "alpha_c_high": half_height["high"],
        "alpha_c_se": half_height["standard_error"],
        "alpha_c_logistic": logistic["value"],
        "alpha_c_logistic_low": logistic["low"],
        "alpha_c_logistic_high": logistic["high"],
        "alpha_c_logistic_se": logistic["standard_error"],
        "logistic_width": logistic["width"],
        "in_fits": largest_sizes(sizes),
        **_fits(limit),
        "alpha_c_infinite": limit.value,
        "alpha_c_infinite_low": limit.low,
        "alpha_c_infinite_high": limit.high,
        "alpha_c_theory": float(mean_field_critical_load(0.0)),
        "alpha_c_rsb": ALPHA_C_RSB,
    }


def headline(configuration: HopfieldScaling, statistics: CellStatistics) -> str:
    """Return alpha_c at each size, as far as the points tell it."""
    return say_half_heights(configuration.n_neurons, _windows(configuration)[1], statistics)


def _windows(configuration: HopfieldScaling) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return numbers of patterns and loads, both (n_sizes, n_loads)."""
    n_patterns = np.array([window(n_neurons, configuration.n_loads) for n_neurons in configuration.n_neurons])
    return n_patterns, n_patterns / np.array(configuration.n_neurons)[:, None]


def _fits(limit: Extrapolation) -> dict[str, ArrayLike]:
    """Return the fits over N, NaN if there are too few sizes for any."""
    fits = {fit.exponent: fit for fit in limit.fits}
    columns = {"value": "value", "se": "standard_error", "amplitude": "amplitude", "p": "p"}
    return {
        "exponent": np.array(EXPONENTS),
        **{
            f"fit_{name}": np.array([getattr(fits.get(x), attribute, np.nan) for x in EXPONENTS])
            for name, attribute in columns.items()
        },
        "fit_accepted": np.array([x in fits and fits[x].accepted for x in EXPONENTS]),
    }
