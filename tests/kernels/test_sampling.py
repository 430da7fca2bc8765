"""The dynamics at T > 0 keep their exact distributions, and faults planted in them are seen."""

import numba
import numpy as np
import oracles
import pytest
from false_alarms import assert_detected, assert_plausible, chi_square_p
from kernel_chains import (
    DRAWS,
    ORDER_NAMES,
    ORDERS,
    advance,
    count_draws_below,
    dense_system,
    hebbian_system,
    make_chains,
    measured_energies,
    random_states,
    start_states,
)
from scipy.special import expit

from hopsim.kernels import dynamics as dyn
from hopsim.kernels.system import local_field


@numba.njit(error_model="numpy")
def fill_fields(system, spins, fields):
    for c in range(spins.shape[0]):
        for i in range(spins.shape[1]):
            fields[c, i] = local_field(system, c, i, spins[c, i])


@numba.njit(error_model="numpy")
def fill_up_probabilities(fields, half_temperature, up):
    """The exact share of the 2^52 draws whose threshold lies below each field."""
    for c in range(fields.shape[0]):
        for i in range(fields.shape[1]):
            up[c, i] = count_draws_below(fields[c, i], half_temperature) / DRAWS


def real_network(n_neurons, seed, biased=True):
    """Couplings of about unit strength in all, and a bias."""
    rng = np.random.default_rng(seed)
    upper = np.triu(rng.normal(0, 1 / np.sqrt(n_neurons), (n_neurons, n_neurons)), 1)
    return upper + upper.T, rng.normal(0, 0.4, n_neurons) * float(biased)


def stationary(order, couplings, bias, temperature):
    exact = oracles.peretto if order == dyn.SYNCHRONOUS else oracles.boltzmann
    return exact(couplings, bias, temperature)


# -- exactly --


@pytest.mark.parametrize("biased", [False, True], ids=["no bias", "bias"])
@pytest.mark.parametrize("n_neurons", [1, 2, 3, 4, 5, 6])
def test_transition_matrices_keep_their_distribution(n_neurons, biased):
    """max |pi P - pi| of each order's whole matrix, from the kernels' own fields and draws: Boltzmann's or
    Peretto's.

    The contract is 2^-23. Draws have 52 bits, so that nothing but rounding in N 2^N sums is left.
    """
    rng = np.random.default_rng(n_neurons)
    states = oracles.all_states(n_neurons)
    patterns = random_states(rng, 3, n_neurons)
    hebbian = oracles.hebbian_couplings(patterns)
    real, bias = real_network(n_neurons, n_neurons, biased)
    cases = [
        (hebbian_system(patterns, states), hebbian, bias * n_neurons, 0.7 * n_neurons),
        (dense_system(hebbian, states, np.int16), hebbian, bias * n_neurons, 0.7 * n_neurons),
        (dense_system(real, states, np.float64), real, bias, 0.9),
        (dense_system(real, states, np.float32), real.astype(np.float32).astype(float), bias, 0.9),
    ]
    for system, couplings, scaled_bias, temperature in cases:
        fields, up = np.empty(states.shape), np.empty(states.shape)
        fill_fields(system, states, fields)
        fill_up_probabilities(fields + scaled_bias, 0.5 * temperature, up)
        for order in ORDERS:
            matrix = oracles.sweep_matrix(up, order)
            distribution = stationary(order, couplings, scaled_bias, temperature)
            assert np.abs(matrix.sum(axis=1) - 1).max() < 2.0**-45
            assert np.abs(distribution @ matrix - distribution).max() < 2.0**-40


def test_the_exact_test_sees_a_beta_wrong_by_a_millionth():
    """Power of the matrix test: probabilities at T (1 + 1e-6), and asynchronous matrices on Peretto's
    distribution.
    """
    states = oracles.all_states(4)
    couplings, bias = real_network(4, 4)
    fields, up = np.empty(states.shape), np.empty(states.shape)
    fill_fields(dense_system(couplings, states), states, fields)
    for order in ORDERS:
        distribution = stationary(order, couplings, bias, 0.9)
        fill_up_probabilities(fields + bias, 0.45 * (1 + 1e-6), up)
        assert np.abs(distribution @ oracles.sweep_matrix(up, order) - distribution).max() > 2.0**-30
        fill_up_probabilities(fields + bias, 0.45, up)
        other = oracles.boltzmann if order == dyn.SYNCHRONOUS else oracles.peretto
        distribution = other(couplings, bias, 0.9)
        assert np.abs(distribution @ oracles.sweep_matrix(up, order) - distribution).max() > 2.0**-23


# -- bit for bit --


@pytest.mark.parametrize("order", ORDERS, ids=ORDER_NAMES)
def test_all_systems_give_the_same_bits_and_the_twin_too(order):
    """Same spins, flips and energies after 15 sweeps for Hebbian and dense systems, three temperatures in one
    call.
    """
    rng = np.random.default_rng(1)
    n_neurons = 300
    patterns = random_states(rng, 40, n_neurons)
    spins = start_states(patterns, rng)
    couplings, bias = oracles.hebbian_couplings(patterns), rng.integers(-40, 40, n_neurons).astype(float)
    half_temperature = n_neurons * np.array([0.05, 0.25, 1.5])[np.arange(len(spins)) % 3]
    chains = make_chains(spins, order, half_temperature, bias)
    system = hebbian_system(patterns, spins)
    advance(system, chains, 15)
    energies = measured_energies(system, chains)
    assert (energies == oracles.energies(couplings, bias, chains.spins)).all()
    assert (chains.registers[:, dyn.SWEEP] == 15).all()
    for dtype in (np.int16, np.float32, np.float64):
        twins = make_chains(spins, order, half_temperature, bias)
        system = dense_system(couplings, spins, dtype)
        advance(system, twins, 15)
        assert (twins.spins == chains.spins).all()
        assert (twins.registers == chains.registers).all()
        assert (measured_energies(system, twins) == energies).all()
    for c in range(len(spins)):
        outcome = oracles.run_chain(couplings, spins[c], chains, c, 15)
        assert (outcome.spins == chains.spins[c]).all()
        assert outcome.n_flips == chains.registers[c, dyn.N_FLIPS]


# -- statistically --


def count_ends(spins, couplings, bias, temperature, *, order, n_sweeps, keys=None, field_spins=None):
    """Counts over `all_states` after `n_sweeps` from `spins`; fields start as those of `field_spins`."""
    keys = np.arange(len(spins), dtype=np.uint64) if keys is None else keys
    field_spins = spins if field_spins is None else field_spins
    counts = np.zeros(1 << len(bias), np.int64)
    for first in range(0, len(spins), 250_000):
        part = slice(first, first + 250_000)
        chains = make_chains(spins[part], order, temperature / 2, bias, keys[part])
        system = dense_system(couplings, field_spins[part])
        advance(system, chains, n_sweeps)
        counts += np.bincount(oracles.state_index(chains.spins), minlength=len(counts))
    return counts


def draw_states(distribution, n_chains, seed):
    """States drawn exactly from a distribution over `all_states`."""
    index = np.random.default_rng(seed).choice(len(distribution), n_chains, p=distribution)
    return oracles.all_states(len(distribution).bit_length() - 1)[index]


@pytest.mark.parametrize("order", ORDERS, ids=ORDER_NAMES)
def test_one_sweep_from_a_state_follows_the_transition_matrix(order):
    """The law of one and of two sweeps from a given state is that row of the matrix: what moves, moves as it
    should.
    """
    n_neurons, n_chains, start = 5, 300_000, 11
    couplings, bias = real_network(n_neurons, 2)
    up = expit(2 * (oracles.all_states(n_neurons) @ couplings + bias) / 0.8)
    matrix = oracles.sweep_matrix(up, order)
    spins = np.repeat(oracles.all_states(n_neurons)[start : start + 1], n_chains, 0)
    for n_sweeps in (1, 2):
        counts = count_ends(spins, couplings, bias, 0.8, order=order, n_sweeps=n_sweeps)
        assert_plausible(chi_square_p(counts, np.linalg.matrix_power(matrix, n_sweeps)[start]))


N_NEURONS, TEMPERATURE = 8, 0.9
COUPLINGS, BIAS = real_network(N_NEURONS, 3)


@pytest.mark.parametrize("n_sweeps", [1, 3])
@pytest.mark.parametrize("order", ORDERS, ids=ORDER_NAMES)
def test_chains_that_start_stationary_stay_stationary(order, n_sweeps):
    """Two million chains drawn exactly from pi are distributed by pi after 1 and 3 sweeps."""
    distribution = stationary(order, COUPLINGS, BIAS, TEMPERATURE)
    spins = draw_states(distribution, 2_000_000, n_sweeps)
    counts = count_ends(spins, COUPLINGS, BIAS, TEMPERATURE, order=order, n_sweeps=n_sweeps)
    assert_plausible(chi_square_p(counts, distribution))


@pytest.mark.parametrize("order", ORDERS, ids=ORDER_NAMES)
def test_hebbian_chains_stay_stationary(order):
    """The same on bit-sliced counters, a quarter of a million chains, where fields are often 0."""
    rng = np.random.default_rng(5)
    patterns = random_states(rng, 4, 7)
    couplings, bias = oracles.hebbian_couplings(patterns), np.array([0.0, 1, -1, 2, 0, 0, -2])
    distribution = stationary(order, couplings, bias, 6.0)
    spins = draw_states(distribution, 250_000, 6)
    chains = make_chains(spins, order, 3.0, bias)
    advance(hebbian_system(patterns, spins), chains, 3)
    counts = np.bincount(oracles.state_index(chains.spins), minlength=len(distribution))
    assert_plausible(chi_square_p(counts, distribution))


def wrong_beta(spins):
    return {"temperature": TEMPERATURE / 1.02}


def no_bias(spins):
    return {"bias": np.zeros(N_NEURONS)}


def doubled_threshold(spins):
    return {"temperature": 2 * TEMPERATURE}


def one_coupling_wrong(spins):
    couplings = COUPLINGS.copy()
    couplings[0, 1] = couplings[1, 0] = 1.1 * COUPLINGS[0, 1]
    return {"couplings": couplings}


def asymmetric_coupling(spins):
    couplings = COUPLINGS.copy()
    couplings[0, 1] += 0.1
    return {"couplings": couplings}


def own_field(spins):
    return {"couplings": COUPLINGS + 0.05 * np.eye(N_NEURONS)}


def stale_field(spins):
    """One chain in ten missed a flip of its first unit."""
    field_spins = spins.copy()
    field_spins[::10, 0] *= -1
    return {"field_spins": field_spins}


def shared_numbers(spins):
    """A hundred chains share each key: their moves are not independent."""
    return {"keys": np.arange(len(spins), dtype=np.uint64) // np.uint64(100)}


FAULTS = [
    wrong_beta,
    no_bias,
    doubled_threshold,
    one_coupling_wrong,
    asymmetric_coupling,
    own_field,
    stale_field,
    shared_numbers,
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
@pytest.mark.parametrize("order", [dyn.RANDOM, dyn.SYNCHRONOUS], ids=["random", "synchronous"])
def test_planted_faults_are_seen(order, fault):
    """The stationarity test above, the kernels fed with something wrong: it must fail."""
    distribution = stationary(order, COUPLINGS, BIAS, TEMPERATURE)
    spins = draw_states(distribution, 2_000_000, 7)
    run = {"couplings": COUPLINGS, "bias": BIAS, "temperature": TEMPERATURE, "order": order, "n_sweeps": 3}
    counts = count_ends(spins=spins, **(run | fault(spins)))
    assert_detected(chi_square_p(counts, distribution), fault.__name__)


@pytest.mark.parametrize("order", ORDERS, ids=ORDER_NAMES)
def test_the_two_stationary_distributions_are_told_apart(order):
    """All units from the old state on Boltzmann's distribution, or one by one on Peretto's: seen."""
    other = oracles.boltzmann if order == dyn.SYNCHRONOUS else oracles.peretto
    distribution = other(COUPLINGS, BIAS, TEMPERATURE)
    spins = draw_states(distribution, 500_000, 8)
    counts = count_ends(spins, COUPLINGS, BIAS, TEMPERATURE, order=order, n_sweeps=3)
    assert_detected(chi_square_p(counts, distribution))


def test_random_numbers_used_twice_are_seen():
    """A second sweep with the first one's order and thresholds: the state depends on what it is met with."""
    distribution = oracles.boltzmann(COUPLINGS, BIAS, TEMPERATURE)
    spins = draw_states(distribution, 500_000, 9)
    for reused in (False, True):
        chains = make_chains(spins, dyn.RANDOM, TEMPERATURE / 2, BIAS)
        system = dense_system(COUPLINGS, spins)
        advance(system, chains, 1)
        if reused:
            chains.registers[:, dyn.SWEEP] = 0
        advance(system, chains, 1 if reused else 2)
        p = chi_square_p(np.bincount(oracles.state_index(chains.spins), minlength=256), distribution)
        (assert_detected if reused else assert_plausible)(p)
