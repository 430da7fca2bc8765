"""Records as CSV tables and as .npz."""

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator
from math import prod
from pathlib import Path

import numpy as np

from hopsim.storage.atomic_file import replace_file, write_all
from hopsim.storage.records import Records

ROWS_AT_ONCE = 2**16


def tables(records: Records, names: Iterable[str]) -> dict[tuple[str, ...], list[str]]:
    """Return the variables that make one table each, by their common dimensions.

    Coordinates are left out: they come along with what they belong to.

    Examples
    --------
    >>> from hopsim.storage.records import Variable
    >>> schema = {"energy": Variable(("trial", "time"), "energy"), "n_sweeps": Variable(("trial",), "sweeps")}
    >>> records = Records(schema, {"energy": np.zeros((2, 3)), "n_sweeps": [1, 2]})
    >>> tables(records, records)
    {('trial', 'time'): ['energy'], ('trial',): ['n_sweeps']}
    """
    found: dict[tuple[str, ...], list[str]] = {}
    for name in names:
        if name not in records.sizes:
            found.setdefault(records.variables[name].dims, []).append(name)
    return found


def write_csv(path: Path, records: Records, dims: tuple[str, ...], names: Iterable[str]) -> None:
    """Write a table in long form: one row for each combination of the coordinates of `dims`.

    Parameters
    ----------
    path : Path
        The file, replaced if it exists.
    records : Records
        What to take from.
    dims : tuple of str
        The dimensions, the last varying fastest; their coordinates are the first columns.
    names : iterable of str
        Variables over some or all of `dims`, a column each.

    Raises
    ------
    RunError
        If the disk is full or fails; nothing is left behind.
    """
    with replace_file(path) as file:
        for rows in _row_blocks(records, dims, [*dims, *names]):
            text = io.StringIO()
            csv.writer(text, lineterminator="\n").writerows(rows)
            write_all(file, text.getvalue().encode())


def _row_blocks(records: Records, dims: tuple[str, ...], names: list[str]) -> Iterator[Iterable]:
    yield [names]
    arrays = [records[name] for name in names]  # packed spins unpack here, once
    axes = [records.variables[name].dims for name in names]
    shape = tuple(records.sizes[dim] for dim in dims)
    n_rows = prod(shape)
    for start in range(0, n_rows, ROWS_AT_ONCE):
        rows = np.arange(start, min(start + ROWS_AT_ONCE, n_rows))
        index = dict(zip(dims, np.unravel_index(rows, shape), strict=True)) if dims else {}
        columns = [array[tuple(index[dim] for dim in own)] for array, own in zip(arrays, axes, strict=True)]
        yield zip(*(np.broadcast_to(column, rows.shape).tolist() for column in columns), strict=True)


def write_npz(path: Path, records: Records, names: Iterable[str]) -> None:
    """Write arrays as a compressed .npz, packed spins as int8; `numpy.load` reads it without pickle.

    Parameters
    ----------
    path : Path
        The file, replaced if it exists.
    records : Records
        What to take from.
    names : iterable of str
        Which arrays.

    Raises
    ------
    RunError
        If the disk is full or fails; nothing is left behind.
    """
    with replace_file(path) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            # not numpy.savez: it takes a variable called "file" for its own argument
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.asarray(records[name]), allow_pickle=False)
