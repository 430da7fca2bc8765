"""Replica-symmetric mean-field theory of the Hopfield model: the retrieval and the spin-glass state.

Amit, Gutfreund and Sompolinsky, Phys. Rev. Lett. 55, 1530 (1985) and Ann. Phys. 173, 30 (1987), AGS below.
With J_ij = (1/N) sum_mu xi_i^mu xi_j^mu, J_ii = 0, P = alpha N, beta = 1/T, N -> infinity and z standard
normal, the overlap m with one pattern, the Edwards-Anderson parameter q and the mean-square crosstalk r
obey::

    m = <tanh beta (m + sqrt(alpha r) z)>
    q = <tanh^2 beta (m + sqrt(alpha r) z)>
    r = q / (1 - C)^2,   C = beta (1 - q)

**How they are solved.** Let u = sqrt(alpha r)/m be the noise-to-signal ratio. At given u and T < 1 the first
equation, m = <tanh(beta m (1 + u z))>, has exactly one solution m > 0 (its right side is concave in m, with
slope beta at 0), which Newton's method reaches monotonically from m = 1. All the rest is explicit, the load
too::

    sqrt(alpha) = u m (1 - C) / sqrt(q)

This curve rises from 0 at u = 0 to a single maximum at u of about 0.47 and falls again (a test follows it at
all temperatures). The rising part is the retrieval state, the falling part a saddle, the maximum the load at
which retrieval ends. The rising part is concave, so Newton's method from u = sqrt(alpha) climbs it
monotonically and passes the top only if there is no solution. At T = 0, with y = 1/(sqrt(2) u), this is the
equation of AGS, sqrt(2 alpha) = erf(y)/y - (2/sqrt(pi)) exp(-y^2).

Replica symmetry is broken below the Almeida-Thouless line, and so at T = 0: the critical load is slightly
wrong there (0.1379; one and two steps of breaking give 0.1382, Steffan and Kuehn 1994).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import elementwise
from scipy.special import xlogy

from hopsim.theory.arguments import FloatArray, non_negative
from hopsim.theory.local_field import FieldAverages, field_averages, mean_log_cosh


class MeanFieldState(NamedTuple):
    """A replica-symmetric state: numbers for a single load and temperature, else arrays.

    Attributes
    ----------
    overlap : float or ndarray
        m, with the retrieved pattern; 0 in the spin-glass and the paramagnetic state.
    edwards_anderson : float or ndarray
        q = <<S_i>^2>.
    crosstalk : float or ndarray
        r, the sum of the squared overlaps with all other patterns, divided by alpha.
    susceptibility : float or ndarray
        C = (1 - q)/T, with its limit at T = 0.
    free_energy : float or ndarray
        Free energy per unit; at T = 0 the energy per unit.
    """

    overlap: FloatArray
    edwards_anderson: FloatArray
    crosstalk: FloatArray
    susceptibility: FloatArray
    free_energy: FloatArray


class RetrievalCurve(NamedTuple):
    """Points of the curve sqrt(alpha)(u) at given temperatures; arrays of shape (n,).

    Attributes
    ----------
    overlap : ndarray
        m.
    averages : FieldAverages
        At that overlap.
    root_load, slope : ndarray
        sqrt(alpha) and its derivative by u.
    """

    overlap: FloatArray
    averages: FieldAverages
    root_load: FloatArray
    slope: FloatArray


def retrieval_overlap(load: ArrayLike, temperature: ArrayLike = 0.0) -> FloatArray:
    """Overlap m of the retrieval state.

    Parameters
    ----------
    load, temperature : array_like
        Load alpha >= 0 and temperature T >= 0, broadcast against each other.

    Returns
    -------
    float or ndarray
        m; NaN where there is no retrieval state.

    Raises
    ------
    InputError
        If a load or a temperature is negative or not finite.

    Examples
    --------
    >>> print(f"{retrieval_overlap(0.1):.6f} {retrieval_overlap(0.1, 0.2):.6f} {retrieval_overlap(0.2)}")
    0.997999 0.989085 nan
    """
    return retrieval_state(load, temperature).overlap


def retrieval_state(load: ArrayLike, temperature: ArrayLike = 0.0) -> MeanFieldState:
    """Retrieval state: the solution with m > 0 that is stable against changes of m and q.

    Parameters
    ----------
    load, temperature : array_like
        Load alpha >= 0 and temperature T >= 0, broadcast against each other.

    Returns
    -------
    MeanFieldState
        NaN throughout where there is no retrieval state.

    Raises
    ------
    InputError
        If a load or a temperature is negative or not finite.

    Examples
    --------
    >>> state = retrieval_state(0.1)
    >>> print(f"m = {state.overlap:.6f}, r = {state.crosstalk:.6f}, E = {state.free_energy:.6f}")
    m = 0.997999, r = 1.043059, E = -0.500154
    """
    load, temperature = np.broadcast_arrays(
        non_negative("load", load), non_negative("temperature", temperature)
    )
    result = np.full((len(MeanFieldState._fields), load.size), np.nan)
    possible = temperature.ravel() < 1.0
    if possible.any():
        alpha, t = load.ravel()[possible], temperature.ravel()[possible]
        noise = retrieval_noise(alpha, t)
        curve = retrieval_curve(noise, t)
        result[:, possible] = mean_field_state(alpha, t, curve.overlap, noise * curve.overlap, curve.averages)
    return MeanFieldState(*(values.reshape(load.shape)[()] for values in result))


def spin_glass_state(load: ArrayLike, temperature: ArrayLike = 0.0) -> MeanFieldState:
    """State without overlap: the spin glass below T_g = 1 + sqrt(alpha), the paramagnet (q = r = 0) above.

    With m = 0 the width sigma = sqrt(alpha r) of the local field solves sigma (1 - C)/sqrt(q) = sqrt(alpha).
    As C <= sqrt(2/pi)/sigma, it is at most sqrt(alpha) + sqrt(2/pi), its value at T = 0.

    Parameters
    ----------
    load, temperature : array_like
        Load alpha >= 0 and temperature T >= 0, broadcast against each other.

    Returns
    -------
    MeanFieldState
        With overlap 0. The crosstalk is infinite at load 0 and T < 1.

    Raises
    ------
    InputError
        If a load or a temperature is negative or not finite.
    """
    load, temperature = np.broadcast_arrays(
        non_negative("load", load), non_negative("temperature", temperature)
    )
    alpha, t = load.ravel(), temperature.ravel()
    glassy = t < 1.0 + np.sqrt(alpha)
    result = np.empty((len(MeanFieldState._fields), load.size))
    if glassy.any():
        result[:, glassy] = _spin_glass(alpha[glassy], t[glassy])
    if not glassy.all():
        result[:, ~glassy] = _paramagnet(alpha[~glassy], t[~glassy])
    return MeanFieldState(*(values.reshape(load.shape)[()] for values in result))


def spin_glass_energy(load: ArrayLike) -> FloatArray:
    """Energy per unit of the replica-symmetric spin glass at T = 0, -1/pi - sqrt(2 alpha/pi).

    Parameters
    ----------
    load : array_like
        Load alpha >= 0.

    Raises
    ------
    InputError
        If a load is negative or not finite.
    """
    energy: FloatArray = -1.0 / np.pi - np.sqrt(2.0 / np.pi * non_negative("load", load))
    return energy


def retrieval_curve(
    noise: FloatArray, temperature: FloatArray, above: FloatArray | None = None
) -> RetrievalCurve:
    """Follow the retrieval curve to a noise-to-signal ratio; arguments as `overlap_at_noise`."""
    overlap = overlap_at_noise(noise, temperature, above)
    averages = field_averages(overlap, noise * overlap, temperature)
    c = averages.response
    root_load = noise * overlap * (1.0 - c) / np.sqrt(averages.tanh_squared)
    # Derivatives by u at fixed T. Those by the mean and the width of the Gaussian fall on its density, which
    # gives moments in z: <sech^2> changes by <z sech^2>/sigma and <(z^2 - 1) sech^2>/sigma. And q = 1 - T C.
    overlap_slope = overlap * averages.response_z / (1.0 - c - noise * averages.response_z)
    width_slope = overlap + noise * overlap_slope
    c_slope = averages.response_z * overlap_slope + (averages.response_zz - c) * width_slope
    c_slope /= noise * overlap
    slope = root_load * (
        1.0 / noise
        + overlap_slope / overlap
        - c_slope / (1.0 - c)
        + 0.5 * temperature * c_slope / averages.tanh_squared
    )
    return RetrievalCurve(overlap, averages, root_load, slope)


def overlap_at_noise(
    noise: FloatArray, temperature: FloatArray, above: FloatArray | None = None
) -> FloatArray:
    """Solve m = <tanh((m/T) (1 + u z))> for its only m > 0, at T < 1.

    Parameters
    ----------
    noise, temperature : (n,) float64 array
        Noise-to-signal ratio u > 0 and temperature.
    above : (n,) float64 array, optional
        An upper bound of m to start from, such as m at a lower u (default 1).
    """
    overlap = np.ones_like(noise) if above is None else above
    for _ in range(200):
        averages = field_averages(overlap, noise * overlap, temperature)
        slope = averages.response + noise * averages.response_z
        residual = overlap - averages.tanh
        # From above Newton's steps only go down; one that goes up is rounding. Convergence is quadratic.
        going_on = residual > overlap * (1e-12 * (1.0 - slope) + 1e-15 * (1.0 + noise))
        overlap = overlap - residual / (1.0 - slope)
        if not going_on.any():
            break
    return overlap


def retrieval_noise(load: FloatArray, temperature: FloatArray) -> FloatArray:
    """Noise-to-signal ratio u of the retrieval state at T < 1, NaN where there is none; shape (n,)."""
    root_load = np.sqrt(load)
    noise = np.maximum(root_load, 1e-12)  # sqrt(alpha)/u = m (1 - C)/sqrt(q) <= 1; u = 0 would divide by 0
    active = np.arange(len(noise))
    overlap = np.ones_like(noise)
    for _ in range(200):
        curve = retrieval_curve(noise[active], temperature[active], overlap[active])
        overlap[active] = curve.overlap
        residual = root_load[active] - curve.root_load
        unsolved = residual > 1e-13 * root_load[active]  # rounding near T = 1 leaves no more
        past_the_top = unsolved & (curve.slope <= 0.0)
        noise[active[past_the_top]] = np.nan
        going_on = unsolved & ~past_the_top
        active = active[going_on]
        if not active.size:
            break
        noise[active] = np.minimum(noise[active] + residual[going_on] / curve.slope[going_on], 1.0)
    return noise


def critical_noise(temperature: FloatArray) -> FloatArray:
    """Noise-to-signal ratio u at the top of the retrieval curve, where retrieval ends; shape (n,)."""
    below, above = np.full_like(temperature, 0.4), np.full_like(temperature, 0.6)
    top: FloatArray = elementwise.find_root(
        lambda noise, t: retrieval_curve(noise, t).slope, (below, above), args=(temperature,)
    ).x
    return top


def _spin_glass(load: FloatArray, temperature: FloatArray) -> MeanFieldState:
    def excess(width: FloatArray, root_load: FloatArray, t: FloatArray) -> FloatArray:
        averages = field_averages(np.zeros_like(width), width, t)
        value: FloatArray = width * (1.0 - averages.response) / np.sqrt(averages.tanh_squared) - root_load
        return value

    root_load = np.sqrt(load)
    above = 1.01 * (root_load + np.sqrt(2.0 / np.pi))
    below = np.full_like(above, 1e-8)
    width = elementwise.find_root(excess, (below, above), args=(root_load, temperature)).x
    no_overlap = np.zeros_like(width)
    averages = field_averages(no_overlap, width, temperature)
    return mean_field_state(load, temperature, no_overlap, width, averages)


def _paramagnet(load: FloatArray, temperature: FloatArray) -> MeanFieldState:
    zero = np.zeros_like(load)
    free_energy = 0.5 * load + 0.5 * temperature * xlogy(load, 1.0 - 1.0 / temperature)
    return MeanFieldState(zero, zero, zero, 1.0 / temperature, free_energy - temperature * np.log(2.0))


def mean_field_state(
    load: FloatArray, temperature: FloatArray, overlap: FloatArray, width: FloatArray, averages: FieldAverages
) -> MeanFieldState:
    """Put a solution together; f is that of AGS (1987), its terms in q/T and alpha r = sigma^2 collected."""
    q, c = averages.tanh_squared, averages.response
    with np.errstate(divide="ignore"):
        crosstalk = q / (1.0 - c) ** 2
    free_energy = (
        0.5 * overlap**2
        + 0.5 * load
        + 0.5 * temperature * xlogy(load, 1.0 - c)
        + 0.5 * width**2 * (2.0 * c - 1.0)
        - mean_log_cosh(overlap, width, temperature)
    )
    return MeanFieldState(overlap, q, crosstalk, c, free_energy)
