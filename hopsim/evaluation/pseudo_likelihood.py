"""Pseudo-log-likelihood of a Boltzmann machine (Besag 1975): each visible unit given all the others."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hopsim.evaluation.enumeration import scaled_spins
from hopsim.evaluation.likelihood import distinct_states, unnormalised_log_likelihoods
from hopsim.models.boltzmann import BoltzmannModel

_PRODUCTS_AT_ONCE = 1 << 26


def pseudo_log_likelihoods(
    model: BoltzmannModel,
    data: ArrayLike,
    temperature: float = 1.0,
    tick: Callable[[], None] = lambda: None,
) -> NDArray[np.float64]:
    """``sum_i log p(v_i | v_-i)`` over the visible units, of each row of `data`, in nats.

    Without hidden units the terms are ``log sigma((2 v_i - 1) h_i/T)`` (0/1) or ``log sigma(2 s_i h_i/T)`` (±1). With
    hidden units each is the true conditional, the hidden units summed out by enumeration:
    ``p*(v)/(p*(v) + p*(v with unit i flipped))``, ``p*(v) = sum_h exp(-E(v, h)/T)``. log Z is not needed.

    Parameters
    ----------
    model : BoltzmannModel
        With at most 25 hidden units.
    data : array (n_data, n_visible)
        Values of the machine's encoding.
    temperature : float
        T > 0.
    tick : callable
        Called between compiled calls; may raise to stop.

    Returns
    -------
    float64 (n_data,)

    Raises
    ------
    InputError
        For ``data`` of the wrong width or values, too many hidden units, or a ``temperature`` that is not positive.

    Examples
    --------
    >>> from hopsim.models.boltzmann import boltzmann_model
    >>> model = boltzmann_model([[0.0, 1.0], [1.0, 0.0]])
    >>> print(pseudo_log_likelihoods(model, [[0, 0], [1, 1]]).round(6))  # 2 log(1/2), 2 log(e/(1 + e))
    [-1.386294 -0.626523]
    """
    states, inverse = distinct_states(model, data)
    sum_terms = _with_hidden_units if model.n_hidden else _all_visible
    n_rows = max(1, _PRODUCTS_AT_ONCE // model.n_units**2)
    parts = []
    for first in range(0, len(states), n_rows):
        parts.append(sum_terms(model, states[first : first + n_rows], temperature, tick))
        tick()
    return np.concatenate(parts)[inverse]


def _all_visible(
    model: BoltzmannModel, states: NDArray[np.int8], temperature: float, _: Callable[[], None]
) -> NDArray[np.float64]:
    couplings, bias = scaled_spins(model, temperature)
    spins = model.spins(states).astype(np.float64)
    fields = np.einsum("ci,ij->cj", spins, couplings) + bias
    return -np.logaddexp(0.0, -2.0 * spins * fields).sum(axis=1)


def _with_hidden_units(
    model: BoltzmannModel, states: NDArray[np.int8], temperature: float, tick: Callable[[], None]
) -> NDArray[np.float64]:
    logs = unnormalised_log_likelihoods(model, states, temperature, tick)
    total = np.zeros(len(states))
    for i in range(model.n_visible):
        flipped = states.copy()
        flipped[:, i] = 1 - states[:, i] if model.encoding == "01" else -states[:, i]
        other = unnormalised_log_likelihoods(model, flipped, temperature, tick)
        total -= np.logaddexp(0.0, other - logs)
    return total
