"""Boltzmann machines as data: conversions that keep the distribution, checks, fixed point."""

import numpy as np
import oracles
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hopsim.errors import InputError
from hopsim.models.boltzmann import boltzmann_model, fixed_point


def random_machine(n_units, seed, encoding="01", strength=1.0):
    rng = np.random.default_rng(seed)
    upper = np.triu(rng.normal(0, strength, (n_units, n_units)), 1)
    return boltzmann_model(upper + upper.T, rng.normal(0, 1, n_units), encoding)


@pytest.mark.parametrize("encoding", ["01", "pm1"])
@pytest.mark.parametrize("other", ["01", "pm1"])
def test_the_other_encoding_has_the_same_distribution(encoding, other):
    """Energies of all states differ by one constant, the documented one; there and back is the same machine."""
    model = random_machine(6, 1, encoding)
    twin = model.in_encoding(other)
    spins = oracles.all_states(6)
    mine, theirs = model.energies(model.states(spins)), twin.energies(twin.states(spins))
    offset = model.energy_offset - twin.energy_offset
    assert np.allclose(mine - theirs, offset, rtol=0, atol=1e-12)
    back = twin.in_encoding(encoding)
    assert np.allclose(back.couplings, model.couplings, rtol=0, atol=1e-14)
    assert np.allclose(back.bias, model.bias, rtol=0, atol=1e-13)


def test_the_mapping_is_the_documented_one():
    """W01 = 4 W, b01_i = 2 b_i - 2 sum_j W_ij, E± = E01 + c with c = sum_i b_i - 1/2 sum_ij W_ij."""
    spins = random_machine(5, 2, "pm1")
    bits = spins.in_encoding("01")
    assert (bits.couplings == 4 * spins.couplings).all()
    assert (bits.bias == 2 * spins.bias - 2 * spins.couplings.sum(axis=1)).all()
    c = spins.bias.sum() - spins.couplings.sum() / 2
    states = oracles.all_states(5)
    assert np.allclose(spins.energies(states), bits.energies(bits.states(states)) + c, rtol=0, atol=1e-12)


def test_energies_and_fields_follow_their_definitions():
    """Against loops; fields are minus the derivative of the energy."""
    model = random_machine(4, 3)
    states = model.states(oracles.all_states(4))
    for state, energy, fields in zip(states, model.energies(states), model.local_fields(states), strict=True):
        expected = -sum(
            model.couplings[i, j] * state[i] * state[j] for i in range(4) for j in range(i)
        ) - sum(model.bias[i] * state[i] for i in range(4))
        assert energy == pytest.approx(expected, abs=1e-12)
        for i in range(4):
            on, off = state.copy(), state.copy()
            on[i], off[i] = 1, 0
            gap = model.energies(off[None])[0] - model.energies(on[None])[0]
            assert fields[i] == pytest.approx(gap, abs=1e-12)


@pytest.mark.parametrize("scale", [1, 4, 7])
def test_integer_couplings_are_exact_in_16_bits(scale):
    """Couplings that are integers times 1, 1/4 or 1/N."""
    rng = np.random.default_rng(4)
    upper = np.triu(rng.integers(-9, 10, (7, 7)), 1)
    integers = upper + upper.T
    network = fixed_point(integers / scale, np.zeros(7))
    assert network.matrix.dtype == np.int16
    assert (network.matrix / network.scale == integers / scale).all()


@pytest.mark.parametrize("unit", [0.1, 1 / np.sqrt(1000), 3e-7])
def test_multiples_of_the_smallest_coupling_are_held_in_16_bits(unit):
    """To the last bit of a quotient."""
    integers = np.array([[0, 1, 3], [1, 0, -7], [3, -7, 0]])
    network = fixed_point(integers * unit, np.zeros(3))
    assert network.matrix.dtype == np.int16
    assert network.matrix / network.scale == pytest.approx(integers * unit, rel=2**-51, abs=0)


@given(st.integers(1, 30), st.floats(1e-12, 1e12), st.integers(0, 2**32))
@settings(max_examples=50, deadline=None)
def test_fixed_point_is_close_and_its_fields_fit(n_units, size, seed):
    """Rounded to half a unit, symmetric, zero diagonal; no sum over a row leaves 2^30.

    The one coupling of two units is once itself, and needs no rounding.
    """
    rng = np.random.default_rng(seed)
    upper = np.triu(rng.normal(0, size, (n_units, n_units)), 1)
    couplings = upper + upper.T
    network = fixed_point(couplings, np.zeros(n_units))
    assert (network.matrix == network.matrix.T).all()
    assert not np.diagonal(network.matrix).any()
    assert np.abs(network.matrix / network.scale - couplings).max() <= 0.5 / network.scale
    sums = np.abs(network.matrix.astype(np.int64)).sum(axis=1).max()
    assert sums <= 2**30
    assert n_units <= 2 or sums > 2**29 - n_units


@pytest.mark.parametrize(
    ("change", "subject"),
    [
        ({"couplings": [[0, 1], [2, 0]]}, "couplings"),
        ({"couplings": [[0, np.nan], [np.nan, 0]]}, "couplings"),
        ({"couplings": [[1, 0], [0, 0]]}, "couplings"),
        ({"couplings": [[0, 1]]}, "couplings"),
        ({"couplings": np.zeros((0, 0))}, "couplings"),
        ({"bias": [1]}, "bias"),
        ({"bias": [1, np.inf]}, "bias"),
        ({"encoding": "10"}, "encoding"),
        ({"n_visible": 3}, "n_visible"),
        ({"n_visible": -1}, "n_visible"),
        ({"n_visible": 1.5}, "n_visible"),
    ],
)
def test_what_is_no_machine_is_refused(change, subject):
    good = {"couplings": [[0, 1], [1, 0]]}
    with pytest.raises(InputError) as error:
        boltzmann_model(**(good | change))
    assert error.value.subject == subject


def test_couplings_that_overflow_are_refused():
    huge = np.full((3, 3), 1e308)
    np.fill_diagonal(huge, 0)
    with pytest.raises(InputError, match="finite"), np.errstate(over="ignore"):
        fixed_point(huge, np.zeros(3))


def test_states_of_another_encoding_are_refused():
    model = random_machine(3, 5)
    for wrong in ([[0, 1, -1]], [[0, 1]], [[0, 1, 2]], [[0.5, 0, 1]], []):
        with pytest.raises(InputError) as error:
            model.check_states(wrong)
        assert error.value.subject == "states"
