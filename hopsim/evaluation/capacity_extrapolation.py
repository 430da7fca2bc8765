"""The capacity alpha_c for N -> infinity: fits of its approach, and what follows if the law is not known."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hopsim.errors import InputError
from hopsim.evaluation.network_bootstrap import NORMAL_975
from hopsim.evaluation.proportions import FloatArray

EXPONENTS = (1 / 3, 1 / 2, 2 / 3, 1.0)
ACCEPTABLE_P = 0.01
SCALING_FROM = 8000  # from here on alpha_c(N) approaches its limit by one power of N


@dataclass(frozen=True)
class PowerLawFit:
    """The fit ``alpha_c(N) = value + amplitude N^-exponent``.

    Attributes
    ----------
    exponent : float
    value : float
        alpha_c for N -> infinity.
    standard_error : float
        Of `value`.
    amplitude : float
    p : float
        Probability of a larger chi-square if the law holds.
    accepted : bool
        Whether it counts for the limit: p > 0.01, or all fits are kept.
    """

    exponent: float
    value: float
    standard_error: float
    amplitude: float
    p: float
    accepted: bool


@dataclass(frozen=True)
class Extrapolation:
    """The limit of alpha_c for N -> infinity.

    Attributes
    ----------
    value : float
        Centre of the interval; NaN without an accepted fit.
    low, high : float
        Union of the 95 % intervals of all accepted fits.
    fits : tuple of PowerLawFit
        All fits, accepted or not; empty with fewer than three sizes.
    """

    value: float
    low: float
    high: float
    fits: tuple[PowerLawFit, ...]


def extrapolate(
    n_neurons: ArrayLike, values: ArrayLike, standard_errors: ArrayLike, *, keep_all: bool = False
) -> Extrapolation:
    """alpha_c for N -> infinity from its estimates at several sizes.

    The law of the approach is not known, and it decides: ``alpha_c + b N^-x`` is fitted by weighted least
    squares for x = 1/3, 1/2, 2/3 and 1, and the interval is the union of the 95 % intervals of all fits with
    p > 0.01. Small networks need more than one power and would rule out fits wrongly: give the largest, or keep
    all fits.

    Parameters
    ----------
    n_neurons, values, standard_errors : array_like (n_sizes,)
        Sizes without a finite value and a positive standard error are left out.
    keep_all : bool
        Take every exponent into the union, whatever its p.

    Returns
    -------
    Extrapolation
        NaN with fewer than three different sizes or without an accepted fit.

    Raises
    ------
    InputError
        If there are not as many values and errors as sizes.
    """
    columns = [np.asarray(column, np.float64) for column in (n_neurons, values, standard_errors)]
    if columns[0].ndim != 1 or len({column.shape for column in columns}) > 1:
        raise InputError("values", "expected one value and one standard error for each number of neurons")
    known = np.isfinite(columns[1]) & np.isfinite(columns[2]) & (columns[2] > 0)
    sizes, estimates, errors = (column[known] for column in columns)
    if np.unique(sizes).size < 3:
        return Extrapolation(np.nan, np.nan, np.nan, ())
    fits = tuple(_fit_power_law(sizes, estimates, errors, exponent, keep_all) for exponent in EXPONENTS)
    accepted = [fit for fit in fits if fit.accepted]
    if not accepted:
        return Extrapolation(np.nan, np.nan, np.nan, fits)
    low = min(fit.value - NORMAL_975 * fit.standard_error for fit in accepted)
    high = max(fit.value + NORMAL_975 * fit.standard_error for fit in accepted)
    return Extrapolation((low + high) / 2, low, high, fits)


def largest_sizes(n_neurons: ArrayLike) -> NDArray[np.bool_]:
    """Tell which sizes to extrapolate from: those from 8,000 on, or the three largest if there are fewer.

    Examples
    --------
    >>> largest_sizes([500, 1000, 2000, 4000]).tolist()
    [False, True, True, True]
    """
    sizes = np.asarray(n_neurons)
    return sizes >= min(SCALING_FROM, np.sort(sizes)[-min(3, len(sizes))])


def extrapolate_largest(n_neurons: ArrayLike, values: ArrayLike, standard_errors: ArrayLike) -> Extrapolation:
    """alpha_c for N -> infinity from its estimates at the `largest_sizes`.

    Where one of them is below 8,000, small networks could rule out fits wrongly, and all fits are kept. Parameters,
    what is returned and what is raised are those of `extrapolate`.
    """
    sizes = np.asarray(n_neurons)
    used = largest_sizes(sizes)
    columns = (np.asarray(column)[used] for column in (values, standard_errors))
    return extrapolate(sizes[used], *columns, keep_all=bool(sizes[used].min() < SCALING_FROM))


def _fit_power_law(
    n_neurons: FloatArray, values: FloatArray, standard_errors: FloatArray, exponent: float, keep: bool
) -> PowerLawFit:
    """Fit a straight line in N^-exponent by weighted least squares, with known errors."""
    from scipy.special import gammaincc

    x, weights = n_neurons**-exponent, standard_errors**-2.0
    centre, mean = np.average(x, weights=weights), np.average(values, weights=weights)
    spread = (weights * (x - centre) ** 2).sum()
    amplitude = (weights * (x - centre) * (values - mean)).sum() / spread
    chi_square = (weights * (values - mean - amplitude * (x - centre)) ** 2).sum()
    p = float(gammaincc((len(x) - 2) / 2, chi_square / 2))
    return PowerLawFit(
        exponent=exponent,
        value=float(mean - amplitude * centre),
        standard_error=float(np.sqrt(1.0 / weights.sum() + centre**2 / spread)),
        amplitude=float(amplitude),
        p=p,
        accepted=p > ACCEPTABLE_P or keep,
    )
