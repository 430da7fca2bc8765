"""Exact likelihoods of Boltzmann machines, hidden units summed out, and their gradient."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hopsim.errors import InputError
from hopsim.evaluation.enumeration import (
    Moments,
    enumerate_spins,
    enumerate_states,
    moments_in_encoding,
    scaled_spins,
)
from hopsim.models.boltzmann import BoltzmannModel

MAX_HIDDEN = 25

_PRODUCTS_AT_ONCE = 1 << 26  # multiplications of states by couplings between two ticks

FloatArray = NDArray[np.float64]


def log_likelihoods(
    model: BoltzmannModel,
    data: ArrayLike,
    temperature: float = 1.0,
    log_partition_function: float | None = None,
    tick: Callable[[], None] = lambda: None,
) -> FloatArray:
    """``log p(v) = log sum_h exp(-E(v, h)/T) - log Z`` of each visible state, in nats.

    Parameters
    ----------
    model : BoltzmannModel
        With at most `MAX_HIDDEN` hidden units.
    data : array (n_data, n_visible)
        Values of the machine's encoding.
    temperature : float
        T > 0.
    log_partition_function : float, optional
        log Z in the machine's encoding, exact or estimated; by enumeration if None, of at most 30 units.
    tick : callable
        Called between compiled calls; may raise to stop.

    Returns
    -------
    float64 (n_data,)

    Raises
    ------
    InputError
        For ``data`` of the wrong width or values, too many hidden units, ``couplings`` of too many units, or a
        ``temperature`` that is not positive.

    Examples
    --------
    >>> from hopsim.models.boltzmann import boltzmann_model
    >>> model = boltzmann_model([[0.0, 1.0], [1.0, 0.0]], n_visible=1)
    >>> print(log_likelihoods(model, [[0], [1]]).round(6))  # 2/(3 + e) and (1 + e)/(3 + e)
    [-1.050521 -0.430407]
    """
    states, inverse = distinct_states(model, data)
    logs = unnormalised_log_likelihoods(model, states, temperature, tick)
    if log_partition_function is None:
        log_partition_function = enumerate_states(model, temperature, tick).log_partition_function
    return (logs - log_partition_function)[inverse]


def data_divergence(
    model: BoltzmannModel,
    data: ArrayLike,
    temperature: float = 1.0,
    log_partition_function: float | None = None,
    tick: Callable[[], None] = lambda: None,
) -> float:
    """Kullback-Leibler divergence of the machine from the data, ``sum_v p_data log(p_data/p)``, in nats.

    Parameters and errors are those of `log_likelihoods`.
    """
    states, inverse = distinct_states(model, data)
    shares = np.bincount(inverse) / len(inverse)
    logs = log_likelihoods(model, states, temperature, log_partition_function, tick)
    return float((shares * (np.log(shares) - logs)).sum())


class Gradient(NamedTuple):
    """Of the mean log likelihood."""

    couplings: FloatArray  # (n_units, n_units): by W_ij and W_ji together; symmetric, zero diagonal
    bias: FloatArray  # (n_units,)


def log_likelihood_gradient(
    model: BoltzmannModel,
    data: ArrayLike,
    temperature: float = 1.0,
    tick: Callable[[], None] = lambda: None,
) -> Gradient:
    """Gradient of the data's mean log likelihood, ``(<s_i s_j>_clamped - <s_i s_j>_free)/T``, exactly.

    Ackley, Hinton, Sejnowski (1985), eq. 7. Parameters and errors are those of `log_likelihoods`; at most 30 units.

    Returns
    -------
    Gradient
        In the machine's encoding; a step along it changes W_ij and W_ji alike.
    """
    free = enumerate_states(model, temperature, tick)
    means, correlations = clamped_moments(model, data, temperature, tick)
    couplings = (correlations - free.correlations) / temperature
    np.fill_diagonal(couplings, 0.0)
    return Gradient(couplings, (means - free.means) / temperature)


def clamped_moments(
    model: BoltzmannModel,
    data: ArrayLike,
    temperature: float = 1.0,
    tick: Callable[[], None] = lambda: None,
) -> tuple[FloatArray, FloatArray]:
    """Means (n_units,) and correlations (n_units, n_units) with the data on the visible units, exactly.

    Means over the rows of `data`, in the machine's encoding. Parameters and errors are those of `log_likelihoods`.
    """
    states, inverse = distinct_states(model, data)
    shares = np.bincount(inverse) / len(inverse)
    means, correlations = np.zeros(model.n_units), np.zeros((model.n_units, model.n_units))
    first = 0
    for spins, _, hidden in _sum_out_hidden(model, states, temperature, tick):
        share = shares[first : first + len(spins)]
        first += len(spins)
        given = np.concatenate([spins, hidden.means], axis=1)
        pairs = np.einsum("c,ci,cj->ij", share, given, given)
        pairs[model.n_visible :, model.n_visible :] = np.einsum("c,cij->ij", share, hidden.correlations)
        means += np.einsum("c,ci->i", share, given)
        correlations += pairs
    return moments_in_encoding(means, correlations, model.encoding)


def unnormalised_log_likelihoods(
    model: BoltzmannModel,
    states: NDArray[np.int8],
    temperature: float = 1.0,
    tick: Callable[[], None] = lambda: None,
) -> FloatArray:
    """``log sum_h exp(-E(v, h)/T)`` (n_states,) of visible states (n_states, n_visible) that were checked."""
    parts = [
        visible + hidden.logs for _, visible, hidden in _sum_out_hidden(model, states, temperature, tick)
    ]
    return np.concatenate(parts) - model.energy_offset / temperature


def distinct_states(model: BoltzmannModel, data: ArrayLike) -> tuple[NDArray[np.int8], NDArray[np.int64]]:
    """Check visible data; return the different rows, and for each row of `data` which of them it is."""
    states, inverse = np.unique(
        model.check_states(data, "data", model.n_visible), axis=0, return_inverse=True
    )
    return states, inverse.reshape(-1)


def _sum_out_hidden(
    model: BoltzmannModel, states: NDArray[np.int8], temperature: float, tick: Callable[[], None]
) -> Iterator[tuple[FloatArray, FloatArray, Moments]]:
    """Batch by batch: visible spins, ``-E/T`` of the visible units alone, moments of the hidden ones given them."""
    if model.n_hidden > MAX_HIDDEN:
        raise InputError(
            "n_hidden", f"hidden units are summed out up to {MAX_HIDDEN} of them, got {model.n_hidden}"
        )
    couplings, bias = scaled_spins(model, temperature)
    n_visible = model.n_visible
    n_rows = max(1, _PRODUCTS_AT_ONCE // model.n_units**2)
    for first in range(0, len(states), n_rows):
        spins = model.spins(states[first : first + n_rows]).astype(np.float64)
        # einsum sums in one order, however many threads there are; a BLAS might not
        fields = np.einsum("cv,vi->ci", spins, couplings[:n_visible])
        visible = (spins * (0.5 * fields[:, :n_visible] + bias[:n_visible])).sum(axis=1)
        hidden_biases = fields[:, n_visible:] + bias[n_visible:]
        tick()
        done = 0
        for hidden in enumerate_spins(couplings[n_visible:, n_visible:], hidden_biases, tick):
            last = done + len(hidden.logs)
            yield spins[done:last], visible[done:last], hidden
            done = last
