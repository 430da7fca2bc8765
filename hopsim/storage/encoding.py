"""The schema of a hopsim file: how records become HDF5 datasets and come back.

Each variable is a dataset with the attributes `units` and `long_name`, in the root group or in one of ArviZ's; each
axis has a dimension scale, the coordinate of that name: the root has them all, a group has copies of those it uses,
so that it can be opened alone. Booleans are int8 with the attribute ``dtype = "bool"``, strings variable-length UTF-8,
packed spins a uint8 dataset ``<name>_packed`` over ``<dim>_byte`` with the attributes `n_neurons` and `bit_order`.
"""

from math import prod
from typing import Any, NamedTuple

import h5py
import numpy as np

from hopsim.storage.records import GROUPS, Array, PackedSpins, Records, Variable
from hopsim.storage.safe_hdf5 import (
    RefusedError,
    dimension_names,
    has_attribute,
    integer_attribute,
    only_datasets,
    read_numbers,
    read_strings,
    text_attribute,
)

BIT_ORDER = "little"  # the first neuron is the lowest bit of the first byte
PACKED_SUFFIX, BYTE_SUFFIX = "_packed", "_byte"
SPIN_CHUNK_TIMES = 100
SPIN_CHUNK_BYTES = 16 * 2**20
CHUNK_BYTES = 2**20
SMALL_BYTES = 4096  # below it chunks and compression cost more than they save
STRING_OVERHEAD = 40  # bytes that HDF5 spends on a string beside its text
NUMBER_TYPES = tuple(np.dtype(code) for code in ("i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f4", "f8"))


class Stored(NamedTuple):
    """A dataset as the file holds it; `spins` asks for the chunks of a trajectory."""

    dims: tuple[str, ...]
    array: Array
    attributes: dict[str, Any]
    spins: bool


def encode(records: Records) -> dict[str, Stored]:
    """Return the datasets that hold `records`, by path."""
    datasets: dict[str, Stored] = {}
    for name, variable in records.variables.items():
        path = f"{variable.group}/{name}" if variable.group else name
        attributes: dict[str, Any] = {"long_name": variable.long_name, "units": variable.units}
        if variable.packed:
            spins = records.packed(name)
            byte_dim = variable.dims[-1] + BYTE_SUFFIX
            attributes |= {"n_neurons": np.int64(spins.n_neurons), "bit_order": BIT_ORDER}
            dims = (*variable.dims[:-1], byte_dim)
            datasets[path + PACKED_SUFFIX] = Stored(dims, spins.bits, attributes, spins=True)
            index = {"long_name": f"index of {byte_dim}", "units": "1"}
            datasets[byte_dim] = Stored((byte_dim,), np.arange(spins.bits.shape[-1]), index, spins=False)
            continue
        array = records[name]
        is_spins = array.dtype == np.int8
        if array.dtype == np.bool_:
            array = array.view(np.int8)
            attributes["dtype"] = "bool"
        elif array.dtype.kind == "U":
            array = array.astype(object)
        datasets[path] = Stored(variable.dims, array, attributes, is_spins)
    for path, stored in list(datasets.items()):
        for dim in stored.dims:
            datasets[_beside(path, dim)] = datasets[dim]
    return datasets


def _beside(path: str, name: str) -> str:
    """Return the path of what has this name in the same group."""
    return path[: path.rfind("/") + 1] + name


def file_size(datasets: dict[str, Stored]) -> int:
    """Return an upper bound of the bytes that a file of `datasets` takes."""
    total = 2**16
    for stored in datasets.values():
        array = stored.array
        total += array.nbytes + array.nbytes // 64 + 4096
        if stored.spins:
            total += 256 * prod(array.shape[:-1])  # the index of the chunks, which have a row or more
        if array.dtype == object:
            total += sum(len(text.encode()) + STRING_OVERHEAD for text in array.flat)
    return total


def write_datasets(file: h5py.File, datasets: dict[str, Stored]) -> None:
    """Write `datasets` into an open, empty file."""
    for path, stored in datasets.items():
        group, _, name = path.rpartition("/")
        if group and group not in file:
            file.create_group(group, track_order=True)
        string = h5py.string_dtype() if stored.array.dtype == object else None
        dataset = file.create_dataset(path, data=stored.array, dtype=string, **_storage(stored))
        for key, value in stored.attributes.items():
            dataset.attrs[key] = value
        if stored.dims == (name,):
            dataset.make_scale(name)
    for path, stored in datasets.items():
        for axis, dim in enumerate(stored.dims):
            scale = _beside(path, dim)
            if scale != path:
                file[path].dims[axis].attach_scale(file[scale])


def _storage(stored: Stored) -> dict[str, Any]:
    """Return chunks, compression and checksum, where they pay; filters cannot see into strings."""
    array = stored.array
    spins = stored.spins and array.ndim >= 2
    if array.size == 0 or array.ndim == 0 or array.dtype == object:
        return {}
    if array.nbytes < SMALL_BYTES and not spins:
        return {}
    chunks = _spin_chunks(array.shape) if spins else _chunks(array.shape, array.itemsize)
    return {"chunks": chunks, "compression": "gzip", "shuffle": True, "fletcher32": True}


def _spin_chunks(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return chunks of one trial, some hundred times, all neurons: what a look at one trajectory reads."""
    n_times = max(1, min(shape[-2], SPIN_CHUNK_TIMES, SPIN_CHUNK_BYTES // shape[-1]))
    return (*(1 for _ in shape[:-2]), n_times, shape[-1])


def _chunks(shape: tuple[int, ...], itemsize: int) -> tuple[int, ...]:
    """Return chunks of about `CHUNK_BYTES`, as much of the last axes as that holds."""
    chunks: list[int] = []
    n_left = CHUNK_BYTES // itemsize
    for length in reversed(shape):
        chunks.insert(0, max(1, min(length, n_left)))
        n_left //= chunks[0]
    return tuple(chunks)


def read_records(file: h5py.File) -> Records:
    """Read what `write_datasets` wrote, trusting nothing; raise RefusedError for anything else."""
    schema: dict[str, Variable] = {}
    arrays: dict[str, Array | PackedSpins] = {}
    byte_dims = set()
    datasets = only_datasets(file, GROUPS)
    axes = dimension_names(datasets)
    for path, dataset in datasets.items():
        group, _, name = path.rpartition("/")
        dims = axes[path]
        if group and dims == (name,):
            _check_copy(dataset, arrays.get(name))
            continue
        long_name, units = text_attribute(dataset, "long_name"), text_attribute(dataset, "units")
        is_packed = has_attribute(dataset, "bit_order")
        if is_packed:
            name = name.removesuffix(PACKED_SUFFIX)
            byte_dims.add(dims[-1])
            dims = (*dims[:-1], dims[-1].removesuffix(BYTE_SUFFIX))
        if name in arrays:
            raise RefusedError(f"holds the variable {name!r:.80} twice")
        arrays[name] = _read_packed(dataset) if is_packed else _read(dataset)
        schema[name] = Variable(dims, long_name, units, is_packed, group)
    for dim in byte_dims:  # an index of bytes is of no use once the spins are unpacked
        del arrays[dim]
    try:
        return Records(schema, arrays)
    except ValueError as error:
        raise RefusedError(f"is not laid out as a hopsim run: {error!s:.200}") from None


def _check_copy(dataset: h5py.Dataset, coordinate: Array | PackedSpins | None) -> None:
    """Refuse a coordinate in a group that is not the root's."""
    if not isinstance(coordinate, np.ndarray) or not _same_bytes(_read(dataset), coordinate):
        raise RefusedError(f"{dataset.name!r:.80} is not the coordinate of that name in the root")


def _same_bytes(first: Array, second: Array) -> bool:
    return first.dtype == second.dtype and first.tobytes() == second.tobytes()


def _read(dataset: h5py.Dataset) -> Array:
    if h5py.check_string_dtype(dataset.dtype) is not None:
        return read_strings(dataset)
    if dataset.dtype.newbyteorder("=") not in NUMBER_TYPES:
        raise RefusedError(f"{dataset.name!r:.80} has the type {dataset.dtype!s:.80}, which no run has")
    array = read_numbers(dataset)
    if not has_attribute(dataset, "dtype"):
        return array
    is_boolean = array.dtype == np.int8 and np.isin(array, (0, 1)).all()
    if text_attribute(dataset, "dtype") != "bool" or not is_boolean:
        raise RefusedError(f"{dataset.name!r:.80} is marked as boolean, but is not int8 of 0 and 1")
    return array.view(np.bool_)


def _read_packed(dataset: h5py.Dataset) -> PackedSpins:
    bit_order, n_neurons = text_attribute(dataset, "bit_order"), integer_attribute(dataset, "n_neurons")
    if bit_order != BIT_ORDER or dataset.dtype != np.uint8 or dataset.shape[-1:] != (-(-n_neurons // 8),):
        raise RefusedError(
            f"{dataset.name!r:.80} is not {n_neurons} neurons packed to bits: {dataset.dtype!s:.80} "
            f"of shape {dataset.shape}, bit order {bit_order!r:.80}"
        )
    return PackedSpins(read_numbers(dataset), n_neurons)
