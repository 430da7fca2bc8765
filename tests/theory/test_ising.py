"""Kaufman's torus against enumeration and against Onsager's infinite lattice; Yang's magnetisation."""

import numpy as np
import oracles
import pytest
from scipy.special import logsumexp

from hopsim.errors import InputError
from hopsim.models.lattices import ising
from hopsim.theory.ising import CRITICAL_TEMPERATURE, onsager_energy, torus, yang_magnetisation


@pytest.mark.parametrize("shape", [(2, 2), (3, 3), (4, 4), (2, 4), (4, 3), (3, 4)])
def test_torus_agrees_with_enumeration(shape):
    """log Z, energy and specific heat on both sides of T_c and at T_c, where Kaufman's gamma_0 is 0."""
    n_units = shape[0] * shape[1]
    states = oracles.all_states(n_units)
    energies = oracles.energies(ising(shape).toarray(), np.zeros(n_units), states)
    for temperature in (0.4, 1.5, CRITICAL_TEMPERATURE, 2.5, 20.0):
        weights = np.exp(-energies / temperature - logsumexp(-energies / temperature))
        mean = weights @ energies
        variance = weights @ (energies - mean) ** 2
        exact = torus(*shape, temperature)
        # sums of 2^16 float64
        assert exact.log_partition_function == pytest.approx(logsumexp(-energies / temperature), rel=1e-12)
        assert exact.energy == pytest.approx(mean / n_units, rel=1e-11)
        assert exact.specific_heat == pytest.approx(variance / temperature**2 / n_units, rel=1e-9)


def test_a_large_torus_is_the_infinite_lattice():
    """Away from T_c corrections fall exponentially with the side; at T_c the energy's is of order 1/side."""
    for temperature in (1.0, 2.0, 2.6, 4.0):
        assert torus(256, 256, temperature).energy == pytest.approx(
            float(onsager_energy(temperature)), abs=1e-12
        )
    gaps = [torus(side, side, CRITICAL_TEMPERATURE).energy + np.sqrt(2) for side in (64, 128, 256)]
    assert gaps[0] / gaps[1] == pytest.approx(
        2, rel=1e-3
    )  # Ferdinand and Fisher: -0.62/side and terms of side^-3
    assert gaps[1] * 128 == pytest.approx(-0.6227, abs=5e-4)


def test_limits():
    """T_c; the energy there is -sqrt(2); T towards 0 and infinity; both sides of T_c meet."""
    assert pytest.approx(2.269185314213022, rel=1e-15) == CRITICAL_TEMPERATURE
    assert float(onsager_energy(CRITICAL_TEMPERATURE)) == pytest.approx(-np.sqrt(2), abs=1e-7)
    near = onsager_energy(CRITICAL_TEMPERATURE + np.array([-1e-9, 1e-9]))
    assert near == pytest.approx([-np.sqrt(2)] * 2, abs=1e-7)
    cold, hot = torus(64, 64, 0.01), torus(64, 64, 1e4)
    assert cold.energy == -2
    assert cold.log_partition_function == pytest.approx(2 * 4096 / 0.01 + np.log(2), rel=1e-12)
    assert hot.energy == pytest.approx(-2e-4, rel=1e-6)  # -2 tanh(1/T)
    assert hot.log_partition_function == pytest.approx(4096 * np.log(2), rel=1e-6)
    assert yang_magnetisation([0.01, CRITICAL_TEMPERATURE * 1.0001, 3.0]).tolist() == [1, 0, 0]
    assert float(yang_magnetisation(2.0)) == pytest.approx(0.9113193778, abs=1e-9)


def test_bad_arguments_are_named():
    with pytest.raises(InputError, match=r"shape.*at least 2"):
        torus(1, 8, 2.0)
    for temperature in (0.0, -1.0, np.nan, np.inf):
        with pytest.raises(InputError, match="temperature"):
            torus(4, 4, temperature)
        with pytest.raises(InputError, match="temperature"):
            onsager_energy(temperature)
