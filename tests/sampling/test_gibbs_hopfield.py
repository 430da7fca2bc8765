"""A Hopfield network at T > 0 is a Boltzmann machine, and a Boltzmann machine at T -> 0 is a Hopfield network."""

import numpy as np
import oracles
import pytest
from false_alarms import assert_plausible, chi_square_p
from gibbs_faults import keys_that_coincide, missed_updates, wrong_sign
from gibbs_machines import drivers_and_orders, exact_distribution, keys_of
from kernel_chains import random_states

import hopsim
from hopsim.models.hopfield import DenseModel
from hopsim.networks.boltzmann_machine import BoltzmannMachine
from hopsim.sampling.gibbs_chains import GibbsChains

SEED = 8
N_NEURONS, N_PATTERNS = (
    100,
    7,
)  # even and odd: each field is a sum of an odd number of odd numbers over N, never 0

chain_numbers = pytest.mark.parametrize("n_chains", [2, 70])
FAULTS = [wrong_sign, missed_updates, keys_that_coincide]


def stored_network(bias=None):
    patterns = random_states(np.random.default_rng(1), N_PATTERNS, N_NEURONS)
    return hopsim.HopfieldNetwork.store(patterns, bias=bias), patterns


def starts_of(patterns, n_chains):
    """Far from all patterns and near to them."""
    rng = np.random.default_rng(2)
    noise = np.where(rng.random((n_chains, N_NEURONS)) < 0.2, -1, 1)
    starts = patterns[np.arange(n_chains) % N_PATTERNS] * noise.astype(np.int8)
    starts[::2] = random_states(rng, len(starts[::2]), N_NEURONS)
    return starts


def coldest(network, starts, order, make=GibbsChains, **driver):
    """Spins and flips of chains after 60 sweeps at T = 1/(50 N), where all |h| are 1/N or more."""
    keys = keys_of(SEED, len(starts))
    temperature = 1 / N_NEURONS / 50  # against the least field a unit flips with probability exp(-100)
    chains = make(network, starts, keys, temperature=temperature, order=order, **driver)
    chains.advance(60)
    return chains.spins, chains.n_flips


@chain_numbers
@pytest.mark.parametrize("encoding", ["pm1", "01"])
@drivers_and_orders
def test_the_coldest_machine_ends_in_hopfields_fixed_point(driver, order, encoding, n_chains):
    """From the same start, with the same seed and order: the same fixed points after the same number of flips."""
    network, patterns = stored_network()
    starts = starts_of(patterns, n_chains)
    recall = network.recall(starts, temperature=0.0, order=order, max_sweeps=60, seed=SEED)
    assert recall.converged.all()
    machine = BoltzmannMachine.from_hopfield(network, encoding)
    spins, n_flips = coldest(machine.model.spin_network, starts, order, driver=driver)
    assert (spins == recall.states).all()
    assert (n_flips == recall.n_flips).all()


@chain_numbers
@pytest.mark.parametrize("biased", [False, True], ids=["no bias", "bias"])
@drivers_and_orders
def test_a_warm_hopfield_network_is_the_machine_bit_for_bit(driver, order, biased, n_chains):
    """After each of 12 sweeps, states, flips and energies; packed patterns and the coupling matrix, both."""
    bias = np.random.default_rng(3).normal(0, 0.3, N_NEURONS) if biased else None
    network, patterns = stored_network(bias)
    starts = starts_of(patterns, n_chains)
    machine = BoltzmannMachine.from_hopfield(network)
    same = hopsim.HopfieldNetwork(network.couplings, bias)
    assert isinstance(same.model, DenseModel)
    settings = {"temperature": 0.6, "order": order, "max_sweeps": 12, "seed": SEED, "trajectory": True}
    for hopfield in (network, same):
        path = hopfield.recall(starts, **settings).trajectory
        chains = GibbsChains(
            machine.model.spin_network,
            starts,
            keys_of(SEED, n_chains),
            temperature=0.6,
            order=order,
            driver=driver,
        )
        before = chains.n_flips
        for time in range(1, 13):
            chains.advance(1)
            assert (chains.spins == path.states[:, time]).all()
            assert (chains.n_flips - before == path.n_flips[:, time]).all()
            # sums of the biases in another order, of some ten units together
            np.testing.assert_allclose(chains.energies, path.energies[:, time], rtol=0, atol=1e-12)
            before = chains.n_flips
    sampled = machine.sample(n_chains, 12, 0, 12, 0.6, order, states=starts, seed=SEED)
    assert (sampled.states[:, 0] == chains.spins).all()


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_the_comparison_sees_planted_faults(fault):
    """At T -> 0, where random numbers matter for the order alone, and at T > 0."""
    network, patterns = stored_network()
    starts = starts_of(patterns, 70)
    machine = BoltzmannMachine.from_hopfield(network).model.spin_network
    recall = network.recall(starts, order="random", max_sweeps=60, seed=SEED)
    spins, n_flips = coldest(machine, starts, "random", fault)
    assert (spins != recall.states).any() or (n_flips != recall.n_flips).any()
    recall = network.recall(starts, temperature=0.6, max_sweeps=2, seed=SEED)
    chains = fault(machine, starts, keys_of(SEED, 70), temperature=0.6, order="random")
    chains.advance(2)
    assert (chains.spins != recall.states).any()


@drivers_and_orders
def test_the_machine_of_0_and_1_has_the_networks_distribution(driver, order):
    """The other encoding rounds its numbers another way; 50,000 chains of both stay where exact sums say."""
    patterns = random_states(np.random.default_rng(5), 3, 8)
    network = hopsim.HopfieldNetwork.store(patterns, bias=np.random.default_rng(6).normal(0, 0.2, 8))
    machine = BoltzmannMachine.from_hopfield(network, "01")
    distribution = exact_distribution(machine.model, oracles.all_states(8), 0.8)
    starts = oracles.all_states(8)[np.random.default_rng(7).choice(256, 50_000, p=distribution)]
    ends = network.recall(starts, temperature=0.8, order=order, max_sweeps=4, seed=SEED).states
    chains = GibbsChains(
        machine.model.spin_network,
        starts,
        keys_of(9, len(starts)),
        temperature=0.8,
        order=order,
        driver=driver,
    )
    chains.advance(4)
    for spins in (ends, chains.spins):
        counts = np.bincount(oracles.state_index(spins), minlength=256)
        assert_plausible(chi_square_p(counts, distribution))
