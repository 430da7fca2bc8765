"""The Boltzmann machine of 1985, many runs at once: annealed phases, co-occurrence counts, steps by sign.

Units are 0/1, couplings and biases integers, so that a unit's *field* ``sum_j W_ij s_j + b_i`` is one. A unit that is
probed is set to 1 with probability ``1/(1 + exp(-field/T))`` (Ackley, Hinton, Sejnowski 1985, eq. 3), read from a table
of 32-bit odds for each temperature. Visible units come first: what is free in a phase is one range of units.
"""

from typing import NamedTuple

import numpy as np
from numba import prange

from hopsim.kernels.compile_options import loop_kernel, parallel_kernel
from hopsim.kernels.randomness import derive_key, random_bits

CYCLE_STREAM = np.uint64(21)
TEST_STREAM = np.uint64(22)
_LOW_32 = np.uint64(0xFFFFFFFF)
_SHIFT_32 = np.uint64(32)


class AnnealedRuns(NamedTuple):
    """Machines that learn on their own, one entry of each array's first axis a run."""

    couplings: np.ndarray  # int32 (n_runs, n_units, n_units)
    bias: np.ndarray  # int32 (n_runs, n_units)
    keys: np.ndarray  # uint64 (n_runs,)
    mask: np.ndarray  # int32 (n_units, n_units): 1 where a coupling learns
    odds: np.ndarray  # uint64 (n_temperatures, 2 largest + 1): 2^32 P(on) of fields from -largest to largest
    states: np.ndarray  # int32 (n_runs, n_units)
    fields: np.ndarray  # int32 (n_runs, n_units)
    clamped_counts: np.ndarray  # int32 (n_runs, n_units, n_units): co-occurrences of the cycle at hand
    free_counts: np.ndarray  # the same


class Cycle(NamedTuple):
    """How a cycle goes, the same in all runs."""

    schedule: np.ndarray  # int64 (n_stages, 2): time at each temperature, and its row in `odds`
    statistics_time: int
    n_clamped: int  # equilibria of each pattern
    n_inputs: int  # the first so many visible units are clamped in the free phase too
    n_visible: int
    n_active: int  # units after these are held at 0
    turn_off: np.uint64  # 2^32 times the odds that a clamped 1 is turned to 0
    turn_on: np.uint64
    step: int


@loop_kernel
def _clamp(runs, r, key, counter, pattern, n_clamped, cycle):
    """Hold the first units at a pattern, with noise, draw the others at random; returns the counter."""
    states = runs.states[r]
    for i in range(states.size):
        bits = random_bits(key, counter) & _LOW_32
        counter += np.uint64(1)
        if i < n_clamped:
            turned = bits < (cycle.turn_off if pattern[i] else cycle.turn_on)
            states[i] = np.int32(pattern[i]) ^ np.int32(turned)
        else:
            states[i] = np.int32(bits >> np.uint64(31)) if i < cycle.n_active else np.int32(0)
    return counter


@loop_kernel
def _sum_fields(runs, r):
    n_units = runs.bias.shape[1]
    fields, states = runs.fields[r], runs.states[r]
    for i in range(n_units):
        fields[i] = runs.bias[r, i]
    for j in range(n_units):
        if states[j]:
            row = runs.couplings[r, j]
            for i in range(n_units):
                fields[i] += row[i]


@loop_kernel
def _probe(runs, r, key, counter, first, last, n_probes, temperature):
    """Probe units of a range at random; returns the counter."""
    fields, states = runs.fields[r], runs.states[r]
    n_units, largest = states.size, runs.odds.shape[1] // 2
    for _ in range(n_probes):
        bits = random_bits(key, counter)
        counter += np.uint64(1)
        i = first + np.int64(((bits >> _SHIFT_32) * np.uint64(last - first)) >> _SHIFT_32)
        field = min(max(np.int64(fields[i]), -largest), largest)
        on = np.int32((bits & _LOW_32) < runs.odds[temperature, field + largest])
        change = np.int32(on - states[i])
        if change:
            states[i] = on
            row = runs.couplings[r, i]
            for j in range(n_units):
                fields[j] = np.int32(fields[j] + change * row[j])
    return counter


@loop_kernel
def _anneal(runs, r, key, counter, first, last, schedule):
    """Cool the units of a range: in a unit of time as many probes as there are such units; returns the counter."""
    _sum_fields(runs, r)
    for stage in range(schedule.shape[0]):
        n_probes = schedule[stage, 0] * (last - first)
        counter = _probe(runs, r, key, counter, first, last, n_probes, schedule[stage, 1])
    return counter


@loop_kernel
def _count(runs, r, counts):
    """Add which units are on together; the diagonal counts single units."""
    states = runs.states[r]
    for i in range(states.size):
        if states[i]:
            row = counts[r, i]
            for j in range(states.size):
                row[j] += states[j]


@loop_kernel
def _equilibrate(runs, r, key, counter, first, cycle, counts):
    """Anneal all units from `first` on, and count co-occurrences after each unit of time; returns the counter."""
    last = cycle.n_active
    if last > first:
        counter = _anneal(runs, r, key, counter, first, last, cycle.schedule)
    coldest = cycle.schedule[cycle.schedule.shape[0] - 1, 1]
    for _ in range(cycle.statistics_time):
        if last > first:
            counter = _probe(runs, r, key, counter, first, last, last - first, coldest)
        _count(runs, r, counts)
    return counter


@loop_kernel
def learn_once(runs, r, number, patterns, cycle):
    """One learning cycle of run `r`: patterns (n_patterns, n_visible) clamped, then as many free equilibria, a step."""
    key = derive_key(runs.keys[r], CYCLE_STREAM, np.uint64(number))
    counter = np.uint64(0)
    runs.clamped_counts[r, :, :] = 0
    runs.free_counts[r, :, :] = 0
    for p in range(patterns.shape[0]):
        for _ in range(cycle.n_clamped):
            counter = _clamp(runs, r, key, counter, patterns[p], cycle.n_visible, cycle)
            counter = _equilibrate(runs, r, key, counter, cycle.n_visible, cycle, runs.clamped_counts)
    for p in range(patterns.shape[0]):
        for _ in range(cycle.n_clamped):
            counter = _clamp(runs, r, key, counter, patterns[p], cycle.n_inputs, cycle)
            counter = _equilibrate(runs, r, key, counter, cycle.n_inputs, cycle, runs.free_counts)
    _step_by_sign(runs, r, cycle.step)


@loop_kernel
def _step_by_sign(runs, r, step):
    """Raise what co-occurs more often while clamped, lower what does less often; thresholds learn like couplings."""
    n_units = runs.bias.shape[1]
    for i in range(n_units):
        for j in range(n_units):
            more = runs.clamped_counts[r, i, j] - runs.free_counts[r, i, j]
            sign = np.int32(more > 0) - np.int32(more < 0)
            if i == j:
                runs.bias[r, i] += step * sign
            else:
                runs.couplings[r, i, j] += step * sign * runs.mask[i, j]


@loop_kernel
def _hidden_code(runs, r, pattern, n_visible):
    """Most probable hidden state while `pattern` is clamped, as bits; hidden units must not be connected."""
    code = np.int64(0)
    for h in range(n_visible, runs.bias.shape[1]):
        field = runs.bias[r, h]
        for j in range(n_visible):
            if pattern[j]:
                field += runs.couplings[r, h, j]
        if field > 0:
            code |= np.int64(1) << np.int64(h - n_visible)
    return code


@loop_kernel
def _learn_run(runs, r, first, n_cycles, patterns, cycle, codes):
    for k in range(n_cycles):
        learn_once(runs, r, first + k, patterns[r, k], cycle)
        for p in range(codes.shape[2]):
            codes[r, k, p] = _hidden_code(runs, r, patterns[r, k, p], cycle.n_visible)


@parallel_kernel
def learn_runs(runs, learns, first, n_cycles, patterns, cycle, codes):
    """Do `n_cycles` learning cycles of every run that still learns, from number `first` on.

    Parameters
    ----------
    runs : AnnealedRuns
    learns : bool (n_runs,)
    first, n_cycles : int
    patterns : int8 (n_runs, n_cycles, n_patterns, n_visible)
        What is clamped in each cycle.
    cycle : Cycle
    codes : int64 (n_runs, n_cycles, n_codes)
        Filled: the most probable hidden state of the first patterns after each cycle.
    """
    for r in prange(runs.keys.size):
        if learns[r]:
            _learn_run(runs, r, first, n_cycles, patterns, cycle, codes)


@loop_kernel
def _complete_run(runs, r, number, patterns, n_inputs, schedule, cycle, ends):
    key = derive_key(runs.keys[r], TEST_STREAM, np.uint64(number))
    counter = np.uint64(0)
    for t in range(patterns.shape[0]):
        counter = _clamp(runs, r, key, counter, patterns[t], n_inputs, cycle)
        counter = _anneal(runs, r, key, counter, n_inputs, cycle.n_active, schedule)
        for i in range(cycle.n_visible):
            ends[r, t, i] = runs.states[r, i]


@parallel_kernel
def complete_patterns(runs, number, patterns, n_inputs, schedule, cycle, ends):
    """Clamp the first `n_inputs` units at patterns (n_runs, n_tests, n_visible), and anneal the others.

    `ends` (int8, as `patterns`) is filled with what the visible units become; `number` is that of the test.
    """
    for r in prange(runs.keys.size):
        _complete_run(runs, r, number, patterns[r], n_inputs, schedule, cycle, ends)
