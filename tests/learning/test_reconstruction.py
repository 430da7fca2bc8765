"""The reconstruction's log-probability: the pseudo-log-likelihood without hidden units, else an average over them."""

import numpy as np
import pytest

from hopsim.evaluation.pseudo_likelihood import pseudo_log_likelihoods
from hopsim.learning.connections import random_machine
from hopsim.learning.reconstruction import reconstruction_log_probability


@pytest.mark.parametrize("encoding", ["01", "pm1"])
def test_without_hidden_units_it_is_the_pseudo_log_likelihood(encoding):
    """To 1e-12, the same sums in another order; of more rows than are taken at once."""
    model = random_machine(6, 0, encoding, weight_scale=1.0, bias_scale=1.0, seed=3)
    data = model.states(np.random.default_rng(2).choice(np.array([-1, 1], np.int8), (600, 6)))
    found = reconstruction_log_probability(model, data, 1.3, key=1)
    assert found == pytest.approx(pseudo_log_likelihoods(model, data, 1.3).mean(), abs=1e-12)


def test_hidden_units_that_are_certain_are_as_good_as_visible():
    """One hidden unit that copies a visible one: given it, that unit is certain, the other a fair coin."""
    model = random_machine(2, 1, weight_scale=0.0, seed=3)
    model.couplings[0, 2] = model.couplings[2, 0] = 60.0
    model.bias[[0, 2]] = -30.0
    data = np.array([[0, 0], [1, 1]], np.int8)
    assert reconstruction_log_probability(model, data, 1.0, key=1) == pytest.approx(np.log(0.5), abs=1e-9)
