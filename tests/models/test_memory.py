"""Memory: what does not fit is refused with both numbers; arrays of kernels start at a cache line."""

import numpy as np
import pytest

from hopsim.errors import InputError
from hopsim.models.hopfield import draw_hebbian, packed_bytes
from hopsim.models.memory import aligned_zeros, available_memory, require_memory


def test_what_does_not_fit_is_refused_with_both_numbers():
    assert available_memory() > 0
    require_memory(1, "n_neurons", "a byte")
    with pytest.raises(
        InputError, match=r"^n_neurons: 3 cats need 1000000000.0 GB of memory, but .* GB are free"
    ):
        require_memory(10**18, "n_neurons", "3 cats")


def test_a_network_too_large_is_refused_before_anything_is_allocated():
    """10^15 bytes: an attempt to allocate them would be a MemoryError."""
    assert packed_bytes(10**9, 8 * 10**6) > 10**15
    with pytest.raises(InputError, match=r"^n_neurons: 8000000 patterns of 1000000000 neurons need"):
        draw_hebbian(np.zeros(1, np.uint64), 10**9, 8 * 10**6)


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.float32, np.uint64])
@pytest.mark.parametrize("shape", [(1,), (3, 5), (2, 3, 8)])
def test_arrays_start_at_a_cache_line_and_are_zero(shape, dtype):
    for _ in range(5):
        array = aligned_zeros(shape, dtype)
        assert array.ctypes.data % 64 == 0
        assert array.shape == shape
        assert array.dtype == dtype
        assert not array.any()
        array[...] = 1  # writable
