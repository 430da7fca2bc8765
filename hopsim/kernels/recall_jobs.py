"""Recalls in many small Hopfield networks in one compiled call, each from its keys to its outcome.

A *job* is one network and a range of its trials: it draws the network's packed patterns into arrays of its own, makes
each trial's start, and runs the whole recall. Jobs share nothing, so that a call may hold networks of any sizes, and
its results depend neither on how trials are split over jobs nor on threads. It does not look up in between: a giant
network is for `hopsim.kernels.dynamics.advance_chains`.
"""

from typing import NamedTuple

import numpy as np
from llvmlite import ir
from numba import prange, types
from numba.extending import intrinsic

from hopsim.kernels.bit_planes import BITS_PER_BLOCK, WORDS_PER_BLOCK, count_ones, data_address
from hopsim.kernels.compile_options import inline_kernel, kernel, parallel_kernel
from hopsim.kernels.dynamics import (
    FIXED_POINT,
    N_REGISTERS,
    N_UNSEEN,
    REPLACEMENT,
    STATUS,
    SWEEP,
    SYNCHRONOUS,
    Chains,
    advance_chain,
)
from hopsim.kernels.heat_bath import BLOCK
from hopsim.kernels.hebbian import MAX_CONDENSED, N_COUNTERS, HebbianSystem, arrange_counters, plane_words
from hopsim.kernels.packed_patterns import add_distances, draw_row, row_address, unpack_pattern
from hopsim.kernels.probes import flip_state

_CACHE_LINE = 64  # bytes
# Typed, as numba compiles a function anew for each literal that it is called with.
_ONLY = np.int64(0)  # the one chain and network of a job's system
_NO_LIMIT = np.int64(1 << 62)  # items: a recall is not taken up again


class RecallJobs(NamedTuple):
    """Jobs, one entry of each array a job; `order` holds for all."""

    n_neurons: np.ndarray  # int64
    n_patterns: np.ndarray  # int64
    pattern_keys: np.ndarray  # uint64: the key of the network's patterns
    n_flipped: np.ndarray  # int64: neurons flipped at the start
    temperature: np.ndarray  # float64
    sweep_limit: np.ndarray  # int64: sweeps at most, at T = 0
    burn_in: np.ndarray  # int64: sweeps left out of the time average, at T > 0
    n_sweeps: np.ndarray  # int64: sweeps averaged over, at T > 0
    first_trial: np.ndarray  # int64: number in its network; trial t starts from pattern t modulo n_patterns
    first_output: np.ndarray  # int64: index of the first trial in the arrays over all trials
    n_trials: np.ndarray  # int64
    order: int


@intrinsic
def _take_number(typing_context, counter):
    """The number in an int64 array (1,), raised by one for the next thread in the same stroke."""

    def generate(context, builder, signature, arguments):
        view = context.make_array(signature.args[0])(context, builder, arguments[0])
        return builder.atomic_rmw("add", view.data, ir.IntType(64)(1), "monotonic")

    return types.int64(counter), generate


@inline_kernel
def _aligned_words(n_words):
    """Zeros (uint64) that start at a cache line, so that no vector straddles two."""
    words = np.zeros(n_words + _CACHE_LINE // 8, np.uint64)
    start = (-data_address(words) % _CACHE_LINE) // 8
    return words[start : start + n_words]


@inline_kernel
def _draw_system(key, n_neurons, n_patterns):
    """One network of random patterns, and room for one chain's counters."""
    n_blocks = (n_patterns + BITS_PER_BLOCK - 1) // BITS_PER_BLOCK
    n_words = n_blocks * WORDS_PER_BLOCK
    rows = _aligned_words(n_neurons * n_words).reshape((1, n_neurons, n_words))
    ones = np.empty((1, n_neurons), np.int32)
    for i in range(n_neurons):
        draw_row(key, n_patterns, rows, _ONLY, i)
        ones[0, i] = count_ones(row_address(rows, _ONLY, i), n_blocks)
    n_plane_words = plane_words(n_neurons, n_words)
    return HebbianSystem(
        rows=rows,
        ones=ones,
        n_patterns=n_patterns,
        network=np.zeros(1, np.int64),
        planes=_aligned_words(n_plane_words).reshape((1, n_plane_words)),
        condensed=np.empty((1, MAX_CONDENSED), np.int32),
        condensed_overlaps=np.empty((1, MAX_CONDENSED), np.int64),
        counters=np.empty((1, N_COUNTERS), np.int64),
        distances=np.empty((1, n_patterns), np.int32),
    )


@inline_kernel
def _make_chain(n_neurons, temperature, order):
    """Room for one chain without biases."""
    n_synchronous = n_neurons if order == SYNCHRONOUS else 0
    n_replacement = n_neurons if order == REPLACEMENT else 0
    return Chains(
        spins=np.empty((1, n_neurons), np.int8),
        visits=np.empty((1, n_neurons), np.int32),
        pending=np.empty((1, n_synchronous), np.int8),
        before=np.empty((1, n_synchronous), np.int8),
        seen=np.empty((1, n_replacement), np.int32),
        registers=np.empty((1, N_REGISTERS), np.int64),
        keys=np.empty(1, np.uint64),
        scaled_bias=np.zeros(n_neurons),
        half_temperature=np.full(1, temperature * (n_neurons / 2)),
        thresholds=np.zeros((1, BLOCK)),
        order=order,
    )


@inline_kernel
def _start_trial(system, chains, pattern, n_flipped, probe_key, chain_key):
    """Put the chain at a disturbed pattern, before its first sweep."""
    spins = chains.spins[0]
    for i in range(spins.shape[0]):
        spins[i] = pattern[i]
    flip_state(probe_key, n_flipped, chains.visits[0], spins)  # the first sweep fills the visits anew
    chains.before[:] = 0
    chains.seen[:] = 0
    chains.registers[:] = 0
    chains.registers[0, N_UNSEEN] = spins.shape[0]
    chains.keys[0] = chain_key
    system.distances[:] = 0
    add_distances(system.rows[0], spins, np.int64(0), spins.shape[0], system.distances[0])
    arrange_counters(system, _ONLY)


@inline_kernel
def _overlap(spins, pattern):
    n_neurons = spins.shape[0]
    n_different = 0
    for i in range(n_neurons):
        n_different += spins[i] != pattern[i]
    return (n_neurons - 2.0 * n_different) / n_neurons


@kernel
def _run_job(jobs, j, probe_keys, chain_keys, overlap, n_sweeps, converged):
    n_neurons, n_patterns = jobs.n_neurons[j], jobs.n_patterns[j]
    temperature = jobs.temperature[j]
    # the overlap is taken at the end, or after each of the sweeps to average over
    n_looks = jobs.n_sweeps[j] if temperature > 0.0 else 1
    first_look = jobs.burn_in[j] + 1 if temperature > 0.0 else jobs.sweep_limit[j]
    system = _draw_system(jobs.pattern_keys[j], n_neurons, n_patterns)
    chains = _make_chain(n_neurons, temperature, jobs.order)
    pattern = np.empty(n_neurons, np.int8)
    for t in range(jobs.n_trials[j]):
        k = jobs.first_output[j] + t
        unpack_pattern(system.rows[0], (jobs.first_trial[j] + t) % n_patterns, pattern)
        _start_trial(system, chains, pattern, jobs.n_flipped[j], probe_keys[k], chain_keys[k])
        total = 0.0
        for sweep in range(first_look, first_look + n_looks):
            advance_chain(system, chains, _ONLY, _NO_LIMIT, sweep)
            total += _overlap(chains.spins[0], pattern)
        overlap[k] = total / n_looks
        n_sweeps[k] = chains.registers[0, SWEEP]
        converged[k] = chains.registers[0, STATUS] == FIXED_POINT


@parallel_kernel
def recall_jobs(jobs, probe_keys, chain_keys, overlap, n_sweeps, converged):
    """Run all jobs.

    Parameters
    ----------
    jobs : RecallJobs
    probe_keys, chain_keys : uint64 (n_outputs,)
        The key of each trial's disturbance and of its chain.
    overlap : float64 (n_outputs,)
        Filled: overlap with the trial's pattern, at the end (T = 0) or as the mean over `jobs.n_sweeps` sweeps (T > 0).
    n_sweeps : int64 (n_outputs,)
        Filled: sweeps done.
    converged : bool (n_outputs,)
        Filled: whether the end is a fixed point of the dynamics at T = 0.
    """
    n_jobs = jobs.n_trials.shape[0]
    next_job = np.zeros(1, np.int64)
    # Threads take jobs until none is left, as jobs differ in length and cores in what else they do: numba alone would
    # cut the jobs into one run for each thread beforehand. What is left of a thread's turns then ends at once.
    for _ in prange(n_jobs):
        j = _take_number(next_job)
        while j < n_jobs:
            _run_job(jobs, j, probe_keys, chain_keys, overlap, n_sweeps, converged)
            j = _take_number(next_job)
