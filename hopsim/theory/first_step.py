"""The first step of recall: how many units of a stored pattern are unstable, and where a probe goes next.

With Hebbian couplings and J_ii = 0 the field on unit i of a stored random pattern obeys::

    N xi_i h_i = (N - 1) + (a sum of (N - 1)(P - 1) independent ±1)

so the probability that it points the wrong way is a binomial tail, exact at any N and P. For N -> infinity
the crosstalk becomes Gaussian with variance alpha (Hertz, Krogh and Palmer 1991, section 2.2).
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import erf, erfc
from scipy.stats import binom

from hopsim.errors import InputError
from hopsim.theory.arguments import FloatArray, non_negative


def first_step_error(n_neurons: ArrayLike, n_patterns: ArrayLike) -> FloatArray:
    """Probability that a unit of a stored random pattern is unstable: its field opposes it.

    A unit without field (see `first_step_tie`) keeps its state and is not counted.

    Parameters
    ----------
    n_neurons, n_patterns : array_like of int
        N and P, 1 or larger, broadcast against each other.

    Returns
    -------
    float or ndarray

    Raises
    ------
    InputError
        If a number is below 1 or not whole.

    Examples
    --------
    >>> print(f"{first_step_error(120, 24):.6f} {first_step_tie(120, 24):.6f}")
    0.010894 0.001148
    """
    n_terms, balance = _crosstalk(n_neurons, n_patterns)
    probability: FloatArray = binom.cdf(np.ceil(balance) - 1.0, n_terms, 0.5)
    return probability


def first_step_tie(n_neurons: ArrayLike, n_patterns: ArrayLike) -> FloatArray:
    """Probability that a unit of a stored random pattern has no field at all.

    Parameters
    ----------
    n_neurons, n_patterns : array_like of int
        N and P, 1 or larger, broadcast against each other.

    Returns
    -------
    float or ndarray

    Raises
    ------
    InputError
        If a number is below 1 or not whole.
    """
    n_terms, balance = _crosstalk(n_neurons, n_patterns)
    probability: FloatArray = binom.pmf(balance, n_terms, 0.5)  # 0 where the balance is not whole
    return probability


def first_step_error_limit(load: ArrayLike) -> FloatArray:
    """Limit of `first_step_error` for N -> infinity at load alpha = P/N, erfc(1/sqrt(2 alpha))/2.

    Parameters
    ----------
    load : array_like
        Load alpha >= 0.

    Returns
    -------
    float or ndarray

    Raises
    ------
    InputError
        If a load is negative or not finite.
    """
    with np.errstate(divide="ignore"):
        probability: FloatArray = 0.5 * erfc(1.0 / np.sqrt(2.0 * non_negative("load", load)))
    return probability


def first_step_overlap(overlap: ArrayLike, load: ArrayLike) -> FloatArray:
    """Overlap after one parallel step at T = 0, m1 = erf(m0/sqrt(2 alpha)), exact for N -> infinity.

    Parameters
    ----------
    overlap : array_like
        Overlap m0 at the start, between -1 and 1, of a state otherwise independent of the patterns.
    load : array_like
        Load alpha >= 0, broadcast against `overlap`.

    Returns
    -------
    float or ndarray

    Raises
    ------
    InputError
        If an overlap is not in -1...1, or a load is negative or not finite.
    """
    start = np.asarray(overlap, dtype=np.float64)
    outside = start[~(np.abs(start) <= 1.0)]
    if outside.size:
        raise InputError("overlap", f"{outside[0]:g} is not allowed; give a number from -1 to 1")
    width = np.sqrt(2.0 * non_negative("load", load))
    with np.errstate(divide="ignore", invalid="ignore"):
        after = np.where(start == 0.0, 0.0, erf(start / width))
    return after[()]


def _crosstalk(n_neurons: ArrayLike, n_patterns: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Return the number of ±1 in the sum, and how many of them must be +1 for the field to be 0."""
    n, p = _counting("n_neurons", n_neurons), _counting("n_patterns", n_patterns)
    return (n - 1.0) * (p - 1.0), (n - 1.0) * (p - 2.0) / 2.0


def _counting(name: str, values: ArrayLike) -> FloatArray:
    numbers = np.asarray(values, dtype=np.float64)
    wrong = numbers[~((numbers >= 1.0) & (numbers == np.floor(numbers)) & np.isfinite(numbers))]
    if wrong.size:
        raise InputError(name, f"{wrong[0]:g} is not allowed; give a whole number, 1 or larger")
    return numbers
