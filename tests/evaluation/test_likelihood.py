"""Exact likelihoods with hidden units summed out, and their gradient."""

import itertools

import numpy as np
import pytest
from small_machines import brute_force, random_machine

from hopsim.errors import InputError
from hopsim.evaluation.enumeration import enumerate_states, kl_divergence, visible_probabilities
from hopsim.evaluation.likelihood import (
    clamped_moments,
    data_divergence,
    log_likelihood_gradient,
    log_likelihoods,
)
from hopsim.models.boltzmann import BoltzmannModel, boltzmann_model

ROUNDING = 1e-12
MACHINES = [("01", 5, 5), ("pm1", 5, 5), ("01", 3, 7), ("pm1", 4, 9), ("01", 2, 14)]


def all_visible(model):
    """Every visible state, in the order of `visible_probabilities`."""
    values = (0, 1) if model.encoding == "01" else (-1, 1)
    return np.array(list(itertools.product(values, repeat=model.n_visible)), np.int8)


@pytest.mark.parametrize(("encoding", "n_visible", "n_units"), MACHINES)
@pytest.mark.parametrize("temperature", [0.5, 2.0])
def test_likelihoods_are_marginals_of_brute_force(encoding, n_visible, n_units, temperature):
    model = random_machine(n_units, seed=1, encoding=encoding, n_visible=n_visible)
    marginal = brute_force(model, temperature).probabilities.reshape(1 << n_visible, -1).sum(axis=1)
    found = log_likelihoods(model, all_visible(model), temperature)
    np.testing.assert_allclose(found, np.log(marginal), atol=ROUNDING)


def test_rows_that_are_equal_are_equal_in_any_order():
    """Repeated, shuffled rows have the likelihoods of single ones, bit for bit."""
    model = random_machine(8, seed=2, n_visible=4)
    states = all_visible(model)
    chosen = np.random.default_rng(3).integers(0, len(states), 100)
    singly = np.array([log_likelihoods(model, state[None])[0] for state in states])
    assert np.array_equal(log_likelihoods(model, states[chosen]), singly[chosen])


def test_more_hidden_units_than_one_compiled_machine_takes():
    """22 hidden units, summed out for each state of two visible ones: probabilities sum to 1."""
    model = random_machine(24, seed=4, n_visible=2)
    found = log_likelihoods(model, all_visible(model))
    assert np.exp(found).sum() == pytest.approx(1.0, abs=ROUNDING)


def test_a_given_log_partition_function_is_taken():
    """Also of a machine of more units than can be enumerated."""
    couplings = np.zeros((40, 40))
    couplings[0, 39] = couplings[39, 0] = 1.0
    model = boltzmann_model(couplings, n_visible=20)
    log_z = 38 * np.log(2) + np.log(3 + np.e)
    data = np.zeros((2, 20), int)
    data[1, 0] = 1
    expected = np.array([0.0, np.log((1 + np.e) / 2)]) + 20 * np.log(2) - log_z
    np.testing.assert_allclose(log_likelihoods(model, data, 1.0, log_z), expected, atol=ROUNDING)
    with pytest.raises(InputError, match="at most 30 units"):
        log_likelihoods(model, data)


@pytest.mark.parametrize(("encoding", "n_visible", "n_units"), MACHINES)
def test_gradient_is_that_of_finite_differences(encoding, n_visible, n_units):
    """Central differences by steps of 1e-4, whose error is of order 1e-8."""
    temperature, step = 0.8, 1e-4
    model = random_machine(n_units, seed=5, encoding=encoding, n_visible=n_visible)
    data = all_visible(model)[np.random.default_rng(6).integers(0, 1 << n_visible, 20)]
    gradient = log_likelihood_gradient(model, data, temperature)

    def mean_log_likelihood(couplings, bias):
        return log_likelihoods(BoltzmannModel(couplings, bias, encoding, n_visible), data, temperature).mean()

    for i in range(n_units):
        shift = np.zeros(n_units)
        shift[i] = step
        slope = mean_log_likelihood(model.couplings, model.bias + shift)
        slope -= mean_log_likelihood(model.couplings, model.bias - shift)
        assert gradient.bias[i] == pytest.approx(slope / (2 * step), abs=1e-7)
    for i, j in ((0, 1), (0, n_units - 1), (n_units - 2, n_units - 1)):
        pair = np.zeros_like(model.couplings)
        pair[i, j] = pair[j, i] = step
        slope = mean_log_likelihood(model.couplings + pair, model.bias)
        slope -= mean_log_likelihood(model.couplings - pair, model.bias)
        assert gradient.couplings[i, j] == pytest.approx(slope / (2 * step), abs=1e-7)
    assert np.array_equal(gradient.couplings, gradient.couplings.T)
    assert not gradient.couplings.diagonal().any()


def test_gradient_vanishes_on_the_machines_own_distribution():
    """Clamped moments, weighed by the machine's own visible distribution, are the free ones."""
    model = random_machine(8, seed=7, encoding="pm1", n_visible=3)
    probabilities, states = visible_probabilities(model), all_visible(model)
    clamped = [clamped_moments(model, state) for state in states]
    free = enumerate_states(model)
    np.testing.assert_allclose(probabilities @ [means for means, _ in clamped], free.means, atol=ROUNDING)
    pairs = np.einsum("c,cij->ij", probabilities, [correlations for _, correlations in clamped])
    np.testing.assert_allclose(pairs, free.correlations, atol=ROUNDING)


def test_divergence_is_that_of_the_two_distributions():
    """Data with rows 0, 1, 1, 3 of all visible states."""
    model = random_machine(6, seed=8, n_visible=3)
    data = all_visible(model)[[0, 1, 1, 3]]
    shares = np.array([1, 2, 0, 1, 0, 0, 0, 0]) / 4
    expected = kl_divergence(shares, visible_probabilities(model, 1.5))
    assert data_divergence(model, data, 1.5) == pytest.approx(expected, abs=ROUNDING)


def test_wrong_data_are_refused():
    model = random_machine(6, seed=9, n_visible=3)
    for data in ([[0, 1]], [[0, 1, -1]], [[0, 1, 0.5]], np.zeros((0, 3))):
        with pytest.raises(InputError) as caught:
            log_likelihoods(model, data)
        assert caught.value.subject == "data"
    with pytest.raises(InputError, match="up to 25 of them, got 27"):
        log_likelihoods(boltzmann_model(np.zeros((30, 30)), n_visible=3), [[0, 1, 1]])
