"""Random patterns with a mean: correlated, as most real ones are."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hopsim.errors import InputError
from hopsim.models.memory import require_memory

MAX_LOAD = 1e6  # patterns a neuron


def correlated_patterns(
    seed: int, n_patterns: int, n_neurons: int, activity: float = 0.0
) -> NDArray[np.int8]:
    """Draw independent values ±1 of mean `activity`: ``P(xi = +1) = (1 + a)/2``.

    Two patterns then overlap by a^2, and the crosstalk on a unit has mean ``(P - 1) a^3`` (Amit, Gutfreund, Sompolinsky
    1987, "Information storage in neural networks with low levels of activity").

    Parameters
    ----------
    seed : int
    n_patterns, n_neurons : int
    activity : float
        The mean a, from -1 to 1.

    Returns
    -------
    int8 (n_patterns, n_neurons)
    """
    if not -1.0 <= activity <= 1.0:
        raise InputError("activity", f"expected a mean from -1 to 1, got {activity}")
    require_memory(6 * n_patterns * n_neurons, "n_neurons", f"{n_patterns} patterns of {n_neurons} neurons")
    generator = np.random.Generator(np.random.Philox(key=seed))
    draws = generator.random((n_patterns, n_neurons), dtype=np.float32)
    return np.where(draws < (1.0 + activity) / 2.0, np.int8(1), np.int8(-1))


def patterns_at(n_neurons: int, load: float) -> int:
    """P = floor(alpha N + 1/2), computed so that the decimal alpha that was written is meant."""
    return int(np.floor(round(load * n_neurons, 9) + 0.5))


def patterns_on_grid(sizes: Sequence[int], loads: Sequence[float]) -> NDArray[np.int64]:
    """Return `patterns_at` of every size and load: int64 (n_sizes, n_loads)."""
    return np.array([[patterns_at(n_neurons, load) for load in loads] for n_neurons in sizes], np.int64)
