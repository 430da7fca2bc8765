"""Phase diagram of the Hopfield model: the lines at which its replica-symmetric states come and go.

Amit, Gutfreund and Sompolinsky, Ann. Phys. 173, 30 (1987). From high to low temperature:

====== ============================ ==========================================================================
T_g    `spin_glass_temperature`     the paramagnet freezes into a spin glass
T_M    `retrieval_temperature`      retrieval states appear, as metastable ones
T_c    `coexistence_temperature`    retrieval states become the global minima
T_AT   `at_temperature`             retrieval states break replica symmetry (Almeida, Thouless)
====== ============================ ==========================================================================

T_M and T_c bend back at low temperature (an artefact of replica symmetry): the loads they reach are largest
not at T = 0 but at T of about 0.023 and 0.085. As functions of the load they are the upper branches.
"""

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import elementwise, minimize_scalar

from hopsim.theory.arguments import FloatArray, non_negative
from hopsim.theory.hopfield import (
    critical_noise,
    mean_field_state,
    overlap_at_noise,
    retrieval_curve,
    retrieval_state,
    spin_glass_state,
)
from hopsim.theory.local_field import field_averages


class Capacity(NamedTuple):
    """Where retrieval ends at T = 0.

    Attributes
    ----------
    load : float
        alpha_c.
    overlap : float
        m_c, the overlap there.
    """

    load: float
    overlap: float


class LargestLoad(NamedTuple):
    """The tip of a line that bends back at low temperature.

    Attributes
    ----------
    load : float
        The largest load that the line reaches.
    temperature : float
        The temperature at which it does.
    """

    load: float
    temperature: float


@cache
def capacity() -> Capacity:
    """Largest load with retrieval states at T = 0, and their overlap there.

    Examples
    --------
    >>> alpha_c, m_c = capacity()
    >>> print(f"{alpha_c:.6f} {m_c:.6f}")
    0.137906 0.967417
    """
    zero = np.zeros(1)
    curve = retrieval_curve(critical_noise(zero), zero)
    return Capacity(float(curve.root_load[0] ** 2), float(curve.overlap[0]))


def critical_load(temperature: ArrayLike = 0.0) -> FloatArray:
    """Load alpha_M(T) up to which there are retrieval states; T_M(alpha) read the other way.

    Parameters
    ----------
    temperature : array_like
        Temperature T >= 0.

    Returns
    -------
    float or ndarray
        0 for T >= 1.

    Raises
    ------
    InputError
        If a temperature is negative or not finite.
    """
    temperature = non_negative("temperature", temperature)
    return (_critical_root_load(temperature.ravel()) ** 2).reshape(temperature.shape)[()]


def coexistence_load(temperature: ArrayLike = 0.0) -> FloatArray:
    """Load below which the retrieval states are the global minima; alpha_1 at T = 0.

    Parameters
    ----------
    temperature : array_like
        Temperature T >= 0.

    Returns
    -------
    float or ndarray
        0 for T >= 1.

    Raises
    ------
    InputError
        If a temperature is negative or not finite.

    Examples
    --------
    >>> print(f"{coexistence_load(0.0):.9f}")
    0.051854331
    """
    temperature = non_negative("temperature", temperature)
    load = np.zeros(temperature.shape)
    below = temperature < 1.0
    if below.any():
        t = temperature[below]
        top = critical_noise(t)
        noise = elementwise.find_root(_excess_free_energy, (0.1 * top, top), args=(t,)).x
        load[below] = retrieval_curve(noise, t).root_load ** 2
    return load[()]


@cache
def largest_retrieval_load() -> LargestLoad:
    """Largest load with retrieval states at any temperature: the tip of T_M.

    Examples
    --------
    >>> load, temperature = largest_retrieval_load()
    >>> print(f"{load:.9f} at T = {temperature:.5f}")
    0.138188511 at T = 0.02287
    """
    return _tip(critical_load)


@cache
def largest_coexistence_load() -> LargestLoad:
    """Largest load at which retrieval states are the global minima at any temperature: the tip of T_c."""
    return _tip(coexistence_load)


def spin_glass_temperature(load: ArrayLike) -> FloatArray:
    """Temperature T_g = 1 + sqrt(alpha) below which the spin-glass state exists.

    Parameters
    ----------
    load : array_like
        Load alpha >= 0.

    Raises
    ------
    InputError
        If a load is negative or not finite.
    """
    temperature: FloatArray = 1.0 + np.sqrt(non_negative("load", load))
    return temperature


def retrieval_temperature(load: ArrayLike) -> FloatArray:
    """Temperature T_M(alpha) below which retrieval states exist.

    Between alpha_c and the tip of the line they vanish again at a still lower temperature, whose line is
    `critical_load`.

    Parameters
    ----------
    load : array_like
        Load alpha >= 0.

    Returns
    -------
    float or ndarray
        NaN where there are none at any temperature.

    Raises
    ------
    InputError
        If a load is negative or not finite.

    Examples
    --------
    >>> print(f"{retrieval_temperature(0.1):.6f}")
    0.315432
    """
    return _upper_branch(
        lambda t, root_load: _critical_root_load(t) - root_load,
        non_negative("load", load),
        largest_retrieval_load(),
    )


def coexistence_temperature(load: ArrayLike) -> FloatArray:
    """Temperature T_c(alpha) below which the retrieval states are the global minima.

    Parameters
    ----------
    load : array_like
        Load alpha >= 0.

    Returns
    -------
    float or ndarray
        NaN where they are at no temperature.

    Raises
    ------
    InputError
        If a load is negative or not finite.

    Examples
    --------
    >>> print(f"{coexistence_temperature(0.03):.6f}")
    0.478793
    """

    def advantage(t: FloatArray, root_load: FloatArray) -> FloatArray:
        retrieval = retrieval_state(root_load**2, t).free_energy
        difference = spin_glass_state(root_load**2, t).free_energy - retrieval
        return np.where(np.isnan(difference), -1.0, difference)  # retrieval states end only after they lost

    return _upper_branch(advantage, non_negative("load", load), largest_coexistence_load())


def at_temperature(load: ArrayLike) -> FloatArray:
    """Almeida-Thouless temperature of the retrieval states, below which they break replica symmetry.

    The line is alpha beta^2 <sech^4>/(1 - C)^2 = 1, which with sigma^2 = alpha r reads
    sigma^2 <sech^4> = T^2 q: along the retrieval curve, T = sigma^2 (<sech^4>/T)/q, whose right side hardly
    depends on T. For low loads it is exponentially small, sqrt(8 alpha r/(9 pi)) exp(-m^2/(2 alpha r)).

    Parameters
    ----------
    load : array_like
        Load alpha >= 0.

    Returns
    -------
    float or ndarray
        NaN above load 0.138186, where the line meets T_M: the few retrieval states there are at higher loads
        break replica symmetry whatever the temperature.

    Raises
    ------
    InputError
        If a load is negative or not finite.

    Examples
    --------
    >>> print(f"{at_temperature(0.13):.6f}")
    0.009473
    """
    load = non_negative("load", load)
    end = _end_of_at_line()
    root_load = np.sqrt(load.ravel())
    temperature = np.full(load.size, np.nan)
    temperature[root_load == 0.0] = 0.0
    possible = (root_load > 0.0) & (root_load <= _at_root_load(np.array([end]))[0])
    if possible.any():
        # sqrt(alpha)/u = m (1 - C)/sqrt(q) <= 1: the ratio u is never below sqrt(alpha).
        below = 0.999 * root_load[possible]
        above = np.full_like(below, end)
        noise = elementwise.find_root(
            lambda u, root: _at_root_load(u) - root, (below, above), args=(root_load[possible],)
        ).x
        temperature[possible] = _at_temperature_at_noise(noise)
    return temperature.reshape(load.shape)[()]


@cache
def _end_of_at_line() -> float:
    """Noise-to-signal ratio u at which the Almeida-Thouless line reaches its largest load."""
    best = minimize_scalar(
        lambda u: -_at_root_load(np.array([u]))[0],
        bounds=(0.4, 0.6),
        method="bounded",
        options={"xatol": 1e-9},
    )
    return float(best.x)


def _at_root_load(noise: FloatArray) -> FloatArray:
    return retrieval_curve(noise, _at_temperature_at_noise(noise)).root_load


def _at_temperature_at_noise(noise: FloatArray) -> FloatArray:
    temperature = np.zeros_like(noise)
    for _ in range(50):
        width = noise * overlap_at_noise(noise, temperature)
        averages = field_averages(width / noise, width, temperature)
        previous = temperature
        temperature = width**2 * averages.response_squared / averages.tanh_squared
        if np.allclose(temperature, previous, rtol=1e-13, atol=0.0):
            break
    return temperature


def _critical_root_load(temperature: FloatArray) -> FloatArray:
    """Square root of the critical load, in which the line T_M is straight at T = 1; shape (n,)."""
    root_load = np.zeros_like(temperature)
    below = temperature < 1.0
    if below.any():
        t = temperature[below]
        root_load[below] = retrieval_curve(critical_noise(t), t).root_load
    return root_load


def _excess_free_energy(noise: FloatArray, temperature: FloatArray) -> FloatArray:
    """Free energy of the retrieval state at ratio u over that of the spin glass at the same load."""
    curve = retrieval_curve(noise, temperature)
    load = curve.root_load**2
    retrieval = mean_field_state(load, temperature, curve.overlap, noise * curve.overlap, curve.averages)
    return retrieval.free_energy - spin_glass_state(load, temperature).free_energy


def _tip(line: Callable[[float], FloatArray]) -> LargestLoad:
    best = minimize_scalar(lambda t: -line(t), bounds=(0.0, 0.2), method="bounded", options={"xatol": 1e-9})
    return LargestLoad(float(line(best.x)), float(best.x))


def _upper_branch(
    excess: Callable[[FloatArray, FloatArray], FloatArray], load: FloatArray, tip: LargestLoad
) -> FloatArray:
    """Solve excess(T, sqrt(alpha)) = 0, which falls through 0 once between the tip of the line and T = 1."""
    temperature = np.full(load.size, np.nan)
    temperature[load.ravel() == 0.0] = 1.0
    possible = (load.ravel() > 0.0) & (load.ravel() <= tip.load)
    if possible.any():
        root_load = np.sqrt(load.ravel()[possible])
        below, above = np.full_like(root_load, tip.temperature), np.ones_like(root_load)
        temperature[possible] = elementwise.find_root(excess, (below, above), args=(root_load,)).x
    return temperature.reshape(load.shape)[()]
