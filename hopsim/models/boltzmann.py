"""Boltzmann machines as data: couplings and biases of 0/1 or ±1 units, some of them visible.

``E(s) = -1/2 sum_ij W_ij s_i s_j - sum_i b_i s_i`` and ``p(s) ~ exp(-E(s)/T)`` in either encoding (Ackley, Hinton,
Sejnowski 1985, eq. 1 and 5). Kernels know ±1 units alone: with s = 2 x - 1 a 0/1 machine is a ±1 machine with the same
distribution.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array, issparse

from hopsim.errors import InputError
from hopsim.models.fixed_point import integer_form
from hopsim.models.hopfield import DenseModel, check_bias, check_couplings, real_array
from hopsim.models.memory import require_memory
from hopsim.models.sparse import SparseModel, check_sparse_couplings, sparse_fixed_point

ENCODINGS = ("01", "pm1")


@dataclass(frozen=True, eq=False)
class BoltzmannModel:
    """A Boltzmann machine; build it with `boltzmann_model`, which checks.

    Attributes
    ----------
    couplings : float64 (n_units, n_units), or csr_array of float64
        W in the machine's own encoding, symmetric with zero diagonal.
    bias : float64 (n_units,)
    encoding : {"01", "pm1"}
    n_visible : int
        The first units are visible, the others hidden.
    """

    couplings: NDArray[np.float64] | csr_array
    bias: NDArray[np.float64]
    encoding: str
    n_visible: int

    @property
    def n_units(self) -> int:
        """Number of units, visible and hidden."""
        return len(self.bias)

    @property
    def n_hidden(self) -> int:
        """Number of hidden units."""
        return self.n_units - self.n_visible

    def in_encoding(self, encoding: str) -> "BoltzmannModel":
        """Return the machine with the same distribution over units of another encoding.

        With s = 2 x - 1: ``W01 = 4 W``, ``b01_i = 2 b_i - 2 sum_j W_ij``.
        """
        if encoding == self.encoding:
            return self
        if check_encoding(encoding) == "01":
            couplings = 4.0 * self.couplings
            bias = 2.0 * self.bias - 2.0 * self.couplings.sum(axis=1)
        else:
            couplings = self.couplings / 4.0
            bias = self.bias / 2.0 + self.couplings.sum(axis=1) / 4.0
        return BoltzmannModel(couplings, bias, encoding, self.n_visible)

    def dense(self) -> "BoltzmannModel":
        """Return the machine with its couplings as an array; `InputError` for ``couplings`` that do not fit memory."""
        if not isinstance(self.couplings, csr_array):
            return self
        require_memory(8 * self.n_units**2, "couplings", f"dense couplings of {self.n_units} units")
        return BoltzmannModel(self.couplings.toarray(), self.bias, self.encoding, self.n_visible)

    @cached_property
    def energy_offset(self) -> float:
        """What a state's energy in this encoding has above its energy as ±1 machine: ``-c``, or 0 for ±1 units.

        ``E± = E01 + c``, ``c = sum_i b_i - 1/2 sum_ij W_ij`` of the ±1 machine.
        """
        if self.encoding == "pm1":
            return 0.0
        spins = self.in_encoding("pm1")
        return 0.5 * float(spins.couplings.sum()) - float(spins.bias.sum())

    @cached_property
    def spin_network(self) -> DenseModel | SparseModel:
        """The same distribution over ±1 units, its couplings in fixed point: what chains run on."""
        spins = self.in_encoding("pm1")
        if issparse(spins.couplings):
            return sparse_fixed_point(spins.couplings, spins.bias)
        return fixed_point(spins.couplings, spins.bias)

    def energies(self, states: NDArray[np.int8]) -> NDArray[np.float64]:
        """Energies (n_states,) of states (n_states, n_units) in the machine's encoding, from the definition."""
        values = states.astype(np.float64)
        return -0.5 * np.einsum("ci,ci->c", values, values @ self.couplings) - values @ self.bias

    def local_fields(self, states: NDArray[np.int8]) -> NDArray[np.float64]:
        """Local fields ``h_i = sum_j W_ij s_j + b_i`` of states (n_states, n_units): float64, the same shape."""
        return states.astype(np.float64) @ self.couplings + self.bias

    def spins(self, states: NDArray[np.int8]) -> NDArray[np.int8]:
        """States of the machine's encoding as ±1, int8."""
        return states if self.encoding == "pm1" else (2 * states - 1).astype(np.int8)

    def states(self, spins: NDArray[np.int8]) -> NDArray[np.int8]:
        """Spins of ±1 in the machine's encoding, int8."""
        return spins if self.encoding == "pm1" else (spins > 0).astype(np.int8)

    def check_states(
        self, states: ArrayLike, subject: str = "states", n_units: int | None = None
    ) -> NDArray[np.int8]:
        """Return states as contiguous int8 (n_states, n_units); a single state is taken as one row.

        Parameters
        ----------
        states : array
        subject : str
            What an error calls them.
        n_units : int, optional
            Expected width; all units if None.

        Raises
        ------
        InputError
            If the shape is wrong or a value is not of the encoding.
        """
        expected = self.n_units if n_units is None else n_units
        values = real_array(subject, states)
        if values.ndim == 1:
            values = values[None]
        if values.ndim != 2 or values.shape[1] != expected or len(values) == 0:
            raise InputError(
                subject, f"expected states of {expected} units, got an array of shape {values.shape}"
            )
        low = 0 if self.encoding == "01" else -1
        if not ((values == low) | (values == 1)).all():
            raise InputError(subject, f"expected values of {low} and 1 only (encoding {self.encoding})")
        return np.array(values, np.int8, order="C")


def boltzmann_model(
    couplings: ArrayLike, bias: ArrayLike | None = None, encoding: str = "01", n_visible: int | None = None
) -> BoltzmannModel:
    """Check couplings, an array or a scipy sparse matrix, and biases, and hold them.

    Raises
    ------
    InputError
        For ``couplings`` that are not a finite symmetric square matrix with zero diagonal; for ``bias``, ``encoding``
        or ``n_visible``.
    """
    if issparse(couplings):
        matrix = check_sparse_couplings(couplings)
    else:
        matrix = check_couplings(couplings).astype(np.float64)
    n_units = matrix.shape[0]
    n_visible = n_units if n_visible is None else n_visible
    if not isinstance(n_visible, int | np.integer) or not 0 <= n_visible <= n_units:
        raise InputError("n_visible", f"expected a whole number from 0 to {n_units}, got {n_visible}")
    return BoltzmannModel(matrix, check_bias(bias, n_units), check_encoding(encoding), int(n_visible))


def check_encoding(encoding: str) -> str:
    """Return the encoding; `InputError` for an unknown one."""
    if encoding not in ENCODINGS:
        raise InputError("encoding", f"expected 01 or pm1, got {encoding!r}")
    return encoding


def fixed_point(couplings: NDArray[np.float64], bias: NDArray[np.float64]) -> DenseModel:
    """Hold checked couplings of ±1 units as integers (`integer_form`): times N, 1 or 4 where that is exact."""
    row_sums = np.abs(couplings).sum(axis=1)
    integers, scale = integer_form(couplings, row_sums, (float(len(bias)), 1.0, 4.0))
    return DenseModel(integers, bias, scale)
