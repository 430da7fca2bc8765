"""Parallel tempering as an experiment, and the ground-state study: known energies, a peer, success at equal updates."""

import numpy as np
import pytest

from hopsim.errors import InputError, Interrupted
from hopsim.evaluation.enumeration import enumerate_states
from hopsim.experiments import boltzmann_ground_states, boltzmann_temper
from hopsim.experiments.boltzmann_ground_states import BoltzmannGroundStates
from hopsim.experiments.boltzmann_temper import BoltzmannTemper
from hopsim.experiments.observer import Observer
from hopsim.models.boltzmann import boltzmann_model
from hopsim.models.lattices import named_couplings
from hopsim.models.seeds import Stream, stream_keys


@pytest.mark.parametrize("ladder", ["geometric", "adapted"])
def test_the_coldest_chains_agree_with_enumeration(ladder):
    """Mean energy of 16 independent chains within 5 standard errors, a false alarm in some 6,000 (15 degrees)."""
    configuration = BoltzmannTemper(
        seed=3, model="sk:12", temperature=0.3, n_temperatures=6, ladder=ladder, n_chains=16, n_sweeps=300
    )
    records = boltzmann_temper.run(configuration, Observer())
    model = boltzmann_model(named_couplings("sk:12", 3), encoding="pm1")
    means = records["energy"].mean(axis=1)
    exact = enumerate_states(model, 0.3).energy_mean
    assert abs(means.mean() - exact) < 5 * means.std(ddof=1) / 4
    own = model.energies(records["state"].reshape(-1, 12)).reshape(16, -1)
    assert records["energy"] == pytest.approx(own, abs=1e-6)
    assert (records["energy"] == records["energy_by_temperature"][:, :, 0]).all()
    assert model.energies(records["state_lowest"]) == pytest.approx(records["energy_lowest"], abs=1e-6)
    assert records["temperature"][0] == 0.3
    assert records["round_trips"].sum() > 10
    assert ((records["swap_rate"] > 0.1) & (records["swap_rate"] <= 1)).all()


def test_an_interrupted_run_gives_its_draws():
    class Impatient(Observer):
        n_sweeps = 0

        def advance(self, n_points, records):
            self.n_sweeps += n_points

        def tick(self):
            if self.n_sweeps >= 30:
                raise Interrupted

    configuration = BoltzmannTemper(seed=1, model="sk:10", burn_in=10, n_temperatures=3)
    records = boltzmann_temper.run(configuration, Impatient())
    assert records["energy"].shape == (4, 20)
    assert records["energy_by_temperature"].shape == (4, 20, 3)


@pytest.mark.parametrize(
    ("change", "subject"),
    [
        ({"temperature": 0.0}, "temperature"),
        ({"t_max": 0.5}, "t_max"),
        ({"n_temperatures": 1}, "n_temperatures"),
        ({"ladder": "rope"}, "ladder"),
        ({"thin": 2000}, "thin"),
    ],
)
def test_what_cannot_be_is_refused(change, subject):
    with pytest.raises(InputError) as error:
        BoltzmannTemper(seed=1, model="sk:10", **change)
    assert error.value.subject == subject


def study(**settings):
    return boltzmann_ground_states.run(BoltzmannGroundStates(seed=1, **settings), Observer())


def test_ground_states_are_those_of_enumeration_and_of_the_transfer_matrix():
    """On instances this small every way finds them; nothing is found below them."""
    records = study(models=("sk:12", "ea:4x4"), n_instances=2, n_groups=5, n_sweeps=40, n_temperatures=6)
    assert records["known_by"].tolist() == ["enumeration", "transfer matrix"]
    assert (records["success_rate"] > 0.8).all()
    assert (records["n_found_annealing"] == -1).all()
    for k in range(2):
        seed = int(stream_keys(1, Stream.INSTANCE, k)[0])
        model = boltzmann_model(named_couplings("sk:12", seed), encoding="pm1")
        states = np.where((np.arange(4096)[:, None] >> np.arange(12)) & 1, 1, -1).astype(np.int8)
        assert records["energy"][0, k] == pytest.approx(model.energies(states).min(), abs=1e-6)


def test_where_nothing_is_known_the_lowest_found_counts():
    records = study(models=("sk:30",), n_instances=1, n_groups=4, n_sweeps=30, n_temperatures=6)
    assert records["known_by"].tolist() == ["lowest found"]
    assert records["n_found_annealing"][0, 0] > 0
    for models in ((), ("ising:4x4",), ("sk",)):
        with pytest.raises(InputError):
            study(models=models)


@pytest.mark.slow
def test_tempering_finds_more_ground_states_than_the_best_single_temperature():
    """SK of 128 and 256 units, the lattice 10 x 10, at equal updates; 95 % intervals that do not meet where it is hard.

    On each of the 10 SK instances of 20 units, whose ground states enumeration knows, every try succeeds.
    """
    records = study(models=("sk:20", "sk:128", "sk:256", "ea:10x10"))
    rate, low, high = (records[f"success_{name}"] for name in ("rate", "low", "high"))
    assert rate[0, 0] == 1
    assert (rate[1:, 0] > rate[1:, 1]).all()
    assert (low[1:3, 0] > high[1:3, 1]).all()
    assert (records["n_solved"][:, 0] == 10).all()
    assert (records["n_found_annealing"][1:3] > 0).all()


@pytest.mark.slow
@pytest.mark.parametrize("n_units", [64, 128, 256])
def test_a_peer_finds_no_lower_energy(n_units):
    """dwave-samplers' simulated annealing, 200 long runs, comes to the same energies on 3 instances."""
    samplers = pytest.importorskip("dwave.samplers")
    dimod = pytest.importorskip("dimod")
    records = study(models=(f"sk:{n_units}",), n_instances=3)
    for k in range(3):
        couplings = named_couplings(f"sk:{n_units}", int(stream_keys(1, Stream.INSTANCE, k)[0]))
        model = dimod.BinaryQuadraticModel(np.zeros(n_units), -np.triu(couplings), "SPIN")
        answer = samplers.SimulatedAnnealingSampler().sample(model, num_reads=200, num_sweeps=5000, seed=k)
        assert answer.record.energy.min() == pytest.approx(records["energy"][0, k], abs=1e-4)
