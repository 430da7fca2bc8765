"""Annealing: schedules, ground states known by enumeration, fixed points after the quench, the same bits."""

import numba
import numpy as np
import oracles
import pytest

from hopsim.errors import InputError
from hopsim.models.boltzmann import boltzmann_model
from hopsim.models.lattices import edwards_anderson, sherrington_kirkpatrick
from hopsim.models.seeds import Stream, stream_keys
from hopsim.sampling.annealing import Annealing, check_schedule, schedule, usual_range
from hopsim.sampling.gibbs_chains import GibbsChains
from hopsim.sampling.threads import using_threads

N_UNITS = 12


def random_spins(n_chains, n_units):
    return np.random.default_rng(1).choice(np.array([-1, 1], np.int8), (n_chains, n_units))


def cooled(network, temperatures, n_chains=40, order="sequential", quench=True, look_every=10):
    """An annealing that is done, and its looks."""
    starts = random_spins(n_chains, network.n_neurons)
    chains = GibbsChains(network, starts, stream_keys(1, Stream.CHAIN, range(n_chains)), order=order)
    annealing = Annealing(chains, temperatures)
    return annealing, list(annealing.run(look_every, quench=quench))


def glass(seed):
    """A spin glass with biases, as chains have it, and its lowest energy."""
    bias = np.random.default_rng(seed).normal(size=N_UNITS)
    machine = boltzmann_model(sherrington_kirkpatrick(N_UNITS, seed), bias, "pm1")
    energies = oracles.energies(machine.couplings, bias, oracles.all_states(N_UNITS))
    return machine.spin_network, energies.min()


@pytest.mark.parametrize("order", ["sequential", "random", "replacement"])
@pytest.mark.parametrize("kind", ["geometric", "linear"])
def test_ground_states_are_found(kind, order):
    """Those of enumeration, by most of 40 chains on each of 5 machines; the states are those of the energies."""
    for seed in range(5):
        network, lowest = glass(seed)
        annealing, _ = cooled(network, schedule(kind, 3.0, 0.05, 200), order=order)
        assert annealing.energies.min() == pytest.approx(lowest, abs=1e-7)
        assert (annealing.energies < lowest + 1e-6).mean() > 0.5
        own = oracles.energies(network.couplings(), network.bias, annealing.spins)
        assert annealing.energies == pytest.approx(own, abs=1e-9)


def test_a_schedule_that_runs_backwards_does_not():
    """Planted: chains that are warmed are found far less often in ground states, without the quench."""
    network, lowest = glass(0)
    temperatures = schedule("geometric", 3.0, 0.05, 200)
    right, _ = cooled(network, temperatures, quench=False, look_every=200)
    wrong, _ = cooled(network, temperatures[::-1].copy(), quench=False, look_every=200)
    assert (right.energies < lowest + 1e-6).mean() > 2 * (wrong.energies < lowest + 1e-6).mean()


@pytest.mark.parametrize(
    ("couplings", "order"),
    [
        (sherrington_kirkpatrick(50, 3), "sequential"),
        (edwards_anderson((6, 6), 1, gaussian=True), "coloured"),
    ],
    ids=["dense", "sparse"],
)
def test_the_quench_ends_where_no_unit_wants_to_flip(couplings, order):
    """Dense and sparse; starting hot, so that there is a way to go."""
    machine = boltzmann_model(couplings, encoding="pm1")
    annealing, looks = cooled(machine.spin_network, np.full(3, 5.0), order=order)
    last = looks[-1]
    assert last.temperature == 0
    assert (last.energies <= looks[-2].energies).all()
    assert (annealing.energies == np.min([look.energies for look in looks], axis=0)).all()
    at_rest = annealing.spins[annealing.energies == last.energies]
    assert len(at_rest) > 30
    assert (at_rest * machine.local_fields(at_rest)).min() > 0


def test_threads_and_other_chains_change_nothing():
    network, _ = glass(2)
    temperatures = schedule("geometric", 3.0, 0.05, 50)
    whole, looks = cooled(network, temperatures)
    for n_threads in range(1, min(2, numba.config.NUMBA_NUM_THREADS) + 1):
        with using_threads(n_threads):
            again, _ = cooled(network, temperatures, look_every=10)
            assert (again.energies == whole.energies).all()
            assert (again.spins == whole.spins).all()
    assert [look.n_sweeps for look in looks[:-1]] == [10, 20, 30, 40, 50]
    assert looks[4].temperature == pytest.approx(0.05)


def test_schedules_fall_from_the_first_temperature_to_the_last():
    assert schedule("linear", 3.0, 1.0, 3) == pytest.approx([3, 2, 1])
    assert schedule("geometric", 4.0, 1.0, 3) == pytest.approx([4, 2, 1])
    assert schedule("linear", 2.0, 1.0, 1) == pytest.approx([2])
    assert check_schedule([2, 1.5]) == pytest.approx([2, 1.5])


@pytest.mark.parametrize(
    ("arguments", "subject"),
    [
        (("cubic", 2.0, 1.0, 3), "schedule"),
        (("linear", 0.0, 1.0, 3), "t_start"),
        (("linear", np.nan, 1.0, 3), "t_start"),
        (("linear", 2.0, -1.0, 3), "t_end"),
        (("linear", 1.0, 2.0, 3), "t_end"),
        (("linear", 2.0, 1.0, 0), "n_sweeps"),
    ],
)
def test_other_schedules_are_refused(arguments, subject):
    with pytest.raises(InputError) as error:
        schedule(*arguments)
    assert error.value.subject == subject


@pytest.mark.parametrize("temperatures", [[], [[1.0]], [1.0, 0.0], [np.nan]])
def test_other_lists_are_refused(temperatures):
    with pytest.raises(InputError, match=r"^schedule: "):
        check_schedule(temperatures)


def test_the_usual_range_follows_the_fields():
    """SK: root mean square field 1; units without couplings have no scale."""
    network = boltzmann_model(sherrington_kirkpatrick(400, 1), encoding="pm1").spin_network
    assert usual_range(network) == pytest.approx((2.0, 0.05), rel=0.05)
    assert usual_range(boltzmann_model(np.zeros((3, 3))).spin_network) == (1.0, 1.0)
