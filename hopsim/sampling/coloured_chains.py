"""The driver of sparse networks: units of one colour, which do not act on each other, are updated together."""

import time
from collections.abc import Callable

import numba
import numpy as np
from numpy.typing import NDArray

from hopsim.kernels import coloured
from hopsim.models.hopfield import row_slices
from hopsim.models.sparse import SparseModel
from hopsim.sampling.chains import Pace

_UNITS_WORTH_A_THREAD = 8192  # of one colour: fewer are done before another thread has woken up
_TRIAL_SECONDS = 0.005  # of the faster way's work, which the other one is tried on
_FEWEST_CALLS_TO_RETRY, _MOST_CALLS_TO_RETRY = 2, 32


def colouring(network: SparseModel, tick: Callable[[], None] = lambda: None) -> NDArray[np.int32]:
    """Colours (n_neurons,) such that coupled units differ: unit by unit, the smallest that is free (*greedy*).

    Square and cubic lattices whose periodic sides are even get two colours, a checkerboard's.
    """
    matrix = network.matrix
    colours = np.zeros(network.n_neurons, np.int32)
    taken = np.full(int(np.diff(matrix.indptr).max()) + 1, -1)
    for first, last in _slices(network):
        coloured.colour_units(matrix.indptr, matrix.indices, first, last, colours, taken)
        tick()
    return colours


def coloured_network(
    network: SparseModel, colours: NDArray[np.int32], tick: Callable[[], None]
) -> coloured.ColouredNetwork:
    """Lay out a network whose units are numbered by colour, ``colours`` (n_neurons,) ascending, for the kernels."""
    matrix = network.matrix
    colour_starts = np.searchsorted(colours, np.arange(colours[-1] + 2))
    is_start = np.zeros(network.n_neurons, np.bool_)
    is_start[colour_starts[:-1]] = True
    for first, last in _slices(network):
        coloured.find_runs(matrix.indptr, matrix.indices, first, last, is_start)
        tick()
    firsts = np.flatnonzero(is_start)
    run_starts = np.append(firsts, network.n_neurons)
    degrees = np.diff(matrix.indptr)[firsts]
    head_starts = np.append(0, np.cumsum(degrees, dtype=np.int64))
    within = np.arange(head_starts[-1]) - np.repeat(head_starts[:-1], degrees)
    heads = matrix.indices[np.repeat(matrix.indptr[firsts].astype(np.int64), degrees) + within]
    values = np.empty_like(matrix.data)
    for first, last in row_slices(len(firsts), 8 * matrix.nnz // len(firsts)):
        coloured.arrange_values(matrix.indptr, matrix.data, run_starts, first, last, values)
        tick()
    return coloured.ColouredNetwork(
        colour_starts=colour_starts,
        run_starts=run_starts,
        head_starts=head_starts,
        heads=heads.astype(np.int64),
        value_starts=matrix.indptr[firsts].astype(np.int64),
        values=values,
        scaled_bias=network.bias * network.scale,
    )


def _slices(network: SparseModel) -> list[tuple[int, int]]:
    return row_slices(network.n_neurons, 8 * (1 + network.matrix.nnz // network.n_neurons))


class ColouredChains:
    """Chains updated colour by colour, within a colour in the units' order; a `hopsim.sampling.gibbs_chains.Driver`.

    Parameters
    ----------
    network : SparseModel
        Of the free units.
    spins : int8 (n_chains, n_free)
    keys : uint64 (n_chains,)
    fields : int32 (n_chains, n_free) or None
        What clamped units add to the fields, scaled.
    tick : callable
    """

    def __init__(
        self,
        network: SparseModel,
        spins: NDArray[np.int8],
        keys: NDArray[np.uint64],
        fields: NDArray[np.int32] | None,
        tick: Callable[[], None],
    ) -> None:
        colours = colouring(network, tick)
        self._units = np.argsort(colours, kind="stable")  # in the order of their updates
        n_chains = len(spins)
        outer = np.zeros((n_chains, 0), np.int32) if fields is None else fields[:, self._units]
        matrix = network.matrix[self._units][:, self._units]
        matrix.sort_indices()
        by_colour = SparseModel(matrix, network.bias[self._units], network.scale)
        self._network = coloured_network(by_colour, colours[self._units], tick)
        self._chains = coloured.ColouredChains(
            spins=np.ascontiguousarray(spins[:, self._units]),
            outer_fields=np.ascontiguousarray(outer),
            keys=keys,
            n_flips=np.zeros(n_chains, np.int64),
        )
        self._n_sweeps = 0
        self._paces = {shared: Pace(20_000 / n_chains) for shared in (False, True)}
        self._calls_since_retry, self._calls_to_retry = 0, _FEWEST_CALLS_TO_RETRY

    def advance(self, half_temperatures: NDArray[np.float64], tick: Callable[[], None]) -> None:
        """Do one sweep for each row of `half_temperatures` (n_sweeps, n_chains)."""
        n_chains, n_units = self._chains.spins.shape
        item, n_items = 0, len(half_temperatures) * n_units
        while item < n_items:
            shared = self._shares_colours()
            pace = self._paces[shared]
            if pace.speed == np.inf:
                self._call(shared, half_temperatures, item, 0)  # compiles, which says nothing about speed
            step = min(int(pace.items) + 1, n_items - item)
            start = time.perf_counter()
            self._call(shared, half_temperatures, item, step)
            pace.note(step * n_chains, time.perf_counter() - start, n_chains)
            item += step
            tick()
        self._n_sweeps += len(half_temperatures)

    def _call(self, shared: bool, half_temperatures: NDArray[np.float64], item: int, n_items: int) -> None:
        where = (self._network, self._chains, half_temperatures, self._n_sweeps, item, n_items)
        if shared:
            coloured.share_coloured(*where, numba.get_num_threads())
        else:
            coloured.advance_coloured(*where)

    def _shares_colours(self) -> bool:
        """Whether all threads share the units of a colour, rather than take a chain each.

        That pays for few chains of many units, unless other programs keep processors busy and threads wait for each
        other at the end of each colour: the faster way is used, the other tried ever less often. The bits are the same.
        """
        n_chains, n_units = self._chains.spins.shape
        units_of_a_colour = n_units // (len(self._network.colour_starts) - 1)
        n_threads = numba.get_num_threads()
        if n_chains >= n_threads or units_of_a_colour < n_threads * _UNITS_WORTH_A_THREAD:
            return False
        faster = self._paces[True].speed >= self._paces[False].speed
        self._calls_since_retry += 1
        if self._paces[faster].speed == np.inf or self._calls_since_retry < self._calls_to_retry:
            return faster
        self._calls_since_retry = 0
        self._calls_to_retry = min(2 * self._calls_to_retry, _MOST_CALLS_TO_RETRY)
        self._paces[not faster] = Pace(self._paces[faster].speed * _TRIAL_SECONDS / n_chains)
        return not faster

    def tilt(self, scaled_bias: NDArray[np.float64]) -> None:
        """Take other biases (n_free,), times the network's scale."""
        self._network = self._network._replace(scaled_bias=scaled_bias[self._units])

    @property
    def spins(self) -> NDArray[np.int8]:
        """The free units' states (n_chains, n_free)."""
        spins = np.empty_like(self._chains.spins)
        spins[:, self._units] = self._chains.spins
        return spins

    @property
    def alignments(self) -> NDArray[np.float64]:
        """``sum_i s_i h_i`` (n_chains,), h without bias: scaled, exact."""
        alignments = np.zeros(len(self._chains.spins), np.int64)
        n_chains, n_units = self._chains.spins.shape
        for first, last in row_slices(n_units, 8 * n_chains * (1 + len(self._network.values) // n_units)):
            coloured.add_alignments(self._network, self._chains, first, last, alignments)
        return alignments.astype(np.float64)

    @property
    def n_flips(self) -> NDArray[np.int64]:
        """Flips of each chain so far (n_chains,)."""
        return self._chains.n_flips.copy()
