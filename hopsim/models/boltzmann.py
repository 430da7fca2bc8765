"""Boltzmann machines as data: couplings and biases of 0/1 or ±1 units, some of them visible.

``E(s) = -1/2 sum_ij W_ij s_i s_j - sum_i b_i s_i`` and ``p(s) ~ exp(-E(s)/T)`` in either encoding (Ackley, Hinton,
Sejnowski 1985, eq. 1 and 5). Kernels know ±1 units alone: with s = 2 x - 1 a 0/1 machine is a ±1 machine with the same
distribution.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hopsim.errors import InputError
from hopsim.models.hopfield import DenseModel, aligned_copy, check_bias, check_couplings, real_array

ENCODINGS = ("01", "pm1")

_LARGEST_FIELD = 2**30  # of integer fields, so that a flip of the largest coupling stays within int32


@dataclass(frozen=True, eq=False)
class BoltzmannModel:
    """A Boltzmann machine; build it with `boltzmann_model`, which checks.

    Attributes
    ----------
    couplings : float64 (n_units, n_units)
        W in the machine's own encoding, symmetric with zero diagonal.
    bias : float64 (n_units,)
    encoding : {"01", "pm1"}
    n_visible : int
        The first units are visible, the others hidden.
    """

    couplings: NDArray[np.float64]
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
    def spin_network(self) -> DenseModel:
        """The same distribution over ±1 units, its couplings in fixed point: what chains run on."""
        spins = self.in_encoding("pm1")
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
    """Check couplings and biases and hold them.

    Raises
    ------
    InputError
        For ``couplings`` that are not a finite symmetric square matrix with zero diagonal; for ``bias``, ``encoding``
        or ``n_visible``.
    """
    matrix = check_couplings(couplings).astype(np.float64)
    n_units = len(matrix)
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
    """Hold couplings of ±1 units as integers: fields are exact sums then, the same in any order and on any machine.

    The scale is N, 1 or 4 where the couplings times it are integers and fields fit int16; the same scales with int32;
    else the power of two for which the largest field that can occur is just below 2^30. Couplings are rounded to half a
    unit then: relative to the largest field, to 2^-31.
    """
    n_units = len(bias)
    for dtype, largest in ((np.int16, np.iinfo(np.int16).max), (np.int32, _LARGEST_FIELD)):
        for scale in (float(n_units), 1.0, 4.0):
            with np.errstate(over="ignore"):
                integers = np.rint(couplings * scale)
            if np.array_equal(integers / scale, couplings) and _largest_field(integers) <= largest:
                return DenseModel(aligned_copy(integers, dtype), bias, scale)
    if not np.isfinite(_largest_field(couplings)):
        raise InputError("couplings", "expected couplings whose sums over a row are finite numbers")
    # the rounding of n_units couplings can add as many halves
    scale = 2.0 ** np.floor(np.log2((_LARGEST_FIELD - n_units) / _largest_field(couplings)))
    return DenseModel(aligned_copy(np.rint(couplings * scale), np.int32), bias, float(scale))


def _largest_field(couplings: NDArray[np.float64]) -> float:
    return float(np.abs(couplings).sum(axis=1).max())
