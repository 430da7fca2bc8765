"""Numpy's .npy files, read without trust."""

import math
import os
from pathlib import Path
from typing import BinaryIO

import numpy as np

from hopsim.datasets.regular_file import reading
from hopsim.errors import InputError

_READ_HEADER = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


def read_npy(path: Path) -> np.ndarray:
    """Read an array of numbers or booleans, unpickling nothing and allocating no more than the file fills.

    Raises
    ------
    InputError
        If the file cannot be read, is not in the .npy format, is cut short, or holds anything but numbers.
    """
    with reading(path), path.open("rb") as file:
        shape, dtype = _read_header(path, file)
        if dtype.hasobject or dtype.kind not in "biuf":
            raise InputError(
                str(path),
                f"holds an array of dtype {dtype}; expected numbers or booleans, saved with numpy.save",
            )
        n_bytes = math.prod(shape) * dtype.itemsize
        n_bytes_left = os.fstat(file.fileno()).st_size - file.tell()
        if min(shape, default=0) < 0 or n_bytes > n_bytes_left:
            raise InputError(
                str(path),
                f"is cut short or damaged: an array of shape {shape} and {dtype} takes {n_bytes} bytes, "
                f"and {n_bytes_left} are there",
            )
        file.seek(0)
        return np.lib.format.read_array(file, allow_pickle=False)


def _read_header(path: Path, file: BinaryIO) -> tuple[tuple[int, ...], np.dtype]:
    """Shape and dtype that the file declares."""
    try:
        read_header = _READ_HEADER[np.lib.format.read_magic(file)]
        shape, _, dtype = read_header(file)
    except OSError:
        raise
    except Exception as error:  # numpy's parser of headers answers damage with a dozen kinds of error
        raise InputError(
            str(path), "is not a .npy file, or its header is damaged; write it with numpy.save"
        ) from error
    return shape, dtype
