"""Pseudo-log-likelihood against conditionals of listed probabilities."""

import numpy as np
import pytest
from small_machines import brute_force, random_machine

from hopsim.errors import InputError
from hopsim.evaluation.pseudo_likelihood import pseudo_log_likelihoods
from hopsim.models.boltzmann import boltzmann_model


@pytest.mark.parametrize("encoding", ["01", "pm1"])
@pytest.mark.parametrize(("n_visible", "n_units"), [(6, 6), (4, 9), (1, 3)])
@pytest.mark.parametrize("temperature", [0.5, 2.0])
def test_it_is_the_sum_of_log_conditionals(encoding, n_visible, n_units, temperature):
    """p(v_i | v_-i) from brute force: the probability of v over that of v and v with unit i flipped."""
    model = random_machine(n_units, seed=1, encoding=encoding, n_visible=n_visible)
    exact = brute_force(model, temperature)
    marginal = exact.probabilities.reshape(1 << n_visible, -1).sum(axis=1)
    visible = exact.states[:: 1 << (n_units - n_visible), :n_visible]
    numbers = np.arange(1 << n_visible)
    expected = sum(np.log(marginal / (marginal + marginal[numbers ^ (1 << i)])) for i in range(n_visible))
    order = np.random.default_rng(2).permutation(np.repeat(numbers, 2))
    found = pseudo_log_likelihoods(model, visible[order], temperature)
    np.testing.assert_allclose(found, expected[order], atol=1e-12)  # float64 sums of ten terms


def test_many_visible_units():
    """300 units without couplings: the likelihood itself."""
    random = np.random.default_rng(3)
    bias = random.normal(0.0, 1.0, 300)
    data = random.integers(0, 2, (50, 300))
    found = pseudo_log_likelihoods(boltzmann_model(np.zeros((300, 300)), bias), data)
    np.testing.assert_allclose(found, data @ bias - np.logaddexp(0.0, bias).sum(), rtol=1e-12)


def test_too_many_hidden_units_are_refused():
    with pytest.raises(InputError, match="up to 25"):
        pseudo_log_likelihoods(boltzmann_model(np.zeros((30, 30)), n_visible=4), [[0, 0, 1, 1]])
