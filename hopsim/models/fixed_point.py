"""Couplings as integers: fields are exact sums then, the same in any order and on any machine."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hopsim.errors import InputError
from hopsim.models.hopfield import aligned_copy

_ROUNDING = 2.0**-52  # relative: of a quotient
_LARGEST_FIELD = 2**30  # of integer fields, so that a flip of the largest coupling stays within int32


def integer_form(
    couplings: NDArray[np.float64], row_sums: NDArray[np.float64], scales: Sequence[float]
) -> tuple[NDArray, float]:
    """Couplings times a scale, as integers, and the scale.

    It is the first of `scales`, or after them one over the smallest coupling, for which the products are integers and
    fields fit int16; else the first for which they fit int32; else the power of two for which the largest field that
    can occur is just below 2^30. Couplings are rounded to half a unit then: relative to the largest field, to 2^-31.

    Parameters
    ----------
    couplings : float64, any shape
    row_sums : float64 (n_units,)
        ``sum_j |W_ij|``.
    scales : sequence of float

    Returns
    -------
    int16 or int32 array, as `couplings`
    float

    Raises
    ------
    InputError
        For ``couplings`` whose sums over a row are not finite.
    """
    largest_field = float(row_sums.max())
    if not np.isfinite(largest_field):
        raise InputError("couplings", "expected couplings whose sums over a row are finite numbers")
    sizes = np.abs(couplings[couplings != 0])
    candidates = (*scales, 1.0 / float(sizes.min())) if sizes.size else scales
    for dtype, limit in ((np.int16, np.iinfo(np.int16).max), (np.int32, _LARGEST_FIELD)):
        for scale in candidates:
            if np.rint(largest_field * scale) <= limit:
                integers = np.rint(couplings * scale)
                if (np.abs(integers / scale - couplings) <= _ROUNDING * np.abs(couplings)).all():
                    return aligned_copy(integers, dtype), float(scale)
    # the rounding of a row's couplings can add as many halves
    scale = float(2.0 ** np.floor(np.log2((_LARGEST_FIELD - len(row_sums)) / largest_field)))
    return aligned_copy(np.rint(couplings * scale), np.int32), scale
