"""How many threads compiled code may use, for the time of a block."""

from collections.abc import Iterator
from contextlib import contextmanager

import numba

from hopsim.errors import InputError


@contextmanager
def using_threads(n_threads: int | None) -> Iterator[int]:
    """Run compiled code with `n_threads` threads (None: as many as the machine has); yields their number.

    Raises
    ------
    InputError
        If the machine does not have as many.
    """
    most = int(numba.config.NUMBA_NUM_THREADS)  # type: ignore[attr-defined]
    if n_threads is not None and not 1 <= n_threads <= most:
        raise InputError("threads", f"expected 1 to {most} on this machine, got {n_threads}")
    before = numba.get_num_threads()
    numba.set_num_threads(most if n_threads is None else n_threads)
    try:
        yield numba.get_num_threads()
    finally:
        numba.set_num_threads(before)
