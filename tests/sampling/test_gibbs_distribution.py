"""Gibbs chains keep Boltzmann's distribution and come to it: exactly, statistically, and with planted faults seen."""

import numpy as np
import oracles
import pytest
from false_alarms import assert_detected, assert_plausible, chi_square_p
from gibbs_faults import FAULTS, forgotten_bias, one_more_clamped, wrong_sign
from gibbs_machines import (
    MACHINES,
    ORDERS,
    drivers,
    drivers_and_orders,
    exact_distribution,
    fields_from_energies,
    free_units,
    keys_of,
    make_machine,
    states_around,
    up_probabilities,
)
from scipy.special import stdtr

from hopsim.sampling.chains import ORDERS as ORDER_CODES
from hopsim.sampling.gibbs_chains import GibbsChains
from hopsim.sampling.threads import using_threads

TEMPERATURES = np.array([0.7, 1.3])  # of every other chain
CHAINS_AT_ONCE = 250_000

kinds = pytest.mark.parametrize("kind", MACHINES)


def clamped_or_not(*clamped):
    return pytest.mark.parametrize("clamped", [[], list(clamped)], ids=["free", "clamped"])


# -- exactly --


def conditional_chain(machine, spins, free, temperature, driver):
    """Exact distribution over the states of the free units, and P(unit := +1 | state) from the chains' own fields."""
    states = states_around(spins, free)
    chains = GibbsChains(machine.spin_network, states, keys_of(0, len(states)), free=free, driver=driver)
    up = up_probabilities(fields_from_energies(chains.energies), temperature)
    return exact_distribution(machine, states, temperature), up


@clamped_or_not(1, 4)
@kinds
@pytest.mark.parametrize("n_units", [3, 5, 6])
@drivers
def test_transition_matrices_keep_their_distribution(driver, n_units, kind, clamped):
    """max |pi P - pi| below 2^-23 for each order, pi from the machine's own encoding.

    P is made of the energies that the chains keep, whose differences are the fields, and of the draws' exact odds. That
    chains follow these fields and draws bit for bit is what test_gibbs_chains.py shows.
    """
    machine = make_machine(kind, n_units, n_units)
    free = free_units(n_units, clamped)
    spins = np.array([1, -1, 1, 1, -1, -1], np.int8)[:n_units]
    distribution, up = conditional_chain(machine, spins, free, 0.9, driver)
    for order in ORDERS:
        matrix = oracles.sweep_matrix(up, ORDER_CODES[order])
        assert np.abs(distribution @ matrix - distribution).max() < 2.0**-23, order


@kinds
@drivers
def test_the_exact_test_sees_small_faults(driver, kind):
    """Its power: a temperature wrong by 1e-5 of it; odds wrong by 1e-6."""
    machine = make_machine(kind, 5, 5)
    spins, free = np.ones(5, np.int8), np.arange(5)
    distribution, up = conditional_chain(machine, spins, free, 0.9, driver)
    _, hotter = conditional_chain(machine, spins, free, 0.9 * (1 + 1e-5), driver)
    for wrong in (hotter, up + 1e-6):
        matrix = oracles.sweep_matrix(wrong, ORDER_CODES["sequential"])
        assert np.abs(distribution @ matrix - distribution).max() > 2.0**-23


# -- statistically --


def law_p(make, machine, order, n_sweeps, n_chains, clamped=(), **driver):
    """p of the law of `n_sweeps` sweeps from one state, for each of `TEMPERATURES`: that row of the exact matrix."""
    spins = np.where(np.arange(machine.n_units) % 3 == 0, 1, -1).astype(np.int8)
    free = free_units(machine.n_units, clamped)
    states = states_around(spins, free)
    fields = fields_from_energies(oracles.energies(*_spin_parameters(machine), states))
    temperature = np.resize(TEMPERATURES, n_chains)
    starts = np.repeat(spins[None], n_chains, axis=0)
    keys = keys_of(n_sweeps, n_chains)
    chains = make(
        machine.spin_network, starts, keys, temperature=temperature, order=order, free=free, **driver
    )
    chains.advance(n_sweeps)
    ends = chains.spins
    if (ends[:, clamped] != spins[clamped]).any():
        return np.zeros(2)
    ps = []
    for k, value in enumerate(TEMPERATURES):
        matrix = oracles.sweep_matrix(up_probabilities(fields, value), ORDER_CODES[order])
        expected = np.linalg.matrix_power(matrix, n_sweeps)[oracles.state_index(spins[None, free])[0]]
        counts = np.bincount(oracles.state_index(ends[k::2][:, free]), minlength=len(expected))
        ps.append(chi_square_p(counts, expected))
    return np.array(ps)


def _spin_parameters(machine):
    """Couplings and biases of the ±1 machine, by DESIGN's mapping: W01 = 4 W, b01 = 2 b - 2 sum W."""
    if machine.encoding == "pm1":
        return machine.couplings, machine.bias
    return machine.couplings / 4, machine.bias / 2 + machine.couplings.sum(axis=1) / 4


@clamped_or_not(1)
@kinds
@drivers_and_orders
def test_sweeps_from_a_state_follow_the_transition_matrix(driver, order, kind, clamped):
    """What moves moves as it should: 1 and 3 sweeps, two temperatures side by side."""
    machine = make_machine(kind, 5, 12)
    for n_sweeps in (1, 3):
        for p in law_p(GibbsChains, machine, order, n_sweeps, 20_000, clamped, driver=driver):
            assert_plausible(p)


@drivers
def test_the_law_sees_what_stationary_chains_cannot(driver):
    """Units that are held but should move keep any distribution; here they do not pass."""
    machine = make_machine("pm1 int32", 5, 12)
    for fault in (one_more_clamped, wrong_sign, forgotten_bias):
        assert_detected(
            law_p(fault, machine, "sequential", 3, 20_000, [1], driver=driver).min(), fault.__name__
        )


def stationary_ps(make, machine, order, n_chains, clamped=(), **driver):
    """p of the distribution after 1, 4 and 16 sweeps of chains drawn from it, for each of `TEMPERATURES`.

    Clamped units stay as they were drawn, so that each chain has a conditional distribution of its own; one that moved
    is a certain fault, p = 0.
    """
    all_states = oracles.all_states(machine.n_units)
    exact = [exact_distribution(machine, all_states, value) for value in TEMPERATURES]
    free = free_units(machine.n_units, clamped)
    counts = np.zeros((3, 2, len(all_states)), np.int64)
    keys = keys_of(3, n_chains)
    rng = np.random.default_rng(4)
    for first in range(0, n_chains, CHAINS_AT_ONCE):
        n_here = min(CHAINS_AT_ONCE, n_chains - first)
        index = np.empty(n_here, np.int64)
        for k, distribution in enumerate(exact):
            index[k::2] = rng.choice(len(all_states), len(index[k::2]), p=distribution)
        chains = make(
            machine.spin_network,
            all_states[index],
            keys[first : first + n_here],
            temperature=np.resize(TEMPERATURES, n_here),
            order=order,
            free=free,
            **driver,
        )
        for look, n_sweeps in enumerate((1, 3, 12)):
            chains.advance(n_sweeps)
            ends = chains.spins
            if (ends[:, clamped] != all_states[index][:, clamped]).any():
                return np.zeros(1)
            ends = oracles.state_index(ends)
            for k in range(2):
                counts[look, k] += np.bincount(ends[k::2], minlength=len(all_states))
    return np.array([[chi_square_p(counts[look, k], exact[k]) for k in range(2)] for look in range(3)])


def assert_stationary(order, kind, clamped, n_chains, **driver):
    machine = make_machine(kind, 8, 21)
    for p in stationary_ps(GibbsChains, machine, order, n_chains, clamped, **driver).flat:
        assert_plausible(p)


@clamped_or_not(2, 7)
@kinds
@drivers_and_orders
def test_chains_that_start_stationary_stay_stationary(driver, order, kind, clamped):
    """20,000 chains drawn exactly from pi, after 1, 4 and 16 sweeps."""
    assert_stationary(order, kind, clamped, 20_000, driver=driver)


@pytest.mark.slow
@clamped_or_not(2, 7)
@pytest.mark.parametrize("kind", ["pm1 int16", "01 int32"])
@drivers_and_orders
def test_two_million_chains_stay_stationary(driver, order, kind, clamped):
    """The same with two million, which see a 2 % error in beta."""
    assert_stationary(order, kind, clamped, 2_000_000, driver=driver)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
@drivers
def test_planted_faults_are_seen(driver, fault):
    """The stationarity test, or for a unit too many that is held the law of sweeps, on chains with a fault."""
    machine = make_machine("pm1 int32", 8, 21)
    test = law_p if fault is one_more_clamped else stationary_ps
    settings = {"n_sweeps": 2} if test is law_p else {}
    ps = test(fault, machine, "sequential", n_chains=100_000, clamped=[2, 7], **settings, driver=driver)
    assert_detected(ps.min(), fault.__name__)


# -- long runs --


@kinds
@drivers_and_orders
def test_long_runs_agree_with_enumeration(driver, order, kind):
    """Mean activities, a correlation and the energy of 64 chains in the machine's own encoding, against exact sums.

    Chains are independent, so their means over 1,200 sweeps are 64 numbers to which Student's test applies.
    """
    machine = make_machine(kind, 8, 31)
    temperature = 1.1
    all_states = oracles.all_states(8)
    distribution = exact_distribution(machine, all_states, temperature)

    def observables(spins, energies):
        states = machine.states(spins).astype(float)
        return np.column_stack([states, states[:, 0] * states[:, 5], energies])

    own = machine.states(all_states).astype(float)
    exact = distribution @ observables(all_states, oracles.energies(machine.couplings, machine.bias, own))
    starts = np.repeat(all_states[77:78], 64, axis=0)
    chains = GibbsChains(
        machine.spin_network, starts, keys_of(5, 64), temperature=temperature, order=order, driver=driver
    )
    n_draws = 400
    total = np.zeros((64, len(exact)))
    with using_threads(1):  # 400 calls so short that a second thread only costs
        chains.advance(50)
        for _ in range(n_draws):
            chains.advance(3)
            total += observables(chains.spins, chains.energies + machine.energy_offset)
    means = total / n_draws
    t = (means.mean(axis=0) - exact) / (means.std(axis=0, ddof=1) / 8)
    for p in 2 * stdtr(63, -np.abs(t)):
        assert_plausible(p)
