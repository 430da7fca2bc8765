"""One chain on a giant Hebbian network, advanced by all threads to the bits of `hopsim.kernels.dynamics`.

Updates follow one another, yet few of them flip anything. So the fields of a block of visits are evaluated together, by
all threads, in the state at the block's start; one thread then takes the visits in their order and corrects a field for
the flips made since, N h_i changing by -2 s_j N W_ij when unit j flips from s_j. All of it is integer arithmetic. A
block is as long as a few flips take, and where units flip so often that blocks get short, one thread does better alone.
"""

import numpy as np
from numba import prange

from hopsim.kernels.compile_options import kernel, loop_kernel, parallel_kernel
from hopsim.kernels.dynamics import (
    AHEAD,
    ITEM,
    N_FLIPS,
    REPLACEMENT,
    RUNNING,
    STATUS,
    SWEEP,
    SYNCHRONOUS,
    THRESHOLD_STREAM,
    advance_chain,
    begin_sweep,
    end_sweep,
    flips,
    take_flip,
    take_sight,
)
from hopsim.kernels.heat_bath import BLOCK, draw_thresholds
from hopsim.kernels.hebbian import coupling
from hopsim.kernels.randomness import derive_key
from hopsim.kernels.system import local_field, prefetch_unit

# lengths of blocks, in visits
LONGEST = 2048  # so that rows and fields are still near when the visits come
FIRST = 512
SHORTEST = 128  # below, starting the threads and waiting for the last costs more than they save
FLIPS_AIMED_AT, MOST_FLIPS = 2, 4  # in a block


@loop_kernel
def _evaluate_visits(system, chains, c, first, last, fields):
    spins = chains.spins[c]
    visits = chains.visits[c]
    for k in range(first, last):
        if k + AHEAD < last:
            prefetch_unit(system, c, visits[k + AHEAD])
        i = visits[k]
        fields[k - first] = local_field(system, c, i, spins[i])


@parallel_kernel
def _evaluate_block(system, chains, c, first, last, fields, n_pieces):
    """Scaled fields (float64) of visits `first` to `last` - 1, as the chain stands, by all threads."""
    for piece in prange(n_pieces):
        start = (last - first) * piece // n_pieces
        stop = (last - first) * (piece + 1) // n_pieces
        _evaluate_visits(system, chains, c, first + start, first + stop, fields[start:stop])


@loop_kernel
def _visit_block(system, chains, c, first, last, fields, flipped):
    """Asynchronous updates of visits `first` to `last` - 1 from their fields at `first`; returns where they ended.

    They end early after `MOST_FLIPS` flips; `flipped`, int64 (`MOST_FLIPS`, 2), takes the units and their new spins.
    """
    spins = chains.spins[c]
    visits = chains.visits[c]
    registers = chains.registers[c]
    half_temperature = chains.half_temperature[c]
    thresholds = chains.thresholds[c]
    key = derive_key(chains.keys[c], THRESHOLD_STREAM, np.uint64(registers[SWEEP]))
    if half_temperature > 0.0 and first % BLOCK != 0:
        draw_thresholds(key, first // BLOCK, half_temperature, thresholds)
    n_flips = 0
    for k in range(first, last):
        if half_temperature > 0.0 and k % BLOCK == 0:
            draw_thresholds(key, k // BLOCK, half_temperature, thresholds)
        i = visits[k]
        spin = spins[i]
        bias = chains.scaled_bias[i]
        threshold = thresholds[k % BLOCK]
        field = fields[k - first]
        # No |N W_ij| exceeds P: couplings are counted only while the others, all against the unit, could flip it.
        left = n_flips
        while left > 0 and flips(field - 2.0 * system.n_patterns * left * spin + bias, threshold, spin):
            left -= 1
            field += 2.0 * flipped[left, 1] * coupling(system, c, i, flipped[left, 0])
        if left == 0 and flips(field + bias, threshold, spin):
            take_flip(system, chains, c, i)
            flipped[n_flips, 0] = i
            flipped[n_flips, 1] = -spin
            n_flips += 1
        if chains.order == REPLACEMENT:
            take_sight(chains, c, i)
        if n_flips == MOST_FLIPS or registers[STATUS] != RUNNING:
            return k + 1
    return last


@loop_kernel
def _decide_block(chains, c, first, last, fields):
    """First half of a synchronous sweep for units `first` to `last` - 1, from their fields."""
    spins = chains.spins[c]
    half_temperature = chains.half_temperature[c]
    thresholds = chains.thresholds[c]
    key = derive_key(chains.keys[c], THRESHOLD_STREAM, np.uint64(chains.registers[c, SWEEP]))
    if half_temperature > 0.0 and first % BLOCK != 0:
        draw_thresholds(key, first // BLOCK, half_temperature, thresholds)
    for i in range(first, last):
        if half_temperature > 0.0 and i % BLOCK == 0:
            draw_thresholds(key, i // BLOCK, half_temperature, thresholds)
        field = fields[i - first] + chains.scaled_bias[i]
        chains.pending[c, i] = -spins[i] if flips(field, thresholds[i % BLOCK], spins[i]) else spins[i]


@kernel
def _advance_block(system, chains, c, first, last, fields, flipped, n_threads):
    """Advance chain `c` from item `first` to `last` or to where its block ends, and return that."""
    registers = chains.registers[c]
    if first == 0:
        begin_sweep(chains, c)
    _evaluate_block(system, chains, c, first, last, fields, n_threads)
    if chains.order == SYNCHRONOUS:
        _decide_block(chains, c, first, last, fields)
    else:
        last = _visit_block(system, chains, c, first, last, fields, flipped)
    registers[ITEM] = last
    if registers[STATUS] != RUNNING or (last == chains.spins.shape[1] and chains.order != SYNCHRONOUS):
        end_sweep(chains, c)
    return last


@kernel
def _next_length(length, n_visits, n_flips):
    """Length for the block after one of `length` in which `n_visits` visits made `n_flips` flips."""
    length *= 2
    if n_flips > 0:
        length = min(length, FLIPS_AIMED_AT * n_visits // n_flips)
    return min(max(length, SHORTEST // 2), LONGEST)


@kernel
def advance_giant_chain(system, chains, c, n_items, sweep_limit, n_threads, length=FIRST):
    """Advance chain `c` of a Hebbian system as `advance_chain` does, with `n_threads` threads.

    `length` is that of the first block.
    """
    registers = chains.registers[c]
    n_neurons = chains.spins.shape[1]
    fields = np.empty(LONGEST)
    flipped = np.empty((MOST_FLIPS, 2), np.int64)
    while n_items > 0 and registers[STATUS] == RUNNING and registers[SWEEP] < sweep_limit:
        first = registers[ITEM]
        n_flips = registers[N_FLIPS]
        n_visits = min(length, n_items)
        applying = first >= n_neurons  # decisions of a synchronous sweep, already made
        if length < SHORTEST or applying:
            advance_chain(system, chains, c, n_visits, sweep_limit)
        else:
            last = min(first + n_visits, n_neurons)
            n_visits = _advance_block(system, chains, c, first, last, fields, flipped, n_threads) - first
        n_items -= n_visits
        if chains.order != SYNCHRONOUS:
            length = _next_length(length, n_visits, registers[N_FLIPS] - n_flips)
