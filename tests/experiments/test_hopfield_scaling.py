"""Finite-size scaling: its grid and records, what follows from statistics with a known answer, and bad options."""

import numpy as np
import pytest

from hopsim.errors import InputError
from hopsim.evaluation.capacity_extrapolation import EXPONENTS, extrapolate
from hopsim.evaluation.cell_statistics import CellStatistics
from hopsim.experiments import hopfield_capacity, hopfield_scaling
from hopsim.experiments.hopfield_scaling import HopfieldScaling, run, window
from hopsim.experiments.observer import Observer

SMALL = {"n_neurons": (200, 100), "n_loads": 5, "n_networks": 30, "n_trials": 2, "seed": 1}
SIZES = np.array([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 64_000])
HALF_HEIGHTS = np.array([0.1642, 0.1568, 0.1519, 0.1491, 0.1463, 0.1447, 0.1436])  # published simulations


@pytest.fixture(scope="module")
def small():
    return run(HopfieldScaling(**SMALL), Observer())


def statistics_of_curves(configuration, half_heights, widths, n_networks=10_000):
    """Statistics of single trials whose retrieval fractions lie on logistic curves."""
    sizes = np.array(configuration.n_neurons)[:, None]
    loads = np.array([window(n, configuration.n_loads) for n in configuration.n_neurons]) / sizes
    fractions = 1 / (1 + np.exp((loads - half_heights[:, None]) / widths[:, None]))
    statistics = CellStatistics.empty(hopfield_scaling.thresholds(configuration), n_trials=1)
    for cell, fraction in enumerate(fractions.ravel()):
        overlap = np.full((n_networks, 1), 0.3)
        overlap[: round(n_networks * fraction)] = 0.97
        statistics.add(cell, overlap)
    return statistics


def test_records_of_a_small_study(small):
    """Every variable with its dimensions; alpha_c falls with N, and the loads are whole numbers of patterns."""
    assert set(small.variables) == set(hopfield_scaling.VARIABLES)
    for name, variable in hopfield_scaling.VARIABLES.items():
        assert small.variables[name].dims == variable.dims
    assert small.sizes == {"n_neurons": 2, "step": 5, "network": 30, "trial": 2, "exponent": 4}
    assert small["finished"].all()
    assert (small["load"] == small["n_patterns"] / np.array([[200], [100]])).all()
    assert (np.diff(small["load"]) > 0).all()
    assert (small["retrieval_fraction"] == small["retrieved"].mean(axis=(2, 3))).all()
    assert (small["success_threshold"] == 0.9).all()
    # N = 200 from 4,400 recalls: 0.203 ± 0.002
    assert abs(small["alpha_c"][0] - 0.203) < 5 * np.hypot(small["alpha_c_se"][0], 0.002)
    assert small["alpha_c"][0] < small["alpha_c"][1]
    assert abs(small["alpha_c_logistic"] - small["alpha_c"]).max() < 0.05
    assert small["in_fits"].all()
    assert np.isnan(small["fit_value"]).all()  # two sizes are too few
    assert not small["fit_accepted"].any()
    assert np.isnan(float(small["alpha_c_infinite"]))
    assert float(small["alpha_c_theory"]) == pytest.approx(0.137905566494932)
    assert float(small["alpha_c_rsb"]) == 0.138186


def test_a_point_is_that_of_a_capacity_study(small):
    """The same N, P, network and trial: where it is asked for does not matter."""
    step = 2
    load = float(small["load"][0, step])
    configuration = hopfield_capacity.HopfieldCapacity(
        n_neurons=(200,), loads=(load,), n_networks=30, n_trials=2, seed=1, max_sweeps=10_000
    )
    records = hopfield_capacity.run(configuration, Observer())
    assert (records["overlap"][0, 0] == small["overlap"][0, step]).all()


def test_windows_surround_the_fall():
    """Published half-heights lie within the middle quarter of the window, and equal steps within rounding."""
    for n_neurons, alpha_c in zip(SIZES, HALF_HEIGHTS, strict=True):
        loads = window(int(n_neurons), 11) / n_neurons
        half_width = np.ptp(loads) / 2
        assert abs(alpha_c - loads.mean()) < half_width / 4
        assert half_width == pytest.approx(1.2 * n_neurons**-0.5, abs=1 / n_neurons)
        assert np.ptp(np.diff(loads)) <= 1.001 / n_neurons


def test_the_formula_of_the_window_is_what_is_printed():
    numbers = [float(word.partition("/")[0]) for word in hopfield_scaling.WINDOW.split() if word[0].isdigit()]
    limit, root, inverse, half_width = numbers
    n_neurons = 10**6  # rounding to patterns is small here
    loads = window(n_neurons, 3) / n_neurons
    centre = limit + root * n_neurons**-0.5 + inverse / n_neurons
    expected = centre + half_width * n_neurons**-0.5 * np.array([-1, 0, 1])
    assert loads == pytest.approx(expected, abs=0.6 / n_neurons)


def test_fewer_networks_of_larger_sizes():
    configuration = HopfieldScaling(seed=1, n_neurons=(500, 1_000, 3_000, 64_000), n_loads=2, n_networks=100)
    assert hopfield_scaling.n_networks(configuration).tolist() == [100, 100, 100, 100, 34, 34, 2, 2]
    alone = HopfieldScaling(seed=1, n_neurons=(64_000,), n_loads=2, n_networks=1)
    assert hopfield_scaling.n_networks(alone).tolist() == [1, 1]


def test_each_size_gets_its_networks():
    configuration = HopfieldScaling(seed=1, n_neurons=(500, 2_000), n_loads=2, n_networks=4, max_sweeps=2)
    records = run(configuration, Observer())
    assert records["n_finished"].tolist() == [[4, 4], [2, 2]]
    assert records["finished"].sum(axis=2).tolist() == [[4, 4], [2, 2]]


def test_known_curves_are_found():
    """Exact logistic curves about published half-heights: the fit finds them, the straight lines almost."""
    configuration = HopfieldScaling(seed=3)
    widths = 0.35 * SIZES**-0.5
    statistics = statistics_of_curves(configuration, HALF_HEIGHTS, widths)
    found = hopfield_scaling.summary(configuration, statistics)
    # counts are rounded to 1/10,000 of a fraction, a quarter of a width is its inverse slope
    assert np.abs(found["alpha_c_logistic"] - HALF_HEIGHTS).max() < 1e-4 * widths.max()
    assert found["logistic_width"] == pytest.approx(widths, rel=1e-3)
    assert (np.abs(found["alpha_c"] - HALF_HEIGHTS) < 0.02 * widths).all()
    assert found["in_fits"].tolist() == [False] * 3 + [True] * 4
    limit = extrapolate(SIZES[3:], found["alpha_c_logistic"][3:], found["alpha_c_logistic_se"][3:])
    assert found["exponent"].tolist() == list(EXPONENTS)
    assert found["fit_value"].tolist() == [fit.value for fit in limit.fits]
    assert found["fit_p"].tolist() == [fit.p for fit in limit.fits]
    assert found["fit_accepted"].tolist() == [fit.accepted for fit in limit.fits]
    ends = [found[f"alpha_c_infinite_{end}"] for end in ("low", "high")]
    assert np.array_equal(ends, [limit.low, limit.high], equal_nan=True)
    assert hopfield_scaling.headline(configuration, statistics).startswith("alpha_c(1000) = 0.164")


def test_the_limit_is_inside_what_is_known_of_it():
    """Published half-heights with the errors of so many networks as the study has: inside 0.134 to 0.147."""
    configuration = HopfieldScaling(seed=4)
    statistics = statistics_of_curves(configuration, HALF_HEIGHTS, 0.35 * SIZES**-0.5, n_networks=60)
    found = hopfield_scaling.summary(configuration, statistics)
    assert 0.134 < found["alpha_c_infinite_low"] < 0.1379
    assert 0.143 < found["alpha_c_infinite_high"] < 0.147


def test_nothing_finished_says_nothing():
    configuration = HopfieldScaling(seed=5)
    statistics = CellStatistics.empty(hopfield_scaling.thresholds(configuration), n_trials=1)
    found = hopfield_scaling.summary(configuration, statistics)
    for name in ("alpha_c", "alpha_c_logistic", "logistic_width", "fit_value", "alpha_c_infinite"):
        assert np.isnan(found[name]).all()
    assert hopfield_scaling.headline(configuration, statistics) == ""


NAN = float("nan")


@pytest.mark.parametrize(
    ("subject", "options"),
    [
        ("n_neurons", {"n_neurons": ()}),
        ("n_neurons", {"n_neurons": (0,)}),
        ("n_neurons", {"n_neurons": (100, 100)}),
        ("n_neurons", {"n_neurons": (100,), "n_loads": 50}),  # not so many numbers of patterns
        ("n_neurons", {"n_neurons": (10**8,)}),  # 10^14 bytes, refused before they are asked for
        ("n_loads", {"n_loads": 1}),
        ("n_networks", {"n_networks": 0}),
        ("n_trials", {"n_trials": 0}),
        ("max_sweeps", {"max_sweeps": 0}),
        ("success", {"success": 1.0}),
        ("success", {"success": NAN}),
        ("order", {"order": "parallel"}),
        ("seed", {"seed": -1}),
        ("seed", {"seed": 2**64}),
        ("threads", {"threads": 0}),
    ],
)
def test_bad_options_are_refused_by_name(subject, options):
    """Before anything runs, in one line."""
    with pytest.raises(InputError, match=f"^{subject}: ") as caught:
        run(HopfieldScaling(**{**SMALL, **options}), Observer())
    assert caught.value.subject == subject
    assert "\n" not in str(caught.value)
