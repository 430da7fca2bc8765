"""Probes: states near a pattern, made by flipping or by blanking some of its neurons."""

import numpy as np
from numba import prange

from hopsim.kernels.compile_options import kernel, parallel_kernel
from hopsim.kernels.randomness import derive_key, random_below, random_bits

_CHOICE_STREAM, _VALUE_STREAM = np.uint64(1), np.uint64(2)


@kernel
def choose_units(key, n_chosen, order):
    """Put a uniform random choice of `n_chosen` units first in `order` (int32, (n_neurons,))."""
    n_neurons = order.shape[0]
    for i in range(n_neurons):
        order[i] = i
    for k in range(n_chosen):
        j = k + random_below(key, np.uint64(k), n_neurons - k)
        order[k], order[j] = order[j], order[k]


@kernel
def flip_state(key, n_chosen, order, state):
    """Flip exactly `n_chosen` random neurons of a state (int8); `order` (int32) is room as long as the state."""
    choose_units(derive_key(key, _CHOICE_STREAM, np.uint64(0)), n_chosen, order)
    for k in range(n_chosen):
        state[order[k]] = -state[order[k]]


@parallel_kernel
def flip_units(keys, n_chosen, states):
    """Flip exactly `n_chosen` random neurons of each state (int8 (n_states, n_neurons)), each by its own key."""
    for c in prange(states.shape[0]):
        flip_state(keys[c], n_chosen, np.empty(states.shape[1], np.int32), states[c])


@parallel_kernel
def mask_units(keys, n_chosen, states):
    """Set exactly `n_chosen` random neurons of each state to random values, each state by its own key."""
    for c in prange(states.shape[0]):
        order = np.empty(states.shape[1], np.int32)
        choose_units(derive_key(keys[c], _CHOICE_STREAM, np.uint64(0)), n_chosen, order)
        value_key = derive_key(keys[c], _VALUE_STREAM, np.uint64(0))
        for k in range(n_chosen):
            bit = random_bits(value_key, np.uint64(k)) >> np.uint64(63)
            states[c, order[k]] = 1 if bit else -1
