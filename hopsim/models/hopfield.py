"""Hopfield networks as data: packed Hebbian patterns, or a dense coupling matrix.

Both are networks of ±1 units with ``E(s) = -1/2 sum_ij W_ij s_i s_j - sum_i b_i s_i`` (Hopfield 1982, eq. 7), W
symmetric with zero diagonal. Their kernels work with couplings, fields and energies times `scale`.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hopsim.errors import InputError
from hopsim.kernels import packed_patterns
from hopsim.models.memory import aligned_zeros, require_memory

_BITS_PER_ROW_BLOCK = 512
_SLICE_BYTES = 1 << 27  # packed patterns worked on between two looks at the outside


@dataclass(frozen=True, eq=False)
class HebbianModel:
    """One or several Hebbian networks of the same size, held as packed patterns: no matrix.

    ``W_ij = (1/N) sum_mu xi_i^mu xi_j^mu``, ``W_ii = 0`` (Hopfield 1982; Amit, Gutfreund, Sompolinsky 1985, eq. 2).

    Attributes
    ----------
    rows : uint64 (n_networks, n_neurons, n_words)
        Bit mu of row i: neuron i is +1 in pattern mu (`hopsim.kernels.packed_patterns`).
    ones : int32 (n_networks, n_neurons)
        Ones in each row.
    n_patterns : int
    bias : float64 (n_neurons,)
    """

    rows: NDArray[np.uint64]
    ones: NDArray[np.int32]
    n_patterns: int
    bias: NDArray[np.float64]

    @property
    def n_neurons(self) -> int:
        """Number of neurons N."""
        return self.rows.shape[1]

    @property
    def scale(self) -> float:
        """N: what kernels multiply couplings by, to integers."""
        return float(self.n_neurons)

    def patterns(self, first: int = 0, last: int | None = None, network: int = 0) -> NDArray[np.int8]:
        """Return patterns `first` to `last` - 1 of one network, unpacked: int8 (n, n_neurons) of ±1."""
        last = self.n_patterns if last is None else last
        patterns = np.empty((last - first, self.n_neurons), np.int8)
        packed_patterns.unpack_patterns(self.rows[network], first, patterns)
        return patterns

    def couplings(self) -> NDArray[np.float64]:
        """Build the matrix of the first network: float64 (n_neurons, n_neurons), the integers N W over N."""
        require_memory(16 * self.n_neurons**2, "n_neurons", f"couplings of {self.n_neurons} neurons")
        patterns = self.patterns().astype(np.float32)
        couplings = (patterns.T @ patterns).astype(
            np.float64
        )  # sums of fewer than 2^24 ±1: exact in any order
        np.fill_diagonal(couplings, 0.0)
        return couplings / self.n_neurons


@dataclass(frozen=True, eq=False)
class DenseModel:
    """A network given by its coupling matrix.

    Attributes
    ----------
    matrix : float32, float64, int16 or int32 (n_neurons, n_neurons)
        The couplings times `scale`, which is 1 unless they are integers then.
    bias : float64 (n_neurons,)
    scale : float
    """

    matrix: NDArray
    bias: NDArray[np.float64]
    scale: float

    @property
    def n_neurons(self) -> int:
        """Number of neurons N."""
        return self.matrix.shape[0]

    def couplings(self) -> NDArray:
        """Return the matrix W: float32 or float64 (n_neurons, n_neurons)."""
        return self.matrix / self.scale if self.matrix.dtype.kind == "i" else self.matrix


Model = HebbianModel | DenseModel


def packed_words(n_patterns: int) -> int:
    """64-bit words of one neuron's packed row: whole blocks of 512 patterns."""
    return -(-n_patterns // _BITS_PER_ROW_BLOCK) * (_BITS_PER_ROW_BLOCK // 64)


def packed_bytes(n_neurons: int, n_patterns: int, n_networks: int = 1) -> int:
    """Bytes of `n_networks` packed Hebbian networks."""
    return n_networks * n_neurons * (8 * packed_words(n_patterns) + 4)


def row_slices(n_neurons: int, bytes_per_neuron: int) -> list[tuple[int, int]]:
    """Cut the neurons into slices that a kernel works through in well under a quarter of a second."""
    step = max(1, _SLICE_BYTES // max(bytes_per_neuron, 1))
    return [(first, min(first + step, n_neurons)) for first in range(0, n_neurons, step)]


def draw_hebbian(
    keys: NDArray[np.uint64], n_neurons: int, n_patterns: int, tick: Callable[[], None] = lambda: None
) -> HebbianModel:
    """Draw networks that store unbiased random patterns, one a key; the patterns are drawn packed.

    Raises
    ------
    InputError
        If they do not fit the memory there is; nothing has been allocated then.
    """
    needed = packed_bytes(n_neurons, n_patterns, len(keys))
    require_memory(needed, "n_neurons", f"{n_patterns} patterns of {n_neurons} neurons")
    rows = aligned_zeros((len(keys), n_neurons, packed_words(n_patterns)), np.uint64)
    ones = np.empty((len(keys), n_neurons), np.int32)
    for first, last in row_slices(n_neurons, rows[:, 0].nbytes):
        packed_patterns.draw_patterns(keys, n_patterns, first, last, rows)
        packed_patterns.count_rows(first, last, rows, ones)
        tick()
    return HebbianModel(rows, ones, n_patterns, np.zeros(n_neurons))


def pack_hebbian(patterns: NDArray[np.int8], bias: NDArray[np.float64]) -> HebbianModel:
    """Store given patterns, int8 (n_patterns, n_neurons) of ±1, with the Hebbian rule."""
    n_patterns, n_neurons = patterns.shape
    rows = aligned_zeros((1, n_neurons, packed_words(n_patterns)), np.uint64)
    ones = np.empty((1, n_neurons), np.int32)
    packed_patterns.pack_patterns(np.ascontiguousarray(patterns), rows[0])
    packed_patterns.count_rows(0, n_neurons, rows, ones)
    return HebbianModel(rows, ones, n_patterns, bias)


def dense_model(couplings: ArrayLike, bias: ArrayLike | None) -> DenseModel:
    """Check a coupling matrix and hold it in the form that is exact where N W is an int16 matrix.

    Raises
    ------
    InputError
        For ``couplings`` if they are not a finite symmetric square matrix with zero diagonal; for ``bias``.
    """
    matrix = check_couplings(couplings)
    n_neurons = matrix.shape[0]
    checked_bias = check_bias(bias, n_neurons)
    with np.errstate(over="ignore"):
        integers = np.rint(matrix * n_neurons)
    if np.abs(integers).max() <= np.iinfo(np.int16).max and np.array_equal(
        (integers / n_neurons).astype(matrix.dtype), matrix
    ):
        return DenseModel(aligned_copy(integers, np.int16), checked_bias, float(n_neurons))
    return DenseModel(aligned_copy(matrix, matrix.dtype), checked_bias, 1.0)


def check_couplings(couplings: ArrayLike) -> NDArray:
    """Return a coupling matrix: float32 if it is, else float64; finite, symmetric, with zero diagonal.

    Raises
    ------
    InputError
        For ``couplings`` that are anything else.
    """
    matrix = real_array("couplings", couplings)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or matrix.shape[0] == 0:
        raise InputError("couplings", f"expected a square matrix, got an array of shape {matrix.shape}")
    if matrix.dtype != np.float32:
        matrix = matrix.astype(np.float64)
    if not np.isfinite(matrix).all():
        raise InputError("couplings", "expected finite numbers, found NaN or infinity")
    if not np.array_equal(matrix, matrix.T):
        raise InputError("couplings", "expected a symmetric matrix; (W + W.T)/2 is one")
    if np.diagonal(matrix).any():
        raise InputError("couplings", "expected a zero diagonal: a unit does not act on itself")
    return matrix


def check_bias(bias: ArrayLike | None, n_neurons: int) -> NDArray[np.float64]:
    """Return the biases as float64 (n_neurons,), zeros for None; `InputError` for a wrong shape or NaN."""
    if bias is None:
        return np.zeros(n_neurons)
    values = real_array("bias", bias).astype(np.float64)
    if values.shape != (n_neurons,):
        raise InputError("bias", f"expected {n_neurons} numbers, one a neuron, got shape {values.shape}")
    if not np.isfinite(values).all():
        raise InputError("bias", "expected finite numbers, found NaN or infinity")
    return values


def check_states(states: ArrayLike, n_neurons: int, subject: str = "states") -> NDArray[np.int8]:
    """Return states as contiguous int8 (n_states, n_neurons) of ±1; a single state is taken as one row.

    Raises
    ------
    InputError
        If a shape is wrong or a value is not ±1.
    """
    values = real_array(subject, states)
    if values.ndim == 1:
        values = values[None]
    if values.ndim != 2 or values.shape[1] != n_neurons or len(values) == 0:
        raise InputError(
            subject, f"expected states of {n_neurons} neurons, got an array of shape {values.shape}"
        )
    if not (np.abs(values) == 1).all():
        raise InputError(subject, "expected values of -1 and +1 only")
    return np.array(values, np.int8, order="C")


def real_array(subject: str, values: ArrayLike) -> NDArray:
    """Return an array of real numbers; `InputError` for `subject` if `values` are ragged or no such numbers."""
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise InputError(subject, "expected rows of equal length") from error
    if array.dtype.kind not in "biuf":
        raise InputError(subject, f"expected real numbers, got an array of {array.dtype}")
    return array


def aligned_copy(values: NDArray, dtype: type | np.dtype) -> NDArray:
    """Return a copy of another type that starts at a cache line."""
    copy = aligned_zeros(values.shape, dtype)
    copy[...] = values
    return copy
