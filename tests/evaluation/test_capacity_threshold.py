"""alpha_c: crossings by hand, synthetic networks of known half-height, extrapolations of exact laws."""

import numpy as np
import pytest
from scipy.special import bdtr

from hopsim.errors import InputError
from hopsim.evaluation.capacity_threshold import EXPONENTS, critical_load, extrapolate, half_height

LOADS = np.arange(0.10, 0.1901, 0.005)
TRUE_LOAD = 0.1437  # on no grid


def simulated_retrieval(random, loads, width, n_networks=20, n_trials=5):
    """Logistic retrieval curve; half of the spread is the network's, shared by its trials."""
    network = random.logistic(0.0, width / 2, (len(loads), n_networks, 1))
    trial = random.logistic(0.0, width / 2, (len(loads), n_networks, n_trials))
    return (TRUE_LOAD + network + trial > np.asarray(loads)[:, None, None]).astype(
        float
    )  # symmetric: half at TRUE


# -- half-height ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fractions", "expected"),
    [
        ([1.0, 0.75, 0.25, 0.0], 2.5),  # straight line
        ([1.0, 1.0, 0.0, 0.0], 2.5),
        ([1.0, 1.0, 0.5, 0.0], 3.0),  # on a load
        ([1.0, 0.5, 0.5, 0.0], 2.5),  # on a plateau: its centre
        ([1.0, 0.4, 0.8, 0.0], 2.5 + 0.1 / 0.6 * 1.5),  # two and three pooled: 0.6 at load 2.5
        ([0.9, 1.0, 0.2, 0.3], 1.5 + 0.45 / 0.7 * 2),  # (1.5, .95) to (3.5, .25)
        ([1.0, np.nan, 0.0, 0.0], 2.0),
    ],
)
def test_crossings_by_hand(fractions, expected):
    assert half_height([1.0, 2.0, 3.0, 4.0], fractions) == pytest.approx(expected, rel=1e-14)
    assert half_height([4.0, 3.0, 2.0, 1.0], fractions[::-1]) == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize(
    "fractions", [[1, 1, 0.6], [0.4, 0.3, 0], [0.5, 0.2, 0], [1, 0.8, 0.5], [0, 0.5, 1], [np.nan] * 3]
)
def test_no_crossing_no_value(fractions):
    assert np.isnan(half_height([0.1, 0.2, 0.3], fractions))
    assert np.isnan(half_height([], []))


def test_an_outlier_far_from_the_fall_changes_nothing():
    fractions = [1, 1, 1, 1, 0.7, 0.2, 0, 0, 0]
    loads = np.arange(9.0)
    outlier = [1, 0.9, 1, 1, 0.7, 0.2, 0, 0.1, 0]
    assert half_height(loads, outlier) == half_height(loads, fractions) == pytest.approx(4.4)


def test_half_height_refuses_what_is_no_curve():
    with pytest.raises(InputError, match=r"^fractions: "):
        half_height([0.1, 0.2], [1.0])
    with pytest.raises(InputError, match=r"^fractions: "):
        half_height([0.1, 0.2], [20.0, 0.0])


# -- one size ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "width", [0.0002, 0.001, 0.0025, 0.005, 0.01], ids="a {} wide fall on a grid of 0.005".format
)
def test_the_interval_covers_the_truth(width):
    """From falls far narrower than a step of the loads; a 95 % interval fails once in a million seeds."""
    n_data, covered = 200, 0
    for k in range(n_data):
        random = np.random.default_rng([17, k])
        loads = LOADS + random.uniform(0, 0.005)
        estimate = critical_load(loads, simulated_retrieval(random, loads, width), seed=k, n_bootstrap=200)
        covered += estimate.low <= TRUE_LOAD <= estimate.high
    assert bdtr(covered, n_data, 0.95) > 1e-6


def test_the_standard_error_is_the_scatter_of_the_values():
    estimates = [
        critical_load(LOADS, simulated_retrieval(np.random.default_rng([18, k]), LOADS, 0.006), seed=k)
        for k in range(200)
    ]
    scatter = np.std([estimate.value for estimate in estimates], ddof=1)
    # 5 % from 200 values (1/sqrt(2 n)), and they are read off a curve that is not quite straight
    assert np.mean([estimate.standard_error for estimate in estimates]) == pytest.approx(scatter, rel=0.2)


def test_trials_of_one_network_are_not_independent():
    """Every trial ten times over tells nothing new."""
    retrieved = simulated_retrieval(np.random.default_rng(19), LOADS, 0.006)
    assert critical_load(LOADS, np.repeat(retrieved, 10, axis=2), seed=1) == critical_load(
        LOADS, retrieved, seed=1
    )


def test_a_fall_between_two_loads_leaves_the_gap_open():
    retrieved = np.zeros((4, 20, 5), bool)
    retrieved[:2] = True
    estimate = critical_load([0.13, 0.14, 0.15, 0.16], retrieved, seed=2)
    assert estimate.value == pytest.approx(0.145)
    assert 0.140 <= estimate.low < 0.141  # uniform over the gap
    assert 0.149 < estimate.high <= 0.150


def test_the_seed_decides_and_the_order_of_loads_does_not():
    retrieved = simulated_retrieval(np.random.default_rng(20), LOADS, 0.006)
    estimate = critical_load(LOADS, retrieved, seed=2**64 - 1)
    assert critical_load(LOADS[::-1], retrieved[::-1], seed=2**64 - 1) == estimate
    other = critical_load(LOADS, retrieved, seed=4)
    assert other.value == estimate.value
    assert other.low != estimate.low


def test_unfinished_networks_are_left_out():
    retrieved = simulated_retrieval(np.random.default_rng(21), LOADS, 0.006)
    partial = np.concatenate([retrieved, np.full((len(LOADS), 3, 5), np.nan)], axis=1)
    partial[:, -1, 0] = 1.0  # begun, but not finished
    assert critical_load(LOADS, partial, seed=1) == critical_load(LOADS, retrieved, seed=1)


def test_loads_with_one_finished_network_are_left_out_if_others_have_more():
    retrieved = simulated_retrieval(np.random.default_rng(22), LOADS, 0.006)
    partial = retrieved.copy()
    partial[4, 1:] = np.nan
    others = np.delete(np.arange(len(LOADS)), 4)
    assert critical_load(LOADS, partial, seed=1) == critical_load(LOADS[others], retrieved[others], seed=1)


def test_what_the_data_do_not_tell_is_nan():
    loads = [0.13, 0.14, 0.15]
    one_network = critical_load(loads, np.array([[[1.0]], [[1.0]], [[0.0]]]), seed=1)
    assert one_network.value == pytest.approx(0.145)
    assert np.isnan([one_network.low, one_network.high, one_network.standard_error]).all()
    for fraction in (0.0, 1.0, np.nan):
        nothing = critical_load(loads, np.full((3, 20, 5), fraction), seed=1)
        assert np.isnan([nothing.value, nothing.low, nothing.high, nothing.standard_error]).all()


def test_an_end_beyond_the_loads_is_nan():
    """At the last load 4 of 10 networks retrieve: in about a quarter of the replicates half or more do."""
    retrieved = np.ones((3, 10, 1))
    retrieved[2, 4:] = 0.0
    estimate = critical_load([0.13, 0.14, 0.15], retrieved, seed=3)
    assert 0.14 < estimate.low < estimate.value < 0.15
    assert np.isnan(estimate.high)
    assert np.isnan(estimate.standard_error)


def test_critical_load_refuses_wrong_shapes():
    with pytest.raises(InputError, match=r"^retrieved: "):
        critical_load([0.1, 0.2], np.ones((2, 3)), seed=1)
    with pytest.raises(InputError, match=r"^retrieved: "):
        critical_load([0.1, 0.2], np.ones((3, 2, 1)), seed=1)
    with pytest.raises(InputError, match=r"^n_bootstrap: "):
        critical_load([0.1, 0.2], np.ones((2, 2, 1)), seed=1, n_bootstrap=0)


# -- infinite size -------------------------------------------------------------------------------------------

SIZES = np.array([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 64_000])
MEASURED = np.array(
    [0.1642, 0.1568, 0.1519, 0.1491, 0.1463, 0.1447, 0.1436]
)  # ± .0002 to .0004, REFERENCE.md


@pytest.mark.parametrize("exponent", EXPONENTS)
def test_an_exact_law_is_found(exponent):
    limit = extrapolate(SIZES, 0.14 + 0.3 * SIZES**-exponent, np.full(7, 1e-4))
    fit = limit.fits[EXPONENTS.index(exponent)]
    assert (fit.value, fit.amplitude, fit.p) == (pytest.approx(0.14), pytest.approx(0.3), pytest.approx(1.0))
    assert limit.low < 0.14 < limit.high
    assert limit.value == (limit.low + limit.high) / 2


def test_the_standard_error_is_that_of_the_fit():
    """The fitted limit is linear in the values: its error is propagated value by value."""
    errors = np.array([4, 4, 3, 3, 2, 2, 2]) * 1e-4
    fit = extrapolate(SIZES, MEASURED, errors).fits[1]
    shifts = [
        extrapolate(SIZES, MEASURED + errors * (np.arange(7) == k), errors).fits[1].value - fit.value
        for k in range(7)
    ]
    assert fit.standard_error == pytest.approx(np.linalg.norm(shifts), rel=1e-9)


def test_p_is_uniform_where_the_law_holds():
    random = np.random.default_rng(23)
    errors = np.full(7, 3e-4)
    p = [
        extrapolate(SIZES, 0.14 + 0.5 * SIZES**-0.5 + errors * random.standard_normal(7), errors).fits[1].p
        for _ in range(500)
    ]
    distance = np.abs(np.sort(p) - (np.arange(500) + 0.5) / 500).max()
    assert distance < 2.7 / np.sqrt(500)  # Kolmogorov: 2 exp(-2 * 2.7^2) = 1e-6


def test_reference_half_heights():
    """For N >= 8,000 the fits are .1375, .1403, .1431 for x = 1/3, 1/2, 1, all acceptable.

    The errors of the single sizes are not published, nor the digits after the fourth, so the fits need only
    agree within their own standard errors.
    """
    limit = extrapolate(SIZES[3:], MEASURED[3:], np.full(4, 3e-4))
    published = {1 / 3: 0.1375, 1 / 2: 0.1403, 1.0: 0.1431}
    for fit in limit.fits:
        assert fit.acceptable
        if fit.exponent in published:
            assert abs(fit.value - published[fit.exponent]) < fit.standard_error
    assert 0.134 <= limit.low < 0.1379
    assert 0.143 < limit.high <= 0.147


def test_a_law_that_does_not_fit_is_reported_but_not_used():
    limit = extrapolate(SIZES, 0.14 + 0.5 * SIZES**-0.5, np.full(7, 1e-4))
    one_over_n = limit.fits[-1]
    assert not one_over_n.acceptable
    assert limit.high < one_over_n.value


def test_too_little_gives_nan():
    nothing = extrapolate(SIZES[:2], MEASURED[:2], [3e-4] * 2)
    assert nothing.fits == ()
    assert np.isnan([nothing.value, nothing.low, nothing.high]).all()
    for values, errors in (([0.15, np.nan, 0.14], [1e-4] * 3), ([0.15, 0.145, 0.14], [1e-4, 0, np.nan])):
        assert extrapolate(SIZES[:3], values, errors).fits == ()
    assert extrapolate([1000, 1000, 2000], [0.15, 0.15, 0.14], [1e-4] * 3).fits == ()
    rejected = extrapolate(SIZES, 0.14 + 0.01 * (np.arange(7) % 2), np.full(7, 1e-4))
    assert len(rejected.fits) == len(EXPONENTS)
    assert np.isnan([rejected.value, rejected.low, rejected.high]).all()


def test_extrapolate_refuses_unequal_lengths():
    with pytest.raises(InputError, match=r"^values: "):
        extrapolate(SIZES, MEASURED[:3], np.full(7, 1e-4))


def test_all_exponents_can_be_kept():
    """Small sizes follow no single power: kept all the same, every exponent widens the union, however bad its fit."""
    sizes, values = np.array([1000, 4000, 16000]), np.array([0.1653, 0.1500, 0.1466])
    errors = np.full(3, 5e-4)
    some, everything = extrapolate(sizes, values, errors), extrapolate(sizes, values, errors, keep_all=True)
    assert not all(fit.acceptable for fit in some.fits)
    centres = [fit.value for fit in everything.fits]
    assert everything.low < min(centres) < max(centres) < everything.high
    assert everything.high - everything.low > some.high - some.low
