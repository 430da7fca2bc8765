"""The recall experiment from Python: what its records say of one another, whatever the batches and an interruption."""

import numpy as np
import pytest

from hopsim.errors import InputError, Interrupted
from hopsim.experiments import hopfield_recall
from hopsim.experiments.hopfield_recall import VARIABLES, HopfieldRecall
from hopsim.experiments.observer import Observer


class Watch(Observer):
    """Counts what an experiment reports, and stops it when as many trials are finished as asked for."""

    def __init__(self, stop_after=None):
        self.stop_after = stop_after
        self.n_finished = self.n_trials = self.n_ends = 0
        self.partial = []

    def begin(self, n_points, unit):
        self.n_trials = n_points

    def tick(self):
        if self.stop_after is not None and self.n_finished >= self.stop_after:
            raise Interrupted

    def advance(self, n_points, records):
        self.n_finished += n_points
        self.partial.append(records().sizes["trial"])

    def end(self):
        self.n_ends += 1


def run(watch=None, **options):
    defaults = {"seed": 1, "n_neurons": 120, "n_patterns": 6, "n_trials": 10, "flip": 0.2}
    return hopfield_recall.run(HopfieldRecall(**defaults | options), watch or Observer())


def assert_same(first, second):
    assert set(first.variables) == set(second.variables)
    for name in first.variables:
        np.testing.assert_array_equal(first[name], second[name])


@pytest.mark.parametrize("temperature", [0.0, 0.6])
@pytest.mark.parametrize("order", ["random", "replacement", "sequential", "synchronous"])
def test_overlaps_energies_and_flips_are_those_of_the_states(order, temperature):
    """Recomputed from their definitions: E = -(N/2) sum m^2 + P/2; rounding of a float energy is below 1e-12."""
    records = run(order=order, temperature=temperature, max_sweeps=20)
    states, patterns = records["state"].astype(int), records["pattern_state"].astype(int)
    overlap = states @ patterns.T / 120
    np.testing.assert_allclose(records["overlap"], overlap, rtol=0, atol=1e-14)
    energy = -(120 / 2) * (overlap**2).sum(axis=2) + 6 / 2
    np.testing.assert_allclose(records["energy"], energy, rtol=1e-12, atol=1e-12)
    own = overlap[np.arange(10), :, records["start_pattern"]]
    np.testing.assert_allclose(records["overlap_initial"], own[:, 0], rtol=0, atol=1e-14)
    np.testing.assert_allclose(records["overlap_final"], own[:, -1], rtol=0, atol=1e-14)
    np.testing.assert_array_equal(records["energy_final"], records["energy"][:, -1])
    changed = np.count_nonzero(np.diff(states, axis=1), axis=2)
    if temperature == 0 and order != "replacement":  # each neuron is seen once a sweep
        np.testing.assert_array_equal(records["n_flips"][:, 1:], changed)
    assert (records["n_flips"][:, 0] == 0).all()
    if (records["period"] != 2).all():  # a two-cycle's trajectory is continued
        np.testing.assert_array_equal(records["n_flips"].sum(axis=1), records["n_flips_total"])
    assert (records["converged"] == (records["period"] == 1)).all()


@pytest.mark.parametrize("temperature", [0.0, 0.6])
def test_the_batches_that_trials_run_in_change_nothing(monkeypatch, temperature):
    options = {"temperature": temperature, "max_sweeps": 12, "threads": 1}
    watch = Watch()
    at_once = run(watch, **options)
    assert (watch.n_trials, watch.n_finished, watch.n_ends) == (10, 10, 1)
    monkeypatch.setattr(hopfield_recall, "_SPINS_AT_ONCE", 3 * 120)
    watch = Watch()
    in_batches = run(watch, **options)
    assert watch.partial == [3, 6, 9, 10]
    assert_same(in_batches, at_once)


def test_an_interrupted_run_gives_the_finished_trials(monkeypatch):
    monkeypatch.setattr(hopfield_recall, "_SPINS_AT_ONCE", 3 * 120)
    watch = Watch(stop_after=6)
    stopped = run(watch, threads=1, record="observables")
    complete = run(threads=1, record="observables")
    assert stopped.sizes["trial"] == 6
    assert watch.n_ends == 1
    for name in ("overlap_final", "energy_final", "end_state", "n_sweeps"):
        np.testing.assert_array_equal(stopped[name], complete[name][:6])


def test_an_interruption_while_patterns_are_drawn_is_passed_on():
    with pytest.raises(Interrupted):
        run(Watch(stop_after=0), n_neurons=2000, n_patterns=100)


@pytest.mark.parametrize("record", ["state", "packed", "observables", "none"])
def test_the_variables_are_those_of_the_module(record):
    records = run(record=record)
    for name, variable in records.variables.items():
        assert variable.dims == VARIABLES[name].dims
        assert variable.packed == (record == "packed" and name == "state")
    missing = set(VARIABLES) - set(records.variables) - {"image_rows", "image_columns"}
    over_time = {"time", "overlap", "energy", "n_flips"}
    expected = {"state": set(), "packed": set(), "observables": {"state"}, "none": {"state"} | over_time}
    assert missing == expected[record]


def test_large_pattern_sets_are_not_kept(monkeypatch):
    """They are drawn anew from the seed."""
    monkeypatch.setattr(hopfield_recall, "_PATTERN_SPINS_KEPT", 120 * 6 - 1)
    assert "pattern_state" not in run()


def test_seeds_make_the_patterns_the_probes_and_the_dynamics():
    first = run(temperature=0.5, max_sweeps=5)
    assert_same(run(temperature=0.5, max_sweeps=5), first)
    other = run(temperature=0.5, max_sweeps=5, seed=2)
    assert (other["pattern_state"] != first["pattern_state"]).any()
    flipped = first["state"][:, 0] != first["pattern_state"][first["start_pattern"]]
    assert len({row.tobytes() for row in flipped}) == 10  # each trial is disturbed in its own way


def test_probes_belong_to_the_pattern_they_are_nearest_to(tmp_path):
    np.save(tmp_path / "patterns.npy", run()["pattern_state"])
    probes = run()["pattern_state"][[4, 2]] * np.array([[1], [-1]], np.int8)
    np.save(tmp_path / "probes.npy", probes)
    options = {"n_neurons": None, "n_patterns": None, "patterns": (str(tmp_path / "patterns.npy"),)}
    records = run(probes=str(tmp_path / "probes.npy"), n_trials=3, flip=0.0, **options)
    assert records["start_pattern"].tolist() == [4, 2, 4]
    assert records["overlap_initial"].tolist() == [1.0, -1.0, 1.0]
    assert records["end_state"].tolist() == ["stored pattern", "inverse", "stored pattern"]


@pytest.mark.parametrize(
    ("options", "subject"),
    [
        ({"flip": float("nan")}, "flip"),
        ({"temperature": float("nan")}, "temperature"),
        ({"activity": float("nan")}, "activity"),
        ({"n_patterns": None, "load": float("nan")}, "load"),
        ({"n_patterns": None, "load": 1e-3}, "load"),
        ({"n_patterns": None}, "n_patterns"),
        ({"n_neurons": 0}, "n_neurons"),
        ({"n_trials": 0}, "n_trials"),
        ({"n_trials": 10**13}, "n_trials"),
        ({"seed": -1}, "seed"),
        ({"record": "everything"}, "record"),
        ({"rule": "hebb"}, "rule"),
        ({"order": "any"}, "order"),
        ({"n_neurons": 10**8, "n_patterns": 10**7}, "n_neurons"),
    ],
)
def test_a_wrong_parameter_is_named(options, subject):
    with pytest.raises(InputError) as caught:
        run(**options)
    assert caught.value.subject == subject
