"""Boltzmann machines come back from hopsim files as they were, and from nothing else."""

from datetime import UTC, datetime

import numpy as np
import pytest

from hopsim.datasets.machine_files import read_boltzmann
from hopsim.errors import InputError
from hopsim.learning.connections import random_machine
from hopsim.storage.machine_records import MACHINE_VARIABLES, machine_arrays
from hopsim.storage.records import Records, Variable
from hopsim.storage.run_file import write_run


def write(path, arrays, variables=MACHINE_VARIABLES):
    write_run(
        path,
        Records(variables, arrays),
        experiment="boltzmann_train",
        configuration={},
        seed=1,
        command=None,
        started=datetime.now(UTC),
    )
    return path


def arrays_of(model):
    return machine_arrays(model.couplings, model.bias, model.encoding, model.n_visible)


@pytest.mark.parametrize("encoding", ["01", "pm1"])
def test_a_machine_comes_back(tmp_path, encoding):
    model = random_machine(3, 2, encoding, weight_scale=1.0, bias_scale=1.0, seed=1)
    found = read_boltzmann(write(tmp_path / "machine.h5", arrays_of(model)))
    assert np.array_equal(found.couplings, model.couplings)
    assert np.array_equal(found.bias, model.bias)
    assert (found.encoding, found.n_visible) == (encoding, 3)


@pytest.mark.parametrize("missing", ["couplings", "bias", "encoding", "n_visible"])
def test_a_file_without_a_machine_says_what_is_missing(tmp_path, missing):
    arrays = arrays_of(random_machine(3, 2, seed=1))
    del arrays[missing]
    path = write(tmp_path / "machine.h5", arrays)
    with pytest.raises(InputError, match=f"holds no Boltzmann machine: {missing}.* is not in it") as caught:
        read_boltzmann(path)
    assert caught.value.subject == str(path)


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"encoding": "pm2"}, "its encoding: expected 01 or pm1"),
        ({"encoding": 1}, "not of the types"),
        ({"n_visible": 6}, "its n_visible: "),
        ({"n_visible": 1.5}, "not of the types"),
        ({"couplings": np.triu(np.ones((5, 5)), 1)}, "its couplings: "),
        ({"couplings": np.full((5, 5), np.nan)}, "its couplings: "),
        ({"bias": np.full(5, np.inf)}, "its bias: "),
    ],
)
def test_a_file_that_was_tampered_with_is_refused(tmp_path, changed, problem):
    path = write(tmp_path / "machine.h5", arrays_of(random_machine(3, 2, seed=1)) | changed)
    with pytest.raises(InputError, match=problem) as caught:
        read_boltzmann(path)
    assert caught.value.subject == str(path)


def test_dimensions_are_checked(tmp_path):
    variables = MACHINE_VARIABLES | {"bias": Variable(("neuron",), "bias")}
    path = write(tmp_path / "machine.h5", arrays_of(random_machine(3, 2, seed=1)), variables)
    with pytest.raises(InputError, match=r"bias \(unit\) is not in it"):
        read_boltzmann(path)
