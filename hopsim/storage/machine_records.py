"""How a file holds a Boltzmann machine: the same variables whichever experiment wrote it."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hopsim.storage.records import Variable

MACHINE_VARIABLES = {
    "unit": Variable(("unit",), "number of the unit"),
    "unit_2": Variable(("unit_2",), "number of the unit"),
    "couplings": Variable(("unit", "unit_2"), "couplings W, symmetric"),
    "bias": Variable(("unit",), "bias of each unit"),
    "encoding": Variable((), "values of the units: 01 is 0 and 1, pm1 is -1 and +1"),
    "n_visible": Variable((), "the first so many units are visible"),
}


def machine_arrays(
    couplings: NDArray[np.float64], bias: NDArray[np.float64], encoding: str, n_visible: int
) -> dict[str, Any]:
    """Return the arrays of these variables."""
    units = np.arange(len(bias))
    return {
        "unit": units,
        "unit_2": units,
        "couplings": couplings,
        "bias": bias,
        "encoding": encoding,
        "n_visible": n_visible,
    }
