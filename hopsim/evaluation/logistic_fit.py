"""The logistic curve through retrieval fractions: alpha_c at one size, and the width of the fall."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hopsim.evaluation.network_bootstrap import (
    N_BOOTSTRAP,
    Estimate,
    IntArray,
    estimate_between,
    resampled_fractions,
    retrieved_fractions,
    usable_loads,
)
from hopsim.evaluation.proportions import FloatArray

_MOST_STEPS = 100
_DECREMENT = (
    1e-12  # of the log-likelihood a trial, in a Newton step that is the last: the error left is its square
)


@dataclass(frozen=True)
class LogisticFit:
    """The curve ``fraction(load) = 1 / (1 + exp((load - alpha_c) / width))``.

    Attributes
    ----------
    alpha_c : Estimate
        Load at which half of the trials are retrieved, and its interval.
    width : float
        The fraction falls from 73 % to 27 % over two of them; NaN where `alpha_c` is.
    """

    alpha_c: Estimate
    width: float


def fit_logistic(
    loads: ArrayLike, histograms: ArrayLike, seed: int, n_bootstrap: int = N_BOOTSTRAP
) -> LogisticFit:
    """Fit a logistic curve to the trials by maximum likelihood, the interval bootstrapped over networks.

    Parameters
    ----------
    loads : array_like (n_loads,)
        In any order.
    histograms : array_like of int (n_loads, n_trials + 1)
        Number of networks in which 0, 1, ... n_trials of the trials were retrieved.
    seed : int
        Key of the bootstrap's random numbers, 0 to 2^64 - 1.
    n_bootstrap : int
        Number of replicates.

    Returns
    -------
    LogisticFit
        NaN where the data do not determine the curve, see below, or where its half-height lies beyond the loads
        measured. So is an end of the interval.

    Raises
    ------
    InputError
        If the histograms are none, one for each load, or `n_bootstrap` is below 1.

    Notes
    -----
    The likelihood has a maximum only if the data overlap: some trial failed at a lower load than one at which some
    trial was retrieved (Albert and Anderson 1984). If they do not, an ever steeper curve fits ever better, and all
    that the data say is that alpha_c lies in the gap: above the last load at which no trial failed, below the first
    one at which none was retrieved. A replicate of the bootstrap that does not overlap counts with both ends of its
    gap, the lower for the lower end of the interval and the upper for the upper.

    Examples
    --------
    >>> fit = fit_logistic([0.13, 0.14, 0.15], [[0, 10], [4, 6], [9, 1]], seed=1)
    >>> print(f"{fit.alpha_c.value:.4f} {fit.width:.4f}")
    0.1420 0.0032
    """
    load, counts = usable_loads(loads, histograms)
    n_networks = counts.sum(axis=1)
    low, high, width = _allowed(load, retrieved_fractions(counts)[None], n_networks)
    random = np.random.Generator(np.random.Philox(key=int(seed)))
    lows, highs, _ = _allowed(load, resampled_fractions(counts, n_bootstrap, random), n_networks)
    alpha_c = estimate_between(low[0] if low[0] == high[0] else np.nan, lows, highs)
    return LogisticFit(alpha_c, float(width[0]) if np.isfinite(alpha_c.value) else np.nan)


def _allowed(
    loads: FloatArray, fractions: FloatArray, weights: IntArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the ends of the range in which alpha_c may lie, and the width, for each row of fractions.

    The ends are the same where there is a falling curve; elsewhere they are those of the gap, and the width is NaN.
    An end beyond the loads is infinite.
    """
    edges = np.concatenate([[-np.inf], loads, [np.inf]])
    first_failure, last_failure = _ends(edges, fractions < 1)
    first_success, last_success = _ends(edges, fractions > 0)
    low = edges[np.searchsorted(loads, first_failure, "left")]
    high = edges[np.searchsorted(loads, last_success, "right") + 1]
    width = np.full(len(fractions), np.nan)

    overlap = first_failure < last_success
    low[overlap], high[overlap] = -np.inf, np.inf  # anywhere, unless the curve falls
    fitted = np.flatnonzero(overlap & (first_success < last_failure))
    if fitted.size:
        centre, steepness = _maximum_likelihood(loads, fractions[fitted], weights)
        centre[centre < loads[0]], centre[centre > loads[-1]] = -np.inf, np.inf
        falling = steepness > 0
        low[fitted[falling]] = high[fitted[falling]] = centre[falling]
        width[fitted[falling]] = 1 / steepness[falling]
    return low, high, width


def _ends(edges: FloatArray, mask: NDArray[np.bool_]) -> tuple[FloatArray, FloatArray]:
    """Return the first and the last load of each row where the mask is set; without any, infinity and -infinity."""
    last = len(edges) - 1
    beyond = np.ones((len(mask), 1), bool)
    first = np.concatenate([mask, beyond], axis=1).argmax(axis=1) + 1
    from_the_end = np.concatenate([mask[:, ::-1], beyond], axis=1).argmax(axis=1) + 1
    return edges[first], edges[last - from_the_end]


def _maximum_likelihood(
    loads: FloatArray, fractions: FloatArray, weights: IntArray
) -> tuple[FloatArray, FloatArray]:
    """Return half-height and steepness (1/width) of the curve through each row of fractions, which must overlap.

    Newton's method on intercept and slope, in which the log-likelihood is concave; a step that lowers it is halved.
    """
    from scipy.special import expit

    unit = np.ptp(loads) / 2
    design = np.stack([np.ones(len(loads)), (loads.mean() - loads) / unit])
    weight = weights / weights.sum()

    def log_likelihood(parameters: FloatArray) -> FloatArray:
        field = parameters @ design
        return (weight * (fractions * field - np.logaddexp(0.0, field))).sum(axis=1)

    parameters = np.zeros((len(fractions), 2))
    for _ in range(_MOST_STEPS):
        p = expit(parameters @ design)
        gradient = (weight * (fractions - p)) @ design.T
        information = np.einsum("rk,ik,jk->rij", weight * p * (1 - p), design, design)
        step = np.linalg.solve(information, gradient[..., None])[..., 0]
        gain = (gradient * step).sum(axis=1)
        reached = log_likelihood(parameters)
        while (worse := log_likelihood(parameters + step) < reached - _DECREMENT).any():
            step[worse] /= 2
        parameters += step
        if (gain < _DECREMENT).all():
            break
    intercept, slope = parameters.T
    with np.errstate(divide="ignore", invalid="ignore"):  # a level curve has no centre
        return loads.mean() + unit * intercept / slope, slope / unit
