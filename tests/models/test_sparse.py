"""Sparse couplings: what is accepted, and that machines of them are those of the same dense matrix."""

import numpy as np
import pytest
from scipy.sparse import coo_array, csr_array, csr_matrix

from hopsim.errors import InputError
from hopsim.models.boltzmann import boltzmann_model
from hopsim.models.sparse import check_sparse_couplings, coupling_list, sparse_model


def random_couplings(n_units, seed, integers=True):
    """About a third of all pairs coupled."""
    rng = np.random.default_rng(seed)
    values = rng.integers(-3, 4, (n_units, n_units)) if integers else rng.normal(size=(n_units, n_units))
    upper = np.triu(values * (rng.random((n_units, n_units)) < 0.33), 1).astype(float)
    return upper + upper.T


def random_spins(n_states, n_units, seed=0):
    return np.random.default_rng(seed).choice(np.array([-1, 1], np.int8), (n_states, n_units))


@pytest.mark.parametrize("integers", [True, False])
def test_energies_and_fields_are_those_of_the_dense_matrix(integers):
    """Exactly where couplings are integers; to the rounding to fixed point, 2^-31 of the largest field, else."""
    couplings, bias = random_couplings(20, 1, integers), np.linspace(-1, 1, 20)
    model = sparse_model(csr_array(couplings), bias)
    spins = random_spins(50, 20)
    rounding = 0.0 if integers else 20 * 2.0**-29 * np.abs(couplings).sum(axis=1).max()
    expected = spins @ couplings + bias
    assert np.abs(model.local_fields(spins) - expected).max() <= rounding + 1e-14
    energies = -0.5 * ((spins @ couplings) * spins).sum(axis=1) - spins @ bias
    assert np.abs(model.energies(spins) - energies).max() <= 20 * rounding + 1e-13
    assert (model.couplings() != csr_array(couplings)).nnz == 0 or not integers


def test_small_integers_stay_as_they_are():
    """Couplings of ±1 are held as ±1, so that fields take few values; quarters times four."""
    assert sparse_model(csr_array(random_couplings(20, 1))).scale == 1
    assert sparse_model(csr_array(random_couplings(20, 1) / 4)).scale == 4
    assert sparse_model(csr_array((3, 3))).matrix.nnz == 0


def test_lists_and_matrices_of_any_kind_give_the_same():
    """Bonds in either order, csr_matrix, COO with an entry given in two parts."""
    couplings = random_couplings(12, 2)
    i, j = np.nonzero(np.triu(couplings))
    swap = np.arange(len(i)) % 2 == 0
    of_list = coupling_list(12, np.where(swap, j, i), np.where(swap, i, j), couplings[i, j])
    whole = coo_array(couplings)
    parts = coo_array(
        (np.tile(whole.data / 2, 2), tuple(np.tile(axis, 2) for axis in whole.coords)), shape=(12, 12)
    )
    for given in (of_list, csr_matrix(couplings), parts):
        checked = check_sparse_couplings(given)
        assert (checked.toarray() == couplings).all()
        assert checked.nnz == np.count_nonzero(couplings)


ASYMMETRIC = np.array([[0, 1.0], [2, 0]])


@pytest.mark.parametrize(
    ("couplings", "problem"),
    [
        (csr_array((2, 3)), "square"),
        (csr_array((0, 0)), "square"),
        (csr_array(ASYMMETRIC), "symmetric"),
        (csr_array(np.eye(2)), "zero diagonal"),
        (csr_array(np.array([[0, np.nan], [np.nan, 0]])), "finite"),
        (csr_array(np.array([[0, 1j], [1j, 0]])), "real"),
        (ASYMMETRIC, "scipy sparse"),
        (csr_array(np.array([[0, 1e308, 1e308], [1e308, 0, 0], [1e308, 0, 0]])), "finite"),
    ],
)
def test_couplings_that_cannot_be_are_refused(couplings, problem):
    with np.errstate(over="ignore"), pytest.raises(InputError, match=problem) as error:
        sparse_model(couplings)
    assert error.value.subject == "couplings"


@pytest.mark.parametrize(
    ("rows", "columns", "values", "problem"),
    [
        ([0], [3], [1.0], "0 to 2"),
        ([0], [-1], [1.0], "0 to 2"),
        ([0.5], [1], [1.0], "0 to 2"),
        ([0, 1], [1, 0], [1.0, 1.0], "each pair of units once"),
        ([1], [1], [1.0], "zero diagonal"),
        ([0], [1], [np.inf], "finite"),
        ([0, 1], [1], [1.0], "equal length"),
    ],
)
def test_lists_that_cannot_be_are_refused(rows, columns, values, problem):
    with pytest.raises(InputError, match=problem):
        coupling_list(3, rows, columns, values)


def test_a_sparse_machine_is_the_dense_machine_in_both_encodings():
    """Energies, fields, offset, and the ±1 network that chains run on: the distributions are the same."""
    couplings, bias = random_couplings(15, 3), np.linspace(-2, 2, 15)
    for encoding in ("01", "pm1"):
        dense = boltzmann_model(couplings, bias, encoding, n_visible=5)
        sparse = boltzmann_model(csr_array(couplings), bias, encoding, n_visible=5)
        assert (sparse.n_units, sparse.n_hidden) == (15, 10)
        states = dense.states(random_spins(30, 15))
        np.testing.assert_allclose(sparse.energies(states), dense.energies(states), atol=1e-12)
        np.testing.assert_allclose(sparse.local_fields(states), dense.local_fields(states), atol=1e-12)
        assert sparse.energy_offset == pytest.approx(dense.energy_offset, abs=1e-12)
        network = sparse.spin_network
        assert (network.couplings().toarray() == dense.spin_network.couplings()).all()
        assert (sparse.dense().couplings == dense.couplings).all()
        np.testing.assert_allclose(network.bias, dense.spin_network.bias, atol=1e-12)
        spins = sparse.spins(states)
        above = network.energies(spins) + sparse.energy_offset
        np.testing.assert_allclose(above, sparse.energies(states), atol=1e-12)
