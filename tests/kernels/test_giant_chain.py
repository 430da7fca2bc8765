"""A chain advanced by all threads in speculative blocks is, bit for bit, the chain that one thread advances."""

import types
from pathlib import Path

import numpy as np
import pytest
from kernel_chains import (
    NO_LIMIT,
    ORDER_NAMES,
    ORDERS,
    advance,
    hebbian_system,
    make_chains,
    measured_energies,
    random_states,
    start_states,
)

from hopsim.kernels import dynamics as dyn
from hopsim.kernels import giant_chain
from hopsim.kernels.hebbian import coupling

BOOKKEEPING = ("spins", "registers", "visits", "pending", "before", "seen")


def in_calls_of(n_items, length, n_threads, driver=giant_chain):
    """A way to advance all chains one after another, in calls of `n_items` items, blocks starting at `length`."""

    def advance_all(system, chains, sweep_limit):
        for c in range(len(chains.spins)):
            registers = chains.registers[c]
            while registers[dyn.STATUS] == dyn.RUNNING and registers[dyn.SWEEP] < sweep_limit:
                before = registers.copy()
                driver.advance_giant_chain(system, chains, c, n_items, sweep_limit, n_threads, length)
                assert (registers != before).any()

    return advance_all


def same_runs(patterns, spins, order, temperature, sweep_limit, ways, bias=0.0):
    """Whether all `ways` to advance give states, bookkeeping and distances of `advance_chains`."""
    half_temperature = temperature * patterns.shape[1] / 2
    runs = []
    for way in (advance, *ways):
        system, chains = hebbian_system(patterns, spins), make_chains(spins, order, half_temperature, bias)
        way(system, chains, sweep_limit)
        energies = measured_energies(system, chains)
        runs.append(
            [energies, system.distances, system.counters, *(getattr(chains, name) for name in BOOKKEEPING)]
        )
    return all((a == b).all() for run in runs[1:] for a, b in zip(runs[0], run, strict=True))


@pytest.mark.parametrize("temperature", [0.0, 0.05, 0.6])
@pytest.mark.parametrize("order", ORDERS, ids=ORDER_NAMES)
@pytest.mark.parametrize(
    ("n_neurons", "n_patterns"), [(1, 1), (5, 2), (130, 30), (301, 600), (1000, 130), (2000, 260)]
)
def test_bits_are_those_of_one_thread(n_neurons, n_patterns, order, temperature):
    """Patterns, disturbed patterns, mixtures and random states; blocks that start long, at once too short, at
    their shortest; calls cut at odd places; 1, 2 and 3 threads.
    """
    rng = np.random.default_rng(n_neurons + n_patterns)
    patterns = random_states(rng, n_patterns, n_neurons)
    ways = [
        in_calls_of(NO_LIMIT, giant_chain.LONGEST, 1),
        in_calls_of(NO_LIMIT, giant_chain.SHORTEST, 2),
        in_calls_of(777, 333, 3),
        in_calls_of(61, giant_chain.SHORTEST, 1),
    ]
    if n_neurons <= 301:
        ways += [in_calls_of(33, giant_chain.SHORTEST, 2), in_calls_of(7, giant_chain.LONGEST, 1)]
    bias = rng.normal(0, 0.1 * n_neurons, n_neurons)
    limit = 100 if temperature == 0.0 else 6
    assert same_runs(patterns, start_states(patterns, rng), order, temperature, limit, ways, bias)


@pytest.mark.parametrize("order", ORDERS, ids=ORDER_NAMES)
def test_strongest_couplings_that_there_are(order):
    """Copies of one pattern: every |N W_ij| is P, all that the shortcut past the corrections allows for."""
    rng = np.random.default_rng(1)
    patterns = np.repeat(random_states(rng, 1, 400), 30, 0)
    spins = random_states(rng, 20, 400)
    for temperature in (0.0, 0.5):
        ways = [in_calls_of(NO_LIMIT, giant_chain.LONGEST, 2)]
        assert same_runs(patterns, spins, order, temperature, 30, ways)


@pytest.mark.parametrize("order", ORDERS, ids=ORDER_NAMES)
def test_blocks_of_all_lengths(order):
    """More neurons than the longest block has visits: at rest, nearly so, and far from it."""
    rng = np.random.default_rng(2)
    n_neurons = giant_chain.LONGEST + 5000
    patterns = random_states(rng, 12, n_neurons)
    spins = start_states(patterns, rng)[[0, 2, 6]]
    spins[1] = np.where(rng.random(n_neurons) < 0.001, -patterns[1], patterns[1])
    assert same_runs(patterns, spins, order, 0.0, 30, [in_calls_of(NO_LIMIT, giant_chain.FIRST, 2)])
    assert same_runs(patterns, spins, order, 0.25, 3, [in_calls_of(100_001, giant_chain.FIRST, 2)])


def test_no_block_outgrows_its_fields():
    """Whatever happened in a block, the next one is not longer than the longest, and flips shorten blocks."""
    for length in (giant_chain.SHORTEST // 2, giant_chain.FIRST, giant_chain.LONGEST):
        for n_visits in (1, length // 2, length):
            for n_flips in range(min(n_visits, 2 * giant_chain.MOST_FLIPS) + 1):
                following = giant_chain._next_length(length, n_visits, n_flips)
                assert giant_chain.SHORTEST // 2 <= following <= giant_chain.LONGEST
                if n_flips > giant_chain.FLIPS_AIMED_AT and length >= giant_chain.SHORTEST:
                    assert following < length


def test_couplings_are_the_definition():
    """N W_ij = sum_mu xi_i xi_j, and 0 on the diagonal, for ragged numbers of patterns."""
    rng = np.random.default_rng(3)
    for n_patterns in (1, 63, 512, 700):
        patterns = random_states(rng, n_patterns, 12)
        system = hebbian_system(patterns, patterns[:1])
        expected = patterns.T.astype(int) @ patterns
        np.fill_diagonal(expected, 0)
        found = [[coupling(system, 0, i, j) for j in range(12)] for i in range(12)]
        assert found == expected.tolist()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("field += 2.0 * flipped[left, 1]", "field += 0.0 * flipped[left, 1]"),
        ("field += 2.0 * flipped[left, 1]", "field += 2.0 * spins[flipped[left, 0]]"),
        ("field - 2.0 * system.n_patterns", "field - 0.5 * system.n_patterns"),
    ],
    ids=["fields stay uncorrected", "a unit that flipped back", "a bound too tight"],
)
def test_planted_faults_are_seen(line, fault):
    """The comparison above fails for each, and without any it holds."""
    source = Path(giant_chain.__file__).read_text()
    assert source.count(line) == 1
    faulty = types.ModuleType("faulty")
    exec(compile(source.replace(line, fault), "faulty", "exec"), faulty.__dict__)
    faulty._evaluate_block = giant_chain._evaluate_block  # without fault, and compiled already
    faulty._decide_block = giant_chain._decide_block
    rng = np.random.default_rng(4)
    patterns = np.repeat(random_states(rng, 5, 40), 5, 0)  # so few units that some flip twice in a block
    spins = random_states(rng, 100, 40)
    for driver, expected in ((giant_chain, True), (faulty, False)):
        ways = [in_calls_of(40, giant_chain.LONGEST, 1, driver)]  # no call begins with blocks grown short
        assert same_runs(patterns, spins, dyn.REPLACEMENT, 0.4, 20, ways) == expected
