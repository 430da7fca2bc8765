"""The two phases of Boltzmann learning: means and correlations with visible units clamped to data, or with all free.

The gradient of the mean log-likelihood of data is ``d/dW_ij = (<s_i s_j>_clamped - <s_i s_j>_free)/T`` and
``d/db_i = (<s_i>_clamped - <s_i>_free)/T``, in the machine's own encoding (Ackley, Hinton, Sejnowski 1985, eq. 7).

Sums are taken in a fixed order, or of integers: the same bits for any number of threads.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hopsim.evaluation.enumeration import enumerate_states
from hopsim.evaluation.likelihood import clamped_moments
from hopsim.models.boltzmann import BoltzmannModel
from hopsim.sampling.gibbs_chains import GibbsChains


class Statistics(NamedTuple):
    """What a phase gives.

    Attributes
    ----------
    means : float64 (n_units,)
        ``<s_i>``.
    correlations : float64 (n_units, n_units)
        ``<s_i s_j>``, symmetric; on the diagonal ``<s_i^2>``.
    """

    means: NDArray[np.float64]
    correlations: NDArray[np.float64]


class Gradient(NamedTuple):
    """Derivatives of the mean log-likelihood: `couplings` (n_units, n_units), zero diagonal; `bias` (n_units,)."""

    couplings: NDArray[np.float64]
    bias: NDArray[np.float64]


def gradient(clamped: Statistics, free: Statistics, temperature: float = 1.0) -> Gradient:
    """Clamped minus free, over T. A coupling counts once: ``W_ij`` and ``W_ji`` are one parameter."""
    couplings = (clamped.correlations - free.correlations) / temperature
    np.fill_diagonal(couplings, 0.0)
    couplings = (couplings + couplings.T) / 2  # sums of floats may be rounded otherwise on the other side
    return Gradient(couplings, (clamped.means - free.means) / temperature)


def state_statistics(states: NDArray[np.int8]) -> Statistics:
    """Statistics of states (n_states, n_units); of data, the clamped phase of a machine without hidden units."""
    values = states.astype(np.float64)
    # sums of integers below 2^53 are exact in whatever order BLAS takes them
    return Statistics(values.sum(axis=0) / len(values), values.T @ values / len(values))


def sampled_statistics(chains: GibbsChains, model: BoltzmannModel, burn_in: int, n_sweeps: int) -> Statistics:
    """Statistics over `n_sweeps` sweeps of chains, after `burn_in` others.

    Both phases by Gibbs sampling: chains with ``free`` the hidden units and visible units at data rows are the clamped
    phase. Chains of all units that start from data rows make contrastive divergence, CD-k with ``burn_in = k - 1`` and
    ``n_sweeps = 1`` (Hinton 2002); chains that start where they ended before the last step of learning make persistent
    contrastive divergence (Tieleman 2008).
    """
    chains.advance(burn_in)
    sums = np.zeros(model.n_units)
    products = np.zeros((model.n_units, model.n_units))
    for _ in range(n_sweeps):
        chains.advance(1)
        values = model.states(chains.spins).astype(np.float64)
        sums += values.sum(axis=0)
        products += values.T @ values
    n_states = n_sweeps * len(values)
    return Statistics(sums / n_states, products / n_states)


def exact_free_statistics(
    model: BoltzmannModel, temperature: float = 1.0, tick: Callable[[], None] = lambda: None
) -> Statistics:
    """Statistics of the free phase from all states.

    Raises
    ------
    InputError
        If the machine has more units than can be enumerated.
    """
    exact = enumerate_states(model, temperature, tick)
    return Statistics(exact.means, exact.correlations)


def exact_clamped_statistics(
    model: BoltzmannModel,
    data: NDArray[np.int8],
    temperature: float = 1.0,
    tick: Callable[[], None] = lambda: None,
) -> Statistics:
    """Statistics of the clamped phase: for each data row (n_data, n_visible) a sum over the hidden units' states.

    Raises
    ------
    InputError
        If the machine has more hidden units than can be summed out.
    """
    return Statistics(*clamped_moments(model, data, temperature, tick))
