"""What Dask's workers run in tests: batches that fail, kill or hold up their worker. They import it by this name."""

import os
import time

from hopsim.errors import RunError
from hopsim.sweeps.dask_engine import run_batch

DEADLY, WRONG, DIVERGING = 17, 40, 61  # networks


def fateful(seed, cells, parts):
    """Run a batch, unless one of its points kills the process or raises."""
    for number, first, last in parts:
        here = range(first, last)
        if cells[number].n_patterns == 8:
            if DEADLY in here:
                os._exit(1)
            if WRONG in here:
                raise ZeroDivisionError("division by\nzero")
            if DIVERGING in here:
                raise RunError("couplings", "diverged at step 3")
    return run_batch(seed, cells, parts)


def slow(seed, cells, parts):
    """Run a batch that takes some time."""
    time.sleep(0.02)
    return run_batch(seed, cells, parts)


def endless(seed, cells, parts):
    """Hold up the worker, as a giant network would."""
    time.sleep(600)
