"""How far to trust Markov chains: autocorrelation time, effective sample size, agreement between chains.

All take values (n_chains, n_draws) of one quantity or (n_chains, n_draws, n_quantities) of several, and give one
number a quantity. It is NaN where nothing can be said: fewer than 4 draws, values that never change, values that are
not finite.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from hopsim.errors import InputError

FEWEST_DRAWS = 4

_WINDOW = 5.0  # autocorrelation times that Sokal's window takes in

FloatArray = NDArray[np.float64]


def autocorrelation(values: ArrayLike) -> FloatArray:
    """Autocorrelation at each lag, mean over chains.

    Each chain is compared with its own mean; autocovariances are averaged over chains before they are divided by the
    variance. So chains that sit in different places do not show here: `split_r_hat` sees them.

    Parameters
    ----------
    values : array (n_chains, n_draws) or (n_chains, n_draws, n_quantities)

    Returns
    -------
    float64 (n_draws,) or (n_draws, n_quantities)
        1 at lag 0.

    Examples
    --------
    >>> autocorrelation([[0.0, 1.0, 0.0, 1.0]]).tolist()
    [1.0, -0.75, 0.5, -0.25]
    """
    return _each_quantity(_autocorrelation, values)


def integrated_autocorrelation_time(values: ArrayLike) -> FloatArray:
    """``tau = 1 + 2 sum_t rho(t)`` in draws: a mean over n draws has the variance ``tau var/n``.

    The sum ends at the first lag that is at least 5 tau (Sokal 1997, "Monte Carlo methods in statistical mechanics",
    section 3), rho from `autocorrelation`. It comes out too small if chains are shorter than some 50 tau.

    Parameters
    ----------
    values : array (n_chains, n_draws) or (n_chains, n_draws, n_quantities)

    Returns
    -------
    float64 () or (n_quantities,)
        1 for independent draws.
    """
    return _each_quantity(_integrated_time, values)


def effective_sample_size(values: ArrayLike) -> FloatArray:
    """Independent draws that the draws of all chains together are worth: the bulk size of Vehtari et al. (2021).

    Chains are cut into halves, values replaced by normal scores of their ranks, and autocorrelations summed as long as
    Geyer's initial monotone sequence lasts (Vehtari, Gelman, Simpson, Carpenter, Bürkner 2021, "Rank-normalization,
    folding, and localization", section 3.2 and 4). Chains that disagree are worth less. It can exceed the number of
    draws, where draws are anticorrelated, by at most the factor log10 of it.

    Parameters
    ----------
    values : array (n_chains, n_draws) or (n_chains, n_draws, n_quantities)

    Returns
    -------
    float64 () or (n_quantities,)
    """
    return _each_quantity(_effective_size, values)


def split_r_hat(values: ArrayLike) -> FloatArray:
    """Rank-normalised split R-hat: 1 if the halves of all chains agree, above 1.01 if they do not.

    The larger of R-hat of the values' normal scores, which sees different places, and of their distances from the
    median, which sees different widths (Vehtari et al. 2021, eq. 5 and section 4); the second is left out where all
    distances are alike. Infinite if every half stays at a value of its own.

    Parameters
    ----------
    values : array (n_chains, n_draws) or (n_chains, n_draws, n_quantities)

    Returns
    -------
    float64 () or (n_quantities,)
    """
    return _each_quantity(_r_hat, values)


def _each_quantity(statistic: Callable[[FloatArray], ArrayLike], values: ArrayLike) -> FloatArray:
    """`statistic` of each quantity's values (n_chains, n_draws); quantities along the last axis."""
    array = np.asarray(values)
    if array.ndim not in (2, 3) or array.shape[0] == 0:
        raise InputError(
            "values", f"expected (n_chains, n_draws) or (..., n_quantities), got shape {array.shape}"
        )
    if array.ndim == 2:
        return np.asarray(statistic(array.astype(np.float64)))
    each = [statistic(array[:, :, q].astype(np.float64)) for q in range(array.shape[2])]
    return np.stack(each, axis=-1)


def _says_nothing(values: FloatArray) -> bool:
    if values.shape[1] < FEWEST_DRAWS or not np.isfinite(values).all():
        return True
    return bool((values == values[0, 0]).all())


def _autocovariance(values: FloatArray) -> FloatArray:
    """Autocovariances (n_draws,) around each chain's own mean, over n whatever the lag, mean over chains."""
    n_draws = values.shape[1]
    n_padded = 1 << (2 * n_draws - 1).bit_length()  # so that the ends do not meet
    spectrum = np.fft.rfft(values - values.mean(axis=1, keepdims=True), n_padded)
    power = (spectrum * spectrum.conj()).real.mean(axis=0)
    return np.fft.irfft(power, n_padded)[:n_draws] / n_draws


def _autocorrelation(values: FloatArray) -> FloatArray:
    if _says_nothing(values) or (values == values[:, :1]).all():
        return np.full(values.shape[1], np.nan)
    covariance = _autocovariance(values)
    return covariance / covariance[0]


def _integrated_time(values: FloatArray) -> float:
    correlation = _autocorrelation(values)
    if len(correlation) == 0 or np.isnan(correlation[0]):
        return np.nan
    times = 2.0 * np.cumsum(correlation) - 1.0
    # around its own mean all of a chain's autocorrelations sum to nothing: there always is such a lag
    return float(times[np.argmax(np.arange(len(times)) >= _WINDOW * times)])


def _effective_size(values: FloatArray) -> float:
    halves = _split(values)
    if _says_nothing(values) or (halves == halves[0, 0]).all():
        return np.nan
    halves = _normal_scores(halves)
    n_halves, n_draws = halves.shape
    covariance = _autocovariance(halves)
    within = covariance[0] * n_draws / (n_draws - 1.0)
    total = covariance[0] + halves.mean(axis=1).var(ddof=1)
    correlation = 1.0 - (within - covariance) / total
    correlation[0] = 1.0
    pairs = correlation[: n_draws // 2 * 2].reshape(-1, 2).sum(axis=1)
    positive = np.append(pairs, -1.0) <= 0.0
    time = 2.0 * np.minimum.accumulate(pairs[: np.argmax(positive)]).sum() - 1.0
    n_all = n_halves * n_draws
    return float(n_all / max(time, 1.0 / np.log10(n_all)))


def _r_hat(values: FloatArray) -> float:
    halves = _split(values)
    if _says_nothing(values) or (halves == halves[0, 0]).all():
        return np.nan
    distances = np.abs(halves - np.median(halves))
    return float(np.fmax(_plain_r_hat(_normal_scores(halves)), _plain_r_hat(_normal_scores(distances))))


def _plain_r_hat(halves: FloatArray) -> float:
    """Root of the variance of all draws over that within chains (Gelman and Rubin 1992)."""
    n_draws = halves.shape[1]
    moves = (halves != halves[:, :1]).any(axis=1)  # a variance of rounding errors is none
    within = np.where(moves, halves.var(axis=1, ddof=1), 0.0).mean()
    between = halves.mean(axis=1).var(ddof=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(np.sqrt((n_draws - 1.0) / n_draws + between / within))


def _split(values: FloatArray) -> FloatArray:
    """First and last halves of all chains (2 n_chains, n_draws // 2), without the middle of an odd number of draws."""
    n_half = values.shape[1] // 2
    return np.concatenate([values[:, :n_half], values[:, -n_half:]])


def _normal_scores(values: FloatArray) -> FloatArray:
    """Normal quantiles of the ranks, equal values sharing their mean rank (Blom's offset 3/8)."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks = np.cumsum(counts) - 0.5 * (counts - 1.0)
    scores: FloatArray = ndtri((ranks - 0.375) / (values.size + 0.25))
    return scores[inverse].reshape(values.shape)
