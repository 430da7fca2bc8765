"""Couplings from the user's files."""

from os import PathLike
from pathlib import Path

import numpy as np

from hopsim.datasets.npy_files import read_npy
from hopsim.datasets.regular_file import reading
from hopsim.errors import InputError


def read_couplings(path: str | PathLike[str]) -> np.ndarray:
    """Read the couplings W of a network from a .npy file.

    Parameters
    ----------
    path : path
        A .npy file that holds a square, exactly symmetric, finite matrix of numbers with zero diagonal. Only
        with such a matrix do asynchronous dynamics at T = 0 never raise the energy (Hopfield 1982).

    Returns
    -------
    ndarray of float32 or float64, shape (n_neurons, n_neurons)
        float32 stays float32; all other numbers become float64.

    Raises
    ------
    InputError
        If the file cannot be read or the matrix is not as above; the message says where.
    """
    file = Path(path)
    if file.suffix.lower() != ".npy":
        raise InputError(str(file), "couplings are read from a .npy file; write one with numpy.save")
    with reading(file):
        couplings = read_npy(file)
        is_single = couplings.dtype.newbyteorder("=") == np.float32
        couplings = couplings.astype(np.float32 if is_single else np.float64, copy=False)
        problem = _problem(couplings)
    if problem:
        raise InputError(str(file), problem)
    return couplings


def read_bias(path: str | PathLike[str]) -> np.ndarray:
    """Read biases from a .npy file: float64 (n_units,).

    Raises
    ------
    InputError
        If the file cannot be read or does not hold one row of finite numbers.
    """
    file = Path(path)
    if file.suffix.lower() != ".npy":
        raise InputError(str(file), "biases are read from a .npy file; write one with numpy.save")
    with reading(file):
        bias = read_npy(file).astype(np.float64, copy=False)
    if bias.ndim != 1 or bias.size == 0:
        raise InputError(str(file), f"has shape {bias.shape}; biases are one row of numbers (n_units,)")
    if not np.isfinite(bias).all():
        i = int(np.flatnonzero(~np.isfinite(bias))[0])
        raise InputError(str(file), f"b[{i}] = {bias[i]} is not a finite number")
    return bias


def _problem(couplings: np.ndarray) -> str | None:
    """Say what keeps the matrix from being couplings, if anything does."""
    if couplings.ndim != 2 or couplings.shape[0] != couplings.shape[1] or couplings.size == 0:
        return f"has shape {couplings.shape}; couplings are a square matrix (n_neurons, n_neurons)"
    index = _first(~np.isfinite(couplings))
    if index:
        return f"W{list(index)} = {couplings[index]} is not a finite number"
    index = _first(couplings != couplings.T)
    if index:
        i, j = index
        return (
            f"is not symmetric: W[{i}, {j}] = {couplings[i, j]}, W[{j}, {i}] = {couplings[j, i]}; "
            "if only rounding differs, save (W + W.T) / 2"
        )
    nonzero = np.flatnonzero(np.diagonal(couplings))
    if nonzero.size:
        i = nonzero[0]
        return f"W[{i}, {i}] = {couplings[i, i]}, but the diagonal must be zero; numpy.fill_diagonal(W, 0)"
    return None


def _first(mask: np.ndarray) -> tuple[int, int] | None:
    """Row and column of the first true value."""
    if not mask.any():
        return None
    row, column = divmod(int(mask.argmax()), mask.shape[1])
    return row, column
