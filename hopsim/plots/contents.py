"""What a figure expects of a file: its variables and those settings of its configuration that are drawn."""

from collections.abc import Mapping
from typing import NamedTuple, TypeVar

import msgspec
import numpy as np

from hopsim.errors import InputError
from hopsim.storage.run_file import Run

NUMBERS, INTEGERS, TEXT, FLAGS = "iuf", "iu", "U", "b"
_KIND_NAMES = {NUMBERS: "numbers", INTEGERS: "integers", TEXT: "text", FLAGS: "flags"}

Settings = TypeVar("Settings")


class Expected(NamedTuple):
    """A variable as its experiment writes it.

    Attributes
    ----------
    dims : tuple of str
        Its dimensions.
    kinds : str
        The numpy kinds that its dtype may be of.
    required : bool
        False if not every file has it.
    """

    dims: tuple[str, ...]
    kinds: str = NUMBERS
    required: bool = True


def check_contents(run: Run, expected: Mapping[str, Expected]) -> None:
    """Check that the variables of a run are there and as its experiment writes them, coordinates 0 or larger.

    Raises
    ------
    InputError
        Naming the file and the variable.
    """
    for name, (dims, kinds, required) in expected.items():
        if name not in run.records:
            if required:
                raise InputError(str(run.path), f"holds no {name}; a run of {run.experiment} does")
            continue
        variable = run.records.variables[name]
        if variable.dims != dims:
            raise InputError(
                str(run.path),
                f"{name} has dimensions ({', '.join(variable.dims)}); expected ({', '.join(dims)})",
            )
        if variable.packed:
            continue
        array = run.records[name]
        if array.dtype.kind not in kinds:
            raise InputError(str(run.path), f"{name} holds {array.dtype}; expected {_KIND_NAMES[kinds]}")
        numeric = array.dtype.kind in NUMBERS
        if dims == (name,) and numeric and not (np.isfinite(array) & (array >= 0)).all():
            raise InputError(str(run.path), f"a {name} is negative or not finite")


def read_settings(run: Run, kind: type[Settings]) -> Settings:
    """Return the settings of `kind` from a run's configuration.

    Raises
    ------
    InputError
        Naming the file and the setting, if one is of the wrong type or out of range.
    """
    try:
        return msgspec.convert(run.configuration, kind)
    except msgspec.ValidationError as error:
        raise InputError(str(run.path), f"its configuration cannot be used: {error}") from None


def require_length(run: Run, dim: str) -> int:
    """Return the length of a dimension; raise InputError if it has none, as in a run stopped too early."""
    length = run.records.sizes.get(dim, 0)
    if length == 0:
        raise InputError(str(run.path), f"holds no {dim}, so there is nothing to draw")
    return length


def interrupted_note(run: Run) -> str:
    """Return what the title adds for a run that was stopped before its end."""
    return "" if run.complete else " (interrupted: finished points only)"
