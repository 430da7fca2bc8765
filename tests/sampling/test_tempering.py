"""Parallel tempering keeps the distribution at every temperature; faults of the swaps are seen; ladders and counts."""

import numba
import numpy as np
import oracles
import pytest
from false_alarms import assert_detected, assert_plausible, chi_square_p
from gibbs_machines import exact_distribution, make_machine

from hopsim.errors import InputError
from hopsim.models.boltzmann import boltzmann_model
from hopsim.models.lattices import ising
from hopsim.models.seeds import Stream, stream_keys
from hopsim.sampling import tempering
from hopsim.sampling.gibbs_chains import GibbsChains
from hopsim.sampling.tempering import (
    TemperedChains,
    adapt_during,
    check_ladder,
    geometric_ladder,
    swap_log_odds,
)
from hopsim.sampling.threads import using_threads

N_UNITS = 6
LADDER = np.array([0.4, 0.7, 1.1, 2.0])


def tempered_of(network, spins, n_groups, ladder=LADDER, order="sequential", seed=1, swap_every=1):
    """Groups whose replicas start at `spins` (n_groups, n_temperatures, n_units)."""
    keys = stream_keys(seed, Stream.CHAIN, range(spins.shape[0] * spins.shape[1]))
    chains = GibbsChains(network, spins.reshape(-1, spins.shape[2]), keys, order=order)
    return TemperedChains(chains, ladder, stream_keys(seed, Stream.RUN, range(n_groups)), swap_every)


def random_spins(*shape):
    return np.random.default_rng(5).choice(np.array([-1, 1], np.int8), shape)


def stationary_ps(kind="pm1 int32", n_groups=20_000, order="sequential"):
    """p of each temperature's distribution after 1, 4 and 16 rounds of groups drawn from all of them."""
    machine = make_machine(kind, N_UNITS, 9)
    states = oracles.all_states(N_UNITS)
    exact = [exact_distribution(machine, states, value) for value in LADDER]
    rng = np.random.default_rng(2)
    starts = np.stack([states[rng.choice(len(states), n_groups, p=p)] for p in exact], axis=1)
    tempered = tempered_of(machine.spin_network, starts, n_groups, order=order)
    ps = []
    for n_rounds in (1, 3, 12):
        tempered.advance(n_rounds)
        for rung, distribution in enumerate(exact):
            counts = np.bincount(oracles.state_index(tempered.spins_at(rung)), minlength=len(states))
            ps.append(chi_square_p(counts, distribution))
    return np.array(ps)


@pytest.mark.parametrize(
    ("kind", "order"), [("pm1 int32", "sequential"), ("01 int16", "random"), ("01 int32", "replacement")]
)
def test_every_temperature_keeps_its_distribution(kind, order):
    """20,000 groups drawn exactly, after 1, 4 and 16 rounds: false alarms once in a million."""
    for p in stationary_ps(kind, order=order):
        assert_plausible(p)


def wrong_sign(t_cold, t_hot, cold, hot):
    return -swap_log_odds(t_cold, t_hot, cold, hot)


def always(t_cold, t_hot, cold, hot):
    return np.zeros(np.shape(cold)) + 1.0


def only_downhill(t_cold, t_hot, cold, hot):
    return np.where(cold > hot, 1.0, -np.inf)


def temperatures_not_inverted(t_cold, t_hot, cold, hot):
    return (np.asarray(t_hot) - np.asarray(t_cold)) * (cold - hot)


@pytest.mark.parametrize("fault", [wrong_sign, always, only_downhill, temperatures_not_inverted])
def test_wrong_odds_of_swaps_are_seen(fault, monkeypatch):
    monkeypatch.setattr(tempering, "swap_log_odds", fault)
    assert_detected(stationary_ps().min(), fault.__name__)


def test_biased_random_numbers_are_seen(monkeypatch):
    """Half as large as they should be."""
    uniform = TemperedChains._uniform
    monkeypatch.setattr(TemperedChains, "_uniform", lambda self, pairs: 0.5 * uniform(self, pairs))
    assert_detected(stationary_ps().min(), "biased numbers")


def test_replicas_that_forget_to_change_places_are_seen(monkeypatch):
    """Energies exchanged, temperatures not: the energies of the round before stand for this one's."""
    look = TemperedChains._look
    monkeypatch.setattr(TemperedChains, "_look", lambda self: np.roll(look(self), 1, axis=1))
    assert_detected(stationary_ps().min(), "energies of others")


def test_swaps_are_made_with_the_odds_that_keep_the_joint_distribution():
    """Detailed balance: p(E1 at T1, E2 at T2) A(1, 2) = p(E2 at T1, E1 at T2) A(2, 1)."""
    rng = np.random.default_rng(1)
    first, second = rng.normal(size=(2, 100))
    t_cold, t_hot = 0.5, 1.3
    there = np.minimum(1, np.exp(swap_log_odds(t_cold, t_hot, first, second)))
    back = np.minimum(1, np.exp(swap_log_odds(t_cold, t_hot, second, first)))
    flow = np.exp(-first / t_cold - second / t_hot) * there
    assert flow == pytest.approx(np.exp(-second / t_cold - first / t_hot) * back)


def test_threads_batches_and_calls_change_nothing():
    network = make_machine("pm1 int32", 40, 3).spin_network
    spins = random_spins(6, len(LADDER), 40)

    def run(n_groups=6, cuts=(10,)):
        tempered = tempered_of(network, spins[:n_groups], n_groups, swap_every=2)
        for n in cuts:
            tempered.advance(n)
        return tempered.chains.spins.reshape(n_groups, -1)[:3], tempered.rungs[:3], tempered.energies[:3]

    whole = run()
    for n_threads in range(1, min(2, numba.config.NUMBA_NUM_THREADS) + 1):
        with using_threads(n_threads):
            assert all((a == b).all() for a, b in zip(run(), whole, strict=True))
    assert all((a == b).all() for a, b in zip(run(3, (1, 4, 5)), whole, strict=True))


def test_energies_and_states_belong_together():
    """By temperature after swaps; the lowest seen has its state."""
    machine = make_machine("pm1 int32", 30, 4)
    tempered = tempered_of(machine.spin_network, random_spins(5, 4, 30), 5)
    tempered.advance(20)
    assert (np.sort(tempered.rungs, axis=1) == np.arange(4)).all()
    for rung in range(4):
        own = oracles.energies(machine.couplings, machine.bias, tempered.spins_at(rung))
        assert tempered.energies[:, rung] == pytest.approx(own, abs=1e-5)
    own = oracles.energies(machine.couplings, machine.bias, tempered.lowest_spins)
    assert tempered.lowest_energies == pytest.approx(own, abs=1e-5)
    assert (tempered.lowest_energies <= tempered.energies.min(axis=1)).all()


def test_without_couplings_every_swap_is_made_and_round_trips_are_counted():
    """Replicas then march: from cold to hot in R - 1 rounds, a round trip every 2 R rounds."""
    network = boltzmann_model(np.zeros((3, 3)), encoding="pm1").spin_network
    tempered = tempered_of(network, random_spins(2, 4, 3), 2)
    tempered.advance(81)
    report = tempered.report()
    assert report.swap_rates == pytest.approx([1, 1, 1])
    assert (report.round_trips >= 9).all()
    assert (report.round_trips <= 11).all()


def test_an_adapted_ladder_has_equal_swap_rates():
    """The 8 x 8 Ising model on a ladder that is far too wide below: rates come closer to each other, ends stay."""
    network = boltzmann_model(ising((8, 8)), encoding="pm1").spin_network
    ladder = np.array([1.5, 1.6, 1.7, 1.8, 1.9, 4.0])

    def rates(adapts):
        tempered = tempered_of(network, random_spins(20, 6, 64), 20, ladder)
        if adapts:
            adapt_during(tempered, 400)
        else:
            tempered.advance(400)
        tempered.count_anew()
        tempered.advance(400)
        return tempered.report().swap_rates, tempered.ladder

    before, _ = rates(False)
    after, adapted = rates(True)
    assert after.min() > 2 * before.min()
    assert np.ptp(after) < 0.5 * np.ptp(before)
    assert adapted[[0, -1]] == pytest.approx([1.5, 4.0])
    assert (np.diff(adapted) > 0).all()


@pytest.mark.parametrize(
    ("arguments", "subject"),
    [
        ((0.0, 1.0, 4), "t_min"),
        ((1.0, 1.0, 4), "t_max"),
        ((1.0, np.inf, 4), "t_max"),
        ((1.0, 2.0, 1), "n_temperatures"),
    ],
)
def test_impossible_ladders_are_refused(arguments, subject):
    with pytest.raises(InputError) as error:
        geometric_ladder(*arguments)
    assert error.value.subject == subject
    for ladder in ([1.0], [1.0, 1.0], [2.0, 1.0], [[1.0, 2.0]]):
        with pytest.raises(InputError, match=r"^ladder: "):
            check_ladder(ladder)
    assert geometric_ladder(1.0, 4.0, 3) == pytest.approx([1, 2, 4])
