"""Retrieval and spin-glass states: published figures, the equations themselves, limits, bad input.

The reference rows were computed for this project by two independent routes (composite Gauss-Legendre with
Newton's method in (m, q); an explicit parametrisation in (beta m, beta sigma) with the trapezoid rule) that
agree to 1e-11 or better. They are rounded to ten digits, hence the tolerance.
"""

import numpy as np
import pytest
from scipy.special import erf

from hopsim.errors import InputError
from hopsim.theory.hopfield import (
    critical_noise,
    retrieval_curve,
    retrieval_overlap,
    retrieval_state,
    spin_glass_energy,
    spin_glass_state,
)
from hopsim.theory.hopfield_phases import capacity

TEN_DIGITS = {"rel": 6e-10, "abs": 0.0}

# alpha, m, (1 - m)/2, C, r, E, E of the spin glass; T = 0
ZERO_TEMPERATURE = [
    (0.02, 1.0, 7.687184223e-13, 7.835433296e-11, 1.0, -0.5, -0.4311478029),
    (0.03, 0.9999999922, 3.882054733e-09, 2.661594675e-07, 1.000000532, -0.5000000002, -0.456507546),
    (0.05, 0.9999922281, 3.885925477e-06, 0.000162524444, 1.000325128, -0.5000003564, -0.4967222978),
    (0.1, 0.9979992663, 0.001000366826, 0.02085818488, 1.043058831, -0.5001542093, -0.5706231384),
    (0.12, 0.9932227318, 0.003388634117, 0.05566156317, 1.121358983, -0.5005272364, -0.5947052058),
    (0.13, 0.9872118908, 0.0063940546, 0.09072823112, 1.209518695, -0.5009123738, -0.6059912558),
    (0.1379, 0.968101214, 0.01594939301, 0.1769510943, 1.476211949, -0.5014447942, -0.6146034342),
]

# T, alpha, m, q, r, f, then q and f of the spin glass
FINITE_TEMPERATURE = [
    (0.1, 0.03, 0.9999983706, 0.9999967826, 1.000061134, -0.5000000821, 0.917275409, -0.4554611764),
    (0.1, 0.13, 0.9811508476, 0.9878997553, 1.278608377, -0.5013138763, 0.9304227681, -0.6018759721),
    (0.2, 0.1, 0.989085155, 0.9844170603, 1.157809032, -0.5010406555, 0.8541626434, -0.5692559497),
    (0.3, 0.1, 0.9530198082, 0.9330700852, 1.545908217, -0.5044882566, 0.7796150259, -0.5771080023),
    (0.4, 0.001, 0.985408554, 0.9710360172, 1.128556178, -0.5028204286, 0.6132836461, -0.4011508422),
    (0.5, 0.05, 0.9041060753, 0.833357964, 1.874778347, -0.5170137837, 0.5973909555, -0.548645649),
    (0.7, 0.02, 0.7473343665, 0.5861936927, 3.506849311, -0.5560896323, 0.3894411988, -0.5686085816),
    (0.9, 0.001, 0.5052511183, 0.2608165999, 8.168804387, -0.6321456734, 0.1277092089, -0.631350023),
]

POINTS = [(0.05, 0.05), (0.1, 0.01), (0.1, 0.3), (0.137, 0.04), (0.02, 0.7), (0.001, 0.9)]


@pytest.mark.parametrize("row", ZERO_TEMPERATURE)
def test_zero_temperature_agrees_with_the_reference(row):
    load, m, error, c, r, energy, glass_energy = row
    state = retrieval_state(load)
    assert state.overlap == pytest.approx(m, **TEN_DIGITS)
    assert (1.0 - state.overlap) / 2.0 == pytest.approx(error, rel=6e-10, abs=1e-15)  # 1 - m is rounded
    assert state.edwards_anderson == 1.0
    assert state.susceptibility == pytest.approx(c, **TEN_DIGITS)
    assert state.crosstalk == pytest.approx(r, **TEN_DIGITS)
    assert state.free_energy == pytest.approx(energy, **TEN_DIGITS)
    assert spin_glass_energy(load) == pytest.approx(glass_energy, **TEN_DIGITS)
    assert spin_glass_state(load).free_energy == pytest.approx(glass_energy, **TEN_DIGITS)


@pytest.mark.parametrize("row", FINITE_TEMPERATURE)
def test_finite_temperature_agrees_with_the_reference(row):
    temperature, load, m, q, r, f, q_glass, f_glass = row
    state, glass = retrieval_state(load, temperature), spin_glass_state(load, temperature)
    found = (state.overlap, state.edwards_anderson, state.crosstalk, state.free_energy)
    assert found == pytest.approx((m, q, r, f), **TEN_DIGITS)
    assert (glass.edwards_anderson, glass.free_energy) == pytest.approx((q_glass, f_glass), **TEN_DIGITS)


def gaussian_mean(function):
    """Average over z by the trapezoid rule, with a step far below T/sigma at the points tested."""
    z, step = np.linspace(-9.0, 9.0, 40_001, retstep=True)
    return (np.exp(-0.5 * z * z) / np.sqrt(2.0 * np.pi) * function(z)).sum() * step


@pytest.mark.parametrize(("load", "temperature"), POINTS)
def test_states_solve_the_equations_of_ags(load, temperature):
    """Plugged back with another quadrature; the step 4.5e-4 is fine enough for 1e-11."""
    for state in (retrieval_state(load, temperature), spin_glass_state(load, temperature)):
        m, q, r, c, _ = state

        def order(z, m=m, r=r):
            return np.tanh((m + np.sqrt(load * r) * z) / temperature)

        assert gaussian_mean(order) == pytest.approx(m, rel=1e-11, abs=1e-15)
        assert gaussian_mean(lambda z, order=order: order(z) ** 2) == pytest.approx(q, rel=1e-11)
        assert c == pytest.approx((1.0 - q) / temperature, rel=1e-9)  # 1 - q is rounded
        assert r == pytest.approx(q / (1.0 - c) ** 2, rel=1e-14)


@pytest.mark.parametrize(("load", "temperature"), POINTS)
def test_states_make_the_free_energy_stationary(load, temperature):
    """f(m, q, r) as AGS print it has the value found, and no slope in m, q and r."""
    beta = 1.0 / temperature

    def free_energy(variables):
        m, q, r = variables
        x = 1.0 - beta * (1.0 - q)
        width = np.sqrt(load * r)
        log_cosh = gaussian_mean(lambda z: np.logaddexp(beta * (width * z + m), -beta * (width * z + m)))
        return (
            m**2 / 2.0
            + load / 2.0
            + load / (2.0 * beta) * (np.log(x) - beta * q / x)
            + load * beta / 2.0 * r * (1.0 - q)
            - log_cosh / beta
        )

    for state in (retrieval_state(load, temperature), spin_glass_state(load, temperature)):
        variables = np.array(state[:3])
        assert free_energy(variables) == pytest.approx(state.free_energy, rel=1e-12)
        # Five-point differences, with a step of a thousandth of the distance to the pole of f at C = 1: they
        # err by step^4, and by rounding over the step (at T = 0.01 some 1e-15/1e-6).
        length = 1e-3 * temperature * (1.0 - state.susceptibility)
        for step in length * np.eye(3):
            near = free_energy(variables + step) - free_energy(variables - step)
            far = free_energy(variables + 2.0 * step) - free_energy(variables - 2.0 * step)
            assert (8.0 * near - far) / (12.0 * length) == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("load", [0.02, 0.06, 0.1, 0.137])
def test_cold_states_join_those_at_zero_temperature(load):
    """All change by order T, the free energy by -S T with the (negative) entropy of AGS (1987)."""
    frozen, glass = retrieval_state(load), spin_glass_state(load)
    c = frozen.susceptibility
    entropy = -0.5 * load * (np.log1p(-c) + c / (1.0 - c))
    for temperature in (1e-4, 1e-6, 1e-9, 1e-50, 1e-150):
        cold, cold_glass = retrieval_state(load, temperature), spin_glass_state(load, temperature)
        assert np.allclose(cold, frozen, rtol=20.0 * temperature + 1e-11, atol=0.0)
        assert np.allclose(cold_glass, glass, rtol=20.0 * temperature + 1e-11, atol=0.0)
        change = cold.free_energy - frozen.free_energy
        assert change == pytest.approx(-entropy * temperature, abs=temperature**2 + 1e-15)


def test_overlap_at_zero_temperature_solves_the_equation_in_y():
    load = np.linspace(0.03, 0.1379, 200)
    overlap = retrieval_overlap(load)
    y = overlap / np.sqrt(2.0 * load * retrieval_state(load).crosstalk)
    assert np.allclose(overlap, erf(y), rtol=1e-14)
    assert np.allclose(np.sqrt(2.0 * load), erf(y) / y - 2.0 / np.sqrt(np.pi) * np.exp(-(y**2)), rtol=1e-12)


@pytest.mark.parametrize("temperature", [0.0, 1e-9, 1e-3, 0.02, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99, 0.9999])
def test_retrieval_curve_is_concave_up_to_its_only_maximum(temperature):
    """The solver rests on it: sqrt(alpha)(u) rises with falling slope, then falls; its slope is right."""
    noise = np.linspace(0.005, 3.0, 600)
    curve = retrieval_curve(noise, np.full_like(noise, temperature))
    rising = curve.slope > 0.0
    top = rising.argmin()
    assert rising[:top].all()
    assert not rising[top:].any()
    assert noise[top - 1] < critical_noise(np.array([temperature]))[0] < noise[top]
    rounding = 1e-12 * curve.slope[0]
    assert (np.diff(curve.slope[: top + 1]) <= rounding).all()
    assert (np.diff(curve.overlap) <= 1e-12).all()  # so that the overlap at a lower u is an upper bound
    change = np.diff(curve.root_load)
    step = noise[1] - noise[0]
    mean_slope = 0.5 * (curve.slope[1:] + curve.slope[:-1])
    # the trapezoid rule errs by step^2/12 times the third derivative, some 50 times the slope at u = 0
    assert np.abs(change / step - mean_slope).max() < 5.0 * step**2 * curve.slope[0]


def test_retrieval_ends_at_the_capacity():
    alpha_c = capacity().load
    assert retrieval_overlap(alpha_c) == pytest.approx(capacity().overlap, abs=1e-6)  # vertical there
    assert retrieval_overlap(alpha_c * (1.0 - 1e-9)) > capacity().overlap
    assert np.isnan(retrieval_overlap(alpha_c * (1.0 + 1e-9)))
    assert np.isnan(retrieval_overlap(100.0))


def test_without_load_it_is_the_curie_weiss_magnet():
    assert retrieval_overlap(0.0) == 1.0
    state = retrieval_state(0.0, 0.5)
    assert state.overlap == pytest.approx(np.tanh(state.overlap / 0.5), rel=1e-11)
    assert state.overlap == pytest.approx(0.9575040240772, rel=1e-11)
    assert np.isnan(retrieval_overlap(0.0, 1.0))


def test_paramagnet_above_the_spin_glass():
    state = spin_glass_state([0.1, 0.0], [1.5, 1.0])
    assert (state.edwards_anderson == 0.0).all()
    assert (state.crosstalk == 0.0).all()
    assert state.free_energy == pytest.approx(
        [0.05 + 0.075 * np.log(1.0 / 3.0) - 1.5 * np.log(2.0), -np.log(2.0)], rel=1e-14
    )
    # continuous at T_g, where q vanishes linearly
    t_g = 1.0 + np.sqrt(0.1)
    below, above = spin_glass_state(0.1, t_g - 1e-6), spin_glass_state(0.1, t_g)
    assert 0.0 < below.edwards_anderson < 1e-5
    assert below.free_energy == pytest.approx(above.free_energy, abs=1e-5)


def test_arrays_are_broadcast_and_hold_what_single_calls_give():
    loads, temperatures = np.array([0.0, 0.05, 0.2]), np.array([0.0, 0.4, 1.2])
    state = retrieval_state(loads[:, None], temperatures)
    for values in state:
        assert values.shape == (3, 3)
    for i, load in enumerate(loads):
        for j, temperature in enumerate(temperatures):
            alone = retrieval_overlap(load, temperature)
            assert isinstance(alone, float)
            assert state.overlap[i, j] == pytest.approx(alone, rel=1e-12, nan_ok=True)
    assert np.isnan(state.overlap[2]).all()
    assert np.isnan(state.free_energy[:, 2]).all()
    assert retrieval_overlap([]).shape == (0,)


@pytest.mark.parametrize("function", [retrieval_overlap, retrieval_state, spin_glass_state])
@pytest.mark.parametrize("wrong", [-0.1, np.nan, np.inf, [0.1, -0.2]])
def test_bad_input_names_the_argument(function, wrong):
    with pytest.raises(InputError, match=r"^load: .* 0 or larger"):
        function(wrong)
    with pytest.raises(InputError, match=r"^temperature: .* 0 or larger"):
        function(0.1, wrong)
