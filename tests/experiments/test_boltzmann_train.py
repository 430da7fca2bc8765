"""A training run: what it records, and that it goes on from any checkpoint to the same bits."""

from datetime import UTC, datetime

import msgspec
import numpy as np
import pytest
from same_records import assert_same_records

from hopsim.datasets.machine_files import read_boltzmann
from hopsim.errors import InputError, Interrupted, RunError
from hopsim.evaluation.likelihood import log_likelihoods
from hopsim.experiments.boltzmann_train import EXPERIMENT, VARIABLES, BoltzmannTrain, read_checkpoint, run
from hopsim.experiments.observer import Observer
from hopsim.learning.connections import random_machine
from hopsim.learning.trainers import fit
from hopsim.storage.records import Records
from hopsim.storage.run_file import write_run

XOR = np.array([[0, 0, 0], [0, 1, 1], [1, 0, 1], [1, 1, 0]])


@pytest.fixture
def data(tmp_path):
    path = tmp_path / "xor.txt"
    path.write_text("000\n011\n101\n110\n")
    return str(path)


def train(data, **changed):
    options = {
        "seed": 3,
        "n_hidden": 2,
        "n_epochs": 4,
        "batch_size": 3,
        "n_chains": 6,
        "burn_in": 1,
        "n_sweeps": 2,
    }
    return BoltzmannTrain(**{"data": data} | options | changed)


def save(path, records, configuration, experiment=EXPERIMENT):
    write_run(
        path,
        records,
        experiment=experiment,
        configuration=msgspec.to_builtins(configuration),
        seed=configuration.seed,
        command=None,
        started=datetime.now(UTC),
        complete=False,
        force=True,
    )
    return path


class StopAfter(Observer):
    """Interrupts at a tick, and keeps the records as they are then."""

    def __init__(self, n_ticks):
        self.n_left = n_ticks
        self.records = None

    def tick(self):
        self.n_left -= 1
        if self.n_left < 0:
            raise Interrupted

    def advance(self, n_points, records):
        self.records = records


def test_the_records_are_those_of_the_learning(data):
    """The machine is what `fit` gives; likelihoods are of the first and of the last machine."""
    configuration = train(data, phases="persistent")
    records = run(configuration, Observer())
    start = random_machine(3, 2, seed=3)
    learned = fit(start, XOR, configuration)
    assert np.array_equal(records["couplings"], learned.couplings)
    assert np.array_equal(records["bias"], learned.bias)
    assert (int(records["n_visible"]), str(records["encoding"]), int(records["step"])) == (3, "01", 8)
    assert records["epoch"].tolist() == [0, 1, 2, 3, 4]
    assert records["log_likelihood"][0] == log_likelihoods(start, XOR).mean()
    assert records["log_likelihood"][-1] == log_likelihoods(learned, XOR).mean()
    assert np.isfinite(records["reconstruction"]).all()
    assert np.isnan(records["gradient_norm"]).tolist() == [True, False, False, False, False]
    assert records["free_spins"].shape == (6, 5)
    assert records["clamped_spins"].shape == (8, 2)


def test_mean_field_phases_report_their_convergence(data):
    records = run(train(data, phases="mean-field"), Observer())
    assert np.isnan(records["converged"][0])
    assert (records["converged"][1:] == 1.0).all()
    assert np.isnan(run(train(data), Observer())["converged"]).all()


def test_measured_now_and_then(data):
    records = run(train(data, measure_every=3), Observer())
    assert np.isfinite(records["log_likelihood"]).tolist() == [True, False, False, True, True]


def test_large_machines_have_no_exact_likelihood(data):
    records = run(train(data, n_hidden=30, n_epochs=1), Observer())
    assert np.isnan(records["log_likelihood"]).all()
    assert np.isfinite(records["reconstruction"]).all()


@pytest.mark.parametrize("phases", ["gibbs", pytest.param("persistent", marks=pytest.mark.slow)])
def test_stopped_anywhere_it_goes_on_to_the_same_bits(data, tmp_path, phases):
    """At every seventh tick, through a file."""
    configuration = train(data, phases=phases, momentum=0.5, schedule="linear")
    whole = run(configuration, Observer())
    n_stops = 0
    for n_ticks in range(2, 10_000, 7):
        observer = StopAfter(n_ticks)
        try:
            run(configuration, observer)
            break
        except Interrupted:
            n_stops += 1
        path = save(tmp_path / "run.h5", observer.records(), configuration)
        again = run(configuration, Observer(), read_checkpoint(path, configuration))
        assert_same_records(again, whole)
    assert n_stops > 3


def test_a_finished_run_is_gone_on_with_at_no_cost(data, tmp_path):
    configuration = train(data)
    whole = run(configuration, Observer())
    path = save(tmp_path / "run.h5", whole, configuration)
    assert_same_records(run(configuration, StopAfter(0), read_checkpoint(path, configuration)), whole)


def test_another_configuration_is_refused(data, tmp_path):
    configuration = train(data)
    path = save(tmp_path / "run.h5", run(configuration, Observer()), configuration)
    read_checkpoint(path, train(data, threads=1))
    with pytest.raises(InputError, match=r"was run with n_epochs = 4, not 5"):
        read_checkpoint(path, train(data, n_epochs=5))
    with pytest.raises(InputError, match=r"was run with learning_rates = None, not \[0\.1\]"):
        read_checkpoint(path, train(data, learning_rates=(0.1,)))
    with pytest.raises(InputError, match="is a run of another, not of boltzmann_train"):
        read_checkpoint(
            save(tmp_path / "b.h5", run(configuration, Observer()), configuration, "another"), configuration
        )


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"couplings": np.triu(np.ones((5, 5)), 1)}, "its couplings: "),
        ({"step": "one"}, "step is not as hopsim writes it"),
        ({"free_spins": np.ones((7, 5), np.int8)}, "free_spins is int8 "),
        ({"free_spins": np.ones((6, 5))}, "free_spins is float64 "),
    ],
)
def test_a_checkpoint_that_was_tampered_with_is_refused(data, tmp_path, changed, problem):
    configuration = train(data, phases="persistent")
    records = run(configuration, Observer())
    arrays = {name: records[name] for name in VARIABLES if name in records} | changed
    if "free_spins" in changed:
        arrays.pop("chain", None)
    path = save(tmp_path / "run.h5", Records(VARIABLES, arrays), configuration)
    with pytest.raises(InputError, match=problem):
        run(configuration, Observer(), read_checkpoint(path, configuration))


def test_other_data_in_the_file_are_refused(data, tmp_path):
    configuration = train(data)
    path = save(tmp_path / "run.h5", run(configuration, Observer()), configuration)
    with open(data, "a") as file:
        file.write("111\n")
    with pytest.raises(InputError, match="no longer holds the data"):
        run(configuration, Observer(), read_checkpoint(path, configuration))


def test_a_trained_machine_starts_another_run(data, tmp_path):
    configuration = train(data, encoding="pm1")
    path = save(tmp_path / "run.h5", run(configuration, Observer()), configuration)
    more = train(data, machine=str(path), n_hidden=0, phases="exact")
    records = run(more, Observer())
    assert np.array_equal(records["couplings"], fit(read_boltzmann(path), 2 * XOR - 1, more).couplings)
    assert str(records["encoding"]) == "pm1"


def test_divergence_leaves_the_last_good_step(data):
    configuration = train(data, learning_rates=(0.1, 1e6))
    observer = StopAfter(10**9)
    with pytest.raises(RunError, match="diverged at step 3"):
        run(configuration, observer)
    assert int(observer.records()["step"]) == 2
    assert np.isfinite(observer.records()["couplings"]).all()


@pytest.mark.parametrize(
    ("subject", "changed"),
    [
        ("encoding", {"encoding": "0/1"}),
        ("n_hidden", {"n_hidden": -1}),
        ("measure_every", {"measure_every": 0}),
        ("n_hidden", {"machine": "run.h5"}),
        ("learning_rate", {"learning_rate": -1.0}),
        ("weight_scale", {"weight_scale": -1.0}),
    ],
)
def test_wrong_options_are_named(data, subject, changed):
    with pytest.raises(InputError) as caught:
        run(train(data, **changed), Observer())
    assert caught.value.subject == subject


def test_data_of_another_width_than_the_machine_are_refused(data, tmp_path):
    configuration = train(data)
    path = save(tmp_path / "run.h5", run(configuration, Observer()), configuration)
    wide = tmp_path / "wide.txt"
    wide.write_text("0000\n")
    with pytest.raises(InputError, match="rows have 4 values, and the machine 3 visible units") as caught:
        run(train(str(wide), machine=str(path), n_hidden=0), Observer())
    assert caught.value.subject == "data"


def test_a_mask_of_another_size_is_refused(data, tmp_path):
    np.save(tmp_path / "mask.npy", np.ones((3, 3)))
    with pytest.raises(InputError, match="expected a symmetric matrix of 5 rows"):
        run(train(data, mask=str(tmp_path / "mask.npy")), Observer())
