"""Patterns from HDF5 files: hopsim's own and any other."""

from pathlib import Path

import numpy as np

from hopsim.errors import InputError


def read_hdf5(path: Path, dataset: str | None) -> np.ndarray:
    """Read the array that may hold patterns.

    Parameters
    ----------
    path : Path
        Any HDF5 file.
    dataset : str, optional
        The dataset, or the variable of a hopsim run; not needed where only one matrix can be meant.

    Returns
    -------
    ndarray
        A dataset as it is; spins of a hopsim run as (n_patterns, n_neurons), each state a pattern.

    Raises
    ------
    InputError
        If the file cannot be trusted or read, or if it is not clear which array is meant.
    """
    from hopsim.storage.provenance import FORMAT
    from hopsim.storage.safe_hdf5 import has_attribute, open_hdf5, read_array, scalar_attribute

    with open_hdf5(path) as file:
        is_run = has_attribute(file, "format") and scalar_attribute(file, "format") == FORMAT
    return _read_run(path, dataset) if is_run else read_array(path, dataset)


def _read_run(path: Path, name: str | None) -> np.ndarray:
    """Spins of a hopsim run, in the file as bytes or packed to bits."""
    from hopsim.storage.run_file import open_run

    records = open_run(path).records
    spins = {
        variable: known.dims
        for variable, known in records.variables.items()
        if known.dims[-1:] == ("neuron",) and (known.packed or records[variable].dtype == np.int8)
    }
    if name is None:
        matrices = [variable for variable, dims in spins.items() if len(dims) == 2]
        name = matrices[0] if len(matrices) == 1 else None
    if name not in spins:
        listed = ", ".join(spins) or "none"
        raise InputError(str(path), f"name the dataset that holds the patterns; spins in this run: {listed}")
    return records[name].reshape(-1, records.sizes["neuron"])
