"""The counters of Hebbian chains: exact for any state, however many patterns condense, however far a chain
wanders.
"""

import numpy as np
import oracles
import pytest
from kernel_chains import (
    advance,
    hebbian_system,
    hebbian_system_of_rows,
    make_chains,
    measured_energies,
    pack_networks,
    random_states,
    start_states,
)

from hopsim.kernels import dynamics as dyn
from hopsim.kernels.hebbian import (
    FLIPS_LEFT,
    MAX_CONDENSED,
    N_CONDENSED,
    N_PLANES,
    arrange_counters,
    count_distances,
    read_distances,
)

HOT = 1e9  # so that every update flips with probability 1/2


def exact_distances(system, patterns, chains):
    for c in range(len(chains.spins)):
        read_distances(system, c)
    return (system.distances == oracles.distances(patterns, chains.spins)).all()


@pytest.mark.parametrize("n_neurons", [1, 2, 3, 4, 15, 16, 17, 100, 1000, 5000])
@pytest.mark.parametrize("n_patterns", [1, 2, 33, 600])
def test_arranged_counters_read_back(n_neurons, n_patterns):
    """Starts from patterns to random states, whatever the planes held before."""
    rng = np.random.default_rng(n_neurons + 7 * n_patterns)
    patterns = random_states(rng, n_patterns, n_neurons)
    spins = start_states(patterns, rng)
    system = hebbian_system(patterns, spins)
    expected = oracles.distances(patterns, spins)
    assert (system.distances == expected).all()
    for c in range(len(spins)):
        system.planes[c] = 2**64 - 1
        arrange_counters(system, c)
        system.distances[c] = -1
        read_distances(system, c)
    assert (system.distances == expected).all()
    assert (system.counters[:, N_CONDENSED] <= MAX_CONDENSED).all()
    assert (system.counters[:, FLIPS_LEFT] > 0).all()


@pytest.mark.parametrize("n_parts", [1, 2, 3, 8])
def test_distances_do_not_depend_on_how_neurons_are_split(n_parts):
    """Any number of parts, more of them than neurons too, and slices that add up."""
    rng = np.random.default_rng(n_parts)
    for n_neurons in (1, 5, 64, 301):
        patterns = random_states(rng, 70, n_neurons)
        spins = start_states(patterns, rng)
        system = hebbian_system(patterns, spins)
        system.distances[:] = 0
        for first, last in ((0, n_neurons // 3), (n_neurons // 3, n_neurons)):
            count_distances(system, spins, first, last, n_parts)
        assert (system.distances == oracles.distances(patterns, spins)).all()


@pytest.mark.parametrize(
    ("n_neurons", "patterns"),
    [
        (1, "random"),
        (2, "random"),
        (3, "random"),
        (40, "random"),
        (301, "random"),
        (301, "copies"),
        (301, "clusters"),
        (1024, "biased"),
    ],
)
def test_counters_stay_exact_however_far_a_chain_wanders(n_neurons, patterns):
    """A hot walk away from the start and back by T = 0 relaxation, distances checked between bounded calls.

    More patterns than can be condensed lie at one point (copies), in clusters, or along (1, ..., 1), so that
    planes are added and shed and patterns condense and leave.
    """
    rng = np.random.default_rng(n_neurons)
    stored = {
        "random": lambda: random_states(rng, 80, n_neurons),
        "copies": lambda: np.repeat(random_states(rng, 1, n_neurons), 100, 0),
        "clusters": lambda: np.repeat(random_states(rng, 3, n_neurons), 40, 0) * random_states(rng, 120, 1),
        "biased": lambda: np.where(rng.random((700, n_neurons)) < 0.8, 1, -1).astype(np.int8),
    }[patterns]()
    spins = start_states(stored, rng)
    couplings = oracles.hebbian_couplings(stored)
    arrangements = set()
    for order in (dyn.RANDOM, dyn.SYNCHRONOUS):
        system = hebbian_system(stored, spins)
        chains = make_chains(spins, order, half_temperature=HOT)
        for part in range(24):
            if part == 12:
                chains.half_temperature[:] = 0.0
            advance(system, chains, sweep_limit=10**6, n_items=n_neurons // 3 + 1)
            assert exact_distances(system, stored, chains)
            arrangements |= {tuple(row) for row in system.counters[:, [N_PLANES, N_CONDENSED]].tolist()}
        assert (
            measured_energies(system, chains)
            == oracles.energies(couplings, np.zeros(n_neurons), chains.spins)
        ).all()
    if n_neurons > 100:
        assert len(arrangements) > 1
    if patterns in ("copies", "clusters"):
        assert len({planes for planes, _ in arrangements}) > 1


def test_energies_are_the_definition_recomputed_from_scratch():
    """Exactly, for integers: biases that are integers after scaling, N not a multiple of 8, any state."""
    rng = np.random.default_rng(5)
    for n_neurons, n_patterns in ((1, 1), (3, 2), (5, 4), (77, 9), (500, 600)):
        patterns = random_states(rng, n_patterns, n_neurons)
        spins = start_states(patterns, rng)
        bias = rng.integers(-50, 50, n_neurons).astype(float)
        system, chains = hebbian_system(patterns, spins), make_chains(spins, dyn.RANDOM, bias=bias)
        expected = oracles.energies(oracles.hebbian_couplings(patterns), bias, spins)
        assert (measured_energies(system, chains) == expected).all()


def test_chains_of_several_networks_live_side_by_side():
    """Chain c on network[c] ends where it ends alone."""
    rng = np.random.default_rng(6)
    n_neurons, n_patterns = 120, 30
    networks = random_states(rng, 3, n_patterns, n_neurons)
    network = np.array([2, 0, 1, 1, 0, 2, 2], np.int64)
    spins = random_states(rng, len(network), n_neurons)
    together = hebbian_system_of_rows(pack_networks(networks), n_patterns, spins, network)
    chains = make_chains(spins, dyn.RANDOM)
    advance(together, chains, 1000)
    energies = measured_energies(together, chains)
    for c, k in enumerate(network):
        alone = make_chains(spins[c : c + 1], dyn.RANDOM, keys=chains.keys[c : c + 1])
        system = hebbian_system(networks[k], alone.spins)
        advance(system, alone, 1000)
        assert (alone.spins[0] == chains.spins[c]).all()
        assert (alone.registers[0] == chains.registers[c]).all()
        assert measured_energies(system, alone)[0] == energies[c]
