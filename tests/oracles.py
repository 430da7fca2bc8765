"""Slow, obvious twins of the kernels in plain numpy."""

import itertools
from typing import NamedTuple

import numpy as np

from hopsim.kernels import dynamics as dyn
from hopsim.kernels.heat_bath import BLOCK, draw_thresholds
from hopsim.kernels.randomness import derive_key, random_below, shuffle

# -- packed patterns and bit-sliced counters --


def pack_rows(patterns):
    """Patterns (n_patterns, n_neurons) of ±1 as uint64 rows (n_neurons, n_words), padded to blocks of 512
    bits.
    """
    n_patterns, n_neurons = patterns.shape
    bits = np.zeros((n_neurons, -(-n_patterns // 512) * 512), np.uint8)
    bits[:, :n_patterns] = patterns.T > 0
    return np.packbits(bits, axis=1, bitorder="little").view(np.uint64)


def distances(patterns, spins):
    """Hamming distances (n_states, n_patterns) between states and patterns."""
    return (spins[:, None, :] != patterns[None, :, :]).sum(axis=2)


def pack_counters(values, mask, n_planes):
    """Counters (n_columns,) as blocks of 8 words: the mask, then one plane for each binary digit."""
    digits = [mask.astype(np.uint8)] + [((values >> p) & 1).astype(np.uint8) for p in range(n_planes)]
    words = np.packbits(np.array(digits), axis=1, bitorder="little").view(np.uint64)
    return words.reshape(n_planes + 1, -1, 8).transpose(1, 0, 2).ravel().copy()


def unpack_counters(planes, n_planes):
    """Values and mask back from the blocks of `pack_counters`."""
    words = np.ascontiguousarray(planes.reshape(-1, n_planes + 1, 8).transpose(1, 0, 2)).reshape(
        n_planes + 1, -1
    )
    bits = np.unpackbits(words.view(np.uint8), axis=1, bitorder="little").astype(np.int64)
    return sum(bits[p + 1] << p for p in range(n_planes)), bits[0].astype(bool)


# -- networks --


def hebbian_couplings(patterns):
    """N W of Hebb's rule, zero diagonal: integers, exact in float64 in whatever order they are summed."""
    patterns = patterns.astype(float)
    couplings = patterns.T @ patterns
    np.fill_diagonal(couplings, 0.0)
    return couplings


def energies(couplings, bias, spins):
    """E(s) = -1/2 s.W.s - b.s of each state (n_states, n_neurons)."""
    spins = spins.astype(float)
    return -0.5 * ((spins @ couplings) * spins).sum(axis=1) - spins @ bias


def all_states(n_neurons):
    """All 2^N states, int8."""
    return np.array(list(itertools.product((-1, 1), repeat=n_neurons)), np.int8)


def state_index(spins):
    """Place of each state (n_states, n_neurons) in `all_states`."""
    return (spins > 0) @ (1 << np.arange(spins.shape[1])[::-1])


# -- dynamics --


class Outcome(NamedTuple):
    """What a chain came to."""

    spins: np.ndarray
    n_sweeps: int
    n_flips: int
    status: int
    smallest_field: float  # smallest |h - threshold| met on the way


def stream_key(key, stream, sweep):
    """The key of a chain's random numbers for one purpose in one sweep."""
    return np.uint64(derive_key(key, stream, np.uint64(sweep)))


def visit_order(order, key, sweep, n_neurons):
    """Units in the order in which a sweep visits them, from the kernels' own random numbers."""
    if order == dyn.RANDOM:
        visits = np.empty(n_neurons, np.int32)
        shuffle(stream_key(key, dyn.ORDER_STREAM, sweep), visits)
        return visits.tolist()
    if order == dyn.REPLACEMENT:
        key = stream_key(key, dyn.SITE_STREAM, sweep)
        return [random_below(key, np.uint64(k), n_neurons) for k in range(n_neurons)]
    return list(range(n_neurons))


def thresholds(key, sweep, n_steps, half_temperature):
    """Thresholds of the steps of a sweep, from the kernels' own random numbers; 0 at T = 0."""
    drawn = np.zeros((-(-n_steps // BLOCK), BLOCK))
    if half_temperature > 0:
        key = stream_key(key, dyn.THRESHOLD_STREAM, sweep)
        for block in range(len(drawn)):
            draw_thresholds(key, block, half_temperature, drawn[block])
    return drawn.ravel()[:n_steps]


def run_chain(couplings, spins, chains, c, sweep_limit):
    """What chain `c` must come to from `spins` on a network, every field summed anew."""
    key, half_temperature = chains.keys[c], chains.half_temperature[c]
    order, bias = chains.order, chains.scaled_bias
    n_neurons = len(spins)
    spins = spins.astype(float)
    before, n_flips, smallest = np.zeros(n_neurons), 0, np.inf
    unseen = set(range(n_neurons))  # since the last flip
    for sweep in range(sweep_limit):
        start, threshold = spins.copy(), thresholds(key, sweep, n_neurons, half_temperature)
        if order == dyn.SYNCHRONOUS:
            excess = couplings @ spins + bias - threshold
            spins = np.where(excess == 0, start, np.sign(excess))
            n_flips += int((spins != start).sum())
            smallest = min(smallest, np.abs(excess).min())
            if half_temperature == 0 and (spins == start).all():
                return Outcome(spins, sweep + 1, n_flips, dyn.FIXED_POINT, smallest)
            if half_temperature == 0 and (spins == before).all():
                return Outcome(spins, sweep + 1, n_flips, dyn.TWO_CYCLE, smallest)
            before = start
            continue
        for k, i in enumerate(visit_order(order, key, sweep, n_neurons)):
            excess = couplings[i] @ spins + bias[i] - threshold[k]
            smallest = min(smallest, abs(excess))
            if excess * spins[i] < 0:
                spins[i] = -spins[i]
                n_flips += 1
                unseen = set(range(n_neurons))
            unseen.discard(i)
            if order == dyn.REPLACEMENT and half_temperature == 0 and not unseen:
                return Outcome(spins, sweep + 1, n_flips, dyn.FIXED_POINT, smallest)
        if order != dyn.REPLACEMENT and half_temperature == 0 and (spins == start).all():
            return Outcome(spins, sweep + 1, n_flips, dyn.FIXED_POINT, smallest)
    return Outcome(spins, sweep_limit, n_flips, dyn.RUNNING, smallest)


# -- exact distributions and transition matrices --


def boltzmann(couplings, bias, temperature):
    """Boltzmann's distribution over `all_states`."""
    energy = energies(couplings, bias, all_states(len(bias)))
    weights = np.exp(-(energy - energy.min()) / temperature)
    return weights / weights.sum()


def peretto(couplings, bias, temperature):
    """Peretto's distribution over `all_states`, exp(b.s/T) prod_i 2 cosh(h_i/T): synchronous dynamics keep
    it.
    """
    states = all_states(len(bias)).astype(float)
    exponents = states @ bias / temperature + np.logaddexp(
        (states @ couplings + bias) / temperature, -(states @ couplings + bias) / temperature
    ).sum(axis=1)
    weights = np.exp(exponents - exponents.max())
    return weights / weights.sum()


def unit_matrix(up, i):
    """Transition matrix of one update of unit `i`; `up` (n_states, n_neurons) is P(unit := +1 | state)."""
    n_neurons = up.shape[1]
    states = all_states(n_neurons)
    matrix = np.zeros((len(states), len(states)))
    for value, probability in ((1, up[:, i]), (-1, 1 - up[:, i])):
        after = states.copy()
        after[:, i] = value
        matrix[np.arange(len(states)), state_index(after)] += probability
    return matrix


def sweep_matrix(up, order):
    """Transition matrix of one sweep in an update order."""
    n_neurons = up.shape[1]
    if order == dyn.SYNCHRONOUS:
        rising = (all_states(n_neurons) > 0)[None, :, :]
        return np.where(rising, up[:, None, :], 1 - up[:, None, :]).prod(axis=2)
    units = [unit_matrix(up, i) for i in range(n_neurons)]
    if order == dyn.REPLACEMENT:
        return np.linalg.matrix_power(sum(units) / n_neurons, n_neurons)
    orders = list(itertools.permutations(range(n_neurons))) if order == dyn.RANDOM else [range(n_neurons)]
    total = np.zeros_like(units[0])
    for visits in orders:
        product = np.eye(len(total))
        for i in visits:
            product = product @ units[i]
        total += product
    return total / len(orders)
