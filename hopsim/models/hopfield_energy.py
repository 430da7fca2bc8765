"""Energies, local fields and overlaps of any states of a Hopfield network, from their definitions."""

import numpy as np
from numpy.typing import NDArray

from hopsim.kernels import packed_patterns
from hopsim.models.hopfield import DenseModel, HebbianModel, Model, row_slices

_PATTERNS_AT_ONCE = 64


def pattern_distances(model: HebbianModel, states: NDArray[np.int8]) -> NDArray[np.int64]:
    """Hamming distances of states (n_states, n_neurons) to all patterns: int64 (n_states, n_patterns)."""
    distances = np.zeros((len(states), model.n_patterns), np.int32)
    for first, last in row_slices(model.n_neurons, model.rows[:, 0].nbytes * len(states)):
        for state, distance in zip(states, distances, strict=True):
            packed_patterns.add_distances(model.rows[0], state, first, last, distance)
    return distances.astype(np.int64)


def pattern_overlaps(patterns: NDArray[np.int8], states: NDArray[np.int8]) -> NDArray[np.float64]:
    """Overlaps ``(1/N) sum_i xi_i s_i`` of states (n_states, n_neurons) with unpacked patterns, exact up to 1/N."""
    # sums of ±1 are exact in float32 below 2^24, whatever the order BLAS adds them in
    return (states.astype(np.float32) @ patterns.T.astype(np.float32)).astype(np.float64) / states.shape[1]


def local_fields(model: Model, states: NDArray[np.int8]) -> NDArray[np.float64]:
    """Local fields ``h_i = sum_j W_ij s_j + b_i`` of states (n_states, n_neurons): float64, the same shape."""
    if isinstance(model, DenseModel):
        return states.astype(np.float64) @ model.matrix.astype(np.float64) / model.scale + model.bias
    n_neurons, n_patterns = model.n_neurons, model.n_patterns
    overlap_sums = (n_neurons - 2 * pattern_distances(model, states)).astype(np.float64)
    scaled = -float(n_patterns) * states
    for first in range(0, n_patterns, _PATTERNS_AT_ONCE):
        last = min(first + _PATTERNS_AT_ONCE, n_patterns)
        scaled += overlap_sums[:, first:last] @ model.patterns(first, last).astype(np.float64)
    return scaled / n_neurons + model.bias


def energies(model: Model, states: NDArray[np.int8]) -> NDArray[np.float64]:
    """Energies ``-1/2 sum_ij W_ij s_i s_j - sum_i b_i s_i`` of states (n_states, n_neurons): float64 (n_states,)."""
    along_bias = states @ model.bias
    if isinstance(model, DenseModel):
        fields = states.astype(np.float64) @ model.matrix.astype(np.float64)
        return -0.5 * np.einsum("ci,ci->c", states, fields) / model.scale - along_bias
    overlap_sums = model.n_neurons - 2 * pattern_distances(model, states)
    pairs = (overlap_sums**2).sum(axis=1) - model.n_neurons * model.n_patterns
    return -(pairs // 2) / model.n_neurons - along_bias
