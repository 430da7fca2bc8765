"""Chains from Python: many networks at once, temperatures of their own, looks at the outside that change nothing."""

import numba
import numpy as np
import oracles
import pytest
from kernel_chains import random_states

from hopsim.errors import InputError, Interrupted
from hopsim.kernels import giant_chain
from hopsim.models.hopfield import HebbianModel, draw_hebbian, pack_hebbian
from hopsim.sampling import chains as chains_module
from hopsim.sampling.chains import ORDERS, HopfieldChains, check_order, check_temperature
from hopsim.sampling.threads import using_threads

KEYS = np.arange(100, 106, dtype=np.uint64)


def result(chains):
    return chains.spins.copy(), chains.n_sweeps, chains.n_flips, chains.period, chains.observables()[0]


def assert_same(first, second):
    for a, b in zip(first, second, strict=True):
        assert (a == b).all()


@pytest.mark.parametrize("temperature", [0.0, 0.5])
@pytest.mark.parametrize("order", ORDERS)
def test_chains_on_many_networks_are_the_chains_on_each(order, temperature):
    """Three networks in one model, two chains each, against each chain alone on its network."""
    model = draw_hebbian(np.array([1, 2, 3], np.uint64), 90, 20)
    network = np.array([0, 2, 1, 1, 2, 0])
    states = random_states(np.random.default_rng(1), 6, 90)
    together = HopfieldChains(model, states, KEYS, temperature=temperature, order=order, network=network)
    together.advance(20)
    for c in range(6):
        one = HebbianModel(model.rows[network[c]][None], model.ones[network[c]][None], 20, model.bias)
        alone = HopfieldChains(one, states[c : c + 1], KEYS[c : c + 1], temperature=temperature, order=order)
        alone.advance(20)
        assert_same([values[c : c + 1] for values in result(together)], result(alone))


@pytest.mark.parametrize("order", ORDERS)
def test_how_long_calls_are_changes_nothing(order, monkeypatch):
    """Calls paced from one item up, and advances sweep by sweep: the same bits; energies are the definition's."""
    patterns = random_states(np.random.default_rng(2), 30, 120)
    model = pack_hebbian(patterns, np.zeros(120))
    states = random_states(np.random.default_rng(3), 6, 120)
    for temperature in (0.0, 0.3):
        whole = HopfieldChains(model, states, KEYS, temperature=temperature, order=order)
        whole.advance(15)
        looks = []
        monkeypatch.setattr(chains_module, "_FIRST_ITEMS", 1)
        monkeypatch.setattr(chains_module, "_CALL_SECONDS", 0.0)
        tiny = HopfieldChains(
            model,
            states,
            KEYS,
            temperature=temperature,
            order=order,
            tick=lambda looks=looks: looks.append(1),
        )
        for sweep_limit in range(1, 16):
            tiny.advance(sweep_limit)
        monkeypatch.undo()
        assert len(looks) > 15
        assert_same(result(whole), result(tiny))
        by_hand = oracles.energies(oracles.hebbian_couplings(patterns), np.zeros(120), whole.spins) / 120
        assert (whole.observables()[0] == by_hand).all()


@pytest.mark.skipif(numba.config.NUMBA_NUM_THREADS < 2, reason="needs two threads")
def test_the_last_chain_of_a_large_network_takes_all_threads(monkeypatch):
    """So it does while that is the faster way, and has the bits of a thread alone; small networks never do."""
    model = pack_hebbian(random_states(np.random.default_rng(6), 40, 2000), np.zeros(2000))
    states = random_states(np.random.default_rng(7), 2, 2000)
    n_calls = []

    def counted(*arguments):
        n_calls.append(1)
        giant_chain.advance_giant_chain(*arguments)

    def run(n_threads, temperature):
        n_calls.clear()
        with using_threads(n_threads):
            chains = HopfieldChains(model, states, KEYS[:2], temperature=temperature)
            chains.advance(40)
        return result(chains)

    temperatures = np.array([0.0, 0.1])  # the second one never rests
    monkeypatch.setattr(chains_module, "advance_giant_chain", counted)
    monkeypatch.setattr(chains_module, "_FIRST_ITEMS", 10)
    expected = run(2, temperatures)
    assert not n_calls
    monkeypatch.setattr(chains_module, "_GIANT_BYTES", 0)
    monkeypatch.setattr(chains_module, "_CALL_SECONDS", 1e-4)
    assert_same(run(2, temperatures), expected)
    assert n_calls
    assert_same(run(1, temperatures), expected)
    assert not n_calls


def test_each_chain_has_its_own_temperature():
    """T = 0 beside T = 0.6 and 5: the bits of each alone; only the first ever comes to rest."""
    patterns = random_states(np.random.default_rng(4), 5, 100)
    model = pack_hebbian(patterns, np.zeros(100))
    states, temperatures = patterns[[0, 0, 0]], np.array([0.0, 0.6, 5.0])
    together = HopfieldChains(model, states, KEYS[:3], temperature=temperatures)
    together.advance(30)
    for c in range(3):
        alone = HopfieldChains(model, states[:1], KEYS[c : c + 1], temperature=temperatures[c])
        alone.advance(30)
        assert_same([values[c : c + 1] for values in result(together)], result(alone))
    assert together.period.tolist() == [1, 0, 0]
    assert together.n_sweeps.tolist() == [1, 30, 30]


def test_a_look_at_the_outside_can_stop_a_run():
    """An error that the tick raises comes through, at the start and on the way."""
    model = draw_hebbian(np.zeros(1, np.uint64), 200, 20)
    states = random_states(np.random.default_rng(5), 2, 200)
    looks = []

    def tick(stop_at):
        looks.append(1)
        if len(looks) == stop_at:
            raise Interrupted

    with pytest.raises(Interrupted):
        HopfieldChains(model, states, KEYS[:2], tick=lambda: tick(1))
    looks.clear()
    chains = HopfieldChains(model, states, KEYS[:2], temperature=0.5, tick=lambda: tick(3))
    with pytest.raises(Interrupted):
        chains.advance(10**6)
    assert 0 < chains.n_sweeps.max() < 10**6


def test_the_states_given_are_copied():
    states = np.ones((1, 50), np.int8)
    chains = HopfieldChains(draw_hebbian(np.zeros(1, np.uint64), 50, 10), states, KEYS[:1])
    chains.advance(100)
    assert (chains.spins != 1).any()
    assert (states == 1).all()


def test_unknown_orders_and_impossible_temperatures_are_refused():
    for order in ("glauber", "", "Random"):
        with pytest.raises(
            InputError, match=r"^order: expected one of random, replacement, sequential, synchron"
        ):
            check_order(order)
    for temperature in (-0.1, float("nan"), float("inf")):
        with pytest.raises(InputError, match=r"^temperature: expected a number of at least 0"):
            check_temperature(temperature)
    assert check_temperature(0) == 0.0
