"""The one place for jit options, and the cache of compiled code on disk.

Importing kernels compiles nothing: each is compiled at its first call and kept on disk, so that the next process starts
at once.
"""

import contextlib
import hashlib
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numba
from numba.core.caching import FunctionCache
from numba.extending import register_jitable

# For the overloads that a hot loop calls.
LOOP_OPTIONS = {"error_model": "numpy", "_nrt": False, "forceinline": True}

_compile_listeners: list[Callable[[], None]] = []


def kernel(function: Callable) -> Any:
    """Compile a serial kernel; callable from Python and from other kernels."""
    return _cached(numba.njit(error_model="numpy", nogil=True)(function))


def loop_kernel(function: Callable) -> Any:
    """Compile a hot loop that allocates nothing: arrays inside named tuples are read without counting references."""
    return _cached(numba.njit(error_model="numpy", nogil=True, _nrt=False)(function))


def inline_kernel(function: Callable) -> Any:
    """Compile a small function into its callers' loops, where the caller's flags apply to it."""
    return numba.njit(error_model="numpy", inline="always")(function)


def parallel_kernel(function: Callable) -> Any:
    """Compile a driver whose `prange` loop runs over independent chains or rows."""
    return _cached(numba.njit(error_model="numpy", parallel=True, nogil=True)(function))


def shared_function(function: Callable) -> Any:
    """Leave a small function to Python as it is, and let kernels call it too."""
    return register_jitable(error_model="numpy")(function)


def on_compilation(listener: Callable[[], None]) -> None:
    """Have `listener` called once, before the next kernel that is not on disk is compiled; the last one set counts."""
    _compile_listeners[:] = [listener]


class _KernelCache(FunctionCache):
    """numba's cache, made safe against changed callees and against directories that are full or read-only."""

    def __init__(self, function: Callable) -> None:
        super().__init__(function)
        # numba looks only at the file that holds the function, yet the machine code holds its callees too.
        self._cache_file._source_stamp = _kernel_sources()

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        compiled = super().load_overload(sig, target_context)
        if compiled is None:
            while _compile_listeners:
                _compile_listeners.pop()()
        return compiled

    @contextlib.contextmanager
    def _guard_against_spurious_io_errors(self) -> Iterator[None]:
        # A cache that cannot be read or written only costs time.
        with contextlib.suppress(OSError):
            yield


def _cached(dispatcher: Any) -> Any:
    # RuntimeError is numba's word for "no directory to cache in"
    with contextlib.suppress(RuntimeError):
        dispatcher._cache = _KernelCache(dispatcher.py_func)
    return dispatcher


@cache
def _kernel_sources() -> bytes:
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.name.encode())
        digest.update(path.read_bytes())
    return digest.digest()
