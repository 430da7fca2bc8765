"""Gibbs chains of ±1 units on integer couplings: one temperature a chain, some units clamped, schedules.

A chain is a function of its start, its key, its temperatures and the update order alone: which driver runs it, with
which other chains and in how many calls, changes no bit.
"""

from collections.abc import Callable
from typing import Protocol

import numba
import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array

from hopsim.errors import InputError
from hopsim.models.hopfield import DenseModel, aligned_copy
from hopsim.models.sparse import SparseModel
from hopsim.sampling.coloured_chains import ColouredChains
from hopsim.sampling.lane_chains import LaneChains
from hopsim.sampling.single_chains import SingleChains, started_system

ORDERS = ("sequential", "random", "replacement", "coloured")

_CHAINS_FOR_LANES = 16  # a thread
_SWEEPS_AT_ONCE = 256  # whose temperatures are laid out for the kernels together


class Driver(Protocol):
    """Chains over the free units of a network, in whatever layout makes them fast."""

    def advance(self, half_temperatures: NDArray[np.float64], tick: Callable[[], None]) -> None:
        """Do one sweep for each row of `half_temperatures` (n_sweeps, n_chains), T/2 times the network's scale."""

    def tilt(self, scaled_bias: NDArray[np.float64]) -> None:
        """Take other biases (n_free,), times the network's scale."""

    @property
    def spins(self) -> NDArray[np.int8]:
        """The free units' states (n_chains, n_free)."""

    @property
    def alignments(self) -> NDArray[np.float64]:
        """``sum_i s_i h_i`` (n_chains,) over the free units, h the kept fields without bias: scaled, exact."""

    @property
    def n_flips(self) -> NDArray[np.int64]:
        """Flips of each chain so far (n_chains,)."""


class GibbsChains:
    """Chains at positive temperatures.

    Parameters
    ----------
    network : DenseModel or SparseModel
        ±1 units with integer couplings (`hopsim.models.boltzmann.BoltzmannModel.spin_network`).
    spins : int8 (n_chains, n_units)
        Starts, ±1, those of clamped units included; copied.
    keys : uint64 (n_chains,)
        The key of each chain's random numbers.
    temperature : float or (n_chains,)
        T > 0.
    order : {"sequential", "random", "replacement", "coloured"}
        0 to N - 1; a fresh permutation each sweep; a unit drawn at each step; for sparse networks, colour by colour
        (`ColouredChains`), by far the fastest on lattices. Free units only: a sweep updates as many.
    free : int64 (n_free,), optional
        Which units are updated, ascending; the others are clamped. All if None.
    tick : callable, optional
        Called between compiled calls; may raise to stop.
    driver : {"single", "lanes"}, optional
        One chain a thread, or many side by side (dense couplings in sequential order only). If None, the one that
        measurements favour. It changes no bit.
    """

    def __init__(
        self,
        network: DenseModel | SparseModel,
        spins: NDArray[np.int8],
        keys: NDArray[np.uint64],
        *,
        temperature: ArrayLike = 1.0,
        order: str = "sequential",
        free: NDArray[np.int64] | None = None,
        tick: Callable[[], None] = lambda: None,
        driver: str | None = None,
    ) -> None:
        self.network = network
        self._tick = tick
        self._spins = spins.copy()
        self._bias = network.bias
        check_order(order)
        self.heat(temperature)
        conditional = network
        clamped_fields = None
        if free is not None and len(free) < network.n_neurons:
            clamped = np.setdiff1d(np.arange(network.n_neurons), free)
            conditional = type(network)(self._block(free, free), network.bias[free], network.scale)
            clamped_fields = self._fields_of(clamped, free)
            self._clamped_energies = self._energies_among(clamped)
        self._free = np.arange(network.n_neurons) if free is None else free
        self._clamped_fields = clamped_fields
        self._driver = _start_driver(
            driver or _favoured_driver(network, len(spins), order),
            conditional,
            self._spins[:, self._free],
            keys,
            order,
            clamped_fields,
            tick,
        )

    def heat(self, temperature: ArrayLike) -> None:
        """Set the temperature of all chains, or of each (n_chains,)."""
        self._temperature = np.broadcast_to(np.asarray(temperature, np.float64), len(self._spins)).copy()
        check_temperatures(self._temperature)

    def tilt(self, bias: NDArray[np.float64]) -> None:
        """Set other biases (n_units,)."""
        self._bias = bias
        self._driver.tilt(bias[self._free] * self.network.scale)

    def advance(self, n_sweeps: int, temperatures: NDArray[np.float64] | None = None) -> None:
        """Do `n_sweeps` sweeps, at the temperatures (n_sweeps, n_chains) if they are given, else at those set."""
        for first in range(0, n_sweeps, _SWEEPS_AT_ONCE):
            last = min(first + _SWEEPS_AT_ONCE, n_sweeps)
            if temperatures is None:
                schedule = np.repeat(self._temperature[None], last - first, axis=0)
            else:
                schedule = np.ascontiguousarray(temperatures[first:last], np.float64)
            self._driver.advance(schedule * (self.network.scale / 2), self._tick)

    @property
    def spins(self) -> NDArray[np.int8]:
        """All units' states as they are now, int8 (n_chains, n_units); a copy."""
        self._spins[:, self._free] = self._driver.spins
        return self._spins.copy()

    @property
    def n_free(self) -> int:
        """Number of units that are updated in a sweep."""
        return len(self._free)

    @property
    def energies(self) -> NDArray[np.float64]:
        """Energies (n_chains,) of the ±1 network, from the kept fields: exact sums of the integer couplings."""
        spins = self.spins
        pairs = -0.5 * self._driver.alignments
        if self._clamped_fields is not None:
            pairs -= 0.5 * np.einsum("ci,ci->c", spins[:, self._free], self._clamped_fields, dtype=np.float64)
            pairs += self._clamped_energies
        return pairs / self.network.scale - (spins * self._bias).sum(axis=1)

    @property
    def n_flips(self) -> NDArray[np.int64]:
        """Flips of each chain so far (n_chains,)."""
        return self._driver.n_flips

    def _block(self, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> NDArray | csr_array:
        """Couplings of `rows` to `columns`, contiguous, as the network holds them."""
        block = self.network.matrix[np.ix_(rows, columns)]
        return block if isinstance(block, csr_array) else aligned_copy(block, block.dtype)

    def _fields_of(self, clamped: NDArray[np.int64], free: NDArray[np.int64]) -> NDArray[np.int32]:
        """What the clamped units add to the fields of the others: int32 (n_chains, n_free), scaled."""
        spins = np.ascontiguousarray(self._spins[:, clamped])
        return started_system(self._block(clamped, free), spins, self._tick).fields

    def _energies_among(self, clamped: NDArray[np.int64]) -> NDArray[np.float64]:
        """Scaled energy of the clamped units' couplings with each other, (n_chains,)."""
        spins = self._spins[:, clamped].astype(np.float64)
        couplings = self._block(clamped, clamped).astype(np.float64)
        return -0.5 * np.einsum("ci,ci->c", spins, spins @ couplings)


def _favoured_driver(network: DenseModel | SparseModel, n_chains: int, order: str) -> str:
    """The fastest driver: lanes pay from 16 chains a thread on, at any number of units (see ``bench gibbs``)."""
    if order == "coloured":
        return "coloured"
    in_lanes = order == "sequential" and isinstance(network, DenseModel)
    return "lanes" if in_lanes and n_chains >= _CHAINS_FOR_LANES * numba.get_num_threads() else "single"


def _start_driver(
    driver: str,
    network: DenseModel | SparseModel,
    spins: NDArray[np.int8],
    keys: NDArray[np.uint64],
    order: str,
    fields: NDArray[np.int32] | None,
    tick: Callable[[], None],
) -> Driver:
    if driver == "coloured":
        if not isinstance(network, SparseModel):
            raise InputError("order", "the coloured order is for sparse couplings; take sequential")
        return ColouredChains(network, spins, keys, fields, tick)
    if driver == "lanes":
        if order != "sequential" or not isinstance(network, DenseModel):
            raise InputError("driver", "lanes are for dense couplings in sequential order; take single")
        return LaneChains(network, spins, keys, fields, tick)
    return SingleChains(network, spins, keys, order, fields, tick)


def check_order(order: str) -> str:
    """Return the update order; `InputError` for an unknown one."""
    if order not in ORDERS:
        raise InputError("order", f"expected one of {', '.join(ORDERS)}; got {order!r}")
    return order


def check_temperatures(temperature: ArrayLike) -> None:
    """Raise `InputError` unless all temperatures are finite and above 0."""
    values = np.asarray(temperature, np.float64)
    if not (np.isfinite(values) & (values > 0)).all():
        wrong = values[~(np.isfinite(values) & (values > 0))].flat[0]
        raise InputError("temperature", f"expected a number above 0, got {wrong:g}")
