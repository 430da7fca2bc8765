"""The driver of few chains, or of orders that differ from chain to chain: each on its own, a thread a chain."""

import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from hopsim.kernels import dynamics
from hopsim.kernels.dense import DenseSystem, add_fields
from hopsim.kernels.heat_bath import BLOCK
from hopsim.kernels.sparse import SparseSystem, add_sparse_fields
from hopsim.models.hopfield import DenseModel, row_slices
from hopsim.models.memory import aligned_zeros
from hopsim.models.sparse import SparseModel
from hopsim.sampling.chains import ORDERS, Pace


class SingleChains:
    """Chains with kept fields; a `hopsim.sampling.gibbs_chains.Driver`.

    Parameters
    ----------
    network : DenseModel or SparseModel
        Of the free units, integer couplings.
    spins : int8 (n_chains, n_free)
    keys : uint64 (n_chains,)
    order : str
    fields : int32 (n_chains, n_free) or None
        What clamped units add to the fields, scaled.
    tick : callable
    """

    def __init__(
        self,
        network: DenseModel | SparseModel,
        spins: NDArray[np.int8],
        keys: NDArray[np.uint64],
        order: str,
        fields: NDArray[np.int32] | None,
        tick: Callable[[], None],
    ) -> None:
        n_chains, n_units = spins.shape
        self._chains = dynamics.Chains(
            spins=np.ascontiguousarray(spins),
            visits=np.zeros((n_chains, n_units), np.int32),
            pending=np.zeros((n_chains, 0), np.int8),
            before=np.zeros((n_chains, 0), np.int8),
            seen=np.zeros((n_chains, n_units if order == "replacement" else 0), np.int32),
            registers=np.zeros((n_chains, dynamics.N_REGISTERS), np.int64),
            keys=keys,
            scaled_bias=network.bias * network.scale,
            half_temperature=np.ones(n_chains),
            thresholds=np.zeros((n_chains, BLOCK)),
            order=ORDERS[order],
        )
        self._chains.registers[:, dynamics.N_UNSEEN] = n_units
        self._system = started_system(network.matrix, self._chains.spins, tick)
        if fields is not None:
            self._system.fields[...] += fields
        self._pace = Pace(20_000 / n_chains)

    def advance(self, half_temperatures: NDArray[np.float64], tick: Callable[[], None]) -> None:
        """Do one sweep for each row of `half_temperatures` (n_sweeps, n_chains)."""
        n_chains, n_units = self.spins.shape
        first_sweep = int(self._chains.registers[0, dynamics.SWEEP])
        n_items = len(half_temperatures) * n_units
        while n_items > 0:
            step = min(int(self._pace.items) + 1, n_items)
            start = time.perf_counter()
            dynamics.advance_on_schedule(self._system, self._chains, half_temperatures, first_sweep, step)
            self._pace.note(step * n_chains, time.perf_counter() - start, n_chains)
            n_items -= step
            tick()

    def tilt(self, scaled_bias: NDArray[np.float64]) -> None:
        """Take other biases (n_free,), times the network's scale."""
        self._chains.scaled_bias[...] = scaled_bias

    @property
    def spins(self) -> NDArray[np.int8]:
        """The free units' states (n_chains, n_free)."""
        return self._chains.spins

    @property
    def alignments(self) -> NDArray[np.float64]:
        """``sum_i s_i h_i`` (n_chains,), h without bias: scaled, exact."""
        return (self.spins * self._system.fields.astype(np.int64)).sum(axis=1).astype(np.float64)

    @property
    def n_flips(self) -> NDArray[np.int64]:
        """Flips of each chain so far (n_chains,)."""
        return self._chains.registers[:, dynamics.N_FLIPS].copy()


def started_system(
    couplings: NDArray | csr_array, spins: NDArray[np.int8], tick: Callable[[], None]
) -> DenseSystem | SparseSystem:
    """A system of integer couplings (n_units, n_others); its fields are those of `spins` (n_chains, n_units)."""
    n_units, n_others = couplings.shape
    fields = aligned_zeros((len(spins), n_others), np.int32)
    system: DenseSystem | SparseSystem
    if isinstance(couplings, csr_array):
        system = SparseSystem(couplings.indptr, couplings.indices, couplings.data, fields)
        add, additions = add_sparse_fields, len(spins) * couplings.nnz // n_units
    else:
        system, add, additions = DenseSystem(couplings, fields), add_fields, fields.size
    for first, last in row_slices(n_units, 4 * additions):
        add(system, spins, first, last)
        tick()
    return system
