"""Probe states: patterns with some of their neurons flipped or blanked."""

import numpy as np
from numpy.typing import NDArray

from hopsim.errors import InputError
from hopsim.kernels.probes import flip_units, mask_units


def check_fraction(subject: str, fraction: float) -> float:
    """Return a fraction; `InputError` for `subject` unless it lies between 0 and 1."""
    if not 0.0 <= fraction <= 1.0:
        raise InputError(subject, f"expected a fraction from 0 to 1, got {fraction}")
    return float(fraction)


def make_probes(
    states: NDArray[np.int8], keys: NDArray[np.uint64], flip: float = 0.0, mask: float = 0.0
) -> NDArray[np.int8]:
    """Disturb each state by its own key.

    Parameters
    ----------
    states : int8 (n_states, n_neurons)
        Values ±1; not changed.
    keys : uint64 (n_states,)
    flip : float
        Fraction of neurons that are flipped: exactly ``floor(flip N + 1/2)`` of them.
    mask : float
        Fraction of neurons whose values are lost, replaced by random ones (before any are flipped).

    Returns
    -------
    int8 (n_states, n_neurons)
    """
    probes = np.ascontiguousarray(states).copy()
    n_neurons = states.shape[1]
    for fraction, disturb in (
        (check_fraction("mask", mask), mask_units),
        (check_fraction("flip", flip), flip_units),
    ):
        n_chosen = int(np.floor(fraction * n_neurons + 0.5))
        if n_chosen:
            disturb(keys, n_chosen, probes)
    return probes
