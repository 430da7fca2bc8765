"""Systems and chains set up by hand, as the kernels take them, and the exact odds of their draws."""

import numba
import numpy as np

from hopsim.kernels import dense, hebbian
from hopsim.kernels import dynamics as dyn
from hopsim.kernels.heat_bath import BLOCK, logit
from hopsim.kernels.packed_patterns import count_rows, pack_patterns

ORDERS = (dyn.RANDOM, dyn.REPLACEMENT, dyn.SEQUENTIAL, dyn.SYNCHRONOUS)
ORDER_NAMES = ("random", "replacement", "sequential", "synchronous")
NO_LIMIT = 10**15
DRAWS = 1 << 52  # different draws of a threshold


def random_states(rng, *shape):
    """Unbiased ±1, int8."""
    return rng.choice(np.array([-1, 1], np.int8), shape)


def start_states(patterns, rng):
    """Starts of all kinds: a pattern, its inverse, two noisy ones, mixtures of three and five, random, all
    equal.
    """
    n_neurons = patterns.shape[1]
    chosen = patterns[np.arange(8) % len(patterns)]
    noise = np.where(rng.random((2, n_neurons)) < [[0.05], [0.3]], -1, 1)
    states = [
        patterns[0],
        -patterns[-1],
        *(patterns[-1] * noise),
        np.where(chosen[:3].sum(axis=0) >= 0, 1, -1),
        np.where(chosen[:5].sum(axis=0) >= 0, 1, -1),
        *random_states(rng, 2, n_neurons),
        np.ones(n_neurons),
    ]
    return np.array(states, np.int8)


def pack_networks(networks):
    """Packed rows of networks of int8 patterns (n_networks, n_patterns, n_neurons)."""
    n_networks, n_patterns, n_neurons = networks.shape
    rows = np.zeros((n_networks, n_neurons, -(-n_patterns // 512) * 8), np.uint64)
    for network, patterns in enumerate(networks):
        pack_patterns(np.ascontiguousarray(patterns), rows[network])
    return rows


def hebbian_system_of_rows(rows, n_patterns, spins, network=None):
    """Chains at `spins` on networks of packed rows, chain c on `network[c]`."""
    n_chains, n_neurons = spins.shape
    ones = np.empty(rows.shape[:2], np.int32)
    count_rows(0, n_neurons, rows, ones)
    system = hebbian.HebbianSystem(
        rows=rows,
        ones=ones,
        n_patterns=n_patterns,
        network=np.zeros(n_chains, np.int64) if network is None else network,
        planes=np.zeros((n_chains, hebbian.plane_words(n_neurons, rows.shape[2])), np.uint64),
        condensed=np.zeros((n_chains, hebbian.MAX_CONDENSED), np.int32),
        condensed_overlaps=np.zeros((n_chains, hebbian.MAX_CONDENSED), np.int64),
        counters=np.zeros((n_chains, hebbian.N_COUNTERS), np.int64),
        distances=np.zeros((n_chains, n_patterns), np.int32),
    )
    hebbian.count_distances(system, np.ascontiguousarray(spins), 0, n_neurons, 1)
    hebbian.start_counters(system)
    return system


def hebbian_system(patterns, spins):
    """Chains at `spins` on one network of int8 patterns (n_patterns, n_neurons)."""
    return hebbian_system_of_rows(pack_networks(patterns[None]), len(patterns), spins)


def dense_system(couplings, spins, dtype=np.float64):
    """Chains at `spins` on a coupling matrix held as `dtype`."""
    fields = np.zeros(spins.shape, np.int32 if dtype == np.int16 else np.float64)
    system = dense.DenseSystem(np.ascontiguousarray(couplings, dtype), fields)
    dense.add_fields(system, np.ascontiguousarray(spins), 0, spins.shape[1])
    return system


def make_chains(spins, order, half_temperature=0.0, bias=0.0, keys=None):
    """Chains at the start of their first sweep; `half_temperature` and `bias` in the system's scale."""
    n_chains, n_neurons = spins.shape
    synchronous = n_neurons if order == dyn.SYNCHRONOUS else 0
    chains = dyn.Chains(
        spins=spins.astype(np.int8, order="C", copy=True),
        visits=np.zeros((n_chains, n_neurons), np.int32),
        pending=np.zeros((n_chains, synchronous), np.int8),
        before=np.zeros((n_chains, synchronous), np.int8),
        seen=np.zeros((n_chains, n_neurons if order == dyn.REPLACEMENT else 0), np.int32),
        registers=np.zeros((n_chains, dyn.N_REGISTERS), np.int64),
        keys=np.arange(n_chains, dtype=np.uint64) if keys is None else keys,
        scaled_bias=np.broadcast_to(np.asarray(bias, float), n_neurons).copy(),
        half_temperature=np.broadcast_to(np.asarray(half_temperature, float), n_chains).copy(),
        thresholds=np.zeros((n_chains, BLOCK)),
        order=order,
    )
    chains.registers[:, dyn.N_UNSEEN] = n_neurons
    return chains


def advance(system, chains, sweep_limit, n_items=NO_LIMIT, active=None):
    """All chains (or the `active` ones), by `n_items` at most."""
    active = np.arange(len(chains.spins)) if active is None else active
    dyn.advance_chains(system, chains, active, n_items, sweep_limit)


def measured_energies(system, chains):
    """Energies of all chains from what the system keeps."""
    energies = np.empty(len(chains.spins))
    dyn.measure_energies(system, chains, np.arange(len(energies)), energies)
    return energies


@numba.njit(error_model="numpy")
def count_draws_below(field, half_temperature):
    """How many of the 2^52 draws give a threshold below `field`, thresholds being monotone in the draw."""
    low, high = np.int64(0), np.int64(DRAWS)
    while low < high:
        middle = (low + high) // 2
        if half_temperature * logit(np.uint64(middle) << np.uint64(12)) < field:
            low = middle + 1
        else:
            high = middle
    return low
