"""The logistic fit: closed forms, a general optimiser, coverage, and data that determine no curve."""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import bdtr, expit, logit

from hopsim.errors import InputError
from hopsim.evaluation.logistic_fit import fit_logistic
from hopsim.evaluation.network_bootstrap import NORMAL_975

LOADS = np.arange(0.10, 0.1901, 0.005)
TRUE_LOAD = 0.1437  # on no grid


def single_trials(fractions, n_networks):
    """Histograms of one trial a network."""
    retrieved = np.rint(np.asarray(fractions) * n_networks).astype(int)
    return np.stack([n_networks - retrieved, retrieved], axis=1)


def simulated_retrieval(random, loads, width, n_networks=20, n_trials=5):
    """An exactly logistic curve; a trial shares its network's fate in half of all cases."""
    thresholds = TRUE_LOAD + random.logistic(0.0, width, (len(loads), n_networks, n_trials + 1))
    shares = random.random((len(loads), n_networks, n_trials)) < 0.5
    own = np.where(shares, thresholds[:, :, :1], thresholds[:, :, 1:])
    n_retrieved = (own > np.asarray(loads)[:, None, None]).sum(axis=2)
    return np.array([np.bincount(of_load, minlength=n_trials + 1) for of_load in n_retrieved])


def test_two_loads_are_joined_by_the_line_of_their_logits():
    """As many parameters as data: the curve goes through both fractions."""
    upper, lower = 0.8, 0.3
    fit = fit_logistic([0.14, 0.15], single_trials([upper, lower], 1000), seed=1)
    width = 0.01 / (logit(upper) - logit(lower))
    assert fit.width == pytest.approx(width, rel=1e-9)
    assert fit.alpha_c.value == pytest.approx(0.14 + width * logit(upper), rel=1e-9)


def test_three_loads_that_mirror_each_other():
    """Fractions 1 - f, 1/2, f about the middle: alpha_c is the middle, and logit(1 - f) the step over the width."""
    fit = fit_logistic([0.14, 0.15, 0.16], single_trials([0.9, 0.5, 0.1], 100), seed=1)
    assert fit.alpha_c.value == pytest.approx(0.15, rel=1e-9)
    assert fit.width == pytest.approx(0.01 / logit(0.9), rel=1e-9)


def test_the_maximum_is_that_of_a_general_optimiser():
    random = np.random.default_rng(41)
    for width in (0.002, 0.006, 0.03):
        histograms = simulated_retrieval(random, LOADS, width)
        retrieved, n_trials = histograms @ np.arange(6), histograms.sum(axis=1) * 5

        def minus_log_likelihood(parameters, retrieved=retrieved, n_trials=n_trials):
            field = (parameters[0] - LOADS * 100) / np.exp(parameters[1])
            return -(retrieved * field - n_trials * np.logaddexp(0, field)).sum()

        best = minimize(minus_log_likelihood, [14.0, 0.0], method="Nelder-Mead", tol=1e-10).x
        fit = fit_logistic(LOADS, histograms, seed=1, n_bootstrap=1)
        assert fit.alpha_c.value == pytest.approx(best[0] / 100, rel=1e-6)
        assert fit.width == pytest.approx(np.exp(best[1]) / 100, rel=1e-5)


def test_many_networks_find_the_truth_with_the_error_of_fisher_information():
    """10^6 single trials a load on the exact curve: the standard error is that of the inverse information."""
    width, n = 0.012, 1_000_000
    p = expit((TRUE_LOAD - LOADS) / width)
    fit = fit_logistic(LOADS, single_trials(p, n), seed=2)
    design = (
        np.stack([np.ones(len(LOADS)), (LOADS - TRUE_LOAD) / width]) / width
    )  # d field / d (alpha_c, -width)
    variance = np.linalg.inv((design * (n * p * (1 - p))) @ design.T)[0, 0]
    error = np.sqrt(variance)
    assert abs(fit.alpha_c.value - TRUE_LOAD) < 0.01 * error  # rounding of the counts only
    assert fit.width == pytest.approx(width, rel=1e-4)
    assert fit.alpha_c.standard_error == pytest.approx(error, rel=0.15)  # an interval from 1,000 replicates


@pytest.mark.parametrize("width", [0.0025, 0.005, 0.01], ids="width {} on a grid of 0.005".format)
def test_the_interval_covers_the_truth(width):
    """A 95 % bootstrap interval from 20 networks a load may cover 93 %; fewer once in a million seeds."""
    n_data, covered = 200, 0
    for k in range(n_data):
        random = np.random.default_rng([42, k])
        loads = LOADS + random.uniform(0, 0.005)
        estimate = fit_logistic(
            loads, simulated_retrieval(random, loads, width), seed=k, n_bootstrap=200
        ).alpha_c
        covered += estimate.low <= TRUE_LOAD <= estimate.high
    assert bdtr(covered, n_data, 0.93) > 1e-6


def test_the_standard_error_is_the_scatter_of_the_values():
    estimates = [
        fit_logistic(
            LOADS, simulated_retrieval(np.random.default_rng([43, k]), LOADS, 0.006), seed=k, n_bootstrap=200
        ).alpha_c
        for k in range(200)
    ]
    scatter = np.std([estimate.value for estimate in estimates], ddof=1)
    # the scatter of 200 values is known to 5 %; 200 replicates make an interval a little too short
    assert np.mean([estimate.standard_error for estimate in estimates]) == pytest.approx(scatter, rel=0.2)


def test_trials_of_one_network_are_not_independent():
    """Every trial ten times over tells nothing new."""
    histograms = simulated_retrieval(np.random.default_rng(44), LOADS, 0.006)
    tenfold = np.zeros((len(LOADS), 51), int)
    tenfold[:, ::10] = histograms
    assert fit_logistic(LOADS, tenfold, seed=1) == fit_logistic(LOADS, histograms, seed=1)


def test_the_order_of_loads_does_not_matter():
    histograms = simulated_retrieval(np.random.default_rng(45), LOADS, 0.006)
    assert fit_logistic(LOADS[::-1], histograms[::-1], seed=1) == fit_logistic(LOADS, histograms, seed=1)


NAN = float("nan")


@pytest.mark.parametrize(
    "fractions",
    [
        [1, 1, 0, 0],  # an ever steeper curve fits ever better, anywhere in the gap
        [1, 0.4, 0, 0],  # the same, through the one load
        [1, 1, 1, 1],
        [0, 0, 0, 0],
        [0, 0, 1, 1],
        [0, 0.4, 1, 1],
        [0.2, 0.4, 0.6, 0.8],  # rises
        [0.5, 0.5, 0.5, 0.5],
        [0.99, 0.98, 0.98, 0.97],  # falls, but reaches 1/2 far beyond
    ],
)
def test_what_determines_no_curve_gives_nan(fractions):
    fit = fit_logistic([0.13, 0.14, 0.15, 0.16], single_trials(fractions, 100), seed=1)
    estimate = fit.alpha_c
    assert np.isnan([estimate.value, estimate.low, estimate.high, estimate.standard_error, fit.width]).all()


def test_nothing_measured_gives_nan():
    assert np.isnan(fit_logistic([0.13, 0.14], [[0, 0], [0, 0]], seed=1).width)
    assert np.isnan(fit_logistic([], np.zeros((0, 2), int), seed=1).width)
    assert np.isnan(fit_logistic([0.13], [[5, 5]], seed=1).width)


def test_one_network_a_load_gives_a_curve_without_an_interval():
    fit = fit_logistic([0.13, 0.14, 0.15, 0.16], [[0, 1], [1, 0], [0, 1], [1, 0]], seed=1)
    assert fit.alpha_c.value == pytest.approx(0.145)
    assert np.isfinite(fit.width)
    assert np.isnan([fit.alpha_c.low, fit.alpha_c.high, fit.alpha_c.standard_error]).all()


def test_replicates_without_overlap_count_with_their_whole_gap():
    """One failure at .14 and one success at .15, of 20 each: a third of the replicates lose either or both."""
    loads = [0.13, 0.14, 0.15, 0.16]
    fit = fit_logistic(loads, single_trials([1, 0.95, 0.05, 0], 20), seed=1)
    assert fit.alpha_c.value == pytest.approx(0.145)
    assert (fit.alpha_c.low, fit.alpha_c.high) == (0.13, 0.16)
    assert fit.alpha_c.standard_error == pytest.approx(0.03 / 2 / NORMAL_975)


def test_an_end_beyond_the_loads_is_nan():
    """At the last load 9 of 20 networks retrieve: in about a third of the replicates half or more do."""
    estimate = fit_logistic([0.13, 0.14, 0.15], single_trials([0.95, 0.75, 0.45], 20), seed=3).alpha_c
    assert 0.13 < estimate.low < estimate.value < 0.15
    assert np.isnan([estimate.high, estimate.standard_error]).all()


@pytest.mark.parametrize("n_networks", [10, 1000, 10**6])
def test_nearly_separated_data_are_no_trouble(n_networks):
    """A single failure among the retrieved and a single success among the failed, however many there are."""
    histograms = [[0, n_networks], [1, n_networks - 1], [n_networks - 1, 1], [n_networks, 0]]
    fit = fit_logistic([0.13, 0.14, 0.15, 0.16], histograms, seed=1)
    assert fit.alpha_c.value == pytest.approx(0.145)
    assert fit.width == pytest.approx(
        0.005 / logit(1 - 1 / n_networks), rel=0.05
    )  # the outer loads pull a little


def test_bad_input_is_refused():
    with pytest.raises(InputError, match=r"^histograms: "):
        fit_logistic([0.1, 0.2], [[1, 2]] * 3, seed=1)
    with pytest.raises(InputError, match=r"^n_bootstrap: "):
        fit_logistic([0.1, 0.2], [[1, 2]] * 2, seed=1, n_bootstrap=0)
