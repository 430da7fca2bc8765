"""Sparse symmetric couplings: diluted networks, lattices and other graphs, held in compressed rows (CSR)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import coo_array, csr_array, issparse

from hopsim.errors import InputError
from hopsim.models.fixed_point import integer_form
from hopsim.models.hopfield import check_bias, real_array


@dataclass(frozen=True, eq=False)
class SparseModel:
    """A network of ±1 units given by the couplings that are not 0, as integers.

    ``E(s) = -1/2 sum_ij W_ij s_i s_j - sum_i b_i s_i``.

    Attributes
    ----------
    matrix : csr_array of int16 or int32 (n_neurons, n_neurons)
        The couplings times `scale`; symmetric, zero diagonal, each entry once, in order.
    bias : float64 (n_neurons,)
    scale : float
    """

    matrix: csr_array
    bias: NDArray[np.float64]
    scale: float

    @property
    def n_neurons(self) -> int:
        """Number of neurons N."""
        return len(self.bias)

    def couplings(self) -> csr_array:
        """Return W: csr_array of float64 (n_neurons, n_neurons)."""
        return self.matrix / self.scale

    def local_fields(self, spins: NDArray[np.int8]) -> NDArray[np.float64]:
        """Local fields ``h_i = sum_j W_ij s_j + b_i`` of states (n_states, n_neurons): float64, the same shape."""
        return self._pair_fields(spins) / self.scale + self.bias

    def energies(self, spins: NDArray[np.int8]) -> NDArray[np.float64]:
        """Energies (n_states,) of states (n_states, n_neurons); exact integers but for the scale and the biases."""
        pairs = (spins * self._pair_fields(spins)).sum(axis=1)
        return -0.5 * pairs / self.scale - spins @ self.bias

    def _pair_fields(self, spins: NDArray[np.int8]) -> NDArray[np.int64]:
        return spins.astype(np.int64) @ self.matrix.astype(np.int64)


def coupling_list(
    n_units: int, rows: ArrayLike, columns: ArrayLike, values: ArrayLike, subject: str = "couplings"
) -> csr_array:
    """Symmetric couplings from a list of bonds: each pair (i, j), i != j, named once, in either order.

    Parameters
    ----------
    n_units : int
    rows, columns : integer arrays (n_bonds,)
        Units from 0 to `n_units` - 1.
    values : float array (n_bonds,)
        ``W_ij = W_ji``.

    Returns
    -------
    csr_array of float64 (n_units, n_units)

    Raises
    ------
    InputError
        For `subject` if units are not on the list, a unit is coupled to itself, a pair is named twice, or a value is
        not finite.

    Examples
    --------
    >>> coupling_list(3, [0, 2], [1, 1], [1.0, -0.5]).toarray()
    array([[ 0. ,  1. ,  0. ],
           [ 1. ,  0. , -0.5],
           [ 0. , -0.5,  0. ]])
    """
    i, j = (real_array(subject, units) for units in (rows, columns))
    weights = real_array(subject, values).astype(np.float64)
    if not (i.ndim == 1 and i.shape == j.shape == weights.shape):
        raise InputError(subject, "expected lists of i, j and W_ij of equal length")
    both = np.concatenate([i, j])
    if not ((both == np.rint(both)) & (both >= 0) & (both < n_units)).all():
        raise InputError(subject, f"expected whole numbers from 0 to {n_units - 1} as units of a pair")
    pairs = np.sort(np.array([i, j], np.int64), axis=0)
    if len(np.unique(pairs[0] * n_units + pairs[1])) < len(i):
        raise InputError(subject, "expected each pair of units once; add up the couplings of a pair first")
    matrix = coo_array(
        (
            np.concatenate([weights, weights]),
            (both.astype(np.int64), np.concatenate([j, i]).astype(np.int64)),
        ),
        shape=(n_units, n_units),
    )
    return check_sparse_couplings(matrix, subject)


def check_sparse_couplings(couplings: object, subject: str = "couplings") -> csr_array:
    """Return sparse couplings as csr_array of float64: sorted, without zeros; entries named twice are summed.

    Raises
    ------
    InputError
        For `subject` unless they are a scipy sparse matrix, square, finite, symmetric and with zero diagonal.
    """
    if not issparse(couplings):
        raise InputError(subject, f"expected a scipy sparse matrix, got {type(couplings).__name__}")
    if couplings.dtype.kind not in "biuf":  # type: ignore[attr-defined]
        raise InputError(subject, f"expected real numbers, got a matrix of {couplings.dtype}")  # type: ignore[attr-defined]
    shape = couplings.shape  # type: ignore[attr-defined]
    if len(shape) != 2 or shape[0] != shape[1] or shape[0] == 0:
        raise InputError(subject, f"expected a square matrix, got one of shape {shape}")
    matrix = csr_array(couplings, dtype=np.float64, copy=True)
    matrix.sum_duplicates()
    matrix.eliminate_zeros()
    if not np.isfinite(matrix.data).all():
        raise InputError(subject, "expected finite numbers, found NaN or infinity")
    if (matrix != matrix.T).nnz:
        raise InputError(subject, "expected a symmetric matrix; (W + W.T)/2 is one")
    if matrix.diagonal().any():
        raise InputError(subject, "expected a zero diagonal: a unit does not act on itself")
    return matrix


def sparse_model(couplings: object, bias: ArrayLike | None = None) -> SparseModel:
    """Check sparse couplings of ±1 units and hold them as integers.

    Parameters
    ----------
    couplings : scipy sparse matrix (n_neurons, n_neurons)
        Square, symmetric, finite, zero diagonal; entries named twice are summed.
    bias : float array (n_neurons,), optional
        Zero by default.

    Raises
    ------
    InputError
        For ``couplings`` or ``bias`` that are anything else.
    """
    matrix = check_sparse_couplings(couplings)
    return sparse_fixed_point(matrix, check_bias(bias, matrix.shape[0]))


def sparse_fixed_point(couplings: csr_array, bias: NDArray[np.float64]) -> SparseModel:
    """Hold checked couplings of ±1 units as integers (`integer_form`): times 1, 4 or N where that is exact."""
    integers, scale = integer_form(couplings.data, abs(couplings).sum(axis=1), (1.0, 4.0, float(len(bias))))
    matrix = csr_array((integers, couplings.indices, couplings.indptr), shape=couplings.shape)
    return SparseModel(matrix, bias, scale)
