"""Reading HDF5 that anybody may have made: nothing is followed, loaded or allocated before it was checked.

Refused are all links but plain ones, external and virtual storage, filters that could load plug-ins, deep
nesting, and arrays larger than the bytes behind them can hold.
"""

import os
import stat
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from hopsim.errors import InputError
from hopsim.storage.records import Array

MAX_DEPTH = 16
MAX_OBJECTS = 10_000
FILTERS = {h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_FLETCHER32, h5py.h5z.FILTER_LZF}
MAX_COMPRESSION = 1100  # deflate cannot do better than 1032
STRING_BYTES = 2**30  # memory that the strings of one dataset may take
HDF5_ERRORS = (
    OSError,
    RuntimeError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    MemoryError,
    SystemError,
)


class RefusedError(ValueError):
    """What is wrong with the file at hand; `open_hdf5` adds its name."""


@contextmanager
def open_hdf5(path: Path) -> Iterator[h5py.File]:
    """Open a file for reading and turn whatever goes wrong with it into one line.

    Raises
    ------
    InputError
        Naming the file: it is missing, not HDF5, damaged, or refused by a check of this module.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # a pipe would block for ever
            raise InputError(str(path), "is not a regular file; expected an HDF5 file")
        with path.open("rb") as plain:
            signature = plain.read(8)
    except OSError as error:
        raise InputError(str(path), f"cannot be read: {error.strerror}") from None
    try:
        if signature != b"\x89HDF\r\n\x1a\n" and not h5py.is_hdf5(path):
            raise RefusedError("is not an HDF5 file")
        with h5py.File(path, "r", locking=False) as file:  # files never change once they have their name
            yield file
    except InputError:
        raise
    except RefusedError as refusal:
        raise InputError(str(path), str(refusal)) from None
    except HDF5_ERRORS as error:
        problem = " ".join(str(error).split())
        raise InputError(str(path), f"is damaged or truncated, HDF5 says: {problem:.200}") from None


def read_array(path: Path, dataset: str | None = None) -> Array:
    """Read one array of numbers from any HDF5 file.

    Parameters
    ----------
    path : Path
        The file.
    dataset : str, optional
        The dataset's path within it; by default the only two-dimensional dataset of numbers.

    Returns
    -------
    ndarray
        In the machine's byte order, bool, integers or floats.

    Raises
    ------
    InputError
        If the file cannot be trusted or read, has no such dataset, or more than one it could be.
    """
    with open_hdf5(path) as file:
        found = _all_datasets(file)
        matrices = [name for name, item in found.items() if _is_numeric(item) and item.ndim == 2]
        listed = ", ".join(f"{name!r:.80}" for name in matrices[:10]) or "no matrix of numbers"
        if dataset is None:
            if len(matrices) != 1:
                raise RefusedError(
                    f"expected one two-dimensional dataset of numbers; the file holds {listed}"
                )
            dataset = matrices[0]
        wanted = found.get(dataset.strip("/"))
        if wanted is None:
            raise RefusedError(f"has no dataset {dataset!r:.80}; the file holds {listed}")
        if not _is_numeric(wanted):
            raise RefusedError(f"{dataset!r:.80} holds no numbers but {wanted.dtype!s:.80}")
        _check_memory(wanted)
        return read_numbers(wanted)


def _is_numeric(dataset: h5py.Dataset) -> bool:
    return dataset.dtype.kind in "biuf"


def _all_datasets(file: h5py.File) -> dict[str, h5py.Dataset]:
    """Return every dataset by its path, each object once however it is linked."""
    found: dict[str, h5py.Dataset] = {}
    seen = {h5py.h5o.get_info(file.id).addr}
    groups: list[tuple[str, h5py.Group]] = [("", file)]
    while groups:
        prefix, group = groups.pop()
        if prefix.count("/") > MAX_DEPTH:
            raise RefusedError(f"is nested deeper than {MAX_DEPTH} groups")
        for name, item in _members(group):
            address = h5py.h5o.get_info(item.id).addr
            if address in seen:
                continue
            seen.add(address)
            if len(seen) > MAX_OBJECTS:
                raise RefusedError(f"holds more than {MAX_OBJECTS} objects")
            if isinstance(item, h5py.Group):
                groups.append((f"{prefix}{name}/", item))
            elif isinstance(item, h5py.Dataset):
                found[prefix + name] = item
    return dict(sorted(found.items()))


def only_datasets(file: h5py.File, groups: Collection[str] = ()) -> dict[str, h5py.Dataset]:
    """Return the datasets of a file that has nothing else, by path, checked for the memory they need together.

    Those of the root come first; `groups` names groups of the root that may hold datasets too.
    """
    found = dict(_members(file))
    for group in groups:
        if isinstance(found.get(group), h5py.Group):
            found |= {f"{group}/{name}": item for name, item in _members(found.pop(group))}
    for path, item in found.items():
        if not isinstance(item, h5py.Dataset):
            raise RefusedError(f"holds {path!r:.80}, which is not a dataset; a hopsim run has datasets only")
    _check_memory(*found.values())
    return found


def _check_memory(*datasets: h5py.Dataset) -> None:
    gib = sum(prod(item.shape or ()) * item.dtype.itemsize for item in datasets) / 2**30
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    if gib > memory:
        raise RefusedError(f"claims {gib:.1f} GiB of data; this machine has {memory:.1f} GiB of memory")


def _members(group: h5py.Group) -> Iterator[tuple[str, Any]]:
    if len(group) > MAX_OBJECTS:
        raise RefusedError(f"holds more than {MAX_OBJECTS} objects")
    for name in group:
        if isinstance(name, bytes):
            raise RefusedError(f"holds the name {name!r:.80}, which is not UTF-8")
        kind = group.id.links.get_info(name.encode()).type
        if kind != h5py.h5l.TYPE_HARD:
            link = {h5py.h5l.TYPE_SOFT: "soft", h5py.h5l.TYPE_EXTERNAL: "external"}.get(kind, "foreign")
            raise RefusedError(f"holds the {link} link {name!r:.80}, which is not followed")
        yield name, group[name]


def read_numbers(dataset: h5py.Dataset) -> Array:
    """Read a dataset of numbers in the machine's byte order, after its storage was checked."""
    _check_storage(dataset)
    array = np.empty(dataset.shape, dataset.dtype.newbyteorder("="))
    if array.size:
        dataset.read_direct(array)
    return array


def read_strings(dataset: h5py.Dataset) -> Array:
    """Read a dataset of variable-length UTF-8 strings, piece by piece.

    Many entries may refer to one long string of the file, so the bytes in the file bound only one string.
    """
    _check_storage(dataset)
    encoding = h5py.check_string_dtype(dataset.dtype)
    if dataset.ndim > 1 or encoding is None or encoding.length is not None:
        raise RefusedError(f"{dataset.name!r:.80} holds strings other than a list of variable length")
    if dataset.ndim == 0:
        return np.array(_text(dataset[()]))
    step = max(1, STRING_BYTES // (4 * _size_of(dataset.file)))
    texts: list[str] = []
    longest = 0
    for start in range(0, len(dataset), step):
        texts += [_text(value) for value in dataset[start : start + step]]
        longest = max(longest, *map(len, texts[start:]))
        if 4 * longest * len(dataset) > STRING_BYTES:
            raise RefusedError(
                f"{dataset.name!r:.80} holds more than {STRING_BYTES / 2**30:.0f} GiB of strings"
            )
    return np.array(texts, dtype=np.str_)


def _text(value: Any) -> str:
    try:
        return value.decode("utf-8") if isinstance(value, bytes) else str(value)
    except UnicodeDecodeError:
        raise RefusedError("holds text that is not UTF-8") from None


def _size_of(file: h5py.File) -> int:
    return os.stat(file.filename).st_size


def _check_storage(dataset: h5py.Dataset) -> None:
    """Refuse data from outside the file, unknown filters, and a shape that the stored bytes cannot fill."""
    name = f"{dataset.name!r:.80}"
    properties = dataset.id.get_create_plist()
    if dataset.shape is None:
        raise RefusedError(f"{name} holds no array")
    if properties.get_external_count():
        raise RefusedError(f"{name} keeps its data in another file, which is not read")
    if properties.get_layout() == h5py.h5d.VIRTUAL:
        raise RefusedError(f"{name} is a virtual dataset, put together from other files, which are not read")
    filters = [properties.get_filter(i)[0] for i in range(properties.get_nfilters())]
    if not set(filters) <= FILTERS or len(set(filters)) != len(filters):
        raise RefusedError(
            f"{name} has filters other than gzip, lzf, shuffle and fletcher32, which are not read"
        )
    n_bytes = prod(dataset.shape) * dataset.dtype.itemsize
    n_stored = dataset.id.get_storage_size()
    if n_bytes and properties.get_layout() == h5py.h5d.CHUNKED:
        chunks = properties.get_chunk()
        n_chunks = prod(-(-length // chunk) for length, chunk in zip(dataset.shape, chunks, strict=True))
        if dataset.id.get_num_chunks() != n_chunks:
            n_present = dataset.id.get_num_chunks()
            raise RefusedError(
                f"{name} was not written whole: {n_present} of its {n_chunks} chunks are there"
            )
        n_bytes = n_chunks * prod(chunks) * dataset.dtype.itemsize
    n_possible = n_stored * (MAX_COMPRESSION if filters else 1)
    if n_stored > _size_of(dataset.file) or n_bytes > n_possible:
        raise RefusedError(
            f"{name} claims {n_bytes} bytes; the {n_stored} stored in the file cannot be as much"
        )


def has_attribute(item: h5py.Group | h5py.Dataset, name: str) -> bool:
    """Tell whether there is an attribute of this name."""
    return name in item.attrs


def text_attribute(item: h5py.Group | h5py.Dataset, name: str) -> str:
    """Return an attribute that must be there and be one string."""
    value = scalar_attribute(item, name)
    if not isinstance(value, str):
        raise RefusedError(f"{item.name!r:.80} has an attribute {name!r} that is no text")
    return value


def integer_attribute(item: h5py.Group | h5py.Dataset, name: str) -> int:
    """Return an attribute that must be there and be one integer."""
    value = scalar_attribute(item, name)
    if not isinstance(value, int):
        raise RefusedError(f"{item.name!r:.80} has an attribute {name!r} that is no integer")
    return value


def scalar_attribute(item: h5py.Group | h5py.Dataset, name: str) -> str | int | float:
    """Return an attribute that must be there and be one string or number."""
    if not has_attribute(item, name):
        raise RefusedError(f"{item.name!r:.80} has no attribute {name!r}")
    attribute = item.attrs.get_id(name)
    is_text = h5py.check_string_dtype(attribute.dtype) is not None
    if attribute.shape not in ((), (1,)) or not (is_text or attribute.dtype.kind in "iuf"):
        raise RefusedError(f"{item.name!r:.80} has an attribute {name!r:.80} that is not one text or number")
    value = np.asarray(item.attrs[name]).item()
    return _text(value) if is_text else value


def dimension_names(datasets: Mapping[str, h5py.Dataset]) -> dict[str, tuple[str, ...]]:
    """Return the names of the axes of all `datasets`, from the dimension scales among them; keys are their paths.

    A scale names the axes of datasets in its own group. The scales' own lists are read, not those of the datasets
    (DIMENSION_LIST): these are of variable length, and HDF5 allocates whatever length they claim.
    """
    axes: dict[str, list[str]] = {path: [""] * dataset.ndim for path, dataset in datasets.items()}
    for path, scale in datasets.items():
        if not has_attribute(scale, "CLASS") or text_attribute(scale, "CLASS") != "DIMENSION_SCALE":
            continue
        group, _, name = path.rpartition("/")
        axes[path] = [name]
        if not has_attribute(scale, "REFERENCE_LIST"):
            continue
        element = scale.attrs.get_id("REFERENCE_LIST").dtype
        if (
            element.names != ("dataset", "dimension")
            or h5py.check_ref_dtype(element[0]) is not h5py.Reference
        ):
            raise RefusedError(f"{path!r:.80} is a dimension scale without a proper list of references")
        for reference, axis in np.atleast_1d(scale.attrs["REFERENCE_LIST"]):
            user = str(scale.file[reference].name).removeprefix("/")
            if user.rpartition("/")[0] != group or user not in axes or not 0 <= axis < len(axes[user]):
                raise RefusedError(f"{path!r:.80} is a dimension scale of something that is not there")
            axes[user][axis] = name
    for path, names in axes.items():
        if "" in names:
            raise RefusedError(f"{path!r:.80} has an axis without a dimension scale")
    return {path: tuple(names) for path, names in axes.items()}
