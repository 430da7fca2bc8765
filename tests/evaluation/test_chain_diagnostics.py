"""Diagnostics of chains: right on AR(1) chains whose answer is known, alike to ArviZ's, and stuck chains are seen."""

import arviz
import numpy as np
import pytest
from scipy.signal import lfilter

from hopsim.errors import InputError
from hopsim.evaluation.chain_diagnostics import (
    autocorrelation,
    effective_sample_size,
    integrated_autocorrelation_time,
    split_r_hat,
)


def ar1(rho, n_chains, n_draws, seed=1):
    """Stationary chains ``x' = rho x + noise``, unit variance: autocorrelation rho^t, tau = (1 + rho)/(1 - rho)."""
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=(n_chains, n_draws)) * np.sqrt(1 - rho**2)
    noise[:, 0] = rng.normal(size=n_chains)
    return lfilter([1.0], [1.0, -rho], noise)


@pytest.mark.parametrize("rho", [0.0, 0.5, 0.9, 0.95])
def test_autocorrelation_times_of_known_chains(rho):
    """Within 5 of the standard errors ``tau sqrt(2 (2 M + 1)/n)`` of Sokal's estimate, M = 5 tau the window.

    The window's own bias, ``tau exp(-10)`` or so, is far below.
    """
    values = ar1(rho, 8, 50_000)
    tau = (1 + rho) / (1 - rho)
    error = tau * np.sqrt(2 * (10 * tau + 1) / values.size)
    assert integrated_autocorrelation_time(values) == pytest.approx(tau, abs=5 * error)
    assert autocorrelation(values)[:4] == pytest.approx(
        rho ** np.arange(4), abs=5 * np.sqrt(tau / values.size)
    )
    assert effective_sample_size(values) == pytest.approx(values.size / tau, rel=0.1)


def test_the_autocorrelation_is_the_sum_of_its_definition():
    """To rounding, of a Fourier transform against sums."""
    values = ar1(0.7, 3, 41)
    centred = values - values.mean(axis=1, keepdims=True)
    sums = np.array([(centred[:, : 41 - t] * centred[:, t:]).sum() for t in range(41)])
    assert autocorrelation(values) == pytest.approx(sums / sums[0], abs=1e-12)


@pytest.mark.parametrize("n_draws", [20, 101, 1000])
@pytest.mark.parametrize("rho", [-0.5, 0.0, 0.8])
def test_agreement_with_arviz(rho, n_draws):
    """R-hat to rounding; the effective size to 15 %: ArviZ adds one more autocorrelation behind the last pair."""
    values = ar1(rho, 4, n_draws, seed=n_draws)
    assert split_r_hat(values) == pytest.approx(float(arviz.rhat(values, method="rank")), abs=1e-12)
    assert effective_sample_size(values) == pytest.approx(float(arviz.ess(values, method="bulk")), rel=0.15)
    binary = (values > 0.4).astype(np.int8)
    assert effective_sample_size(binary) == pytest.approx(
        float(arviz.ess(binary.astype(float), method="bulk")), rel=0.15
    )


def test_a_chain_that_is_stuck_elsewhere_is_seen():
    """By R-hat and by the effective size, though no chain's own autocorrelation tells."""
    values = ar1(0.5, 4, 2000)
    stuck = values.copy()
    stuck[3] += 3.0
    assert split_r_hat(values) < 1.01
    assert split_r_hat(stuck) > 1.3
    assert effective_sample_size(stuck) < 20
    assert effective_sample_size(values) > 1000
    assert integrated_autocorrelation_time(stuck) == pytest.approx(integrated_autocorrelation_time(values))


def test_a_wider_chain_and_a_drifting_one_are_seen():
    """The wider one by the distances from the median, the drift by the halves."""
    wide = ar1(0.5, 4, 2000)
    wide[0] *= 4.0
    drifting = ar1(0.5, 4, 2000) + np.linspace(0, 3, 2000)
    assert split_r_hat(wide) > 1.1
    assert split_r_hat(drifting) > 1.1


def test_chains_frozen_at_values_of_their_own_never_agree():
    values = np.repeat([[0.0], [0.0], [1.0]], 10, axis=1)
    assert split_r_hat(values) == np.inf
    assert effective_sample_size(values) < 6
    assert np.isnan(integrated_autocorrelation_time(values))


def test_quantities_are_taken_one_by_one():
    values = np.stack([ar1(0.3, 3, 200), ar1(0.9, 3, 200), np.ones((3, 200))], axis=2)
    for statistic in (integrated_autocorrelation_time, effective_sample_size, split_r_hat):
        together = statistic(values)
        assert together.shape == (3,)
        assert together[:2].tolist() == [float(statistic(values[:, :, q])) for q in range(2)]
        assert np.isnan(together[2])
    assert autocorrelation(values).shape == (200, 3)


@pytest.mark.parametrize(
    "values",
    [
        np.zeros((2, 0)),
        [[1.0, 2.0, 3.0]],
        np.ones((3, 50)),
        [[1.0, 2.0, np.nan, 4.0, 5.0]],
        [[1.0, 2.0, np.inf, 4.0, 5.0]],
    ],
    ids=["no draws", "three draws", "constant", "nan", "infinite"],
)
def test_what_says_nothing_is_nan(values):
    for statistic in (integrated_autocorrelation_time, effective_sample_size, split_r_hat):
        assert np.isnan(statistic(values)), statistic.__name__
    assert np.isnan(autocorrelation(values)).all()


def test_one_chain_will_do():
    values = ar1(0.5, 1, 1000)
    assert split_r_hat(values) < 1.05
    assert 150 < effective_sample_size(values) < 700


def test_wrong_shapes_are_refused():
    for values in (np.ones(5), np.ones((0, 5)), np.ones((1, 2, 3, 4))):
        with pytest.raises(InputError, match=r"^values: expected"):
            split_r_hat(values)


def test_draws_that_differ_in_the_middle_alone_say_nothing():
    """The halves leave out the middle of an odd number of draws."""
    values = np.array([[1.0, 1.0, 2.0, 1.0, 1.0]] * 2)
    assert np.isnan(split_r_hat(values))
    assert np.isnan(effective_sample_size(values))
