"""Gibbs sampling of many chains side by side, in SIMD lanes: sequential order, dense integer couplings.

A *group* of chains is updated block by block. Within a block of 32 units every chain is a lane: thresholds are drawn,
and each unit's decision corrects the fields of the units behind it in the block. What flipped is kept as bits, and
then the rows of the flipped units are added to the fields of all other units, chain by chain, tile by tile, with the
fields in registers: cost follows the flips, and memory is touched once a block. It is sequential Gibbs sampling,
bit for bit as `hopsim.kernels.dynamics` does it: fields are integers, and a decision that float32 cannot make for sure
is made as there.
"""

from typing import NamedTuple

import numpy as np
from numba import prange

from hopsim.kernels.compile_options import inline_kernel, kernel, loop_kernel, parallel_kernel
from hopsim.kernels.dynamics import THRESHOLD_STREAM
from hopsim.kernels.floating_point import bits_of, float_of, fma
from hopsim.kernels.heat_bath import logit
from hopsim.kernels.lane_vectors import (
    LANE_VECTORS,
    TILE_VECTORS,
    VECTOR_BYTES,
    add_products,
    add_rows,
)
from hopsim.kernels.randomness import GOLDEN, derive_key, mix, random_bits

LANES = LANE_VECTORS * VECTOR_BYTES // 4  # 32: a value of each, as int32, fills so many vectors
BLOCK = 32  # units; their flips are the bits of a word
TILE_BYTES = TILE_VECTORS * VECTOR_BYTES  # of a row within a tile

_COARSE = np.int32(1 << 17)  # below: the upper 31 bits do not tell how large the threshold is
_LARGEST_LOGIT = np.float32(10.5)  # of the others: log(2^15)
_LOGIT_ERROR = np.float32(1e-5)
_ROUNDING = np.float32(
    2.0**-21
)  # of a field, a bias, a threshold, their sum and difference: 6 times 2^-24 of all
_ROOT_HALF_BITS = np.int32(0x3F3504F3)
_LN_2 = np.float32(0.6931471805599453)


class LaneGroups(NamedTuple):
    """Chains in groups, units in blocks and tiles; what is behind the last unit or chain is padding."""

    rows: np.ndarray  # int16 or int32 (n_tiles, n_rows, tile): twice the couplings
    blocks: np.ndarray  # int32 (n_blocks, BLOCK, BLOCK): twice the couplings within each block
    fields: np.ndarray  # as rows (n_groups, n_tiles, n_in_group, tile)
    up: np.ndarray  # uint32 (n_groups, n_blocks, n_in_group): bits of the units that are +1
    keys: np.ndarray  # uint64 (n_groups, n_in_group): of the chains
    sweep_keys: np.ndarray  # uint64, the same: of the sweep's thresholds
    half_temperature: np.ndarray  # float64, the same: of the sweep
    coarse_half_temperature: np.ndarray  # float32, the same
    margin: np.ndarray  # float32, the same: differences below are decided in float64
    flipped: np.ndarray  # uint32 (n_groups, blocks of a tile, n_in_group): bits of the units that flipped
    down: np.ndarray  # uint32, the same: of those that flipped from +1 to -1
    bits: np.ndarray  # int32 (n_groups, BLOCK, LANES): upper halves of the block's random bits
    thresholds: np.ndarray  # float32 (n_groups, BLOCK, LANES)
    block_fields: np.ndarray  # int32 (n_groups, BLOCK, LANES)
    changes: np.ndarray  # int32 (n_groups, BLOCK, LANES): of the block's units, -1, 0 or +1
    after: np.ndarray  # uint32 (n_groups, LANES): bits of the block's units that are +1 after their updates
    n_flips: np.ndarray  # int64 (n_groups, n_in_group)
    scaled_bias: np.ndarray  # float64 (n_rows,)
    largest_field: np.ndarray  # float64 (1,): bound of |field| and |bias|, together
    n_units: int
    n_chains: int


@loop_kernel
def begin_lane_sweep(groups, g, sweep, half_temperatures):
    """Take the keys and temperatures (n_chains,) of a sweep that group `g` begins."""
    n_chains = half_temperatures.shape[0]
    n_in_group = groups.keys.shape[1]
    for c in range(n_in_group):
        groups.sweep_keys[g, c] = derive_key(groups.keys[g, c], THRESHOLD_STREAM, np.uint64(sweep))
        half = half_temperatures[min(g * n_in_group + c, n_chains - 1)]
        groups.half_temperature[g, c] = half
        groups.coarse_half_temperature[g, c] = np.float32(half)
        bound = np.float32(groups.largest_field[0]) + np.float32(half) * _LARGEST_LOGIT
        groups.margin[g, c] = np.float32(half) * _LOGIT_ERROR + bound * _ROUNDING


@inline_kernel
def approximate_logit(upper):
    """Float32 logit of a threshold's random bits, and whether it is beyond `_LOGIT_ERROR` of `heat_bath.logit`'s.

    From their upper 32 (int32): sign and v = 2 (distance of u from its nearer end). v is known to 2^-32, so
    ``log((2 - v)/v)`` to 2^-31/v: 2^-17 where v is at least 2^-14. The polynomial errs by 2e-7 and roundings by less
    than 2e-6.
    """
    sign = np.int32(upper >> np.int32(31))
    rest = np.int32((upper ^ sign) & np.int32(0x7FFFFFFF))
    v = np.float32(rest) * np.float32(2.0**-31) + np.float32(2.0**-32)
    ratio = (np.float32(2.0) - v) / v
    ratio_bits = bits_of(ratio)
    exponent = np.int32(np.int32(ratio_bits - _ROOT_HALF_BITS) >> np.int32(23))
    x = float_of(np.int32(ratio_bits - np.int32(exponent << np.int32(23)))) - np.float32(1.0)
    series = np.float32(7.0376836292e-2)
    series = fma(series, x, np.float32(-1.1514610310e-1))
    series = fma(series, x, np.float32(1.1676998740e-1))
    series = fma(series, x, np.float32(-1.2420140846e-1))
    series = fma(series, x, np.float32(1.4249322787e-1))
    series = fma(series, x, np.float32(-1.6668057665e-1))
    series = fma(series, x, np.float32(2.0000714765e-1))
    series = fma(series, x, np.float32(-2.4999993993e-1))
    series = fma(series, x, np.float32(3.3333331174e-1))
    low = fma(x * x, fma(series, x, np.float32(-0.5)), np.float32(exponent) * _LN_2)
    flip = np.int32(~sign & np.int32(-0x80000000))
    return float_of(np.int32(bits_of(x + low) ^ flip)), rest < _COARSE


@loop_kernel
def _draw_lane_bits(keys, first, n_units, bits):
    """Upper halves (int32 (BLOCK, LANES)) of the random bits of `n_units` units from `first` on."""
    for k in range(n_units):
        step = (np.uint64(first + k) + np.uint64(1)) * GOLDEN
        row = bits[k]
        for c in range(LANES):
            row[c] = np.int32(mix(keys[c] + step) >> np.uint64(32))


@loop_kernel
def _approximate_thresholds(bits, half_temperature, n_units, thresholds):
    """Float32 thresholds (BLOCK, LANES) of `n_units` units; NaN where unsure."""
    for k in range(n_units):
        source, target = bits[k], thresholds[k]
        for c in range(LANES):
            value, unsure = approximate_logit(source[c])
            threshold = half_temperature[c] * value
            target[c] = np.float32(np.nan) if unsure else threshold


@loop_kernel
def _gather_fields(fields, first, n_units, block_fields):
    """The fields of `n_units` units, `first` within the tile, of 32 chains (LANES, tile): lane by lane."""
    for k in range(n_units):
        row = block_fields[k]
        for c in range(LANES):
            row[c] = np.int32(fields[c, first + k])


@loop_kernel
def _update_block(groups, g, sub, block, n_units, flipped, down):
    """Update the units of a block in 32 chains; bits of what flipped go into `flipped` and `down` (uint32 (LANES,))."""
    first = block * BLOCK
    block_fields, thresholds, block_changes = groups.block_fields[g], groups.thresholds[g], groups.changes[g]
    lanes = slice(sub * LANES, (sub + 1) * LANES)
    margin, before, after = groups.margin[g, lanes], groups.up[g, block, lanes], groups.after[g]
    for c in range(LANES):
        after[c] = 0
    for k in range(n_units):
        fields, threshold, changes = block_fields[k], thresholds[k], block_changes[k]
        add_products(fields, groups.blocks[block, k], block_changes, k)
        bias = np.float32(groups.scaled_bias[first + k])
        n_unsure = np.int32(0)
        for c in range(LANES):
            difference = (np.float32(fields[c]) + bias) - threshold[c]
            n_unsure += np.int32(0) if abs(difference) >= margin[c] else np.int32(1)
            up = np.uint32(1) if difference > np.float32(0.0) else np.uint32(0)
            after[c] |= np.uint32(up << np.uint32(k))
            changes[c] = np.int32(np.int32(up) - np.int32((before[c] >> np.uint32(k)) & np.uint32(1)))
        if n_unsure:
            _decide_exactly(groups, g, sub, first + k, fields, threshold)
    for c in range(LANES):
        flipped[c] = before[c] ^ after[c]
        down[c] = flipped[c] & before[c]
        before[c] = after[c]


@kernel
def _decide_exactly(groups, g, sub, unit, fields, threshold):
    """Decide the lanes that float32 cannot decide for sure, as `hopsim.kernels.dynamics.flips` does."""
    bias = np.float32(groups.scaled_bias[unit])
    block, k = unit // BLOCK, unit % BLOCK
    for lane in range(LANES):
        c = sub * LANES + lane
        difference = (np.float32(fields[lane]) + bias) - threshold[lane]
        if not abs(difference) >= groups.margin[g, c]:
            bits = random_bits(groups.sweep_keys[g, c], np.uint64(unit))
            exact = groups.half_temperature[g, c] * logit(bits)
            field = np.float64(fields[lane]) + groups.scaled_bias[unit]
            was_up = np.int32((groups.up[g, block, c] >> np.uint32(k)) & np.uint32(1))
            flips = (field - exact) * np.float64(2 * was_up - 1) < 0.0
            is_up = np.int32(1 - was_up) if flips else was_up
            bit = np.uint32(np.uint32(1) << np.uint32(k))
            groups.after[g, lane] = (groups.after[g, lane] & ~bit) | (bit if is_up else np.uint32(0))
            groups.changes[g, k, lane] = np.int32(is_up - was_up)


@loop_kernel
def _update_tile(groups, g, tile, n_blocks):
    """Update the units of a tile; its own fields follow after each block."""
    n_in_group = groups.keys.shape[1]
    n_chains = groups.n_chains - g * n_in_group  # the others are padding: their fields stay
    width = groups.rows.shape[2]
    for q in range(n_blocks):
        block = tile * (width // BLOCK) + q
        n_units = min(BLOCK, groups.n_units - block * BLOCK)
        rows = groups.rows[tile, block * BLOCK : (block + 1) * BLOCK]
        for sub in range(n_in_group // LANES):
            lanes = slice(sub * LANES, (sub + 1) * LANES)
            flipped, down = groups.flipped[g, q, lanes], groups.down[g, q, lanes]
            _draw_lane_bits(groups.sweep_keys[g, lanes], block * BLOCK, n_units, groups.bits[g])
            _approximate_thresholds(
                groups.bits[g], groups.coarse_half_temperature[g, lanes], n_units, groups.thresholds[g]
            )
            _gather_fields(groups.fields[g, tile, lanes], q * BLOCK, n_units, groups.block_fields[g])
            _update_block(groups, g, sub, block, n_units, flipped, down)
            for c in range(min(LANES, n_chains - sub * LANES)):
                add_rows(
                    groups.fields[g, tile, sub * LANES + c], rows, np.int64(flipped[c]), np.int64(down[c])
                )


@loop_kernel
def _spread_flips(groups, g, tile, n_blocks):
    """Take what flipped in a tile into the fields of all other tiles."""
    n_tiles, n_in_group = groups.rows.shape[0], groups.keys.shape[1]
    n_chains = min(n_in_group, groups.n_chains - g * n_in_group)
    first = tile * (groups.rows.shape[2] // BLOCK)
    for other in range(n_tiles):
        if other != tile:
            for q in range(n_blocks):
                rows = groups.rows[other, (first + q) * BLOCK : (first + q + 1) * BLOCK]
                for c in range(n_chains):
                    flipped, down = np.int64(groups.flipped[g, q, c]), np.int64(groups.down[g, q, c])
                    add_rows(groups.fields[g, other, c], rows, flipped, down)


@loop_kernel
def _count_flips(groups, g, n_blocks):
    for q in range(n_blocks):
        for c in range(groups.keys.shape[1]):
            bits = np.uint64(groups.flipped[g, q, c])
            bits -= (bits >> np.uint64(1)) & np.uint64(0x55555555)
            bits = (bits & np.uint64(0x33333333)) + ((bits >> np.uint64(2)) & np.uint64(0x33333333))
            bits = (bits + (bits >> np.uint64(4))) & np.uint64(0x0F0F0F0F)
            groups.n_flips[g, c] += np.int64(
                (bits * np.uint64(0x01010101) >> np.uint64(24)) & np.uint64(0xFF)
            )


@loop_kernel
def _advance_group(groups, g, half_temperatures, first_sweep, first_item, n_items):
    """Advance group `g` by `n_items` tiles from item `first_item` of the schedule on; a sweep has n_tiles items."""
    n_tiles, _, width = groups.rows.shape
    for item in range(first_item, first_item + n_items):
        sweep, tile = item // n_tiles, item % n_tiles
        if tile == 0:
            begin_lane_sweep(groups, g, first_sweep + sweep, half_temperatures[sweep])
        n_blocks = (min(width, groups.n_units - tile * width) + BLOCK - 1) // BLOCK
        _update_tile(groups, g, tile, n_blocks)
        _spread_flips(groups, g, tile, n_blocks)
        _count_flips(groups, g, n_blocks)


@parallel_kernel
def advance_lanes(groups, half_temperatures, first_sweep, first_item, n_items):
    """Advance all groups.

    Parameters
    ----------
    groups : LaneGroups
    half_temperatures : float64 (n_sweeps, n_chains)
        T/2 times the scale, in sweep `first_sweep` + k of each chain.
    first_item, n_items : int
        A sweep is as many items as there are tiles, counted from the schedule's beginning.
    """
    for g in prange(groups.keys.shape[0]):
        _advance_group(groups, g, half_temperatures, first_sweep, first_item, n_items)
