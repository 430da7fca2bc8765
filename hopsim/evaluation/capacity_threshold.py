"""The capacity alpha_c: half-height of the retrieval fraction at one size, and its limit for large N."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hopsim.errors import InputError
from hopsim.evaluation.proportions import FloatArray, network_means

EXPONENTS = (1 / 3, 1 / 2, 2 / 3, 1.0)
ACCEPTABLE_P = 0.01

_NORMAL_975 = 1.959963984540054  # 97.5 % quantile of the standard normal distribution


@dataclass(frozen=True)
class Estimate:
    """An estimate with its 95 % interval; NaN is what the data do not tell.

    Attributes
    ----------
    value, low, high : float
    standard_error : float
        Half the interval's width over 1.96.
    """

    value: float
    low: float
    high: float
    standard_error: float


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
    """

    exponent: float
    value: float
    standard_error: float
    amplitude: float
    p: float

    @property
    def acceptable(self) -> bool:
        """Whether the data allow this law (p > 0.01)."""
        return self.p > ACCEPTABLE_P


@dataclass(frozen=True)
class Extrapolation:
    """The limit of alpha_c for N -> infinity.

    Attributes
    ----------
    value : float
        Centre of the interval; NaN without an acceptable fit.
    low, high : float
        Union of the 95 % intervals of all acceptable fits.
    fits : tuple of PowerLawFit
        All fits, acceptable or not; empty with fewer than three sizes.
    """

    value: float
    low: float
    high: float
    fits: tuple[PowerLawFit, ...]


def half_height(loads: ArrayLike, fractions: ArrayLike) -> float:
    """Load at which the retrieval fraction falls through 1/2.

    The curve is the centred isotonic regression of the fractions (Oron and Flournoy 2017): neighbouring loads
    whose fractions do not fall are pooled to one point at their mean load, and points are joined by straight
    lines. So a single lucky or unlucky load makes no second crossing.

    Parameters
    ----------
    loads, fractions : array_like (n_loads,)
        In any order; loads whose fraction is NaN are left out.

    Returns
    -------
    float
        NaN if the curve does not begin above 1/2 and end below it.

    Raises
    ------
    InputError
        If there is not one fraction within 0...1, or NaN, for each load.

    Examples
    --------
    >>> print(f"{half_height([0.13, 0.14, 0.15, 0.16], [1.0, 0.8, 0.3, 0.0]):.4f}")
    0.1460
    """
    load, fraction = np.asarray(loads, np.float64), np.asarray(fractions, np.float64)
    if load.ndim != 1 or load.shape != fraction.shape:
        raise InputError(
            "fractions", f"expected one for each of {load.size} loads, got shape {fraction.shape}"
        )
    if (np.abs(fraction - 0.5) > 0.5).any():
        raise InputError("fractions", "expected numbers within 0...1")
    known = ~np.isnan(fraction)
    order = np.argsort(load[known], kind="stable")
    crossing = _crossing(load[known][order], fraction[known][order], np.ones(order.size))
    return crossing if np.isfinite(crossing) else np.nan


def critical_load(loads: ArrayLike, retrieved: ArrayLike, seed: int, n_bootstrap: int = 1000) -> Estimate:
    """alpha_c at one size: half-height of the retrieval fraction, its interval bootstrapped over networks.

    Parameters
    ----------
    loads : array_like (n_loads,)
        In any order.
    retrieved : array_like (n_loads, n_networks, n_trials)
        1 where the pattern was retrieved, 0 where not. A network with a NaN in it is unfinished and left out.
    seed : int
        Key of the bootstrap's random numbers, 0 to 2^64 - 1; give each size another one.
    n_bootstrap : int
        Number of replicates.

    Returns
    -------
    Estimate
        The value is NaN where the data do not bracket 1/2, the interval where no load has two finished
        networks. An end of the interval beyond the loads measured is NaN, and so is the standard error then.

    Raises
    ------
    InputError
        If the shapes do not fit or `n_bootstrap` is below 1.

    Notes
    -----
    Trials of one network share its patterns, so whole networks are drawn: n - 1 of n with replacement, which
    makes the bootstrap's variance unbiased (Rao and Wu 1988). Networks at different loads are independent.

    A straight line tells little where most of the fall lies between two neighbouring loads. A replicate whose
    fraction drops by d there takes its place in the gap with a uniform error of width d^2 gaps: the whole gap
    where the fraction falls from 1 to 0, next to nothing on a fine grid.

    A replicate that does not bracket 1/2 counts as a crossing below or above all loads. Loads with a single
    finished network are left out if others have more.
    """
    load, values = np.asarray(loads, np.float64), np.asarray(retrieved, np.float64)
    if values.ndim != 3 or load.shape != values.shape[:1]:
        raise InputError(
            "retrieved", f"expected shape ({load.size}, n_networks, n_trials), got {values.shape}"
        )
    if n_bootstrap < 1:
        raise InputError("n_bootstrap", f"expected at least 1, got {n_bootstrap}")
    means = network_means(values)
    n_finished = (~np.isnan(means)).sum(axis=1)
    enough = min(max(n_finished.max(initial=0), 1), 2)
    usable = [k for k in np.argsort(load, kind="stable") if n_finished[k] >= enough]
    load, weights = load[usable], n_finished[usable]
    fractions = [means[k][~np.isnan(means[k])] for k in usable]
    value = _crossing(load, np.array([of_networks.mean() for of_networks in fractions]), weights)
    if not np.isfinite(value):
        return Estimate(np.nan, np.nan, np.nan, np.nan)
    if weights.min() < 2:
        return Estimate(value, np.nan, np.nan, np.nan)

    random = np.random.Generator(np.random.Philox(key=int(seed)))
    replicates = np.column_stack(
        [
            of_networks[random.integers(n, size=(n_bootstrap, n - 1))].mean(axis=1)
            for of_networks, n in zip(fractions, weights, strict=True)
        ]
    )
    errors = random.uniform(-0.5, 0.5, n_bootstrap)
    crossings = [
        _crossing(load, replicate, weights, error)
        for replicate, error in zip(replicates, errors, strict=True)
    ]
    # Order statistics: interpolated quantiles would mix infinities.
    low, high = np.quantile(crossings, [0.025, 0.975], method="inverted_cdf")
    low, high = (float(end) if np.isfinite(end) else np.nan for end in (low, high))
    return Estimate(value, low, high, (high - low) / (2 * _NORMAL_975))


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
        NaN with fewer than three different sizes or without an acceptable fit.

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
    fits = tuple(_fit_power_law(sizes, estimates, errors, exponent) for exponent in EXPONENTS)
    accepted = [fit for fit in fits if fit.acceptable or keep_all]
    if not accepted:
        return Extrapolation(np.nan, np.nan, np.nan, fits)
    low = min(fit.value - _NORMAL_975 * fit.standard_error for fit in accepted)
    high = max(fit.value + _NORMAL_975 * fit.standard_error for fit in accepted)
    return Extrapolation((low + high) / 2, low, high, fits)


def _fit_power_law(
    n_neurons: FloatArray, values: FloatArray, standard_errors: FloatArray, exponent: float
) -> PowerLawFit:
    """Fit a straight line in N^-exponent by weighted least squares, with known errors."""
    from scipy.special import gammaincc

    x, weights = n_neurons**-exponent, standard_errors**-2.0
    centre, mean = np.average(x, weights=weights), np.average(values, weights=weights)
    spread = (weights * (x - centre) ** 2).sum()
    amplitude = (weights * (x - centre) * (values - mean)).sum() / spread
    chi_square = (weights * (values - mean - amplitude * (x - centre)) ** 2).sum()
    return PowerLawFit(
        exponent=exponent,
        value=float(mean - amplitude * centre),
        standard_error=float(np.sqrt(1.0 / weights.sum() + centre**2 / spread)),
        amplitude=float(amplitude),
        p=float(gammaincc((len(x) - 2) / 2, chi_square / 2)),
    )


def _crossing(loads: FloatArray, fractions: FloatArray, weights: NDArray, error: float = 0.0) -> float:
    """Load of the crossing of 1/2; -inf if it lies below all loads, inf if above, NaN without loads.

    `error`, from -1/2 to 1/2, moves it within its gap by ``error d^2`` gaps, d being the drop there.
    """
    curve = _falling_curve(loads, fractions, weights)
    if not curve:
        return np.nan
    n_above = sum(fraction > 0.5 for _, fraction, _ in curve)
    if n_above == 0:
        return -np.inf
    if curve[-1][1] >= 0.5:
        return np.inf
    (left, upper, _), (right, lower, _) = curve[n_above - 1], curve[n_above]
    drop = upper - lower
    place = min(max((upper - 0.5) / drop + error * drop**2, 0.0), 1.0)
    return left + place * (right - left)


def _falling_curve(
    loads: FloatArray, fractions: FloatArray, weights: NDArray
) -> list[tuple[float, float, float]]:
    """Centred isotonic regression by pooling adjacent violators: points (load, fraction, weight)."""
    curve: list[tuple[float, float, float]] = []
    for point in zip(loads.tolist(), fractions.tolist(), weights.tolist(), strict=True):
        curve.append(point)
        while len(curve) > 1 and _violates(curve[-2][1], curve[-1][1]):
            load_2, fraction_2, weight_2 = curve.pop()
            load_1, fraction_1, weight_1 = curve.pop()
            total = weight_1 + weight_2
            load = (weight_1 * load_1 + weight_2 * load_2) / total
            curve.append((load, (weight_1 * fraction_1 + weight_2 * fraction_2) / total, total))
    return curve


def _violates(fraction: float, following: float) -> bool:
    """Whether a fraction does not fall; it need not where it is 1 or 0, the curve's two plateaus."""
    return fraction <= following and not (fraction == following and fraction in (0.0, 1.0))
