"""One run, one file: writing `RUN.h5` and reading it back."""

import io
import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import h5py
import msgspec

from hopsim.errors import InputError
from hopsim.storage.atomic_file import ReservedFile, replace_file, reserve, write_all
from hopsim.storage.columns import Columns, write_columns
from hopsim.storage.encoding import Stored, encode, file_size, read_records, write_datasets
from hopsim.storage.global_heap import check_global_heap
from hopsim.storage.provenance import FORMAT, FORMAT_VERSION, Attribute, root_attributes
from hopsim.storage.records import Records
from hopsim.storage.safe_hdf5 import (
    RefusedError,
    has_attribute,
    integer_attribute,
    open_hdf5,
    scalar_attribute,
    text_attribute,
)

IN_MEMORY_BYTES = 256 * 2**20
LIBVER = ("v108", "v110")  # checksums on the metadata, and all readers know it


@dataclass(frozen=True, eq=False)
class Run:
    """A run read from its file.

    Attributes
    ----------
    path : Path
        The file.
    experiment : str
        What was run.
    configuration : dict
        The experiment's whole configuration.
    records : Records
        Its results.
    attributes : dict
        All root attributes: versions, seed, command, times.
    complete : bool
        False if the run was interrupted and holds the finished points only.
    """

    path: Path
    experiment: str
    configuration: dict[str, Any]
    records: Records
    attributes: dict[str, Any]
    complete: bool


def check_output(path: Path, force: bool) -> None:
    """Check, before a run starts, that its file can be written in the end.

    Raises
    ------
    InputError
        If `path` exists and `force` is not given, or is no file, or its directory is missing or cannot be
        written.
    """
    directory = path.resolve().parent
    try:
        exists = path.exists()
        is_directory = directory.is_dir()
    except OSError as error:
        raise InputError("out", f"{path} cannot be written: {error.strerror}") from None
    if not is_directory:
        raise InputError("out", f"{path} cannot be written: the directory {directory} does not exist")
    if exists and not path.is_file():
        raise InputError("out", f"{path} is not a file; expected the name of the file to write")
    if exists and not force:
        raise InputError("out", f"{path} exists; overwrite it with --force or choose another name")
    if not os.access(directory, os.W_OK | os.X_OK):
        raise InputError("out", f"{path} cannot be written: no permission to write in {directory}")


def write_run(
    path: Path,
    records: Records,
    *,
    experiment: str,
    configuration: dict[str, Any],
    seed: int | None,
    command: str | None,
    started: datetime,
    complete: bool = True,
    force: bool = False,
    columns: Columns | None = None,
) -> None:
    """Write a run; under `path` there is the old file or the new one, whole, whatever happens.

    Parameters
    ----------
    path : Path
        The file to write.
    records : Records
        The results.
    experiment, configuration, seed, command
        What was run, enough to run it again.
    started : datetime
        When the run began, with its time zone.
    complete : bool
        False if these are the finished points of an interrupted run.
    force : bool
        Replace an existing file.
    columns : Columns, optional
        More results, too many to be held in memory.

    Raises
    ------
    InputError
        See `check_output`.
    RunError
        If the disk is full or fails; nothing is left behind.
    """
    check_output(path, force)
    attributes = root_attributes(
        experiment=experiment,
        configuration=configuration,
        seed=seed,
        command=command,
        started=started,
        complete=complete,
    )
    datasets = encode(records)
    n_bytes = file_size(datasets) + (0 if columns is None else columns.n_bytes())
    if n_bytes < IN_MEMORY_BYTES:
        image = io.BytesIO()  # not the core driver: the images of HDF5 before 2.0 have a wrong checksum
        _write_hdf5(image, datasets, attributes, columns)
        with replace_file(path) as file:
            write_all(file, image.getbuffer())
    else:
        with replace_file(path) as file:
            reserve(file, n_bytes)
            target = ReservedFile(file)
            _write_hdf5(target, datasets, attributes, columns)
            if target.error:
                raise target.error
            file.truncate(target.size)


def _write_hdf5(
    target: io.BytesIO | ReservedFile,
    datasets: dict[str, Stored],
    attributes: dict[str, Attribute],
    columns: Columns | None,
) -> None:
    with h5py.File(target, "w", libver=LIBVER, track_order=True) as file:
        for name, value in attributes.items():
            file.attrs[name] = value
        write_datasets(file, datasets)
        if columns is not None:
            write_columns(file, columns)


def open_run(path: Path) -> Run:
    """Read a hopsim file, trusting nothing it says.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    Run
        All of it, in memory; packed spins stay packed until asked for.

    Raises
    ------
    InputError
        Naming the file: not HDF5, truncated, not a hopsim run, of a newer format, or not as a run is written.
    """
    path = Path(path)
    with open_hdf5(path) as file:
        check_global_heap(path)
        if not has_attribute(file, "format") or scalar_attribute(file, "format") != FORMAT:
            raise RefusedError("is HDF5, but not a hopsim run; expected a file that hopsim wrote")
        format_version = integer_attribute(file, "format_version")
        if format_version > FORMAT_VERSION:
            raise RefusedError(
                f"has format version {format_version}, and this hopsim knows {FORMAT_VERSION}: update hopsim"
            )
        attributes: dict[str, Any] = {name: scalar_attribute(file, name) for name in file.attrs}
        attributes["complete"] = bool(integer_attribute(file, "complete"))
        return Run(
            path=path,
            experiment=text_attribute(file, "experiment"),
            configuration=_configuration(text_attribute(file, "configuration")),
            records=read_records(file),
            attributes=attributes,
            complete=attributes["complete"],
        )


def _configuration(text: str) -> dict[str, Any]:
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.MsgspecError, RecursionError):
        raise RefusedError("has an attribute 'configuration' that is not a JSON object") from None
