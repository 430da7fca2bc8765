"""The theory as an experiment: what the records hold, what the observer is told, what is refused."""

import msgspec
import numpy as np
import pytest

from hopsim.errors import InputError, Interrupted
from hopsim.experiments.hopfield_theory import VARIABLES, HopfieldTheory, run
from hopsim.experiments.observer import Observer
from hopsim.theory.hopfield import retrieval_overlap
from hopsim.theory.hopfield_phases import at_temperature, capacity, retrieval_temperature

CONFIGURATION = HopfieldTheory(loads=(0.03, 0.1, 0.2), temperatures=(0.0, 0.3))


class Notes(Observer):
    """Writes down what it is told, and interrupts before the given load."""

    def __init__(self, stop_at=None):
        self.stop_at, self.begun, self.ended, self.overlaps, self.n_ticks = stop_at, None, 0, [], 0

    def begin(self, n_points, unit):
        self.begun = (n_points, unit)

    def tick(self):
        if self.n_ticks == self.stop_at:
            raise Interrupted
        self.n_ticks += 1

    def advance(self, n_points, records):
        assert n_points == 1
        self.overlaps.append(records()["overlap"].copy())

    def end(self):
        self.ended += 1


def test_records_hold_the_theory():
    records = run(CONFIGURATION, Observer())
    assert set(VARIABLES) == set(records.variables)
    assert records.sizes == {"load": 3, "temperature": 2}
    loads = np.array(CONFIGURATION.loads)
    assert np.array_equal(records["load"], loads)
    assert np.allclose(
        records["overlap"], retrieval_overlap(loads[:, None], [0.0, 0.3]), rtol=1e-12, equal_nan=True
    )
    assert np.allclose(
        records["temperature_retrieval"], retrieval_temperature(loads), rtol=1e-12, equal_nan=True
    )
    assert np.allclose(records["temperature_at"], at_temperature(loads), rtol=1e-10, equal_nan=True)
    assert np.isfinite(records["temperature_coexistence"]).tolist() == [True, False, False]
    assert np.allclose(records["temperature_spin_glass"], 1.0 + np.sqrt(loads))
    assert records["load_critical"].shape == ()
    assert records["load_critical"] == capacity().load
    assert records["overlap_critical"] == capacity().overlap


def test_observer_is_told_of_every_load():
    notes = Notes()
    records = run(CONFIGURATION, notes)
    assert notes.begun == (3, "load")
    assert notes.ended == 1
    for n_done, overlap in enumerate(notes.overlaps, start=1):
        assert np.array_equal(overlap, records["overlap"][:n_done], equal_nan=True)
    assert len(notes.overlaps) == 3


def test_an_interruption_ends_the_run_with_what_was_finished_passed_on():
    notes = Notes(stop_at=2)
    with pytest.raises(Interrupted):
        run(CONFIGURATION, notes)
    assert notes.ended == 1
    assert [overlap.shape for overlap in notes.overlaps] == [(1, 2), (2, 2)]


def test_configuration_survives_json():
    assert msgspec.json.decode(msgspec.json.encode(CONFIGURATION), type=HopfieldTheory) == CONFIGURATION


@pytest.mark.parametrize("wrong", [(), (-0.1,), (float("nan"),), (0.1, float("inf")), (0.1, 0.1)])
def test_bad_configurations_are_refused(wrong):
    with pytest.raises(InputError, match=r"^loads: "):
        HopfieldTheory(loads=wrong)
    with pytest.raises(InputError, match=r"^temperatures: "):
        HopfieldTheory(loads=(0.1,), temperatures=wrong)
