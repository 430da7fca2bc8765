"""Models: the forms a network is held in, what they promise, and what is refused."""

import numpy as np
import oracles
import pytest
from kernel_chains import random_states

from hopsim.errors import InputError
from hopsim.models.hopfield import (
    check_bias,
    check_states,
    dense_model,
    draw_hebbian,
    pack_hebbian,
    packed_bytes,
    row_slices,
)


@pytest.mark.parametrize(("n_patterns", "n_neurons"), [(1, 1), (1, 7), (3, 64), (70, 33), (513, 20)])
def test_packed_patterns_and_their_couplings(n_patterns, n_neurons):
    """Patterns come back, whole and in part; the matrix is the definition's, bit for bit."""
    patterns = random_states(np.random.default_rng(1), n_patterns, n_neurons)
    model = pack_hebbian(patterns, np.zeros(n_neurons))
    assert (model.patterns() == patterns).all()
    assert (model.patterns(n_patterns // 2) == patterns[n_patterns // 2 :]).all()
    assert (model.patterns(0, 1) == patterns[:1]).all()
    assert (model.couplings() == oracles.hebbian_couplings(patterns) / n_neurons).all()
    assert (model.ones[0] == (patterns > 0).sum(axis=0)).all()
    assert packed_bytes(n_neurons, n_patterns) == model.rows.nbytes + model.ones.nbytes


def test_a_drawn_network_depends_on_its_key_alone():
    """Alone or among others; other sizes of the same key are other networks only as far as they must."""
    keys = np.array([3, 1, 4], np.uint64)
    together = draw_hebbian(keys, 40, 20)
    for network, key in enumerate(keys):
        alone = draw_hebbian(np.array([key]), 40, 20)
        assert (together.patterns(network=network) == alone.patterns()).all()
        assert (together.ones[network] == alone.ones[0]).all()
    assert (together.patterns(network=0) != together.patterns(network=1)).any()


def test_drawing_looks_up_and_can_be_stopped():
    class StopHereError(Exception):
        pass

    def tick():
        raise StopHereError

    with pytest.raises(StopHereError):
        draw_hebbian(np.zeros(1, np.uint64), 40, 20, tick)


@pytest.mark.parametrize("bytes_per_neuron", [0, 1, 64, 1 << 20, 1 << 40])
def test_row_slices_cover_every_neuron_once(bytes_per_neuron):
    slices = row_slices(1000, bytes_per_neuron)
    assert [i for first, last in slices for i in range(first, last)] == list(range(1000))


def symmetric(values):
    upper = np.triu(values, 1)
    return upper + upper.T


def test_couplings_are_held_exactly_as_integers_where_they_can_be():
    """N W of int16 range in float64 or float32; not if one is half an integer or beyond the range."""
    n_neurons = 7
    integers = symmetric(np.random.default_rng(2).integers(-(2**15) + 1, 2**15, (n_neurons, n_neurons)))
    integers[0, 1] = integers[1, 0] = 2**15 - 1
    for dtype in (np.float64, np.float32):
        couplings = (integers / n_neurons).astype(dtype)
        model = dense_model(couplings, None)
        assert model.matrix.dtype == np.int16
        assert model.scale == n_neurons
        assert (model.matrix == integers).all()
    integers[0, 1] = integers[1, 0] = 2**15
    assert dense_model(integers / n_neurons, None).matrix.dtype == np.float64
    halves = integers.astype(float)
    halves[0, 1] = halves[1, 0] = 0.5
    assert dense_model(halves / n_neurons, None).matrix.dtype == np.float64
    single = dense_model((halves / n_neurons).astype(np.float32), None)
    assert single.matrix.dtype == np.float32
    assert single.scale == 1.0


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("integer", [True, False])
def test_couplings_come_back_as_they_were_given(dtype, integer):
    rng = np.random.default_rng(3)
    values = rng.integers(-9, 10, (11, 11)) / 11 if integer else rng.normal(size=(11, 11))
    couplings = symmetric(values).astype(dtype)
    given_back = dense_model(couplings, None).couplings()
    assert (given_back.astype(dtype) == couplings).all()


def test_the_model_keeps_copies():
    """What the caller does to arrays afterwards changes no network."""
    couplings, bias = np.array([[0.0, 0.3], [0.3, 0.0]]), np.array([0.1, 0.2])
    model = dense_model(couplings, bias)
    couplings[...], bias[...] = 5.0, 5.0
    assert model.matrix.tolist() == [[0.0, 0.3], [0.3, 0.0]]
    assert model.bias.tolist() == [0.1, 0.2]
    states = np.ones((2, 3), np.int8)
    checked = check_states(states, 3)
    states[...] = -1
    assert (checked == 1).all()


@pytest.mark.parametrize(
    ("couplings", "problem"),
    [
        ([[0.0, 1.0]], "square"),
        ([0.0, 1.0], "square"),
        (np.zeros((0, 0)), "square"),
        (np.zeros((2, 2, 2)), "square"),
        ([[0.0, 1.0], [1.0]], "equal length"),
        ([["a", "b"], ["b", "a"]], "real numbers"),
        ([[0.0, 1j], [1j, 0.0]], "real numbers"),
        ([[0.0, np.nan], [np.nan, 0.0]], "finite"),
        ([[0.0, np.inf], [np.inf, 0.0]], "finite"),
        ([[0.0, 1.0], [1.0000001, 0.0]], "symmetric"),
        ([[0.0, 1.0], [1.0, 0.1]], "zero diagonal"),
    ],
)
def test_bad_couplings_are_refused(couplings, problem):
    with pytest.raises(InputError, match=f"^couplings: .*{problem}"):
        dense_model(couplings, None)


@pytest.mark.parametrize(
    ("bias", "problem"),
    [
        ([1.0], "expected 2 numbers"),
        (0.5, "expected 2 numbers"),
        ([[1.0, 2.0]], "expected 2 numbers"),
        ([1.0, np.nan], "finite"),
        ([np.inf, 1.0], "finite"),
        (["a", "b"], "real numbers"),
        ([1j, 0.0], "real numbers"),
        ([[1.0], [1.0, 2.0]], "equal length"),
    ],
)
def test_bad_biases_are_refused(bias, problem):
    with pytest.raises(InputError, match=f"^bias: .*{problem}"):
        check_bias(bias, 2)


@pytest.mark.parametrize("dtype", [np.int8, np.int64, np.float32, np.float64])
def test_states_of_any_number_type_and_one_state_as_a_row(dtype):
    states = check_states(np.array([1, -1, 1], dtype), 3)
    assert states.tolist() == [[1, -1, 1]]
    assert states.dtype == np.int8
    strided = np.array([[1, 1], [-1, -1], [1, 1]], dtype).T
    assert check_states(strided, 3).flags.c_contiguous


@pytest.mark.parametrize(
    ("states", "problem"),
    [
        ([1, -1], "states of 3 neurons"),
        ([[[1, 1, 1]]], "states of 3 neurons"),
        (np.zeros((0, 3)), "states of 3 neurons"),
        ([[1, 1, 1], [1, 1]], "equal length"),
        ([1, 1, 0], "-1 and \\+1 only"),
        ([1, 1, 2], "-1 and \\+1 only"),
        ([1, 1, 1.5], "-1 and \\+1 only"),
        ([1, 1, 257], "-1 and \\+1 only"),
        ([1, 1, 1e300], "-1 and \\+1 only"),
        (np.array([1, 1, 255], np.uint8), "-1 and \\+1 only"),
        (np.array([1, 1, -128], np.int8), "-1 and \\+1 only"),
        ([1, 1, np.nan], "-1 and \\+1 only"),
        ([1, 1, np.inf], "-1 and \\+1 only"),
        (["1", "1", "1"], "real numbers"),
        ([1, 1, None], "real numbers"),
        ([1, 1, 1j], "real numbers"),
    ],
)
def test_bad_states_are_refused(states, problem):
    with pytest.raises(InputError, match=f"^probes: .*{problem}"):
        check_states(states, 3, "probes")
