"""Bit-sliced counters against plain integers."""

import numba
import numpy as np
import oracles
import pytest

from hopsim.kernels.bit_planes import (
    MAX_PLANES,
    PLANE_STEP,
    count_ones,
    data_address,
    step_counters,
    sum_counters,
)
from hopsim.kernels.hebbian import full_planes


@numba.njit
def sum_of(row, planes, n_planes):
    return sum_counters(data_address(row), data_address(planes), row.size // 8, n_planes)


@numba.njit
def step_all(row, planes, n_planes, up):
    step_counters(data_address(row), data_address(planes), row.size // 8, n_planes, up)


@numba.njit
def ones_in(row):
    return count_ones(data_address(row), row.size // 8)


def counters_and_rows(n_planes, n_blocks):
    """Random counters with room for 20 steps either way where they have it, a ragged mask, and 20 rows."""
    rng = np.random.default_rng(100 * n_planes + n_blocks)
    n_columns = 512 * n_blocks
    mask = rng.random(n_columns) < 0.9
    room = min(20, (1 << n_planes) // 2 - 1)
    values = np.where(mask, rng.integers(room, (1 << n_planes) - room, n_columns), 0)
    bits = rng.integers(0, 2, (room, n_columns)).astype(np.int64)
    rows = np.packbits(bits.astype(np.uint8), axis=1, bitorder="little").view(np.uint64)
    return values, mask, bits, rows


@pytest.mark.parametrize("n_planes", range(2 * PLANE_STEP, MAX_PLANES + 1, PLANE_STEP))
@pytest.mark.parametrize("n_blocks", [1, 2, 5])
def test_counters_step_and_sum_like_integers(n_planes, n_blocks):
    """For every number of planes in use, each row is summed, then steps all counters up or down."""
    values, mask, bits, rows = counters_and_rows(n_planes, n_blocks)
    planes = oracles.pack_counters(values, mask, n_planes)
    for k, row in enumerate(rows):
        assert sum_of(row, planes, n_planes) == (values * bits[k]).sum()
        assert ones_in(row) == bits[k].sum()
        up = k % 3 != 0
        step_all(row, planes, n_planes, int(up))
        values = values + np.where(mask, np.where(bits[k] == up, 1, -1), 0)
        stepped, kept_mask = oracles.unpack_counters(planes, n_planes)
        assert (stepped == values).all()
        assert (kept_mask == mask).all()


@pytest.mark.parametrize("n_planes", [4, 12, 26])
def test_counters_reach_both_ends_of_their_range(n_planes):
    """All ones summed without loss; the step onto 0 and onto 2^B - 1 is exact."""
    top = (1 << n_planes) - 1
    everywhere = np.full(8, 2**64 - 1, np.uint64)
    for value, up in ((top - 1, 1), (1, 0)):
        planes = oracles.pack_counters(np.full(512, value), np.ones(512, bool), n_planes)
        step_all(everywhere, planes, n_planes, up)
        expected = value + (1 if up else -1)
        assert sum_of(everywhere, planes, n_planes) == 512 * expected
        assert (oracles.unpack_counters(planes, n_planes)[0] == expected).all()


def test_no_network_needs_more_planes_than_there_are():
    """Up to 16 million neurons, beyond what memory holds."""
    assert full_planes(1 << 24) <= MAX_PLANES
    for n_neurons in (1, 2, 3, 15, 16, 17, 1000, 10**6):
        assert (1 << full_planes(n_neurons)) > n_neurons + 1
        assert full_planes(n_neurons) % PLANE_STEP == 0
