"""Patterns from the user's files."""

import os
import reprlib
from collections.abc import Callable, Sequence
from os import PathLike
from pathlib import Path

import numpy as np

from hopsim.datasets.hdf5_files import read_hdf5
from hopsim.datasets.image_files import read_image
from hopsim.datasets.npy_files import read_npy
from hopsim.datasets.pattern_set import PatternSet
from hopsim.datasets.regular_file import reading
from hopsim.errors import InputError

ENDINGS = (".npy", ".csv", ".txt", ".data", ".h5", ".hdf5", ".png")


def read_patterns(
    paths: str | PathLike[str] | Sequence[str | PathLike[str]], *, dataset: str | None = None
) -> PatternSet:
    """Read patterns of ±1 or 0/1 from one or several files.

    Parameters
    ----------
    paths : path or sequence of paths
        The files; their endings say what they are. A directory stands for its .png images, sorted by name.

        - .npy: an array (n_patterns, n_neurons), one pattern (n_neurons,), or pictures
          (n_patterns, rows, columns).
        - .csv, .txt, .data: a pattern a line, the values separated by commas, by blanks, or (0 and 1) by nothing:
          ``0110``. What follows a ``#`` is a comment.
        - .h5, .hdf5: a dataset shaped as in a .npy file, or the spins of a hopsim run, packed or not.
        - .png: a picture. Dark pixels (below mid-grey) are +1. Needs pillow, of the extra ``plot``.
    dataset : str, optional
        Name of the dataset in an HDF5 file; by default the only matrix there is.

    Returns
    -------
    PatternSet
        Zeros have become -1. A pattern is called after its file, with its index where the file holds several.

    Raises
    ------
    InputError
        If a file cannot be read, holds no pattern, patterns of unequal length, or values not ±1 or 0/1.
    """
    files = _list_files([paths] if isinstance(paths, str | PathLike) else paths)
    sets = []
    for file in files:
        with reading(file):
            sets.append(_read_file(file, dataset))
    first = sets[0]
    for file, later in zip(files[1:], sets[1:], strict=True):
        _check_alike(file, later, files[0], first)
    return PatternSet(
        np.concatenate([patterns.spins for patterns in sets]) if len(sets) > 1 else first.spins,
        [name for patterns in sets for name in patterns.names],
        first.image_shape if all(patterns.image_shape for patterns in sets) else None,
    )


def _list_files(paths: Sequence[str | PathLike[str]]) -> list[Path]:
    """The files that are meant: a directory stands for its images."""
    files: list[Path] = []
    for path in map(Path, paths):
        if not os.path.isdir(path):  # pathlib's raises where a parent may not be entered
            files.append(path)
            continue
        try:
            images = sorted(p for p in path.iterdir() if p.suffix.lower() == ".png" and p.name[0] != ".")
        except OSError as error:
            raise InputError(str(path), f"cannot be read: {error.strerror}") from error
        if not images:
            raise InputError(str(path), "is a directory without .png images")
        files += images
    if not files:
        raise InputError("patterns", "no file is given")
    return files


def _read_file(file: Path, dataset: str | None) -> PatternSet:
    ending = file.suffix.lower()
    if ending not in ENDINGS:
        raise InputError(
            str(file), f"patterns are read from {', '.join(ENDINGS)} files; its ending is none of these"
        )
    if ending in (".h5", ".hdf5"):
        return _from_array(file, read_hdf5(file, dataset))
    if dataset is not None:
        raise InputError("dataset", f"names a dataset of an HDF5 file, which {file} is not; leave it out")
    if ending == ".npy":
        return _from_array(file, read_npy(file))
    if ending == ".png":
        return _from_array(file, read_image(file)[np.newaxis])
    return _from_text(file)


def _check_alike(file: Path, patterns: PatternSet, first_file: Path, first: PatternSet) -> None:
    """Refuse a file whose patterns do not fit those of the first one."""
    if patterns.image_shape and first.image_shape and patterns.image_shape != first.image_shape:
        here, there = ("{} x {}".format(*shape) for shape in (patterns.image_shape, first.image_shape))
        raise InputError(
            str(file),
            f"its pictures have {here} pixels (rows x columns), but those of {first_file} {there}; "
            "all pictures must be equally large",
        )
    if patterns.n_neurons != first.n_neurons:
        raise InputError(
            str(file),
            f"its patterns have {patterns.n_neurons} values, but those of {first_file} {first.n_neurons}; "
            "all patterns must be equally long",
        )


def _from_array(file: Path, values: np.ndarray) -> PatternSet:
    """Patterns from an array (n_neurons,), (n_patterns, n_neurons) or (n_patterns, rows, columns)."""
    if values.ndim not in (1, 2, 3):
        raise InputError(
            str(file),
            f"holds an array of shape {values.shape}; expected (n_patterns, n_neurons), (n_neurons,), "
            "or pictures (n_patterns, rows, columns)",
        )
    if values.size == 0:
        raise InputError(str(file), f"holds no patterns: its array has shape {values.shape}")

    def place(flat_index: int) -> str:
        index = np.unravel_index(flat_index, values.shape)
        return f"index [{', '.join(str(i) for i in index)}] (counted from 0)"

    image_shape = (values.shape[1], values.shape[2]) if values.ndim == 3 else None
    spins = _to_spins(file, values, place)
    return _name_patterns(file, spins.reshape(1 if values.ndim == 1 else len(spins), -1), image_shape)


def _from_text(file: Path) -> PatternSet:
    """Patterns from a text file, one a line."""
    rows: list[np.ndarray] = []
    line_numbers: list[int] = []
    try:
        with file.open(encoding="utf-8-sig") as lines:
            for line_number, line in enumerate(lines, start=1):
                text = line.partition("#")[0].strip()
                if not text:
                    continue
                row = _parse_line(file, line_number, text)
                if rows and len(row) != len(rows[0]):
                    raise InputError(
                        str(file),
                        f"line {line_number} has {len(row)} values, but line {line_numbers[0]} has "
                        f"{len(rows[0])}; all patterns must be equally long",
                    )
                rows.append(row)
                line_numbers.append(line_number)
    except UnicodeDecodeError as error:
        raise InputError(str(file), "is not a text file (UTF-8)") from error
    if not rows:
        raise InputError(str(file), "holds no patterns; expected a line of ±1 or 0/1 for each")
    n_neurons = len(rows[0])

    def place(flat_index: int) -> str:
        row, column = divmod(flat_index, n_neurons)
        return f"line {line_numbers[row]}, value {column + 1}"

    return _name_patterns(file, _to_spins(file, np.stack(rows), place), None)


def _parse_line(file: Path, line_number: int, text: str) -> np.ndarray:
    """The numbers of a line, separated by commas, by blanks, or, if all are 0 or 1, by nothing."""
    words = [word.strip() for word in text.split(",")] if "," in text else text.split()
    if len(words) == 1 and set(text) <= {"0", "1"}:
        words = list(text)
    numbers = np.empty(len(words))
    for i, word in enumerate(words):
        try:
            numbers[i] = float(word)
            if len(word) > 1 and set(word) <= {"0", "1"}:  # 01 10: grouped digits, not numbers
                raise ValueError
        except ValueError as error:
            raise InputError(
                str(file),
                f"line {line_number}, value {i + 1}: {reprlib.repr(word)} is not ±1, 0 or 1; expected values "
                "separated by commas or blanks, or a line like 0110; comments start with #",
            ) from error
    return numbers


def _to_spins(file: Path, values: np.ndarray, place: Callable[[int], str]) -> np.ndarray:
    """Spins of the same shape from ±1 or 0/1; `place` says in words where the value of a flat index is."""
    if values.dtype.kind not in "biuf":
        raise InputError(str(file), f"holds values of dtype {values.dtype}; expected ±1, 0/1 or booleans")
    up, down, zero = values == 1, values == -1, values == 0
    wrong = ~(up | down | zero)
    if wrong.any():
        index = int(wrong.argmax())
        raise InputError(str(file), f"{place(index)} is {values.flat[index]}; expected ±1 or 0/1 only")
    if down.any() and zero.any():
        raise InputError(
            str(file),
            f"mixes -1 ({place(int(down.argmax()))}) and 0 ({place(int(zero.argmax()))}); "
            "expected either ±1 or 0/1",
        )
    return np.where(up, 1, -1).astype(np.int8)


def _name_patterns(file: Path, spins: np.ndarray, image_shape: tuple[int, int] | None) -> PatternSet:
    names = [file.stem] if len(spins) == 1 else [f"{file.stem}[{i}]" for i in range(len(spins))]
    return PatternSet(spins, names, image_shape)
