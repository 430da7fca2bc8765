"""Boltzmann machines from hopsim files."""

from os import PathLike
from pathlib import Path

import numpy as np

from hopsim.errors import InputError
from hopsim.models.boltzmann import BoltzmannModel, boltzmann_model
from hopsim.storage.machine_records import MACHINE_VARIABLES
from hopsim.storage.run_file import open_run


def read_boltzmann(path: str | PathLike[str]) -> BoltzmannModel:
    """Read the machine that a hopsim file holds (`hopsim.storage.machine_records`), finished or a checkpoint.

    Raises
    ------
    InputError
        Naming the file: it cannot be read, is no hopsim file, or holds no machine.
    """
    file = Path(path)
    run = open_run(file)
    for name, variable in MACHINE_VARIABLES.items():
        if name not in run.records or run.records.variables[name].dims != variable.dims:
            expected = f"{name} ({', '.join(variable.dims)})" if variable.dims else name
            raise InputError(
                str(file),
                f"is a run of {run.experiment} and holds no Boltzmann machine: {expected} is not in it",
            )
    couplings, bias = run.records["couplings"], run.records["bias"]
    encoding, n_visible = run.records["encoding"], run.records["n_visible"]
    if encoding.dtype.kind != "U" or n_visible.dtype.kind not in "iu" or couplings.dtype != np.float64:
        raise InputError(
            str(file), "its couplings, encoding or n_visible are not of the types that hopsim writes"
        )
    try:
        return boltzmann_model(couplings, bias, str(encoding), int(n_visible))
    except InputError as error:
        raise InputError(str(file), f"its {error.subject}: {error.problem}") from None
