"""Records check what they are given, and packed spins are the spins."""

import numpy as np
import pytest

from hopsim.storage.records import PackedSpins, Records, Variable

SCHEMA = {
    "energy": Variable(("trial", "time"), "energy"),
    "state": Variable(("trial", "neuron"), "spins", packed=True),
    "rule": Variable(("trial",), "rule"),
    "time": Variable(("time",), "time", "sweep"),
}


def test_a_part_of_the_schema_is_enough_and_coordinates_are_filled_in():
    records = Records(SCHEMA, {"energy": np.zeros((2, 3)), "time": [0.0, 0.5, 1.0]})
    assert list(records) == ["energy", "time", "trial"]
    assert records.sizes == {"trial": 2, "time": 3}
    assert "state" not in records
    assert records.coordinate("time").tolist() == [0.0, 0.5, 1.0]
    assert records.coordinate("trial").tolist() == [0, 1]
    assert records.variables["trial"].long_name == "index of trial"
    with pytest.raises(KeyError):
        records.coordinate("neuron")


def test_lists_of_str_and_bool_become_arrays():
    schema = {"rule": Variable(("trial",), "rule"), "converged": Variable(("trial",), "converged")}
    records = Records(schema, {"rule": ["hebbian", "storkey"], "converged": [True, False]})
    assert records["rule"].dtype.kind == "U"
    assert records["converged"].dtype == np.bool_


@pytest.mark.parametrize("n_neurons", [1, 7, 8, 9, 64, 1001])
def test_packing_and_unpacking_spins_gives_the_spins(n_neurons):
    generator = np.random.default_rng(n_neurons)
    spins = generator.choice(np.array([-1, 1], dtype=np.int8), (2, 3, n_neurons))
    packed = PackedSpins.pack(spins)
    assert packed.shape == spins.shape
    assert packed.bits.shape == (2, 3, -(-n_neurons // 8))
    np.testing.assert_array_equal(packed.unpack(), spins)


def test_packed_spins_are_taken_packed_or_not_and_given_either_way():
    spins = np.array([[1, -1, 1], [-1, -1, -1]], dtype=np.int8)
    for given in (spins, PackedSpins.pack(spins)):
        records = Records(SCHEMA, {"state": given})
        np.testing.assert_array_equal(records["state"], spins)
        np.testing.assert_array_equal(records.packed("state").bits, [[0b101], [0]])
        assert records.sizes == {"trial": 2, "neuron": 3}


@pytest.mark.parametrize(
    ("arrays", "problem"),
    [
        ({"overlap": [1.0]}, "not in the schema: overlap"),
        ({"energy": [1.0]}, "does not fit the dimensions"),
        ({"energy": np.zeros((2, 3)), "time": [0, 1]}, "time has length 2 here and 3 elsewhere"),
        ({"state": np.ones((2, 3))}, "spins must be int8"),
        ({"energy": PackedSpins(np.zeros((2, 1), np.uint8), 3)}, "the schema does not say so"),
        ({"energy": np.zeros((2, 3), np.float16)}, "float16"),
        ({"energy": np.zeros((2, 3), complex)}, "complex128"),
        ({"rule": [None, 1]}, "object"),
    ],
)
def test_what_does_not_fit_is_an_error(arrays, problem):
    with pytest.raises(ValueError, match=problem):
        Records(SCHEMA, arrays)


def test_names_and_dimensions_that_no_reader_could_take_are_errors():
    with pytest.raises(ValueError, match="no name"):
        Records({"a/b": Variable((), "a")}, {"a/b": 1.0})
    with pytest.raises(ValueError, match="does not fit the dimensions"):
        Records({"couplings": Variable(("neuron", "neuron"), "couplings")}, {"couplings": np.eye(2)})
    schema = {"time": Variable(("trial",), "time"), "energy": Variable(("time",), "energy")}
    with pytest.raises(ValueError, match="time is a dimension"):
        Records(schema, {"time": [0.0], "energy": [1.0]})
    with pytest.raises(ValueError, match="not the bits of 9 neurons"):
        PackedSpins(np.zeros((2, 1), np.uint8), 9)
