"""The bootstrap over networks: how far what follows from retrieval fractions would differ with other networks."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hopsim.errors import InputError
from hopsim.evaluation.proportions import FloatArray

IntArray = NDArray[np.int64]

N_BOOTSTRAP = 1000  # replicates
NORMAL_975 = 1.959963984540054  # 97.5 % quantile of the standard normal distribution


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


def usable_loads(loads: ArrayLike, histograms: ArrayLike) -> tuple[FloatArray, IntArray]:
    """Return the loads that tell something, in order, and their histograms.

    Parameters
    ----------
    loads : array_like (n_loads,)
        In any order.
    histograms : array_like of int (n_loads, n_trials + 1)
        Number of networks in which 0, 1, ... n_trials of the trials were retrieved.

    Returns
    -------
    loads : float64 (n_usable,)
    histograms : int64 (n_usable, n_trials + 1)
        Of the loads with two networks or more; if there are none, of those with one.

    Raises
    ------
    InputError
        If there is not one histogram of whole numbers of networks for each load.
    """
    load, counts = np.asarray(loads, np.float64), np.asarray(histograms)
    if counts.ndim != 2 or counts.shape[1] < 2 or load.shape != counts.shape[:1]:
        raise InputError("histograms", f"expected shape ({load.size}, n_trials + 1), got {counts.shape}")
    if counts.dtype.kind not in "iu" or (counts < 0).any():
        raise InputError("histograms", "expected whole numbers of networks")
    n_networks = counts.sum(axis=1)
    enough = min(max(n_networks.max(initial=0), 1), 2)
    order = np.argsort(load, kind="stable")
    usable = order[n_networks[order] >= enough]
    return load[usable], counts[usable].astype(np.int64)


def retrieved_fractions(histograms: IntArray) -> FloatArray:
    """Return the fraction of trials retrieved from histograms (..., n_trials + 1) of at least one network each."""
    n_trials = histograms.shape[-1] - 1
    return (histograms @ np.arange(n_trials + 1)) / (histograms.sum(axis=-1) * n_trials)


def resampled_fractions(histograms: IntArray, n_replicates: int, random: np.random.Generator) -> FloatArray:
    """Draw n - 1 of each load's n networks with replacement, again and again, and return their fractions retrieved.

    A draw of networks is a multinomial draw of the histogram, so a million networks cost what ten do.

    Parameters
    ----------
    histograms : int64 (n_loads, n_trials + 1)
    n_replicates : int
    random : numpy.random.Generator

    Returns
    -------
    float64 (n_replicates, n_loads)
        No replicates if a load has but one network.

    Raises
    ------
    InputError
        If `n_replicates` is below 1.
    """
    if n_replicates < 1:
        raise InputError("n_bootstrap", f"expected at least 1, got {n_replicates}")
    n_trials = histograms.shape[1] - 1
    n_networks = histograms.sum(axis=1)
    if (n_networks < 2).any():
        return np.empty((0, len(histograms)))
    fractions = np.empty((n_replicates, len(histograms)))
    for k, (histogram, n) in enumerate(zip(histograms, n_networks, strict=True)):
        retrieved = np.flatnonzero(histogram)
        drawn = random.multinomial(n - 1, histogram[retrieved] / n, n_replicates)
        fractions[:, k] = drawn @ retrieved / ((n - 1) * n_trials)
    return fractions


def estimate_between(value: float, lows: ArrayLike, highs: ArrayLike) -> Estimate:
    """Return an estimate with the interval that its replicates give.

    Parameters
    ----------
    value : float
        If it is not finite, nothing is known.
    lows, highs : array_like (n_replicates,)
        Ends of what each replicate allows, the same where it gives a single value; infinite where it gives none.

    Returns
    -------
    Estimate
        Its interval goes from the 2.5 % quantile of `lows` to the 97.5 % quantile of `highs`. An infinite end is NaN.
    """
    if not np.isfinite(value):
        return Estimate(np.nan, np.nan, np.nan, np.nan)
    if np.size(lows) == 0:
        return Estimate(float(value), np.nan, np.nan, np.nan)
    # Order statistics: interpolated quantiles would mix infinities.
    ends = ((lows, 0.025), (highs, 0.975))
    low, high = (float(np.quantile(np.asarray(end), q, method="inverted_cdf")) for end, q in ends)
    low, high = (end if np.isfinite(end) else np.nan for end in (low, high))
    return Estimate(float(value), low, high, (high - low) / (2 * NORMAL_975))
