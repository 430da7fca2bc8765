"""What the machine can do at most: memory bandwidth, and the field kernel with everything at hand."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from hopsim.kernels.bit_planes import WORDS_PER_BLOCK, data_address, sum_counters
from hopsim.kernels.hebbian import (
    MAX_CONDENSED,
    N_COUNTERS,
    N_PLANES,
    HebbianSystem,
    count_distances,
    plane_words,
    start_counters,
)
from hopsim.models.hopfield import HebbianModel
from hopsim.models.memory import aligned_zeros

STREAM_BYTES = 1 << 28  # well beyond any last-level cache
FIELD_CALLS = 2_000
_ROWS = 4  # of the field kernel's ceiling: several, so that no compiler takes their sum out of the loop


@numba.njit(cache=False)
def _sum_words(words: NDArray[np.uint64]) -> Any:
    total = np.uint64(0)
    for k in range(words.size):
        total += words[k]
    return total


@numba.njit(cache=False)
def _sum_fields(rows: Any, planes: Any, n_planes: Any, n_calls: Any) -> Any:
    total: Any = 0
    n_blocks = rows.shape[1] // WORDS_PER_BLOCK
    first_row: Any = data_address(rows)  # type: ignore[call-arg]  # numba adds the typing context
    first_plane: Any = data_address(planes)
    for k in range(n_calls):
        row = first_row + (k % rows.shape[0]) * rows.shape[1] * 8
        total += sum_counters(row, first_plane, n_blocks, n_planes)
    return total


def bandwidth() -> dict[str, Callable[[int], object]]:
    """Contenders that read and copy memory on one thread: `STREAM_BYTES` a call (copying, half in and half out)."""
    words = np.ones(STREAM_BYTES // 8, np.uint64)
    half = words.size // 2
    return {
        "memory, read": lambda _: _sum_words(words),
        "memory, copy": lambda _: np.copyto(words[half:], words[:half]),
    }


class ResidentField(NamedTuple):
    """A few rows of a network and the counters of a state: what one field evaluation reads, small enough for L1."""

    rows: NDArray[np.uint64]
    planes: NDArray[np.uint64]
    n_planes: int

    def evaluate(self, _: int = 0) -> int:
        """Sum the counters over `FIELD_CALLS` rows."""
        return int(_sum_fields(self.rows, self.planes, self.n_planes, FIELD_CALLS))


def resident_field(model: HebbianModel, state: NDArray[np.int8]) -> ResidentField:
    """Set up the field kernel as a recall from `state` (n_neurons,) uses it."""
    n_words = model.rows.shape[2]
    system = HebbianSystem(
        rows=model.rows,
        ones=model.ones,
        n_patterns=model.n_patterns,
        network=np.zeros(1, np.int64),
        planes=aligned_zeros((1, plane_words(model.n_neurons, n_words)), np.uint64),
        condensed=np.zeros((1, MAX_CONDENSED), np.int32),
        condensed_overlaps=np.zeros((1, MAX_CONDENSED), np.int64),
        counters=np.zeros((1, N_COUNTERS), np.int64),
        distances=np.zeros((1, model.n_patterns), np.int32),
    )
    count_distances(system, state[None], 0, model.n_neurons, 1)
    start_counters(system)
    rows = aligned_zeros((_ROWS, n_words), np.uint64)
    rows[...] = model.rows[0, :_ROWS]
    return ResidentField(rows, system.planes[0], int(system.counters[0, N_PLANES]))
