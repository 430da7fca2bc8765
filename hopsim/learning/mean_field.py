"""Phases of Boltzmann learning by mean-field theory: units are replaced by their means, ``m_i = <s_i>``.

The means solve ``m_i = sigma(h_i/T)`` for 0/1 units and ``m_i = tanh(h_i/T)`` for ±1 units, ``h_i = sum_j W_ij m_j +
b_i``, and ``<s_i s_j>`` is taken as ``m_i m_j`` (Peterson and Anderson 1987).

In the clamped phase that neglects correlations between hidden units for one and the same data row. In the free phase
all correlations within a fixed point are lost: a machine without hidden units can then never match correlated data with
one fixed point, and its couplings grow without end. Averaging over fixed points that are reached from data rows
(Welling and Hinton 2002) keeps the correlations between the machine's modes. Even so the approximation enters the
gradient with the wrong sign: learning may lower the likelihood (Salakhutdinov and Hinton 2009, "Deep Boltzmann
machines"). Mean-field clamped and Gibbs or persistent free phases go well together.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hopsim.learning.boltzmann_phases import Statistics
from hopsim.models.boltzmann import BoltzmannModel

DAMPING = 0.5  # share of the old means: parallel updates of ±1 units can otherwise alternate for ever
TOLERANCE = 1e-10
MOST_ITERATIONS = 1000

_PRODUCTS_AT_ONCE = 20_000_000  # of means and couplings, between two ticks


class FixedPoints(NamedTuple):
    """What the iteration ended in.

    Attributes
    ----------
    means : float64 (n_starts, n_units)
    n_iterations : int64 (n_starts,)
    converged : bool (n_starts,)
        Whether no mean moved by more than the tolerance in the last iteration.
    """

    means: NDArray[np.float64]
    n_iterations: NDArray[np.int64]
    converged: NDArray[np.bool_]


def fixed_points(
    model: BoltzmannModel,
    starts: NDArray[np.float64],
    n_clamped: int = 0,
    temperature: float = 1.0,
    *,
    damping: float = DAMPING,
    tolerance: float = TOLERANCE,
    most_iterations: int = MOST_ITERATIONS,
    tick: Callable[[], None] = lambda: None,
) -> FixedPoints:
    """Iterate ``m <- damping m + (1 - damping) f(h/T)`` from each start on its own, all units at once.

    Parameters
    ----------
    model : BoltzmannModel
    starts : float64 (n_starts, n_units)
        Means, from 0 to 1 or -1 to 1 by the encoding.
    n_clamped : int
        The first so many units keep the values that they start with.
    temperature : float
    damping, tolerance, most_iterations : float, float, int
    tick : callable
    """
    means = starts.copy()
    n_iterations = np.zeros(len(means), np.int64)
    converged = np.zeros(len(means), np.bool_)
    free = slice(n_clamped, None)
    couplings, bias = model.couplings[:, free], model.bias[free]
    step = max(1, _PRODUCTS_AT_ONCE // max(couplings.size, 1))
    for first in range(0, len(means), step):
        moving = np.arange(first, min(first + step, len(means)))
        for _ in range(most_iterations):
            before = means[moving, free]
            # einsum, not BLAS: its sums are the same for any number of threads
            fields = np.einsum("ri,ij->rj", means[moving], couplings) + bias
            after = damping * before + (1.0 - damping) * _mean_unit(model.encoding, fields / temperature)
            means[moving, free] = after
            n_iterations[moving] += 1
            at_rest = np.abs(after - before).max(axis=1, initial=0.0) <= tolerance
            converged[moving[at_rest]] = True
            moving = moving[~at_rest]
            tick()
            if not len(moving):
                break
    return FixedPoints(means, n_iterations, converged)


def mean_statistics(means: NDArray[np.float64], encoding: str) -> Statistics:
    """Statistics of units that are independent given each row of `means` (n_rows, n_units)."""
    correlations = np.einsum("ri,rj->ij", means, means) / len(means)
    averages = means.sum(axis=0) / len(means)
    np.fill_diagonal(correlations, averages if encoding == "01" else 1.0)
    return Statistics(averages, correlations)


def independent_means(model: BoltzmannModel, temperature: float = 1.0) -> NDArray[np.float64]:
    """Means (n_units,) that the units have without couplings: where hidden units start from."""
    return _mean_unit(model.encoding, model.bias / temperature)


def _mean_unit(encoding: str, ratio: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean of a unit whose field is `ratio` temperatures."""
    if encoding == "pm1":
        return np.tanh(ratio)
    return 0.5 + 0.5 * np.tanh(0.5 * ratio)  # the logistic function, without overflow
