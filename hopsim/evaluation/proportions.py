"""Proportions and means over networks, with their errors."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hopsim.errors import InputError

FloatArray = NDArray[np.float64]


def binomial_interval(
    n_successes: ArrayLike, n_total: ArrayLike, confidence: float = 0.95
) -> tuple[FloatArray, FloatArray]:
    """Exact interval of a success probability (Clopper and Pearson 1934).

    Parameters
    ----------
    n_successes, n_total : array_like of whole numbers
        Successes among `n_total` independent trials, broadcast against each other.
    confidence : float
        The interval holds the probability at least this often, whatever the probability is.

    Returns
    -------
    low, high : float64 arrays
        NaN where `n_total` is 0.

    Raises
    ------
    InputError
        If a count is not whole or not within 0...n_total, or the confidence not between 0 and 1.

    Notes
    -----
    Trials on one network share its patterns; over several trials a network the interval is too narrow.

    Examples
    --------
    >>> low, high = binomial_interval(9, 10)
    >>> print(f"{low:.4f} {high:.4f}")
    0.5550 0.9975
    """
    from scipy.special import betaincinv

    if not 0.0 < confidence < 1.0:
        raise InputError("confidence", f"expected a number between 0 and 1, got {confidence}")
    k, n = np.broadcast_arrays(np.asarray(n_successes, np.float64), np.asarray(n_total, np.float64))
    wrong = ~((k >= 0) & (k <= n) & (k == np.floor(k)) & (n == np.floor(n)) & np.isfinite(n))
    if wrong.any():
        raise InputError(
            "n_successes",
            f"expected whole numbers within 0...n_total, got {k[wrong][0]:g} of {n[wrong][0]:g}",
        )
    tail = (1.0 - confidence) / 2.0
    # The beta distribution's parameters must be positive: the two ends that need none are put in after.
    low = np.where(k > 0, betaincinv(np.maximum(k, 1.0), n - k + 1.0, tail), 0.0)
    high = np.where(k < n, betaincinv(k + 1.0, np.maximum(n - k, 1.0), 1.0 - tail), 1.0)
    return np.where(n > 0, low, np.nan)[()], np.where(n > 0, high, np.nan)[()]


def network_means(values: ArrayLike) -> FloatArray:
    """Mean of each network over its trials, the last axis; NaN for an unfinished network (any trial NaN)."""
    return np.asarray(values, np.float64).mean(axis=-1)


def mean_over_networks(values: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Mean over networks and its standard error; trials of one network are not taken as independent.

    Parameters
    ----------
    values : array_like (..., n_networks, n_trials)
        A network with a NaN in it is unfinished and left out.

    Returns
    -------
    mean, standard_error : float64 arrays (...)
        The mean is NaN without a finished network, the standard error with fewer than two.

    Examples
    --------
    >>> mean, standard_error = mean_over_networks([[0.9, 1.0], [1.0, 1.0], [0.9, float("nan")]])
    >>> print(f"{mean:.3f} {standard_error:.3f}")
    0.975 0.025
    """
    means = network_means(values)
    finished = ~np.isnan(means)
    n_finished = finished.sum(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.where(finished, means, 0.0).sum(axis=-1) / n_finished
        squares = np.where(finished, (means - mean[..., None]) ** 2, 0.0).sum(axis=-1)
        standard_error = np.sqrt(squares / ((n_finished - 1.0) * n_finished))
    return mean[()], np.where(n_finished > 1, standard_error, np.nan)[()]
