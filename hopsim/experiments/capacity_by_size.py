"""alpha_c at each size of a study, from the statistics of its cells."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict

import numpy as np
from numpy.typing import NDArray

from hopsim.evaluation.capacity_threshold import critical_load, half_height
from hopsim.evaluation.cell_statistics import CellStatistics
from hopsim.evaluation.logistic_fit import fit_logistic
from hopsim.evaluation.network_bootstrap import Estimate
from hopsim.models.seeds import Stream, stream_keys

FloatArray = NDArray[np.float64]


def critical_loads(
    seed: int, sizes: Sequence[int], loads: FloatArray, statistics: CellStatistics
) -> dict[str, FloatArray]:
    """Return alpha_c at each size as the half-height of the retrieval fraction.

    Parameters
    ----------
    seed : int
    sizes : sequence of int
        Numbers of neurons.
    loads : float64 (n_sizes, n_loads)
        Those of the study's cells, sizes first.
    statistics : CellStatistics

    Returns
    -------
    dict of str to float64 (n_sizes,)
        The attributes of `Estimate`.
    """
    return _in_columns(critical_load(*of_size) for of_size in _of_sizes(seed, sizes, loads, statistics))


def logistic_critical_loads(
    seed: int, sizes: Sequence[int], loads: FloatArray, statistics: CellStatistics
) -> dict[str, FloatArray]:
    """Return alpha_c at each size by a logistic fit, and beside the attributes of `Estimate` its `width`.

    Parameters are those of `critical_loads`.
    """
    fits = [fit_logistic(*of_size) for of_size in _of_sizes(seed, sizes, loads, statistics)]
    width = np.array([fit.width for fit in fits])
    return {**_in_columns(fit.alpha_c for fit in fits), "width": width}


def say_half_heights(sizes: Sequence[int], loads: FloatArray, statistics: CellStatistics) -> str:
    """Return the half-heights that there are already as a line of text, for who waits."""
    fractions = statistics.retrieval()[0].reshape(loads.shape)
    crossings = zip(sizes, map(half_height, loads, fractions), strict=True)
    known = [f"alpha_c({n_neurons}) = {load:.4f}" for n_neurons, load in crossings if not np.isnan(load)]
    return ", ".join(known)


def _of_sizes(
    seed: int, sizes: Sequence[int], loads: FloatArray, statistics: CellStatistics
) -> Iterator[tuple[FloatArray, NDArray[np.int64], int]]:
    """Give loads, histograms and bootstrap key of each size; loads that came to one P are the same points, once."""
    histograms = statistics.histograms.reshape(*loads.shape, -1)
    keys = stream_keys(seed, Stream.BOOTSTRAP, np.array(sizes))
    for of_size, histogram, key in zip(loads, histograms, keys, strict=True):
        different, first = np.unique(of_size, return_index=True)
        yield different, histogram[first], int(key)


def _in_columns(estimates: Iterable[Estimate]) -> dict[str, FloatArray]:
    rows = [asdict(estimate) for estimate in estimates]
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}
