"""The Gaussian averages against two other quadratures, and their limit at T = 0."""

import numpy as np
import pytest
from scipy.integrate import quad

from hopsim.theory.local_field import field_averages, mean_log_cosh

FUNCTIONS = {
    "tanh": lambda z, t, temperature: np.tanh(t),
    "tanh_squared": lambda z, t, temperature: np.tanh(t) ** 2,
    "response": lambda z, t, temperature: np.cosh(t) ** -2 / temperature,
    "response_z": lambda z, t, temperature: z * np.cosh(t) ** -2 / temperature,
    "response_zz": lambda z, t, temperature: z**2 * np.cosh(t) ** -2 / temperature,
    "response_squared": lambda z, t, temperature: np.cosh(t) ** -4 / temperature,
}


def averages_of(mean, width, temperature):
    return field_averages(np.array([mean]), np.array([width]), np.array([temperature]))


@pytest.mark.parametrize("temperature", [0.03, 0.2, 0.9, 3.0])
@pytest.mark.parametrize("mean", [0.0, 1e-3, 0.5, 1.0])
@pytest.mark.parametrize("width", [0.05, 0.4, 1.5])
def test_averages_agree_with_the_trapezoid_rule(mean, width, temperature):
    # On analytic functions that vanish at both ends the trapezoid rule converges exponentially; the step is a
    # fifteenth of the distance of the nearest pole.
    z, step = np.linspace(-9.0, 9.0, 2 + int(18.0 / min(0.1, 0.1 * temperature / width)), retstep=True)
    weights = np.exp(-0.5 * z * z) / np.sqrt(2.0 * np.pi) * step
    t = (mean + width * z) / temperature
    averages = averages_of(mean, width, temperature)
    for name, function in FUNCTIONS.items():
        expected = (weights * function(z, t, temperature)).sum()
        assert getattr(averages, name)[0] == pytest.approx(expected, rel=1e-12, abs=1e-13), name
    log_cosh = mean_log_cosh(np.array([mean]), np.array([width]), np.array([temperature]))[0]
    assert log_cosh == pytest.approx(
        (weights * temperature * np.logaddexp(t, -t)).sum(), rel=1e-12, abs=1e-13
    )


def test_response_far_below_the_noise_is_exact():
    """At T of 1e-7 the response is a spike of width 1e-6 in z; `quad` is told where it sits."""
    mean, width, temperature = 0.95, 0.4, 1e-7

    def spike(t):  # t in units of the spike
        z = (temperature * t - mean) / width
        return np.exp(-0.5 * z * z) / np.sqrt(2.0 * np.pi) / width * np.cosh(t) ** -2

    expected = quad(spike, -30.0, 30.0, epsabs=0.0, epsrel=1e-12)[0]
    assert averages_of(mean, width, temperature).response[0] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("temperature", [1e-6, 1e-30, 1e-90, 1e-200])
def test_averages_join_their_limit_at_zero_temperature(temperature):
    """They differ from it by order T for q = 1 - T C and by order T^2 for the others."""
    for cold, frozen in zip(averages_of(0.97, 0.45, temperature), averages_of(0.97, 0.45, 0.0), strict=True):
        assert cold[0] == pytest.approx(frozen[0], rel=2.0 * temperature + 1e-10)


def test_without_noise_the_averages_are_the_functions_themselves():
    averages = averages_of(0.6, 0.0, 0.5)
    assert averages.tanh[0] == pytest.approx(
        np.tanh(1.2), rel=1e-11
    )  # the noise is floored at 1e-6 of the mean
    assert averages.tanh_squared[0] == pytest.approx(np.tanh(1.2) ** 2, rel=1e-11)
    assert averages_of(0.6, 0.0, 0.0).tanh[0] == 1.0
