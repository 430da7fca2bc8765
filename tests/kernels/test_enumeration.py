"""The kernel of enumeration against sums over lists of states."""

import numpy as np
import pytest
from small_machines import brute_force, random_machine

from hopsim.kernels.enumeration import N_LOW, N_MATRICES, SIDE, enumerate_machines
from hopsim.models.memory import aligned_zeros

ROUNDING = 1e-13  # of sums of up to 2^16 terms of size 1, each good to 1e-15


def enumerated(couplings, biases, n_parts=1):
    """Shifts, sums, means and correlations of machines."""
    n_machines, n_units = biases.shape
    scratch = aligned_zeros((1 + n_parts, N_MATRICES, SIDE, SIDE), np.float64)
    found = [np.empty((n_machines, *[n_units] * k)) for k in (0, 0, 1, 2)]
    enumerate_machines(couplings, biases, scratch, *found)
    return found


@pytest.mark.parametrize("n_units", [N_LOW, N_LOW + 1, N_LOW + 2, N_LOW + 4, N_LOW + 6])
def test_sums_are_those_of_brute_force(n_units):
    """No high unit; blocks that are not full; several blocks."""
    model = random_machine(n_units, seed=1, encoding="pm1", strength=2.0)
    exact = brute_force(model)
    shifts, sums, means, correlations = enumerated(model.couplings, model.bias[None])
    assert shifts[0] + np.log(sums[0]) == pytest.approx(exact.log_partition_function, rel=1e-15, abs=ROUNDING)
    np.testing.assert_allclose(means[0], exact.means, atol=ROUNDING)
    np.testing.assert_allclose(correlations[0], exact.correlations, atol=ROUNDING)


def test_a_machine_has_the_same_bits_in_any_company():
    """Alone, or among others, in however many pieces of work."""
    random = np.random.default_rng(2)
    model = random_machine(N_LOW + 3, seed=2, encoding="pm1")
    biases = random.normal(0.0, 1.0, (7, model.n_units))
    alone = [enumerated(model.couplings, bias[None]) for bias in biases]
    for n_parts in (1, 2, 5, 7):
        together = enumerated(model.couplings, biases, n_parts)
        for k, of_all in enumerate(together):
            assert np.array_equal(of_all, np.concatenate([found[k] for found in alone]))


def test_strong_fields_neither_overflow_nor_vanish():
    """Fields of 10,000: one state alone has all the weight."""
    model = random_machine(N_LOW + 2, seed=3, encoding="pm1")
    bias = 1e4 * np.sign(model.bias)
    shifts, sums, means, _ = enumerated(model.couplings, bias[None])
    spins = np.sign(bias)
    assert np.array_equal(means[0], spins)
    assert shifts[0] + np.log(sums[0]) == pytest.approx(
        0.5 * spins @ model.couplings @ spins + bias @ spins, rel=1e-15
    )
