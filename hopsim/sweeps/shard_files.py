"""One shard: a small HDF5 file of finished points that is written once, checked whenever it is opened, never changed.

The dataset `header` is the JSON of a `Header`; each other dataset is a column, one row a point, in the order of the
header's ranges. All have fletcher32 checksums, all of the file's own structure has HDF5's. Booleans are int8 with
the attribute ``dtype = "bool"``.
"""

import hashlib
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import h5py
import msgspec
import numpy as np
from numpy.typing import NDArray

from hopsim.errors import InputError
from hopsim.storage.atomic_file import replace_file, write_all
from hopsim.storage.encoding import NUMBER_TYPES
from hopsim.storage.global_heap import check_global_heap
from hopsim.storage.provenance import hopsim_version
from hopsim.storage.safe_hdf5 import (
    RefusedError,
    has_attribute,
    integer_attribute,
    only_datasets,
    open_hdf5,
    read_numbers,
    scalar_attribute,
    text_attribute,
)

FORMAT = "hopsim shard"
FORMAT_VERSION = 1
HEADER = "header"
CHUNK_BYTES = 1 << 16
LIBVER = ("v110", "v110")  # the index of the chunks has a checksum too, which older formats lack

Layout = tuple[tuple[str, str, tuple[int, ...]], ...]  # name, dtype and shape of a row, of each column
MAX_COUNT = 2**53
Count = Annotated[int, msgspec.Meta(ge=0, le=MAX_COUNT)]


class Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the points of a shard are.

    Attributes
    ----------
    experiment : str
    seed : int
    level : int
        How often its points were merged.
    cells : list of dict
        The fields of the cells that the shard knows.
    ranges : list of (cell, first, last)
        Networks `first` to `last` - 1 of a cell, by its place in `cells`: one row of the columns each.
    failures : list of (cell, network, cause)
    """

    experiment: str
    seed: Annotated[int, msgspec.Meta(ge=0)]
    level: Count
    cells: list[dict[str, Any]]
    ranges: list[tuple[Count, Count, Count]]
    failures: list[tuple[Count, Count, str]]

    def n_points(self) -> int:
        """Count the rows."""
        return sum(last - first for _, first, last in self.ranges)


class ShardFile(NamedTuple):
    """A shard on the disk; `layout` is empty if it holds failures only."""

    path: Path
    n_bytes: int
    header: Header
    layout: Layout


def identity(experiment: str, seed: int, cell: msgspec.Struct | Mapping[str, Any]) -> str:
    """Return the hash of what a cell is: 32 hexadecimal digits.

    Examples
    --------
    >>> identity("capacity", 1, {"n_neurons": 100, "n_patterns": 14})
    'c5689ec66bd769831eb9ee57e53a9dbd'
    """
    whole = {"experiment": experiment, "seed": seed, "cell": cell}
    return hashlib.blake2b(msgspec.json.encode(whole, order="sorted"), digest_size=16).hexdigest()


def layout_of(columns: Mapping[str, NDArray]) -> Layout:
    """Return the names, dtypes and shapes of rows of some columns."""
    return tuple(sorted((name, column.dtype.name, column.shape[1:]) for name, column in columns.items()))


def write_shard(path: Path, header: Header, columns: Mapping[str, NDArray]) -> ShardFile:
    """Write a shard; when this returns it is on the disk.

    Raises
    ------
    RunError
        If the disk is full or fails; nothing is left behind.
    """
    image = io.BytesIO()  # a file that HDF5 itself writes is lost with the process
    with h5py.File(image, "w", libver=LIBVER, track_order=True) as file:
        # strings of fixed length stay out of HDF5's global heap, which has no checksum
        file.attrs["format"] = np.bytes_(FORMAT)
        file.attrs["format_version"] = np.int64(FORMAT_VERSION)
        file.attrs["hopsim_version"] = np.bytes_(hopsim_version())
        _create(file, HEADER, np.frombuffer(msgspec.json.encode(header), np.uint8))
        for name, column in columns.items():
            if column.dtype == np.bool_:
                _create(file, name, column.view(np.int8)).attrs["dtype"] = np.bytes_("bool")
            else:
                _create(file, name, column)
    with replace_file(path) as target:
        write_all(target, image.getbuffer())
    return ShardFile(path, image.getbuffer().nbytes, header, layout_of(columns))


def _create(file: h5py.File, name: str, array: NDArray) -> h5py.Dataset:
    n_rows = len(array)
    n_chunks = min(-(-array.nbytes // CHUNK_BYTES), n_rows)
    chunks = (
        -(-n_rows // n_chunks),
        *array.shape[1:],
    )  # even ones, since the last is padded to the others' size
    return file.create_dataset(name, data=array, chunks=chunks, fletcher32=True)


def read_shard(path: Path) -> ShardFile:
    """Read a whole shard to check it, and return what it holds.

    Raises
    ------
    InputError
        Naming the file: truncated, damaged, no shard, or of another version.
    """
    try:
        with open_hdf5(path) as file:
            check_global_heap(path)
            version, header, layout = _checked(file)
            n_bytes = path.stat().st_size
    except InputError as error:
        raise InputError(str(path), f"{error.problem}; remove it, and its points are run anew") from None
    if version != hopsim_version():
        raise InputError(
            str(path),
            f"was written by hopsim {version:.40}, and this is {hopsim_version()}, whose results may differ in their "
            f"last bits: finish with that version, or remove {path.parent} to start anew",
        )
    return ShardFile(path, n_bytes, header, layout)


def _checked(file: h5py.File) -> tuple[str, Header, Layout]:
    """Return the hopsim version, the header and the layout of a file in which everything was read and fits."""
    if not has_attribute(file, "format") or scalar_attribute(file, "format") != FORMAT:
        raise RefusedError("is HDF5, but not a hopsim shard")
    format_version = integer_attribute(file, "format_version")
    if format_version != FORMAT_VERSION:
        raise RefusedError(
            f"has format version {format_version}, and this hopsim knows {FORMAT_VERSION} only"
        )
    columns = only_datasets(file)
    if HEADER not in columns:
        raise RefusedError("has no header")
    header = _read_header(columns.pop(HEADER))
    n_points = header.n_points()
    if bool(columns) != (n_points > 0):
        raise RefusedError(f"has {n_points} points in {len(columns)} columns")
    for name, column in columns.items():
        if column.shape[:1] != (n_points,):
            raise RefusedError(f"has a column {name!r:.80} of shape {column.shape} for {n_points} points")
        _check_column(column)
    layout = sorted((name, _dtype(column).name, column.shape[1:]) for name, column in columns.items())
    return text_attribute(file, "hopsim_version"), header, tuple(layout)


def _read_header(dataset: h5py.Dataset) -> Header:
    if dataset.dtype != np.uint8 or dataset.ndim != 1:
        raise RefusedError("has a header that is not bytes")
    try:
        header = msgspec.json.decode(read_numbers(dataset).tobytes(), type=Header)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise RefusedError(f"has a header that is not as hopsim writes it: {error!s:.200}") from None
    n_cells = len(header.cells)
    if any(cell >= n_cells or first >= last for cell, first, last in header.ranges):
        raise RefusedError("has a header with an impossible range of networks")
    if any(cell >= n_cells for cell, _, _ in header.failures):
        raise RefusedError("has a header with a failure of no cell")
    return header


def _check_column(dataset: h5py.Dataset) -> None:
    if dataset.dtype.newbyteorder("=") not in NUMBER_TYPES:
        raise RefusedError(f"has a column {dataset.name!r:.80} of type {dataset.dtype!s:.80}")
    values = read_numbers(dataset)
    if not has_attribute(dataset, "dtype"):
        return
    is_boolean = values.dtype == np.int8 and np.isin(values, (0, 1)).all()
    if text_attribute(dataset, "dtype") != "bool" or not is_boolean:
        raise RefusedError(
            f"has a column {dataset.name!r:.80} marked as boolean, but it is not int8 of 0 and 1"
        )


def _dtype(dataset: h5py.Dataset) -> np.dtype:
    return np.dtype(np.bool_) if has_attribute(dataset, "dtype") else dataset.dtype.newbyteorder("=")


def read_rows(path: Path, first: int, last: int) -> dict[str, NDArray]:
    """Return rows `first` to `last` - 1 of the columns of a shard that `read_shard` has checked."""
    columns = {}
    with open_hdf5(path) as file:
        for name in file:
            if name != HEADER:
                dataset = file[name]
                rows = np.empty((last - first, *dataset.shape[1:]), dataset.dtype.newbyteorder("="))
                dataset.read_direct(rows, np.s_[first:last])
                columns[name] = rows.view(_dtype(dataset))
    return columns
