"""The capacity alpha_c at one size: half-height of the retrieval fraction."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hopsim.errors import InputError
from hopsim.evaluation.network_bootstrap import (
    N_BOOTSTRAP,
    Estimate,
    estimate_between,
    resampled_fractions,
    retrieved_fractions,
    usable_loads,
)
from hopsim.evaluation.proportions import FloatArray


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


def critical_load(
    loads: ArrayLike, histograms: ArrayLike, seed: int, n_bootstrap: int = N_BOOTSTRAP
) -> Estimate:
    """alpha_c at one size: half-height of the retrieval fraction, its interval bootstrapped over networks.

    Parameters
    ----------
    loads : array_like (n_loads,)
        In any order.
    histograms : array_like of int (n_loads, n_trials + 1)
        Number of networks in which 0, 1, ... n_trials of the trials were retrieved.
    seed : int
        Key of the bootstrap's random numbers, 0 to 2^64 - 1; give each size another one.
    n_bootstrap : int
        Number of replicates.

    Returns
    -------
    Estimate
        The value is NaN where the data do not bracket 1/2, the interval where no load has two networks. An end
        of the interval beyond the loads measured is NaN, and so is the standard error then.

    Raises
    ------
    InputError
        If the histograms are none, one for each load, or `n_bootstrap` is below 1.

    Notes
    -----
    Trials of one network share its patterns, so whole networks are drawn: n - 1 of n with replacement, which
    makes the bootstrap's variance unbiased (Rao and Wu 1988). Networks at different loads are independent.

    A straight line tells little where most of the fall lies between two neighbouring loads. A replicate whose
    fraction drops by d there takes its place in the gap with a uniform error of width d^2 gaps: the whole gap
    where the fraction falls from 1 to 0, next to nothing on a fine grid.

    A replicate that does not bracket 1/2 counts as a crossing below or above all loads. Loads with a single
    network are left out if others have more.
    """
    load, counts = usable_loads(loads, histograms)
    weights = counts.sum(axis=1)
    value = _crossing(load, retrieved_fractions(counts), weights)
    if not np.isfinite(value):
        return Estimate(np.nan, np.nan, np.nan, np.nan)
    random = np.random.Generator(np.random.Philox(key=int(seed)))
    replicates = resampled_fractions(counts, n_bootstrap, random)
    errors = random.uniform(-0.5, 0.5, len(replicates))
    crossings = [
        _crossing(load, replicate, weights, error)
        for replicate, error in zip(replicates, errors, strict=True)
    ]
    return estimate_between(value, crossings, crossings)


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
