"""Gibbs chains do bit for bit what their definition says, however many there are and however calls cut them."""

import numba
import numpy as np
import pytest
from gibbs_faults import FAULTS
from gibbs_machines import MACHINES, drivers, drivers_and_orders, free_units, keys_of, make_machine, run_twin
from kernel_chains import random_states

from hopsim.errors import InputError, Interrupted
from hopsim.sampling import chains as chains_module
from hopsim.sampling.gibbs_chains import GibbsChains
from hopsim.sampling.threads import using_threads

N_UNITS, N_SWEEPS = 77, 6  # more than a block of thresholds, and no multiple of one
CLAMPED = {"free": [], "clamped": [0, 1, 40, 76]}


def settings_of(n_chains, seed=1):
    """Starts, keys and temperatures (n_sweeps, n_chains) of a schedule, other ones for each chain."""
    rng = np.random.default_rng(seed)
    return (
        random_states(rng, n_chains, N_UNITS),
        keys_of(seed, n_chains),
        rng.uniform(0.2, 2.0, (N_SWEEPS, n_chains)),
    )


def result(chains):
    return chains.spins, chains.n_flips, chains.energies


def assert_same(first, second):
    for a, b in zip(first, second, strict=True):
        assert (a == b).all()


def follows_twin(make, network, n_chains, order, free, **driver):
    """Whether chains that `make` builds end where their twins do, each on a schedule of its own."""
    spins, keys, schedule = settings_of(n_chains)
    chains = make(network, spins, keys, temperature=schedule[0], order=order, free=free, **driver)
    chains.advance(N_SWEEPS, schedule)
    for c in range(0, n_chains, max(1, n_chains // 20)):
        expected, n_flips = run_twin(network, spins[c], keys[c], schedule[:, c], order=order, free=free)
        if (chains.spins[c] != expected).any() or chains.n_flips[c] != n_flips:
            return False
    return True


@pytest.mark.parametrize("clamped", CLAMPED.values(), ids=CLAMPED)
@pytest.mark.parametrize("kind", MACHINES)
@drivers_and_orders
def test_chains_have_the_bits_of_their_twins(driver, order, kind, clamped):
    """Few chains and many; temperatures of their own, which change from sweep to sweep."""
    network = make_machine(kind, N_UNITS, 3).spin_network
    free = free_units(N_UNITS, clamped)
    for n_chains in (3, 70):
        assert follows_twin(GibbsChains, network, n_chains, order, free, driver=driver)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
@drivers
def test_twins_see_planted_faults(driver, fault):
    """Things that chains could do wrong: they end elsewhere."""
    network = make_machine("pm1 int16", N_UNITS, 3).spin_network
    free = free_units(N_UNITS, CLAMPED["clamped"])
    assert not follows_twin(fault, network, 70, "sequential", free, driver=driver)


@pytest.mark.parametrize("clamped", CLAMPED.values(), ids=CLAMPED)
@drivers_and_orders
def test_threads_batches_and_calls_change_nothing(driver, order, clamped, monkeypatch):
    """70 chains in a call; one thread and two; in batches; sweeps and schedule in pieces; calls of a few updates."""
    network = make_machine("pm1 int32", N_UNITS, 4).spin_network
    spins, keys, schedule = settings_of(70)
    free = free_units(N_UNITS, clamped)

    def run(part=slice(None), cuts=(N_SWEEPS,)):
        chains = GibbsChains(network, spins[part], keys[part], order=order, free=free, driver=driver)
        for first, last in zip((0, *cuts), cuts, strict=False):
            chains.advance(last - first, schedule[first:last, part])
        return result(chains)

    whole = run()
    for n_threads in range(1, min(2, numba.config.NUMBA_NUM_THREADS) + 1):
        with using_threads(n_threads):
            assert_same(run(), whole)
    for part in (slice(0, 1), slice(1, 33), slice(0, 64), slice(64, 70)):
        assert_same(run(part), [values[part] for values in whole])
    assert_same(run(cuts=(2, 2, 3, N_SWEEPS)), whole)
    monkeypatch.setattr(chains_module, "_CALL_SECONDS", 0.0)
    assert_same(run(), whole)


@drivers_and_orders
def test_a_temperature_set_is_a_schedule_of_it(driver, order):
    """One for all chains, one for each, and set anew on the way."""
    network = make_machine("01 int16", N_UNITS, 5).spin_network
    spins, keys, schedule = settings_of(70)
    for first, second in ((0.7, 1.1), (schedule[0], schedule[1])):
        warmed = GibbsChains(network, spins, keys, temperature=first, order=order, driver=driver)
        warmed.advance(3)
        warmed.heat(second)
        warmed.advance(2)
        scheduled = GibbsChains(network, spins, keys, order=order, driver=driver)
        rows = [np.broadcast_to(first, 70)] * 3 + [np.broadcast_to(second, 70)] * 2
        scheduled.advance(5, np.array(rows))
        assert_same(result(warmed), result(scheduled))


@pytest.mark.parametrize("n_chains", [3, 70])
@drivers_and_orders
def test_other_biases_hold_from_the_next_sweep_on(driver, order, n_chains):
    """Clamped units beside, whose part in the fields stays."""
    network = make_machine("pm1 int32", N_UNITS, 6).spin_network
    spins, keys, schedule = settings_of(n_chains)
    free = free_units(N_UNITS, CLAMPED["clamped"])
    other = np.random.default_rng(7).normal(size=N_UNITS)
    chains = GibbsChains(network, spins, keys, order=order, free=free, driver=driver)
    chains.advance(2, schedule)
    chains.tilt(other)
    chains.advance(N_SWEEPS - 2, schedule[2:])
    biases = [network.bias] * 2 + [other] * (N_SWEEPS - 2)
    expected, _ = run_twin(
        network, spins[-1], keys[-1], schedule[:, -1], order=order, free=free, biases=biases
    )
    assert (chains.spins[-1] == expected).all()
    integers = chains.spins.astype(float)
    pairs = -0.5 * np.einsum("ci,ij,cj->c", integers, network.matrix.astype(float), integers)
    assert (chains.energies == pairs / network.scale - (chains.spins * other).sum(axis=1)).all()


@pytest.mark.parametrize("clamped", CLAMPED.values(), ids=CLAMPED)
@pytest.mark.parametrize("kind", MACHINES)
@drivers_and_orders
def test_energies_are_those_of_the_states(driver, order, kind, clamped):
    """Exactly those of the integer couplings, from kept fields; with the offset, those of the machine itself.

    Real couplings are rounded by half a unit of fixed point each, in the machine's own encoding four times as much.
    """
    machine = make_machine(kind, N_UNITS, 8)
    network = machine.spin_network
    spins, keys, schedule = settings_of(70)
    free = free_units(N_UNITS, clamped)
    chains = GibbsChains(network, spins, keys, order=order, free=free, driver=driver)
    chains.advance(N_SWEEPS, schedule)
    values = chains.spins.astype(float)
    pairs = -0.5 * np.einsum("ci,ci->c", values, values @ network.matrix.astype(float))
    assert (chains.energies == pairs / network.scale - (chains.spins * network.bias).sum(axis=1)).all()
    rounding = N_UNITS**2 / network.scale if kind.endswith("int32") else 0.0
    states = machine.states(chains.spins).astype(float)
    own = -0.5 * np.einsum("ci,ij,cj->c", states, machine.couplings, states) - states @ machine.bias
    assert np.abs(chains.energies + machine.energy_offset - own).max() < rounding + 1e-11


@drivers
def test_a_look_at_the_outside_can_stop_chains(driver):
    network = make_machine("pm1 int32", N_UNITS, 9).spin_network
    spins, keys, _ = settings_of(70)
    looks = []

    def tick():
        looks.append(1)
        if len(looks) > 5:
            raise Interrupted

    chains = GibbsChains(network, spins, keys, tick=tick, driver=driver)
    with pytest.raises(Interrupted):
        chains.advance(10**9)


@drivers
def test_starts_are_copied_and_all_units_may_be_clamped(driver):
    network = make_machine("pm1 int32", N_UNITS, 9).spin_network
    spins, keys, _ = settings_of(4)
    before = spins.copy()
    chains = GibbsChains(network, spins, keys, driver=driver)
    chains.advance(2)
    assert (chains.spins != before).any()
    assert (spins == before).all()
    still = GibbsChains(network, spins, keys, free=np.empty(0, np.int64), driver=driver)
    still.advance(2)
    assert (still.spins == before).all()
    assert (still.n_flips == 0).all()


@drivers
def test_unknown_orders_and_impossible_temperatures_are_refused(driver):
    network = make_machine("pm1 int32", N_UNITS, 9).spin_network
    spins, keys, _ = settings_of(2)
    for order in ("synchronous", "", "Random"):
        with pytest.raises(InputError, match=r"^order: expected one of sequential, random, replacement"):
            GibbsChains(network, spins, keys, order=order, driver=driver)
    for temperature in (0.0, -1.0, float("nan"), float("inf"), [1.0, 0.0]):
        with pytest.raises(InputError, match=r"^temperature: expected a number above 0"):
            GibbsChains(network, spins, keys, temperature=temperature, driver=driver)
