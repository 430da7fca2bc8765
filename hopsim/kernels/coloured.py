"""Heat-bath updates of sparse networks colour by colour: units of one colour do not act on each other.

Units are numbered by colour here. A sweep of the *coloured* order is then the sequential sweep 0 .. N - 1 of that
numbering, with the same random numbers, but the units of a colour may be updated together: in SIMD and on all threads.

On a regular lattice the j-th neighbours of consecutive units are consecutive too. Such units form a *run*, and its
couplings are held neighbour by neighbour, so that fields are sums of vectors. (A table of the draws that turn a unit
up, for each of the few fields of a lattice, would spare the logarithms of thresholds; it gained 3 %.)
"""

from typing import NamedTuple

import numpy as np
from numba import prange

from hopsim.kernels.compile_options import inline_kernel, kernel, loop_kernel, parallel_kernel
from hopsim.kernels.dynamics import THRESHOLD_STREAM
from hopsim.kernels.heat_bath import logit
from hopsim.kernels.randomness import derive_key, random_bits

TILE = 256  # units updated together, at most


class ColouredNetwork(NamedTuple):
    """Couplings of units that are numbered by colour, in runs."""

    colour_starts: np.ndarray  # int64 (n_colours + 1,): first units, and n_units
    run_starts: np.ndarray  # int64 (n_runs + 1,): first units
    head_starts: np.ndarray  # int64 (n_runs + 1,): where a run's neighbours lie in `heads`
    heads: np.ndarray  # int64: the neighbours of a run's first unit; those of its k-th lie k further
    value_starts: np.ndarray  # int64 (n_runs,): where a run's couplings lie in `values`
    values: np.ndarray  # int16 or int32: by run, neighbour, unit
    scaled_bias: np.ndarray  # float64 (n_units,)


class ColouredChains(NamedTuple):
    """Chains on a coloured network."""

    spins: np.ndarray  # int8 (n_chains, n_units)
    outer_fields: np.ndarray  # int32 (n_chains, n_units), or (n_chains, 0) if nothing acts from outside
    keys: np.ndarray  # uint64 (n_chains,)
    n_flips: np.ndarray  # int64 (n_chains,)


@kernel
def colour_units(row_ends, neighbours, first, last, colours, taken):
    """Give units `first` to `last` - 1 the smallest colour that no neighbour of lower number has.

    `colours` is int32 (n_units,), `taken` int64 (largest degree + 1,), -1 at the start.
    """
    for i in range(first, last):
        for k in range(row_ends[i], row_ends[i + 1]):
            j = neighbours[k]
            if j < i:
                taken[colours[j]] = i
        colour = 0
        while taken[colour] == i:
            colour += 1
        colours[i] = colour


@kernel
def find_runs(row_ends, neighbours, first, last, starts):
    """Mark which of units `first` to `last` - 1 start a run: their neighbours are not those of the unit before, plus 1.

    `starts` is bool (n_units,), True where a colour starts.
    """
    for i in range(max(first, 1), last):
        start, before = row_ends[i], row_ends[i - 1]
        starts[i] |= row_ends[i + 1] - start != start - before
        for k in range(min(row_ends[i + 1] - start, start - before)):
            starts[i] |= neighbours[start + k] != neighbours[before + k] + 1


@kernel
def arrange_values(row_ends, couplings, run_starts, first, last, values):
    """Arrange the couplings of runs `first` to `last` - 1 by neighbour, then unit."""
    for run in range(first, last):
        start, stop = run_starts[run], run_starts[run + 1]
        degree = row_ends[start + 1] - row_ends[start]
        for i in range(start, stop):
            for k in range(degree):
                values[row_ends[start] + k * (stop - start) + i - start] = couplings[row_ends[i] + k]


@loop_kernel
def sum_fields(network, chains, c, first, last, fields):
    """Fields (int32, in the first places of `fields`) of units `first` to `last` - 1 of chain `c`, biases left out."""
    spins = chains.spins[c]
    has_outer = chains.outer_fields.shape[1] > 0
    for t in range(last - first):
        fields[t] = chains.outer_fields[c, first + t] if has_outer else 0
    run = np.searchsorted(network.run_starts, first, side="right") - 1
    i = first
    while i < last:
        start, stop = network.run_starts[run], network.run_starts[run + 1]
        length = min(stop, last) - i
        target = fields[i - first : i - first + length]
        head = network.head_starts[run]
        for k in range(network.head_starts[run + 1] - head):
            value = network.value_starts[run] + k * (stop - start) + i - start
            neighbour = network.heads[head + k] + i - start
            couplings = network.values[value : value + length]
            others = spins[neighbour : neighbour + length]
            for t in range(length):
                target[t] += np.int32(couplings[t]) * np.int32(others[t])
        i += length
        run += 1


@inline_kernel
def _update_tile(network, chains, c, key, half_temperature, first, last, fields):
    """Update units `first` to `last` - 1, of one colour; returns how many flipped."""
    sum_fields(network, chains, c, first, last, fields)
    # first 0 or 1 in place of each field, then the spins: loops over numbers of one width run in SIMD
    bias = network.scaled_bias[first:last]
    for t in range(last - first):
        threshold = half_temperature * logit(random_bits(key, np.uint64(first + t)))
        fields[t] = np.float64(fields[t]) + bias[t] > threshold
    spins = chains.spins[c, first:last]
    n_flips = np.int32(0)
    for t in range(last - first):
        new = np.int8(2) * np.int8(fields[t]) - np.int8(1)
        n_flips += np.int32(new != spins[t])
        spins[t] = new
    return n_flips


@loop_kernel
def update_units(network, chains, c, sweep, half_temperature, first, last, fields):
    """Update units `first` to `last` - 1 of one colour in a sweep of chain `c`; returns how many flipped."""
    key = derive_key(chains.keys[c], THRESHOLD_STREAM, np.uint64(sweep))
    n_flips = 0
    for start in range(first, last, TILE):
        stop = min(start + TILE, last)
        n_flips += _update_tile(network, chains, c, key, half_temperature, start, stop, fields)
    return n_flips


@inline_kernel
def _end_of_step(network, unit, n_items):
    """How far an advance by at most `n_items` items comes from `unit` without leaving its colour."""
    colour = np.searchsorted(network.colour_starts, unit, side="right")
    return min(network.colour_starts[colour], unit + n_items)


@loop_kernel
def follow_coloured(network, chains, c, half_temperatures, first_sweep, item, n_items, fields):
    """Advance chain `c` by `n_items` units from `item` on, counted from the start of sweep `first_sweep`.

    ``half_temperatures[k, c]`` (float64, (n_sweeps, n_chains)) holds in sweep `first_sweep` + k.
    """
    n_units = chains.spins.shape[1]
    last = item + n_items
    while item < last:
        sweep, first = item // n_units, item % n_units
        stop = _end_of_step(network, first, last - item)
        half_temperature = half_temperatures[sweep, c]
        chains.n_flips[c] += update_units(
            network, chains, c, first_sweep + sweep, half_temperature, first, stop, fields
        )
        item += stop - first


@parallel_kernel
def advance_coloured(network, chains, half_temperatures, first_sweep, item, n_items):
    """Advance all chains, each as `follow_coloured` does, a thread a chain."""
    for c in prange(chains.spins.shape[0]):
        fields = np.empty(TILE, np.int32)
        follow_coloured(network, chains, c, half_temperatures, first_sweep, item, n_items, fields)


@parallel_kernel
def share_coloured(network, chains, half_temperatures, first_sweep, item, n_items, n_parts):
    """Do what `advance_coloured` does, the units of a colour in `n_parts` parts: few chains on all threads."""
    n_chains, n_units = chains.spins.shape
    flips = np.empty(n_chains * n_parts, np.int64)
    last = item + n_items
    while item < last:
        sweep, first = item // n_units, item % n_units
        stop = _end_of_step(network, first, last - item)
        for k in prange(n_chains * n_parts):
            c, part = k // n_parts, k % n_parts
            start = first + (stop - first) * part // n_parts
            end = first + (stop - first) * (part + 1) // n_parts
            fields = np.empty(TILE, np.int32)
            half_temperature = half_temperatures[sweep, c]
            flips[k] = update_units(
                network, chains, c, first_sweep + sweep, half_temperature, start, end, fields
            )
        for k in range(n_chains * n_parts):
            chains.n_flips[k // n_parts] += flips[k]
        item += stop - first


@parallel_kernel
def add_alignments(network, chains, first, last, alignments):
    """Add ``sum_i s_i h_i`` over units `first` to `last` - 1, biases left out, to `alignments`, int64 (n_chains,)."""
    for c in prange(alignments.shape[0]):
        fields = np.empty(TILE, np.int32)
        for start in range(first, last, TILE):
            stop = min(start + TILE, last)
            sum_fields(network, chains, c, start, stop, fields)
            for i in range(start, stop):
                alignments[c] += np.int64(chains.spins[c, i]) * fields[i - start]
