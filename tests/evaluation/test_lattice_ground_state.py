"""Ground states by transfer matrix agree with enumeration, on every kind of small lattice."""

import numpy as np
import oracles
import pytest
from scipy.sparse import diags_array

from hopsim.errors import InputError
from hopsim.evaluation.lattice_ground_state import square_ground_state_energy
from hopsim.models.lattices import edwards_anderson, ising, viana_bray


@pytest.mark.parametrize("periodic", [True, False])
@pytest.mark.parametrize("shape", [(2, 2), (3, 3), (4, 4), (2, 5), (5, 3), (3, 5), (4, 2)])
def test_ground_states_agree_with_enumeration(shape, periodic):
    """±1 bonds exactly, normal ones to rounding, five instances each."""
    n_sites = shape[0] * shape[1]
    states = oracles.all_states(n_sites)
    for seed in range(5):
        for gaussian in (False, True):
            couplings = edwards_anderson(shape, seed, gaussian=gaussian, periodic=periodic)
            lowest = oracles.energies(couplings.toarray(), np.zeros(n_sites), states).min()
            energy = square_ground_state_energy(couplings, shape)
            assert energy == (pytest.approx(lowest, abs=1e-12) if gaussian else lowest)


def test_the_first_row_may_be_in_any_state():
    """Ferromagnets in disguise, W_ij g_i g_j: the ground state's first row is g's, low and high in their numbers."""
    signs = np.random.default_rng(1).choice([-1.0, 1.0], (12, 10))
    for highest in (-1, 1):
        signs[0, -2:] = (
            highest,
            -1,
        )  # the highest bit is taken as -1: the next one divides the states worked on at once
        gauge = signs.ravel()
        couplings = diags_array(gauge) @ ising((12, 10)) @ diags_array(gauge)
        assert square_ground_state_energy(couplings, (12, 10)) == -240


def test_known_energies():
    """Random ±1 bonds at width 10 lie near -1.40 a site, the infinite lattice's energy."""
    energies = [square_ground_state_energy(edwards_anderson((10, 10), seed), (10, 10)) for seed in range(5)]
    # one instance spreads by some 0.075 a site: five standard errors
    assert np.mean(energies) / 100 == pytest.approx(-1.40, abs=0.17)


def test_other_graphs_are_refused():
    """Bonds beyond nearest neighbours, a shape of another size, lattices too wide."""
    with pytest.raises(InputError, match="couplings"):
        square_ground_state_energy(viana_bray(16, 4.0, 1), (4, 4))
    with pytest.raises(InputError, match="couplings"):
        square_ground_state_energy(ising((8, 2)), (4, 4))
    with pytest.raises(InputError, match="shape"):
        square_ground_state_energy(ising((4, 4)), (4, 5))
    with pytest.raises(InputError, match="shorter side of at most"):
        square_ground_state_energy(ising((16, 16)), (16, 16))
