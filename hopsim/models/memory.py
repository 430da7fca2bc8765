"""Memory: what there is, and a clear error before more than that is allocated."""

from pathlib import Path

import numpy as np
from numpy.typing import DTypeLike, NDArray

from hopsim.errors import InputError

_CACHE_LINE = 64
_SMALL = 1 << 26  # bytes that are not worth asking the system about
_CGROUP_FILES = (
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
    ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
)


def available_memory() -> int:
    """Bytes that this process can still take: what the system has free or can free, within its control group."""
    available = 1 << 62
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                available = int(line.split()[1]) * 1024
    except OSError:  # not Linux: allocation itself will tell
        return available
    for limit_file, usage_file in _CGROUP_FILES:
        try:
            limit, usage = Path(limit_file).read_text().strip(), Path(usage_file).read_text().strip()
        except OSError:
            continue
        if limit.isdigit():
            available = min(available, int(limit) - int(usage))
    return available


def require_memory(n_bytes: int, subject: str, what: str) -> None:
    """Raise `InputError` for `subject` if `what` needs more than the memory there is."""
    if n_bytes <= _SMALL:
        return
    available = available_memory()
    if n_bytes > available:
        raise InputError(
            subject,
            f"{what} need {n_bytes / 1e9:.1f} GB of memory, but {max(available, 0) / 1e9:.1f} GB are free; "
            "choose fewer or smaller networks",
        )


def aligned_zeros(shape: tuple[int, ...], dtype: DTypeLike) -> NDArray:
    """Zeros that start at a cache line, so that no vector of a kernel straddles two."""
    dtype = np.dtype(dtype)
    n_bytes = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
    buffer = np.zeros(n_bytes + _CACHE_LINE, np.uint8)
    start = -buffer.ctypes.data % _CACHE_LINE
    return buffer[start : start + n_bytes].view(dtype).reshape(shape)
