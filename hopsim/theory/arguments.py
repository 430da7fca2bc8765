"""What the theory's arguments must be."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hopsim.errors import InputError

FloatArray = NDArray[np.float64]


def non_negative(name: str, values: ArrayLike) -> FloatArray:
    """Return `values` as float64, or raise InputError under `name` unless all are finite and 0 or larger."""
    array = np.asarray(values, dtype=np.float64)
    wrong = array[~(np.isfinite(array) & (array >= 0.0))]
    if wrong.size:
        raise InputError(name, f"{wrong[0]:g} is not allowed; give a finite number, 0 or larger")
    return array
