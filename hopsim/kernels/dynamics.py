"""The dynamics of ±1 units on any system: T = 0 relaxation and heat-bath updates, in four update orders.

A chain advances in *items*, so that a call can end after a bounded time and be taken up again: an asynchronous sweep
has N items (one unit's update each), a synchronous one 2 N (N decisions on the old state, then N applications).
Nothing a chain does depends on where the calls end, on other chains or on threads.
"""

from typing import NamedTuple

import numpy as np
from numba import prange

from hopsim.kernels import dense, hebbian, sparse  # noqa: F401  (their overloads of the system's functions)
from hopsim.kernels.compile_options import inline_kernel, kernel, loop_kernel, parallel_kernel
from hopsim.kernels.heat_bath import BLOCK, draw_thresholds
from hopsim.kernels.randomness import derive_key, random_below, shuffle
from hopsim.kernels.system import flip_unit, local_field, pair_energy, prefetch_unit, settle

# update orders
RANDOM, REPLACEMENT, SEQUENTIAL, SYNCHRONOUS = range(4)

# what a chain's stream of random numbers is for
ORDER_STREAM, SITE_STREAM, THRESHOLD_STREAM = np.uint64(1), np.uint64(2), np.uint64(3)

# columns of Chains.registers
SWEEP, ITEM, N_FLIPS, SWEEP_FLIPS, N_UNSEEN, N_CHANGED, STATUS = range(7)
N_REGISTERS = 7

# Chains.registers[:, STATUS]
RUNNING, FIXED_POINT, TWO_CYCLE = range(3)

AHEAD = 6  # visits between the prefetch of a unit's row and its use


class Chains(NamedTuple):
    """States and bookkeeping of chains, apart from what their system keeps."""

    spins: np.ndarray  # int8 (n_chains, n_neurons)
    visits: np.ndarray  # int32 (n_chains, n_neurons): units in this sweep's order
    pending: (
        np.ndarray
    )  # int8 (n_chains, n_neurons) if synchronous, else (n_chains, 0): decided, not yet applied
    before: np.ndarray  # int8, the same: the state one sweep ago
    seen: (
        np.ndarray
    )  # int32 (n_chains, n_neurons) if drawn with replacement, else (n_chains, 0): flips at last visit + 1
    registers: np.ndarray  # int64 (n_chains, N_REGISTERS)
    keys: np.ndarray  # uint64 (n_chains,)
    scaled_bias: np.ndarray  # float64 (n_neurons,)
    half_temperature: np.ndarray  # float64 (n_chains,): T/2 in the system's scale
    thresholds: np.ndarray  # float64 (n_chains, BLOCK): drawn ahead
    order: int


@kernel
def begin_sweep(chains, c):
    """Draw the order of the sweep that chain `c` begins."""
    sweep = chains.registers[c, SWEEP]
    visits = chains.visits[c]
    n_neurons = visits.shape[0]
    chains.registers[c, SWEEP_FLIPS] = 0
    chains.registers[c, N_CHANGED] = 0
    if chains.order == RANDOM:
        shuffle(derive_key(chains.keys[c], ORDER_STREAM, np.uint64(sweep)), visits)
    elif chains.order == REPLACEMENT:
        key = derive_key(chains.keys[c], SITE_STREAM, np.uint64(sweep))
        for k in range(n_neurons):
            visits[k] = random_below(key, np.uint64(k), n_neurons)
    elif sweep == 0:
        for k in range(n_neurons):
            visits[k] = k


@inline_kernel
def flips(field, threshold, spin):
    """Whether a unit at `spin` flips: at T = 0 the threshold is 0, and a tie keeps the state."""
    # A drawn threshold meets a field with probability 0.
    # One product, so that the one branch on it is as predictable as flips are.
    return (field - threshold) * np.float64(spin) < 0.0


@inline_kernel
def take_flip(system, chains, c, i):
    """Flip unit `i` of chain `c`."""
    spin = chains.spins[c, i]
    flip_unit(system, c, i, spin)
    chains.spins[c, i] = -spin
    settle(system, c)
    registers = chains.registers[c]
    registers[N_FLIPS] += 1
    registers[SWEEP_FLIPS] += 1
    registers[N_UNSEEN] = chains.spins.shape[1]


@inline_kernel
def take_sight(chains, c, i):
    """Count unit `i` as seen since the last flip; all of them seen at T = 0 is a fixed point."""
    registers = chains.registers[c]
    stamp = registers[N_FLIPS] + 1
    if chains.seen[c, i] != stamp:
        chains.seen[c, i] = stamp
        registers[N_UNSEEN] -= 1
        if registers[N_UNSEEN] == 0 and chains.half_temperature[c] == 0.0:
            registers[STATUS] = FIXED_POINT


@inline_kernel
def _visit_units(system, chains, c, first, last, thresholds):
    """Asynchronous updates of visits `first` to `last` - 1 of this sweep; returns where they ended."""
    spins = chains.spins[c]
    visits = chains.visits[c]
    registers = chains.registers[c]
    half_temperature = chains.half_temperature[c]
    n_neurons = spins.shape[0]
    key = derive_key(chains.keys[c], THRESHOLD_STREAM, np.uint64(registers[SWEEP]))
    if half_temperature > 0.0 and first % BLOCK != 0:
        draw_thresholds(key, first // BLOCK, half_temperature, thresholds)
    for k in range(first, last):
        if half_temperature > 0.0 and k % BLOCK == 0:
            draw_thresholds(key, k // BLOCK, half_temperature, thresholds)
        if k + AHEAD < n_neurons:
            prefetch_unit(system, c, visits[k + AHEAD])
        i = visits[k]
        field = local_field(system, c, i, spins[i]) + chains.scaled_bias[i]
        if flips(field, thresholds[k % BLOCK], spins[i]):
            take_flip(system, chains, c, i)
        if chains.order == REPLACEMENT:
            take_sight(chains, c, i)
            if registers[STATUS] != RUNNING:
                return k + 1
    return last


@inline_kernel
def _decide_units(system, chains, c, first, last, thresholds):
    """First half of a synchronous sweep: what units `first` to `last` - 1 will be, from the old state."""
    spins = chains.spins[c]
    half_temperature = chains.half_temperature[c]
    key = derive_key(chains.keys[c], THRESHOLD_STREAM, np.uint64(chains.registers[c, SWEEP]))
    if half_temperature > 0.0 and first % BLOCK != 0:
        draw_thresholds(key, first // BLOCK, half_temperature, thresholds)
    for i in range(first, last):
        if half_temperature > 0.0 and i % BLOCK == 0:
            draw_thresholds(key, i // BLOCK, half_temperature, thresholds)
        field = local_field(system, c, i, spins[i]) + chains.scaled_bias[i]
        chains.pending[c, i] = -spins[i] if flips(field, thresholds[i % BLOCK], spins[i]) else spins[i]


@inline_kernel
def _apply_units(system, chains, c, first, last):
    """Second half of a synchronous sweep: units `first` to `last` - 1 take their new values."""
    spins = chains.spins[c]
    registers = chains.registers[c]
    for i in range(first, last):
        new, old = chains.pending[c, i], spins[i]
        registers[N_CHANGED] += new != chains.before[c, i]
        chains.before[c, i] = old
        if new != old:
            take_flip(system, chains, c, i)


@kernel
def end_sweep(chains, c):
    """Close a sweep of chain `c`, and say what it proves at T = 0."""
    registers = chains.registers[c]
    registers[SWEEP] += 1
    registers[ITEM] = 0
    if chains.half_temperature[c] > 0.0 or registers[STATUS] != RUNNING:
        return
    if registers[SWEEP_FLIPS] == 0 and chains.order != REPLACEMENT:
        registers[STATUS] = FIXED_POINT
    elif chains.order == SYNCHRONOUS and registers[N_CHANGED] == 0:
        registers[STATUS] = TWO_CYCLE


@loop_kernel
def advance_chain(system, chains, c, n_items, sweep_limit):
    """Advance chain `c` by `n_items` items, or until it stands at `sweep_limit` sweeps or at rest."""
    registers = chains.registers[c]
    n_neurons = chains.spins.shape[1]
    synchronous = chains.order == SYNCHRONOUS
    thresholds = chains.thresholds[c]
    length = 2 * n_neurons if synchronous else n_neurons
    while n_items > 0 and registers[STATUS] == RUNNING and registers[SWEEP] < sweep_limit:
        first = registers[ITEM]
        if first == 0:
            begin_sweep(chains, c)
        last = min(length, first + n_items)
        if not synchronous:
            last = _visit_units(system, chains, c, first, last, thresholds)
        elif first < n_neurons:
            last = min(last, n_neurons)
            _decide_units(system, chains, c, first, last, thresholds)
        else:
            _apply_units(system, chains, c, first - n_neurons, last - n_neurons)
        n_items -= last - first
        registers[ITEM] = last
        if last == length or registers[STATUS] != RUNNING:
            end_sweep(chains, c)


@parallel_kernel
def advance_chains(system, chains, active, n_items, sweep_limit):
    """Advance the chains listed in `active` (int64), each as `advance_chain` does."""
    for k in prange(active.shape[0]):
        advance_chain(system, chains, active[k], n_items, sweep_limit)


@loop_kernel
def follow_schedule(system, chains, c, half_temperatures, first_sweep, n_items):
    """Advance chain `c` by `n_items` items, or to the schedule's end; asynchronous orders, positive temperatures.

    ``half_temperatures[k, c]`` (float64, (n_sweeps, n_chains)) holds in sweep `first_sweep` + k.
    """
    registers = chains.registers[c]
    n_units = chains.spins.shape[1]
    while n_items > 0 and registers[SWEEP] < first_sweep + half_temperatures.shape[0]:
        chains.half_temperature[c] = half_temperatures[registers[SWEEP] - first_sweep, c]
        step = min(n_items, n_units - registers[ITEM])
        advance_chain(system, chains, c, step, registers[SWEEP] + 1)
        n_items -= step


@parallel_kernel
def advance_on_schedule(system, chains, half_temperatures, first_sweep, n_items):
    """Advance all chains, each as `follow_schedule` does."""
    for c in prange(chains.spins.shape[0]):
        follow_schedule(system, chains, c, half_temperatures, first_sweep, n_items)


@parallel_kernel
def measure_energies(system, chains, active, energies):
    """Scaled energies (float64, as long as `active`), biases included; refreshes the distances of Hebbian chains."""
    for k in prange(active.shape[0]):
        c = active[k]
        spins = chains.spins[c]
        along_bias = 0.0
        for i in range(spins.shape[0]):
            along_bias += chains.scaled_bias[i] * spins[i]
        energies[k] = pair_energy(system, spins, c) - along_bias
