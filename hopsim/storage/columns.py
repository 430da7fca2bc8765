"""Long columns of a file: written piece by piece, so that a million rows take no more memory than a piece."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import h5py
import numpy as np

from hopsim.storage.records import Array, Variable

CHUNK_ROWS = 1 << 16


@dataclass(frozen=True, eq=False)
class Columns:
    """Columns of one row a `dim`, told in pieces.

    Attributes
    ----------
    dim : str
        Name of the rows' dimension.
    long_name : str
        What a row is.
    n_rows : int
    variables : mapping of str to Variable
        The columns; `dim` is the first of their dimensions, others have their coordinates among the run's records.
    empty : mapping of str to array
        A piece of no rows, which tells types and shapes.
    pieces : callable
        Gives pieces, mappings of a name to an array of the same rows, from the first row to the last.
    """

    dim: str
    long_name: str
    n_rows: int
    variables: Mapping[str, Variable]
    empty: Mapping[str, Array]
    pieces: Callable[[], Iterator[Mapping[str, Array]]]

    def n_bytes(self) -> int:
        """Return an upper bound of what they take in a file."""
        row = 8 + sum(array.itemsize * int(np.prod(array.shape[1:])) for array in self.empty.values())
        return self.n_rows * row + self.n_rows * row // 64 + 8192 * (1 + len(self.empty))


def write_columns(file: h5py.File, columns: Columns) -> None:
    """Write columns into the root group of a file that holds the coordinates of their other dimensions."""
    index = Variable((columns.dim,), columns.long_name)
    datasets = {columns.dim: _create(file, columns.dim, index, np.empty(0, np.int64), columns.n_rows)}
    datasets[columns.dim].make_scale(columns.dim)
    for name, variable in columns.variables.items():
        datasets[name] = _create(file, name, variable, columns.empty[name], columns.n_rows)
        for axis, dim in enumerate(variable.dims):
            datasets[name].dims[axis].attach_scale(file[dim])
    first = 0
    for piece in columns.pieces():
        last = first + len(next(iter(piece.values())))
        datasets[columns.dim][first:last] = np.arange(first, last)
        for name, array in piece.items():
            datasets[name][first:last] = array
        first = last


def _create(file: h5py.File, name: str, variable: Variable, empty: Array, n_rows: int) -> h5py.Dataset:
    is_bool = empty.dtype == np.bool_
    storage: dict[str, Any] = {}
    if n_rows:
        chunks = (min(n_rows, CHUNK_ROWS), *empty.shape[1:])
        storage = {
            "chunks": chunks,
            "compression": "gzip",
            "compression_opts": 1,
            "shuffle": True,
            "fletcher32": True,
        }
    dataset = file.create_dataset(
        name, shape=(n_rows, *empty.shape[1:]), dtype=np.int8 if is_bool else empty.dtype, **storage
    )
    dataset.attrs["long_name"], dataset.attrs["units"] = variable.long_name, variable.units
    if is_bool:
        dataset.attrs["dtype"] = "bool"
    return dataset
