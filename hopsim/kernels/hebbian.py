"""Hebbian networks without a matrix: exact integer fields from bit-sliced Hamming distances.

With x_i the bits of neuron i over the patterns, D_mu the Hamming distance between the state and pattern mu, and
M_mu = N - 2 D_mu, the field of W_ij = (1/N) sum_mu xi_i xi_j, W_ii = 0, is exactly

    N h_i = sum_mu xi_i^mu M_mu - P s_i.

The D_mu are kept as vertical (bit-sliced) counters, so that a field is a weighted popcount of one packed row and a flip
one bit-sliced addition (`hopsim.kernels.bit_planes`). A counter of B planes reaches 2^(B-1) to either side of N/2:
enough for all patterns but those *condensed* in the state, whose M_mu are kept as scalars, their columns masked out.
Each flip moves every counter by one, so after as many flips as the nearest one has room, `settle` reads the exact
distances and arranges planes and condensed patterns anew: no counter ever leaves its range.
"""

from typing import NamedTuple

import numpy as np
from numba import prange
from numba.extending import overload

from hopsim.kernels.bit_planes import (
    MAX_PLANES,
    PLANE_STEP,
    WORDS_PER_BLOCK,
    count_differences,
    data_address,
    prefetch_row,
    step_counters,
    sum_counters,
)
from hopsim.kernels.compile_options import (
    LOOP_OPTIONS,
    inline_kernel,
    loop_kernel,
    parallel_kernel,
    shared_function,
)
from hopsim.kernels.packed_patterns import add_distances, row_address
from hopsim.kernels.system import flip_unit, local_field, pair_energy, prefetch_unit, settle

MAX_CONDENSED = 32

# columns of HebbianSystem.counters
N_PLANES, N_CONDENSED, DISTANCE_SUM, FLIPS_LEFT = range(4)
N_COUNTERS = 4


class HebbianSystem(NamedTuple):
    """Packed patterns of one or several networks, and the counters of chains on them."""

    rows: np.ndarray  # uint64 (n_networks, n_neurons, n_words)
    ones: np.ndarray  # int32 (n_networks, n_neurons): ones in each row
    n_patterns: int
    network: np.ndarray  # int64 (n_chains,): which network a chain lives on
    planes: np.ndarray  # uint64 (n_chains, plane_words(...)): blocks of mask and planes
    condensed: np.ndarray  # int32 (n_chains, MAX_CONDENSED): the condensed patterns
    condensed_overlaps: np.ndarray  # int64 (n_chains, MAX_CONDENSED): their M_mu
    counters: np.ndarray  # int64 (n_chains, N_COUNTERS)
    distances: np.ndarray  # int32 (n_chains, n_patterns): exact distances, as of the last `read_distances`


@shared_function
def full_planes(n_neurons: int) -> int:
    """Planes with which a counter holds every distance from 0 to `n_neurons`, and has room for flips."""
    enough = 5
    while n_neurons >> (enough - 1):
        enough += 1
    return enough + enough % PLANE_STEP


@shared_function
def plane_words(n_neurons: int, n_words: int) -> int:
    """Words of one chain's planes at their fullest, mask included."""
    return n_words * (1 + full_planes(n_neurons))


def _is_hebbian(system):
    return getattr(system, "instance_class", None) is HebbianSystem


@loop_kernel
def read_distances(system, c):
    """Decode the Hamming distances of chain `c` to all patterns from its counters into ``system.distances``."""
    distances = system.distances[c]
    counters = system.counters[c]
    n_planes = counters[N_PLANES]
    n_neurons = system.rows.shape[1]
    offset = n_neurons // 2 - (1 << (n_planes - 1))
    planes = system.planes[c]
    for mu in range(system.n_patterns):
        w = mu // 64
        first = (w // WORDS_PER_BLOCK) * (n_planes + 1) * WORDS_PER_BLOCK + w % WORDS_PER_BLOCK
        shift = np.uint64(mu % 64)
        distance = np.uint64(0)
        for p in range(n_planes):
            plane = planes[first + (p + 1) * WORDS_PER_BLOCK]
            distance |= ((plane >> shift) & np.uint64(1)) << np.uint64(p)
        distances[mu] = np.int32(np.int64(distance) + offset)
    for k in range(counters[N_CONDENSED]):
        distances[system.condensed[c, k]] = (n_neurons - system.condensed_overlaps[c, k]) // 2


@loop_kernel
def arrange_counters(system, c):
    """Choose planes and condensed patterns of chain `c` for its exact ``system.distances``, and fill its counters.

    The fewest planes win that leave at most `MAX_CONDENSED` patterns outside 3/4 of their range, which must reach
    6 standard deviations of the distance to a pattern that has nothing to do with the state.
    """
    distances = system.distances[c]
    n_patterns = system.n_patterns
    n_neurons = system.rows.shape[1]
    n_planes = 4
    while (3 << n_planes) ** 2 < 64 * 9 * n_neurons and n_planes < MAX_PLANES:
        n_planes += PLANE_STEP
    while True:
        inner = 3 << (n_planes - 3)
        n_condensed = 0
        for mu in range(n_patterns):
            n_condensed += abs(distances[mu] - n_neurons // 2) > inner
        if n_condensed <= MAX_CONDENSED:
            break
        n_planes += PLANE_STEP
    counters = system.counters[c]
    counters[N_PLANES] = n_planes
    counters[N_CONDENSED] = n_condensed
    n_words = system.rows.shape[2]
    planes = system.planes[c]
    planes[: n_words * (n_planes + 1)] = 0
    offset = n_neurons // 2 - (1 << (n_planes - 1))
    room = 1 << n_planes
    k = 0
    total = 0
    for mu in range(n_patterns):
        if abs(distances[mu] - n_neurons // 2) > inner:
            system.condensed[c, k] = mu
            system.condensed_overlaps[c, k] = n_neurons - 2 * distances[mu]
            k += 1
            continue
        value = distances[mu] - offset
        total += value
        room = min(room, value, (1 << n_planes) - 1 - value)
        w = mu // 64
        first = (w // WORDS_PER_BLOCK) * (n_planes + 1) * WORDS_PER_BLOCK + w % WORDS_PER_BLOCK
        shift = np.uint64(mu % 64)
        planes[first] |= np.uint64(1) << shift
        for p in range(n_planes):  # a branch on the bit would be as good as never predicted
            planes[first + (p + 1) * WORDS_PER_BLOCK] |= np.uint64((value >> p) & 1) << shift
    counters[DISTANCE_SUM] = total
    counters[FLIPS_LEFT] = room


@parallel_kernel
def count_distances(system, spins, first, last, n_parts):
    """Add the disagreements on neurons `first` to `last` - 1 to the distances of all chains.

    `spins` is int8 (n_chains, n_neurons). The neurons are counted in `n_parts` parts, so that a few chains occupy as
    many threads.
    """
    n_chains, n_patterns = system.distances.shape
    others = np.zeros((n_chains, n_parts - 1, n_patterns), np.int32)
    for k in prange(n_chains * n_parts):
        c, part = k // n_parts, k % n_parts
        start = first + (last - first) * part // n_parts
        stop = first + (last - first) * (part + 1) // n_parts
        distances = system.distances[c] if part == 0 else others[c, part - 1]
        add_distances(system.rows[system.network[c]], spins[c], start, stop, distances)
    for part in range(n_parts - 1):
        for c in range(n_chains):
            system.distances[c] += others[c, part]


@parallel_kernel
def start_counters(system):
    """Fill the counters of all chains from their distances."""
    for c in prange(system.distances.shape[0]):
        arrange_counters(system, c)


@inline_kernel
def _bit(system, network, i, mu):
    return np.int64((system.rows[network, i, mu >> 6] >> np.uint64(mu & 63)) & np.uint64(1))


@inline_kernel
def _planes_address(system, c):
    return data_address(system.planes) + c * system.planes.shape[1] * 8


@loop_kernel
def _row_sum(row, planes, n_blocks, n_planes):
    # a function of its own, so that what calls it stays small enough to be inlined
    return sum_counters(row, planes, n_blocks, n_planes)


@loop_kernel
def coupling(system, c, i, j):
    """N W_ij (int64) on the network of chain `c`: P - 2 popcount(x_i XOR x_j), 0 for i = j."""
    if i == j:
        return 0
    network = system.network[c]
    row, other = row_address(system.rows, network, i), row_address(system.rows, network, j)
    return system.n_patterns - 2 * count_differences(row, other, system.rows.shape[2] // WORDS_PER_BLOCK)


@overload(local_field, jit_options=LOOP_OPTIONS)
def _local_field(system, c, i, spin):
    if not _is_hebbian(system):
        return None

    def field(system, c, i, spin):
        network = system.network[c]
        n_neurons = system.rows.shape[1]
        n_blocks = system.rows.shape[2] // WORDS_PER_BLOCK
        n_planes = system.counters[c, N_PLANES]
        n_condensed = system.counters[c, N_CONDENSED]
        ones = np.int64(system.ones[network, i])
        field = -system.n_patterns * np.int64(spin)
        for k in range(n_condensed):
            bit = _bit(system, network, i, system.condensed[c, k])
            ones -= bit
            field += (2 * bit - 1) * system.condensed_overlaps[c, k]
        total = _row_sum(row_address(system.rows, network, i), _planes_address(system, c), n_blocks, n_planes)
        centre = n_neurons - 2 * (n_neurons // 2 - (1 << (n_planes - 1)))
        columns = system.n_patterns - n_condensed
        field += centre * (2 * ones - columns) - 4 * total + 2 * system.counters[c, DISTANCE_SUM]
        return np.float64(field)

    return field


@overload(flip_unit, jit_options=LOOP_OPTIONS)
def _flip_unit(system, c, i, spin):
    if not _is_hebbian(system):
        return None

    def flip(system, c, i, spin):
        network = system.network[c]
        n_blocks = system.rows.shape[2] // WORDS_PER_BLOCK
        n_planes = system.counters[c, N_PLANES]
        n_condensed = system.counters[c, N_CONDENSED]
        ones = np.int64(system.ones[network, i])
        old = np.int64(spin)
        for k in range(n_condensed):
            bit = _bit(system, network, i, system.condensed[c, k])
            ones -= bit
            system.condensed_overlaps[c, k] -= 2 * (2 * bit - 1) * old
        step_counters(
            row_address(system.rows, network, i),
            _planes_address(system, c),
            n_blocks,
            n_planes,
            (old + 1) // 2,
        )
        system.counters[c, DISTANCE_SUM] += old * (2 * ones - (system.n_patterns - n_condensed))
        system.counters[c, FLIPS_LEFT] -= 1

    return flip


@overload(prefetch_unit, jit_options=LOOP_OPTIONS)
def _prefetch_unit(system, c, i):
    if not _is_hebbian(system):
        return None

    def prefetch(system, c, i):
        n_blocks = system.rows.shape[2] // WORDS_PER_BLOCK
        prefetch_row(row_address(system.rows, system.network[c], i), n_blocks)

    return prefetch


@overload(settle, jit_options=LOOP_OPTIONS)
def _settle(system, c):
    if not _is_hebbian(system):
        return None

    def settle_counters(system, c):
        if system.counters[c, FLIPS_LEFT] == 0:
            read_distances(system, c)
            arrange_counters(system, c)

    return settle_counters


@overload(pair_energy)
def _pair_energy(system, spins, c):
    if not _is_hebbian(system):
        return None

    def energy(system, spins, c):
        # N sum_ij W_ij s_i s_j = sum_mu M_mu^2 - N P
        read_distances(system, c)
        n_neurons = system.rows.shape[1]
        squares = np.int64(0)
        for mu in range(system.n_patterns):
            squares += (n_neurons - 2 * np.int64(system.distances[c, mu])) ** 2
        return np.float64((n_neurons * system.n_patterns - squares) // 2)

    return energy
