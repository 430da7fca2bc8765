"""The driver of many chains in sequential order: side by side in SIMD lanes."""

import time
from collections.abc import Callable

import numba
import numpy as np
from numpy.typing import NDArray

from hopsim.kernels.gibbs_lanes import BLOCK, LANES, TILE_BYTES, LaneGroups, advance_lanes
from hopsim.models.hopfield import DenseModel
from hopsim.models.memory import aligned_zeros, require_memory
from hopsim.sampling.chains import Pace
from hopsim.sampling.single_chains import started_system

_CACHE_BYTES = 8 << 20  # of couplings; larger ones are worth more chains a group
_MOST_IN_GROUP = 256


class LaneChains:
    """Chains in lanes; a `hopsim.sampling.gibbs_chains.Driver` with the bits of `SingleChains`.

    Parameters
    ----------
    network : DenseModel
        Of the free units, integer couplings.
    spins : int8 (n_chains, n_free)
    keys : uint64 (n_chains,)
    fields : int32 (n_chains, n_free) or None
        What clamped units add to the fields, scaled.
    tick : callable
    """

    def __init__(
        self,
        network: DenseModel,
        spins: NDArray[np.int8],
        keys: NDArray[np.uint64],
        fields: NDArray[np.int32] | None,
        tick: Callable[[], None],
    ) -> None:
        self._n_chains, self._n_units = spins.shape
        starts = np.ascontiguousarray(spins)
        system = started_system(network.matrix, starts, tick)
        if fields is not None:
            system.fields[...] += fields
        row_sums = np.abs(network.matrix.astype(np.int64)).sum(axis=1)
        self._largest_kept_field = _largest(row_sums) + (0.0 if fields is None else _largest(fields))
        self._groups = _lay_out(network, starts, keys, system.fields, self._largest_kept_field)
        self.tilt(network.bias * network.scale)
        self._n_sweeps = 0
        self._pace = Pace(1.0)

    def advance(self, half_temperatures: NDArray[np.float64], tick: Callable[[], None]) -> None:
        """Do one sweep for each row of `half_temperatures` (n_sweeps, n_chains)."""
        n_items = len(half_temperatures) * len(self._groups.rows)
        done = 0
        while done < n_items:
            step = min(int(self._pace.items), n_items - done)
            start = time.perf_counter()
            advance_lanes(self._groups, half_temperatures, self._n_sweeps, done, step)
            self._pace.note(step, time.perf_counter() - start, 1)
            done += step
            tick()
        self._n_sweeps += len(half_temperatures)

    def tilt(self, scaled_bias: NDArray[np.float64]) -> None:
        """Take other biases (n_free,), times the network's scale."""
        self._groups.scaled_bias[: self._n_units] = scaled_bias
        self._groups.largest_field[0] = self._largest_kept_field + _largest(scaled_bias)

    @property
    def spins(self) -> NDArray[np.int8]:
        """The free units' states (n_chains, n_free)."""
        words = np.ascontiguousarray(self._groups.up.transpose(0, 2, 1), "<u4")
        bits = np.unpackbits(words.view(np.uint8), axis=-1, bitorder="little", count=self._n_units)
        up = bits.reshape(self._groups.keys.size, self._n_units)[: self._n_chains]
        return (2 * up.astype(np.int8) - 1).astype(np.int8)

    @property
    def alignments(self) -> NDArray[np.float64]:
        """``sum_i s_i h_i`` (n_chains,), h without bias: scaled, exact."""
        n_tiles, width = self._groups.rows.shape[0], self._groups.rows.shape[2]
        shape = (self._groups.keys.size, n_tiles * width)
        fields = self._groups.fields.transpose(0, 2, 1, 3).reshape(shape)
        kept = fields[: self._n_chains, : self._n_units].astype(np.int64)
        return (self.spins * kept).sum(axis=1).astype(np.float64)

    @property
    def n_flips(self) -> NDArray[np.int64]:
        """Flips of each chain so far (n_chains,)."""
        return self._groups.n_flips.reshape(-1)[: self._n_chains].copy()


def _largest(values: NDArray) -> float:
    return float(np.abs(values).max(initial=0))


def _lay_out(
    network: DenseModel,
    spins: NDArray[np.int8],
    keys: NDArray[np.uint64],
    fields: NDArray[np.int32],
    largest_field: float,
) -> LaneGroups:
    """Bring couplings, spins and fields of all chains into the kernels' order, padded with zeros."""
    n_chains, n_units = spins.shape
    fits = network.matrix.dtype == np.int16 and largest_field <= np.iinfo(np.int16).max
    dtype = np.dtype(np.int16 if fits else np.int32)
    width = TILE_BYTES // dtype.itemsize
    n_tiles, n_blocks = -(-n_units // width), -(-n_units // BLOCK)
    n_in_group = _chains_in_group(n_chains, n_units * n_units * dtype.itemsize)
    n_groups = -(-n_chains // n_in_group)
    n_rows = n_blocks * BLOCK
    room = dtype.itemsize * width * n_tiles * (n_rows + n_groups * n_in_group) + 8 * n_units**2
    require_memory(room, "n_chains", f"{n_chains} chains in lanes")

    twice = 2 * network.matrix.astype(np.int32)
    rows = aligned_zeros((n_tiles, n_rows, width), dtype)
    for t in range(n_tiles):
        columns = twice[:, t * width : (t + 1) * width]
        rows[t, :n_units, : columns.shape[1]] = columns.astype(dtype)  # wraps around, as the sums do
    blocks = aligned_zeros((n_blocks, BLOCK, BLOCK), np.int32)
    for b in range(n_blocks):
        part = twice[b * BLOCK : (b + 1) * BLOCK, b * BLOCK : (b + 1) * BLOCK]
        blocks[b, : len(part), : len(part)] = part

    padded_fields = np.zeros((n_groups * n_in_group, n_tiles * width), dtype)
    padded_fields[:n_chains, :n_units] = fields
    tiles = aligned_zeros((n_groups, n_tiles, n_in_group, width), dtype)
    tiles[...] = padded_fields.reshape(n_groups, n_in_group, n_tiles, width).transpose(0, 2, 1, 3)
    padded_up = np.zeros((n_groups * n_in_group, n_rows), np.uint8)
    padded_up[:n_chains, :n_units] = spins > 0
    words = np.packbits(padded_up, axis=1, bitorder="little").view("<u4").astype(np.uint32)
    up = aligned_zeros((n_groups, n_blocks, n_in_group), np.uint32)
    up[...] = words.reshape(n_groups, n_in_group, n_blocks).transpose(0, 2, 1)
    padded_keys = np.zeros(n_groups * n_in_group, np.uint64)
    padded_keys[:n_chains] = keys
    of_chains = (n_groups, n_in_group)
    of_masks = (n_groups, width // BLOCK, n_in_group)
    return LaneGroups(
        rows=rows,
        blocks=blocks,
        fields=tiles,
        up=up,
        keys=padded_keys.reshape(of_chains),
        sweep_keys=aligned_zeros(of_chains, np.uint64),
        half_temperature=aligned_zeros(of_chains, np.float64),
        coarse_half_temperature=aligned_zeros(of_chains, np.float32),
        margin=aligned_zeros(of_chains, np.float32),
        flipped=aligned_zeros(of_masks, np.uint32),
        down=aligned_zeros(of_masks, np.uint32),
        bits=aligned_zeros((n_groups, BLOCK, LANES), np.int32),
        thresholds=aligned_zeros((n_groups, BLOCK, LANES), np.float32),
        block_fields=aligned_zeros((n_groups, BLOCK, LANES), np.int32),
        changes=aligned_zeros((n_groups, BLOCK, LANES), np.int32),
        after=aligned_zeros((n_groups, LANES), np.uint32),
        n_flips=np.zeros(of_chains, np.int64),
        scaled_bias=np.zeros(n_rows),
        largest_field=np.zeros(1),
        n_units=n_units,
        n_chains=n_chains,
    )


def _chains_in_group(n_chains: int, coupling_bytes: int) -> int:
    """Whole lanes; many where the couplings do not stay in the cache, but a group for each thread."""
    if coupling_bytes <= _CACHE_BYTES:
        return LANES
    a_thread = -(-n_chains // (numba.get_num_threads() * LANES)) * LANES
    return min(max(a_thread, LANES), _MOST_IN_GROUP)
