"""Sparse systems do, bit for bit, what dense ones of the same couplings do."""

import numpy as np
import pytest
from kernel_chains import (
    ORDER_NAMES,
    ORDERS,
    advance,
    dense_system,
    make_chains,
    measured_energies,
    random_states,
)
from scipy.sparse import csr_array

from hopsim.kernels import dynamics as dyn
from hopsim.kernels.sparse import SparseSystem, add_sparse_fields


def sparse_couplings(n_units, seed):
    """Integers from -3 to 3; about two thirds of them 0."""
    rng = np.random.default_rng(seed)
    upper = np.triu(rng.integers(-3, 4, (n_units, n_units)) * (rng.random((n_units, n_units)) < 0.4), 1)
    return (upper + upper.T).astype(np.int16)


def sparse_system(couplings, spins):
    matrix = csr_array(couplings)
    system = SparseSystem(matrix.indptr, matrix.indices, matrix.data, np.zeros(spins.shape, np.int32))
    for first in range(0, spins.shape[1], 17):
        add_sparse_fields(system, spins, first, min(first + 17, spins.shape[1]))
    return system


@pytest.mark.slow  # compiles; tests/sampling/test_sparse_chains.py has the same at T > 0
@pytest.mark.parametrize("order", ORDERS, ids=ORDER_NAMES)
def test_sparse_chains_are_dense_chains(order):
    """Spins, registers (flips, fixed points found at T = 0) and energies after 12 sweeps at four temperatures."""
    couplings = sparse_couplings(90, 1)
    spins = random_states(np.random.default_rng(2), 12, 90)
    half_temperature = np.array([0.0, 0.4, 2.0, 9.0])[np.arange(12) % 4]
    bias = np.random.default_rng(3).normal(size=90)
    chains = [make_chains(spins, order, half_temperature, bias) for _ in range(2)]
    systems = [dense_system(couplings, spins, np.int16), sparse_system(couplings, spins)]
    for system, one in zip(systems, chains, strict=True):
        advance(system, one, 12)
    assert (chains[0].spins == chains[1].spins).all()
    assert (chains[0].registers == chains[1].registers).all()
    assert (chains[0].registers[:, dyn.STATUS] != dyn.RUNNING).any()
    assert (systems[0].fields == systems[1].fields).all()
    energies = [measured_energies(system, one) for system, one in zip(systems, chains, strict=True)]
    assert (energies[0] == energies[1]).all()
