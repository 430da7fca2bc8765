"""The phase lines against two-route reference values (see test_hopfield.py), each other and asymptotes."""

import numpy as np
import pytest

from hopsim.errors import InputError
from hopsim.theory.hopfield import retrieval_overlap, retrieval_state, spin_glass_state
from hopsim.theory.hopfield_phases import (
    at_temperature,
    capacity,
    coexistence_load,
    coexistence_temperature,
    critical_load,
    largest_coexistence_load,
    largest_retrieval_load,
    retrieval_temperature,
    spin_glass_temperature,
)

TEN_DIGITS = {"rel": 6e-10, "abs": 0.0}

# T, alpha_M, m there, alpha of coexistence
BY_TEMPERATURE = [
    (0.01, 0.138098991, 0.9671656089, 0.05213358459),
    (0.05, 0.137793958, 0.9656674104, 0.05291140958),
    (0.1, 0.1350491898, 0.9625545512, 0.0530915505),
    (0.3, 0.1033297826, 0.9292123709, 0.0450307133),
    (0.5, 0.05881552055, 0.8459396291, 0.02807625518),
    (0.8, 0.01010085403, 0.5786078596, 0.005370133343),
    (0.98, 0.000104303316, 0.1882445106, 5.871336943e-05),
]

# alpha, T_M, T_c (NaN: the retrieval states are global minima at no temperature)
BY_LOAD = [
    (0.001, 0.9378147031, 0.9160989683),
    (0.01, 0.8010181215, 0.7216239674),
    (0.03, 0.6504170671, 0.4787929445),
    (0.05, 0.5422550379, 0.21638335),
    (0.08, 0.4045706151, np.nan),
    (0.1, 0.3154322237, np.nan),
    (0.12, 0.2150873587, np.nan),
    (0.13, 0.1489188881, np.nan),
]


def test_capacity_at_zero_temperature():
    """alpha_c from 40-digit arithmetic."""
    assert capacity().load == pytest.approx(0.137905566494932, rel=1e-14)
    assert capacity().overlap == pytest.approx(0.967417115685, rel=1e-11)
    assert critical_load() == pytest.approx(capacity().load, rel=1e-15)


def test_global_minima_at_zero_temperature():
    assert coexistence_load() == pytest.approx(0.051854330919, rel=1e-11)


def test_tips_of_the_lines():
    tip = largest_retrieval_load()
    assert tip.load == pytest.approx(0.138188511, abs=5e-10)
    assert tip.temperature == pytest.approx(0.02287, abs=5e-6)
    assert retrieval_temperature(tip.load) == pytest.approx(tip.temperature, abs=1e-6)  # horizontal there
    tip = largest_coexistence_load()
    assert coexistence_load([tip.temperature - 0.01, tip.temperature + 0.01]).max() < tip.load
    assert coexistence_temperature(tip.load) == pytest.approx(tip.temperature, abs=1e-5)


@pytest.mark.parametrize("row", BY_TEMPERATURE)
def test_loads_agree_with_the_reference(row):
    temperature, load, overlap, load_coexistence = row
    assert critical_load(temperature) == pytest.approx(load, **TEN_DIGITS)
    # the overlap falls vertically at the end: its error is the root of the solver's 1e-13
    assert retrieval_overlap(critical_load(temperature), temperature) == pytest.approx(overlap, rel=1e-6)
    assert coexistence_load(temperature) == pytest.approx(load_coexistence, **TEN_DIGITS)


@pytest.mark.parametrize("row", BY_LOAD)
def test_temperatures_agree_with_the_reference(row):
    load, t_m, t_c = row
    assert retrieval_temperature(load) == pytest.approx(t_m, **TEN_DIGITS)
    assert coexistence_temperature(load) == pytest.approx(t_c, nan_ok=True, **TEN_DIGITS)


def test_lines_read_both_ways_are_the_same():
    temperature = np.linspace(0.1, 0.99, 12)
    assert np.allclose(retrieval_temperature(critical_load(temperature)), temperature, rtol=1e-12)
    assert np.allclose(coexistence_temperature(coexistence_load(temperature)), temperature, rtol=1e-11)


def test_overlap_exists_exactly_below_the_retrieval_temperature():
    load = np.array([0.005, 0.05, 0.1, 0.135])
    t_m = retrieval_temperature(load)
    assert np.isfinite(retrieval_overlap(load, t_m * (1.0 - 1e-9))).all()
    assert np.isnan(retrieval_overlap(load, t_m * (1.0 + 1e-9))).all()


def test_free_energies_are_equal_at_coexistence_and_ordered_around_it():
    load = np.array([0.005, 0.03, 0.05])
    t_c = coexistence_temperature(load)

    def advantage(temperature):
        return (
            spin_glass_state(load, temperature).free_energy - retrieval_state(load, temperature).free_energy
        )

    assert np.allclose(advantage(t_c), 0.0, atol=1e-14)
    assert (advantage(t_c * 0.99) > 0.0).all()
    assert (advantage(t_c * 1.01) < 0.0).all()


def test_between_capacity_and_tip_retrieval_needs_some_temperature():
    """The re-entrance: at load 0.138 there is no retrieval at T = 0, but there is at T of 0.02."""
    assert np.isnan(retrieval_overlap(0.138))
    assert retrieval_overlap(0.138, 0.02) > 0.96
    assert retrieval_temperature(0.138) > 0.02
    assert np.isnan(retrieval_temperature(0.1382))


@pytest.mark.parametrize(("load", "temperature"), [(0.1307519768, 0.01), (0.1376272434, 0.02)])
def test_at_temperature_agrees_with_the_reference(load, temperature):
    assert at_temperature(load) == pytest.approx(temperature, rel=1e-8)  # ten digits of the load


def test_at_line_solves_its_condition():
    """alpha beta^2 <sech^4>/(1 - C)^2 = 1, the average by the trapezoid rule."""
    z, step = np.linspace(-9.0, 9.0, 400_001, retstep=True)
    for load in (0.12, 0.13, 0.1379):
        temperature = at_temperature(load)
        m, _, r, c, _ = retrieval_state(load, temperature)
        t = (m + np.sqrt(load * r) * z) / temperature
        average = (np.exp(-0.5 * z * z) / np.sqrt(2.0 * np.pi) * (1.0 - np.tanh(t) ** 2) ** 2).sum() * step
        assert load / temperature**2 * average / (1.0 - c) ** 2 == pytest.approx(1.0, rel=1e-9)


def test_at_line_follows_its_asymptote_at_low_loads():
    load = np.array([0.001, 0.01, 0.03, 0.05])
    state = retrieval_state(load)
    variance = load * state.crosstalk
    asymptote = np.sqrt(8.0 * variance / (9.0 * np.pi)) * np.exp(-(state.overlap**2) / (2.0 * variance))
    assert asymptote[0] == pytest.approx(1.198416696e-219, rel=1e-8)
    assert np.allclose(at_temperature(load), asymptote, rtol=1e-6, atol=0.0)


def test_at_line_ends_where_it_meets_the_retrieval_line():
    assert at_temperature(0.138185) == pytest.approx(0.0246, abs=5e-4)
    assert at_temperature(0.138185) < retrieval_temperature(0.138185)
    assert np.isnan(at_temperature(0.138187))


def test_low_loads_follow_the_square_root_laws():
    """1 - T_M -> 1.954 sqrt(alpha) and 1 - T_c -> 2.596 sqrt(alpha) (AGS give 1.95 and 2.6)."""
    root = 1e-4
    assert (1.0 - retrieval_temperature(root**2)) / root == pytest.approx(1.954, abs=1e-3)
    assert (1.0 - coexistence_temperature(root**2)) / root == pytest.approx(2.596, abs=1e-3)


def test_ends_of_the_lines():
    assert spin_glass_temperature(0.25) == 1.5
    assert retrieval_temperature(0.0) == coexistence_temperature(0.0) == spin_glass_temperature(0.0) == 1.0
    assert at_temperature(0.0) == 0.0
    assert (critical_load([1.0, 2.0]) == 0.0).all()
    assert (coexistence_load([1.0, 2.0]) == 0.0).all()


def test_lines_are_ordered_and_keep_the_shape_of_the_loads():
    load = np.linspace(0.002, 0.05, 6).reshape(2, 3)
    lines = [at_temperature, coexistence_temperature, retrieval_temperature, spin_glass_temperature]
    temperatures = np.array([line(load) for line in lines])
    assert temperatures.shape == (4, 2, 3)
    assert (np.diff(temperatures, axis=0) > 0.0).all()
    assert isinstance(retrieval_temperature(0.1), float)


@pytest.mark.parametrize(
    "line", [retrieval_temperature, coexistence_temperature, spin_glass_temperature, at_temperature]
)
@pytest.mark.parametrize("wrong", [-0.1, np.nan])
def test_bad_loads_are_refused(line, wrong):
    with pytest.raises(InputError, match=r"^load: "):
        line(wrong)


@pytest.mark.parametrize("line", [critical_load, coexistence_load])
@pytest.mark.parametrize("wrong", [-0.1, np.nan])
def test_bad_temperatures_are_refused(line, wrong):
    with pytest.raises(InputError, match=r"^temperature: "):
        line(wrong)
