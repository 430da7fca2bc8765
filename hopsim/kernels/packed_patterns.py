"""Patterns packed to bits, neuron-major: row i holds neuron i's value in every pattern.

Bit `mu` of row i (bit ``mu % 64`` of word ``mu // 64``) is 1 where pattern mu has neuron i at +1. Rows are padded with
zeros to whole blocks of 512 bits.
"""

import numpy as np
from numba import prange

from hopsim.kernels.bit_planes import WORDS_PER_BLOCK, count_ones, data_address
from hopsim.kernels.compile_options import inline_kernel, kernel, parallel_kernel
from hopsim.kernels.randomness import random_bits

_ALL_ONES = np.uint64(0xFFFFFFFFFFFFFFFF)
_TILE = 512  # neurons packed together, so that their words stay in registers and L1


@inline_kernel
def row_address(rows, network, i):
    """Address (int64) of row `i` of a network in contiguous uint64 rows (n_networks, n_neurons, n_words)."""
    return data_address(rows) + (network * rows.shape[1] + i) * rows.shape[2] * 8


@inline_kernel
def draw_row(key, n_patterns, rows, network, i):
    """Draw row `i` of one network of unbiased random patterns, packed, into rows (n_networks, n_neurons, n_words).

    Word w is number ``i 2^26 + w`` of the stream `key`, whatever the number of patterns.
    """
    start = np.uint64(i) << np.uint64(26)
    for w in range(rows.shape[2]):
        left = n_patterns - 64 * w
        if left >= 64:
            rows[network, i, w] = random_bits(key, start + np.uint64(w))
        elif left > 0:
            used = _ALL_ONES >> np.uint64(64 - left)
            rows[network, i, w] = random_bits(key, start + np.uint64(w)) & used
        else:
            rows[network, i, w] = 0


@parallel_kernel
def draw_patterns(keys, n_patterns, first, last, rows):
    """Draw rows `first` to `last` - 1 of unbiased random patterns, already packed, as `draw_row` does.

    Parameters
    ----------
    keys : uint64 (n_networks,)
        The key of each network's patterns.
    n_patterns : int64
    rows : uint64 (n_networks, n_neurons, n_words)
        Filled.
    """
    for k in prange(rows.shape[0] * (last - first)):
        network = k // (last - first)
        draw_row(keys[network], n_patterns, rows, network, first + k % (last - first))


@parallel_kernel
def pack_patterns(patterns, rows):
    """Pack int8 patterns (n_patterns, n_neurons) of ±1 into uint64 rows (n_neurons, n_words)."""
    n_patterns, n_neurons = patterns.shape
    for tile in prange((n_neurons + _TILE - 1) // _TILE):
        start = tile * _TILE
        stop = min(start + _TILE, n_neurons)
        words = np.empty(_TILE, np.uint64)
        for w in range(rows.shape[1]):
            words[:] = 0
            for mu in range(64 * w, min(64 * w + 64, n_patterns)):
                bit = np.uint64(1) << np.uint64(mu - 64 * w)
                for i in range(start, stop):
                    words[i - start] |= bit if patterns[mu, i] > 0 else np.uint64(0)
            for i in range(start, stop):
                rows[i, w] = words[i - start]


@kernel
def unpack_pattern(rows, mu, pattern):
    """Unpack pattern `mu` of rows (n_neurons, n_words) into int8 (n_neurons,) of ±1."""
    w = mu // 64
    shift = np.uint64(mu % 64)
    for i in range(pattern.shape[0]):
        pattern[i] = np.int8(2 * np.int64((rows[i, w] >> shift) & np.uint64(1)) - 1)


@parallel_kernel
def unpack_patterns(rows, first, patterns):
    """Unpack patterns `first`, `first` + 1, ... into int8 (n_patterns, n_neurons) of ±1."""
    for k in prange(patterns.shape[0]):
        unpack_pattern(rows, first + k, patterns[k])


@parallel_kernel
def count_rows(first, last, rows, ones):
    """Ones in rows `first` to `last` - 1: uint64 (n_networks, n_neurons, n_words) to int32 (n_networks, n_neurons)."""
    n_networks, _, n_words = rows.shape
    for k in prange(n_networks * (last - first)):
        network = k // (last - first)
        i = first + k % (last - first)
        ones[network, i] = count_ones(row_address(rows, network, i), n_words // WORDS_PER_BLOCK)


@inline_kernel
def _full_add(a, b, c):
    partial = a ^ b
    return partial ^ c, (a & b) | (partial & c)


@kernel
def _add_carry(counters, lowest, carry):
    """Add a bit a column, `carry`, into vertical counters (n_planes, n_words) from plane `lowest` on."""
    for p in range(lowest, counters.shape[0]):
        for w in range(carry.shape[0]):
            kept = counters[p, w]
            counters[p, w] = kept ^ carry[w]
            carry[w] &= kept


@kernel
def add_distances(rows, spins, first, last, distances):
    """Add the disagreements of a state with each pattern on neurons `first` to `last` - 1: its Hamming distances.

    Eight rows at a time are added by carry-save adders. A plane takes a carry only when a second one has come in, so
    that plane p is touched once in 2^p rows.

    Parameters
    ----------
    rows : uint64 (n_neurons, n_words)
    spins : int8 (n_neurons,)
    first, last : int64
    distances : int32 (n_patterns,)
        Added to.
    """
    n_words = rows.shape[1]
    n_planes = 4
    while ((last - first) >> n_planes) > 0:
        n_planes += 1
    counters = np.zeros((n_planes, n_words), np.uint64)
    waiting = np.zeros((n_planes + 1, n_words), np.uint64)
    carry = np.empty(n_words, np.uint64)
    differ = np.empty((8, n_words), np.uint64)
    ones, twos, fours = counters[0], counters[1], counters[2]
    n_groups = 0
    for start in range(first, last, 8):
        for r in range(8):
            if start + r < last:
                flip = _ALL_ONES if spins[start + r] > 0 else np.uint64(0)
                for w in range(n_words):
                    differ[r, w] = rows[start + r, w] ^ flip
            else:
                differ[r, :] = 0
        for w in range(n_words):
            one, two_a = _full_add(ones[w], differ[0, w], differ[1, w])
            one, two_b = _full_add(one, differ[2, w], differ[3, w])
            two, four_a = _full_add(twos[w], two_a, two_b)
            one, two_a = _full_add(one, differ[4, w], differ[5, w])
            one, two_b = _full_add(one, differ[6, w], differ[7, w])
            two, four_b = _full_add(two, two_a, two_b)
            ones[w] = one
            twos[w] = two
            fours[w], carry[w] = _full_add(fours[w], four_a, four_b)
        p = 3
        while (n_groups >> (p - 3)) & 1:
            for w in range(n_words):
                counters[p, w], carry[w] = _full_add(counters[p, w], waiting[p, w], carry[w])
            p += 1
        for w in range(n_words):  # far less code to compile than assigning a slice
            waiting[p, w] = carry[w]
        n_groups += 1
    for p in range(3, n_planes):
        if (n_groups >> (p - 3)) & 1:
            _add_carry(counters, p, waiting[p])
    for mu in range(distances.shape[0]):
        w = mu // 64
        shift = np.uint64(mu % 64)
        distance = np.uint64(0)
        for p in range(n_planes):
            distance |= ((counters[p, w] >> shift) & np.uint64(1)) << np.uint64(p)
        distances[mu] += np.int32(distance)
