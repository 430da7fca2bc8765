"""The dynamics at T = 0: all systems alike, bit for bit, and like a few lines of numpy; fixed points and two-
cycles.
"""

import itertools

import numba
import numpy as np
import oracles
import pytest
from kernel_chains import (
    NO_LIMIT,
    ORDER_NAMES,
    ORDERS,
    advance,
    dense_system,
    hebbian_system,
    make_chains,
    measured_energies,
    random_states,
    start_states,
)

from hopsim.kernels import dynamics as dyn

ASYNCHRONOUS = ORDERS[:3]
DENSE_TYPES = (np.int16, np.float32, np.float64)
LIMIT = 200
WHOLE_RESULT = ("spins", "registers", "visits", "pending", "before", "seen")


def random_couplings(rng, n_neurons, integer=False):
    """A symmetric matrix with a zero diagonal: normal, of variance 1/N, or integers from -3 to 3 (ties are
    common).
    """
    draws = (
        rng.integers(-3, 4, (n_neurons, n_neurons)) if integer else rng.normal(0, 1, (n_neurons, n_neurons))
    )
    upper = np.triu(draws, 1).astype(float)
    return (upper + upper.T) / (1.0 if integer else np.sqrt(n_neurons))


def same_chains(a, b):
    return all((getattr(a, name) == getattr(b, name)).all() for name in WHOLE_RESULT)


def assert_like_the_twin(chains, c, outcome):
    registers = chains.registers[c]
    assert (chains.spins[c] == outcome.spins).all()
    assert registers[dyn.SWEEP] == outcome.n_sweeps
    assert registers[dyn.N_FLIPS] == outcome.n_flips
    assert registers[dyn.STATUS] == outcome.status


@pytest.mark.parametrize("order", ORDERS, ids=ORDER_NAMES)
@pytest.mark.parametrize("biased", [False, True], ids=["no bias", "integer bias"])
@pytest.mark.parametrize(
    ("n_neurons", "n_patterns"),
    [
        *[(4, 1), (4, 2), (5, 2), (9, 1), (17, 8), (64, 13), (201, 26), (200, 100)],
        *[(1000, 200), (2000, 20), (2000, 260), (2000, 1000)],
    ],
)
def test_all_systems_relax_alike_and_like_the_numpy_twin(n_neurons, n_patterns, biased, order):
    """Hebbian, int16, float32 and float64 couplings: spins, registers and energies bit for bit, from starts
    of all kinds.

    The twin sums every field anew; it runs every start up to N = 201, and a mixture and a random state
    beyond.
    """
    rng = np.random.default_rng(n_neurons + n_patterns)
    patterns = random_states(rng, n_patterns, n_neurons)
    spins = start_states(patterns, rng)
    bias = rng.integers(-n_neurons // 4, n_neurons // 4 + 1, n_neurons) * float(biased)
    couplings = oracles.hebbian_couplings(patterns)
    system, chains = hebbian_system(patterns, spins), make_chains(spins, order, bias=bias)
    advance(system, chains, LIMIT)
    energies = measured_energies(system, chains)
    assert (energies == oracles.energies(couplings, bias, chains.spins)).all()
    for dtype in DENSE_TYPES:
        system, twins = dense_system(couplings, spins, dtype), make_chains(spins, order, bias=bias)
        advance(system, twins, LIMIT)
        assert same_chains(chains, twins), dtype
        assert (measured_energies(system, twins) == energies).all()
    for c in range(len(spins)) if n_neurons <= 201 else (4, 7):
        assert_like_the_twin(chains, c, oracles.run_chain(couplings, spins[c], chains, c, LIMIT))


@pytest.mark.parametrize("order", ORDERS, ids=ORDER_NAMES)
def test_real_biases_on_hebbian_fields_are_added_exactly_once(order):
    """An integer field plus a real bias is rounded once: the same bits in all systems and in the twin."""
    rng = np.random.default_rng(1)
    patterns = random_states(rng, 20, 150)
    spins, bias = start_states(patterns, rng), rng.normal(0, 30, 150)
    couplings = oracles.hebbian_couplings(patterns)
    chains = make_chains(spins, order, bias=bias)
    advance(hebbian_system(patterns, spins), chains, LIMIT)
    for dtype in DENSE_TYPES:
        twins = make_chains(spins, order, bias=bias)
        advance(dense_system(couplings, spins, dtype), twins, LIMIT)
        assert same_chains(chains, twins)
    for c in range(len(spins)):
        assert_like_the_twin(chains, c, oracles.run_chain(couplings, spins[c], chains, c, LIMIT))


@pytest.mark.parametrize("order", ORDERS, ids=ORDER_NAMES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n_neurons", [5, 60, 300])
def test_real_couplings_relax_like_the_twin_where_fields_exceed_rounding(n_neurons, dtype, order):
    """No field on the way comes near enough to 0 for the order of its sum to matter (asserted), so states are
    equal.
    """
    rng = np.random.default_rng(n_neurons)
    couplings = random_couplings(rng, n_neurons).astype(dtype).astype(float)
    spins, bias = random_states(rng, 6, n_neurons), rng.normal(0, 0.2, n_neurons)
    system, chains = dense_system(couplings, spins, dtype), make_chains(spins, order, bias=bias)
    advance(system, chains, LIMIT)
    outcomes = [oracles.run_chain(couplings, spins[c], chains, c, LIMIT) for c in range(6)]
    # each of the flips and each of the terms rounds by at most half an ulp of the largest field possible
    largest = np.abs(couplings).sum(axis=0).max()
    for c, outcome in enumerate(outcomes):
        bound = (outcome.n_flips + 2 * n_neurons) * largest * 2.0**-53
        assert outcome.smallest_field > bound
        assert_like_the_twin(chains, c, outcome)
    energies = oracles.energies(couplings, bias, chains.spins)
    # relative to the sum of the terms' sizes: the fields' rounding, and that of either sum
    scale = np.abs(couplings).sum() + np.abs(bias).sum()
    n_terms = max(outcome.n_flips for outcome in outcomes) + 3 * n_neurons
    assert np.abs(measured_energies(system, chains) - energies).max() <= n_terms * scale * 2.0**-53


@pytest.mark.parametrize("order", ORDERS, ids=ORDER_NAMES)
def test_a_tie_keeps_the_state(order):
    """Fields that are exactly 0 leave +1 at +1 and -1 at -1, without couplings and in the 4-neuron seed
    network.
    """
    spins = oracles.all_states(4)
    for couplings in (np.zeros((4, 4)), np.array([[0.0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]])):
        for dtype in DENSE_TYPES:
            chains = make_chains(spins, order)
            advance(dense_system(couplings, spins, dtype), chains, LIMIT)
            assert (chains.spins[:, 2:] == spins[:, 2:]).all()
            if not couplings.any():
                assert (chains.spins == spins).all()
                assert (chains.registers[:, dyn.STATUS] == dyn.FIXED_POINT).all()
    # N W of (1,1,-1,-1) and (1,-1,1,-1): units 0 and 3, and 1 and 2, are coupled by -2, all else by 0
    patterns = np.array([[1, 1, -1, -1], [1, -1, 1, -1]], np.int8)
    chains = make_chains(spins, order)
    advance(hebbian_system(patterns, spins), chains, LIMIT)
    for start, end, status in zip(spins, chains.spins, chains.registers[:, dyn.STATUS], strict=True):
        for i, j in ((0, 3), (1, 2)):
            if start[i] != start[j]:
                assert (end[[i, j]] == start[[i, j]]).all()
            elif order == dyn.SYNCHRONOUS:
                assert end[i] == end[j]
                assert status == dyn.TWO_CYCLE
            else:
                assert end[i] != end[j]


def test_ties_are_common_where_the_twin_is_compared():
    """Power: under other tie rules, sign(0) = +1 or -1, such runs compared above would end elsewhere."""
    rng = np.random.default_rng(3)
    patterns = random_states(rng, 8, 17)
    couplings = oracles.hebbian_couplings(patterns)
    spins = start_states(patterns, rng)
    for tie in (0.25, -0.25):  # below the spacing of integers: decides ties only
        ends = []
        for bias in (0.0, tie):
            chains = make_chains(spins, dyn.RANDOM, bias=bias)
            advance(hebbian_system(patterns, spins), chains, LIMIT)
            ends.append(chains.spins)
        assert (ends[0] != ends[1]).any()
    assert (spins @ couplings == 0).any()


@pytest.mark.parametrize("order", ORDERS, ids=ORDER_NAMES)
def test_fixed_points_are_fixed_points_and_nothing_else_is_called_one(order):
    """No unit of a chain at rest would flip; one that stands at the sweep limit is still running."""
    rng = np.random.default_rng(4)
    patterns = random_states(rng, 40, 200)
    couplings = oracles.hebbian_couplings(patterns)
    spins = start_states(patterns, rng)
    statuses = set()
    for limit in (0, 1, 2, 5, LIMIT):
        chains = make_chains(spins, order)
        advance(hebbian_system(patterns, spins), chains, limit)
        unstable = ((chains.spins @ couplings) * chains.spins < 0).any(axis=1)
        status = chains.registers[:, dyn.STATUS]
        assert not unstable[status == dyn.FIXED_POINT].any()
        assert unstable[status == dyn.TWO_CYCLE].all()
        assert (chains.registers[status == dyn.RUNNING, dyn.SWEEP] == limit).all()
        statuses |= set(status.tolist())
    assert {dyn.RUNNING, dyn.FIXED_POINT} <= statuses


def test_replacement_stops_at_the_visit_that_completes_the_proof():
    """At rest since the last flip, and not before every unit was seen: the chain stops in mid-sweep, on that
    very item.
    """
    rng = np.random.default_rng(5)
    spins = random_states(rng, 50, 30)
    couplings = random_couplings(rng, 30, integer=True)
    system, chains = dense_system(couplings, spins), make_chains(spins, dyn.REPLACEMENT)
    n_items = np.zeros(50, np.int64)
    while (running := chains.registers[:, dyn.STATUS] == dyn.RUNNING).any():
        assert (chains.registers[:, dyn.SWEEP] < LIMIT).all()  # a chain that never rests would hang the test
        advance(system, chains, LIMIT, n_items=1)
        n_items += running
    for c in range(50):
        visits = itertools.chain.from_iterable(
            oracles.visit_order(dyn.REPLACEMENT, chains.keys[c], sweep, 30) for sweep in itertools.count()
        )
        state, unseen, steps = spins[c].astype(float), set(range(30)), 0
        while unseen:
            i, steps = next(visits), steps + 1
            if (couplings[i] @ state) * state[i] < 0:
                state[i], unseen = -state[i], set(range(30))
            unseen -= {i}
        assert n_items[c] == steps
        assert (chains.spins[c] == state).all()


@pytest.mark.parametrize("coupling", [-1.0, 1.0])
def test_two_units_swap_forever_under_synchronous_updates(coupling):
    """Antiferromagnets started equal, ferromagnets started opposite: true two-cycles, recognised; the others
    rest.
    """
    couplings = np.array([[0.0, coupling], [coupling, 0.0]])
    spins = oracles.all_states(2)
    chains = make_chains(spins, dyn.SYNCHRONOUS)
    advance(dense_system(couplings, spins), chains, LIMIT)
    frustrated = spins[:, 0] * spins[:, 1] != coupling
    expected = np.where(frustrated, dyn.TWO_CYCLE, dyn.FIXED_POINT)
    assert (chains.registers[:, dyn.STATUS] == expected).all()
    assert (chains.registers[:, dyn.SWEEP] == np.where(frustrated, 2, 1)).all()
    assert (chains.spins == spins).all()


def test_two_cycles_are_true_two_cycles():
    """One more step leaves the state, two return to it; and synchronous relaxation of symmetric networks ends
    so or at rest.
    """
    rng = np.random.default_rng(6)
    n_found = 0
    for n_neurons in (3, 8, 50, 200):
        couplings = random_couplings(rng, n_neurons, integer=True)
        bias = rng.integers(-2, 3, n_neurons).astype(float)
        spins = random_states(rng, 50, n_neurons)
        chains = make_chains(spins, dyn.SYNCHRONOUS, bias=bias)
        advance(dense_system(couplings, spins, np.int16), chains, 1000)
        status = chains.registers[:, dyn.STATUS]
        assert (status != dyn.RUNNING).all()  # Goles and Fogelman 1981: transients end in periods 1 or 2

        def step(state, couplings=couplings, bias=bias):
            field = state @ couplings + bias
            return np.where(field == 0, state, np.sign(field))

        once = step(chains.spins.astype(float))
        assert ((once == chains.spins).all(axis=1) == (status == dyn.FIXED_POINT)).all()
        assert (step(once) == chains.spins).all()
        n_found += (status == dyn.TWO_CYCLE).sum()
    assert n_found > 20


@pytest.mark.parametrize("order", ORDERS, ids=ORDER_NAMES)
def test_results_do_not_depend_on_splits_company_or_threads(order):
    """Calls of 1, 7, 64 or 1,000 items, one chain a call or all in any order, 1 or 2 threads, T = 0 beside T
    > 0.
    """
    rng = np.random.default_rng(7)
    patterns = random_states(rng, 30, 130)
    spins = start_states(patterns, rng)
    couplings = oracles.hebbian_couplings(patterns)
    half_temperature = np.where(np.arange(len(spins)) % 2, 0.3 * 130 / 2, 0.0)
    limit = 12

    def result(make_system, advance_all):
        system, chains = make_system(), make_chains(spins, order, half_temperature, bias=0.5)
        advance_all(system, chains)
        return chains, measured_energies(system, chains)

    def in_calls_of(n_items):
        def advance_all(system, chains):
            for _ in range(limit * 2 * 130 // n_items + 1):
                advance(system, chains, limit, n_items)

        return advance_all

    def one_by_one(system, chains):
        for c in rng.permutation(len(spins)):
            advance(system, chains, limit, active=np.array([c]))

    def with_threads(n_threads):
        def advance_all(system, chains):
            before = numba.get_num_threads()
            numba.set_num_threads(min(n_threads, numba.config.NUMBA_NUM_THREADS))
            advance(system, chains, limit)
            numba.set_num_threads(before)

        return advance_all

    ways = [
        in_calls_of(1),
        in_calls_of(7),
        in_calls_of(64),
        in_calls_of(1000),
        one_by_one,
        with_threads(1),
        with_threads(2),
    ]
    systems = [lambda: hebbian_system(patterns, spins), lambda: dense_system(couplings, spins, np.float32)]
    expected, energies = result(systems[0], in_calls_of(NO_LIMIT))
    for make_system, way in itertools.product(systems, ways):
        chains, found = result(make_system, way)
        assert same_chains(chains, expected)
        assert (found == energies).all()


@pytest.mark.parametrize("n_neurons", [1, 2, 3])
@pytest.mark.parametrize("order", ORDERS, ids=ORDER_NAMES)
def test_the_smallest_networks_work(n_neurons, order):
    """One, two and three units: from every state, T = 0 and T > 0, as the twin has it."""
    spins = oracles.all_states(n_neurons)
    patterns = random_states(np.random.default_rng(8), 3, n_neurons)
    couplings = oracles.hebbian_couplings(patterns)
    for half_temperature in (0.0, 1.5):
        chains = make_chains(spins, order, half_temperature)
        advance(hebbian_system(patterns, spins), chains, 20)
        for c in range(len(spins)):
            assert_like_the_twin(chains, c, oracles.run_chain(couplings, spins[c], chains, c, 20))


def test_energy_never_rises_in_a_million_single_steps():
    """Random networks, integer and real, with and without bias, each asynchronous order, one update at a
    time.

    Integer energies are exact. Real ones may rise by the rounding of two sums of N terms, no more.
    """
    rng = np.random.default_rng(9)
    n_neurons, n_chains, n_steps, n_flips = 50, 500, 0, 0
    for order, integer, biased, _ in itertools.product(ASYNCHRONOUS, (True, False), (True, False), range(2)):
        couplings = random_couplings(rng, n_neurons, integer)
        bias = (rng.integers(-4, 5, n_neurons) if integer else rng.normal(0, 1, n_neurons)) * float(biased)
        spins = random_states(rng, n_chains, n_neurons)
        system = dense_system(couplings, spins, np.int16 if integer else np.float64)
        chains = make_chains(spins, order, bias=bias)
        rounding = (
            0.0 if integer else 4 * n_neurons * (np.abs(couplings).sum() + np.abs(bias).sum()) * 2.0**-53
        )
        before, flips_before = measured_energies(system, chains), chains.registers[:, dyn.N_FLIPS].copy()
        while (running := chains.registers[:, dyn.STATUS] == dyn.RUNNING).any():
            assert (chains.registers[:, dyn.SWEEP] < LIMIT).all()
            advance(system, chains, LIMIT, n_items=1)
            energies = measured_energies(system, chains)
            assert (energies <= before + rounding).all()
            flipped = chains.registers[:, dyn.N_FLIPS] > flips_before
            if integer:
                assert (energies[flipped] < before[flipped]).all()
            assert (energies[~flipped] == before[~flipped]).all()
            before, flips_before = energies, chains.registers[:, dyn.N_FLIPS].copy()
            n_steps += running.sum()
        n_flips += flips_before.sum()
        exact = oracles.energies(couplings, bias, chains.spins)
        assert np.abs(before - exact).max() <= rounding
    assert n_steps >= 1_000_000
    assert n_flips >= 100_000
