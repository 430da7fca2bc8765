"""The specification of a sweep: a TOML file, checked whole before anything runs."""

import difflib
import json
import math
import re
import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from hopsim.datasets.regular_file import reading
from hopsim.errors import InputError
from hopsim.experiments.study import Study

MAX_VALUES = 100_000  # of one axis
MAX_CELLS = 1_000_000  # of all axes together

_MAX_BYTES = 4 * 2**20
_TOO_LARGE = 2**64  # a seed is smaller, and so is whatever means something
_SECONDS = {"hours": 3600, "minutes": 60, "seconds": 1}
_RANGE = ("start", "stop", "step")
_TOP = ("experiment", "seed", "axes", "fixed", "budget")
_AXIS_FORM = "a list of numbers or a range { start, stop, step }"
_KINDS = {
    "int": "an integer",
    "float": "a number",
    "str": "a string",
    "bool": "true or false",
    "array": "a list",
}


@dataclass(frozen=True)
class Specification:
    """What a sweep is to run.

    Attributes
    ----------
    study : Study
        The module of the study.
    configuration : msgspec.Struct
        The study's configuration, valid; with it the study can be run as it stands.
    budget_seconds : float or None
        How long the sweep may run; None for no limit.
    """

    study: Study
    configuration: Any
    budget_seconds: float | None


def read_specification(path: Path, studies: Mapping[str, Study]) -> Specification:
    """Read the specification of a sweep and check all of it.

    The file names an experiment and a seed. ``[axes]`` gives the values of each axis: a number, a list, or a range
    that includes its stop and is computed in decimal; a list may hold ranges. ``[fixed]`` gives other fields of the
    study's configuration, or an axis with its only value. ``[budget]`` limits the running time; its hours, minutes
    and seconds add up. A seed must be there, since a sweep that is resumed needs the same random numbers again.

    Parameters
    ----------
    path : Path
        A TOML file.
    studies : mapping of str to Study
        What `experiment` may name.

    Returns
    -------
    Specification

    Raises
    ------
    InputError
        Naming the file, and in it the key's path (``axes.load[2]``), or for wrong TOML the line.

    Examples
    --------
    A file in its smallest form::

        experiment = "capacity"
        seed = 11
        [axes]
        n_neurons = [400, 800]
        load = { start = 0.10, stop = 0.18, step = 0.002 }
        [fixed]
        n_networks = 8
        n_trials = 2
    """
    document = _read_toml(path)
    try:
        study = _study(document, studies)
        return Specification(study, _configuration(document, study), _budget_seconds(document))
    except InputError as error:
        raise InputError(str(path), str(error)) from None


def _read_toml(path: Path) -> dict[str, Any]:
    with reading(path), path.open("rb") as file:
        data = file.read(_MAX_BYTES + 1)
    if len(data) > _MAX_BYTES:
        raise InputError(
            str(path), f"is larger than {_MAX_BYTES >> 20} MiB; expected the specification of a sweep"
        )
    try:
        text = data.decode("utf-8-sig")
        return tomllib.loads(text, parse_float=Decimal)
    except UnicodeDecodeError:
        raise InputError(str(path), "is not a text file (UTF-8)") from None
    except tomllib.TOMLDecodeError as error:
        last_line = text.rstrip("\n").count("\n") + 1
        problem = str(error).replace("at end of document", f"at line {last_line}, the last")
        raise InputError(str(path), f"is not TOML: {problem}") from None
    except RecursionError:
        raise InputError(str(path), "is nested too deep") from None
    except (InvalidOperation, ValueError):  # of Decimal and int, which say nothing of the place
        raise InputError(str(path), "holds a number with too many digits") from None


def _study(document: dict[str, Any], studies: Mapping[str, Study]) -> Study:
    """Return the study, once all at the top of the file is known."""
    for key in document:
        if key not in _TOP:
            raise _unknown((key,), _TOP, "; what the experiment takes stands under [axes] or [fixed]")
    expected = f"expected one of {', '.join(studies)}"
    if "experiment" not in document:
        raise InputError("experiment", f"missing; {expected}")
    name = document["experiment"]
    if not isinstance(name, str) or name not in studies:
        raise InputError("experiment", f"{expected}; got {_shown(name)}")
    if "seed" not in document:
        raise InputError("seed", "missing; a sweep needs one to be resumed: add a line such as seed = 11")
    return studies[name]


class _Field(NamedTuple):
    """A field of the configuration: the key that it stands at, its value, and for an axis the key of each item."""

    key: str
    value: Any
    item_keys: Sequence[str] = ()


def _configuration(document: dict[str, Any], study: Study) -> Any:
    fields = {"seed": _Field("seed", _plain("seed", document["seed"]))}
    fields |= _axes(_table(document, "axes"), study)
    fields |= _fixed(_table(document, "fixed"), study, fields)
    n_cells = math.prod(len(field.value) for field in fields.values() if field.item_keys)
    if n_cells > MAX_CELLS:
        raise InputError("axes", f"have {n_cells} combinations; at most {MAX_CELLS} are possible")
    keys = _keys(study) | {name: field.key for name, field in fields.items()}
    for field in msgspec.structs.fields(study.CONFIGURATION):
        if field.required and field.name not in fields:
            hint = f"; expected {_AXIS_FORM}" if field.name in study.AXES.values() else ""
            raise InputError(keys[field.name], f"missing{hint}")
    try:
        return msgspec.convert({name: field.value for name, field in fields.items()}, study.CONFIGURATION)
    except msgspec.ValidationError as error:
        cause = error.__cause__
        if isinstance(cause, InputError):
            raise InputError(keys.get(cause.subject, cause.subject), cause.problem) from None
        raise _wrong_type(str(error), fields) from None


def _keys(study: Study) -> dict[str, str]:
    """Return the key at which each field of the configuration is expected, `threads` apart."""
    axis_of = {field: axis for axis, field in study.AXES.items()}
    names = [field.name for field in msgspec.structs.fields(study.CONFIGURATION) if field.name != "threads"]
    keys = {name: f"axes.{axis_of[name]}" if name in axis_of else f"fixed.{name}" for name in names}
    return keys | {"seed": "seed"}


def _axes(table: dict[str, Any], study: Study) -> dict[str, _Field]:
    fields = {}
    for name, value in table.items():
        if name not in study.AXES:
            raise _unknown(("axes", name), study.AXES, "; other settings stand under [fixed]")
        fields[study.AXES[name]] = _axis(f"axes.{name}", value)
    return fields


def _axis(key: str, value: Any) -> _Field:
    """Return the values of an axis: one, a range, or a list of values and ranges."""
    is_list = isinstance(value, list)
    items = [(f"{key}[{i}]", item) for i, item in enumerate(value)] if is_list else [(key, value)]
    values: list[Any] = []
    keys: list[str] = []
    for item_key, item in items:
        values += _range(item_key, item) if isinstance(item, dict) else [_plain(item_key, item)]
        if len(values) > MAX_VALUES:
            raise InputError(key, f"has more than {MAX_VALUES} values")
        keys += [item_key] * (len(values) - len(keys))
    if not values:
        raise InputError(key, f"empty; expected {_AXIS_FORM}")
    return _Field(key, values, keys)


def _range(key: str, table: dict[str, Any]) -> list[Any]:
    """Return the numbers start, start + step, ... up to stop, computed in decimal."""
    for name in table:
        if name not in _RANGE:
            raise _unknown((key, name), _RANGE)
    for name in _RANGE:
        if name not in table:
            raise InputError(
                f"{key}.{name}", "missing; a range is written { start = 0.1, stop = 0.2, step = 0.01 }"
            )
    start, stop, step = (_number(f"{key}.{name}", table[name]) for name in _RANGE)
    if float(step) <= 0.0:
        raise InputError(f"{key}.step", f"expected a number above 0, got {_shown(table['step'])}")
    if stop < start:
        raise InputError(f"{key}.stop", f"expected at least start, {start}; got {stop}")
    n_steps = (stop - start) / step
    if n_steps >= MAX_VALUES:
        raise InputError(key, f"has more than {MAX_VALUES} values")
    return [_plain(key, start + i * step) for i in range(int(n_steps) + 1)]


def _fixed(table: dict[str, Any], study: Study, given: Mapping[str, _Field]) -> dict[str, _Field]:
    settings = [name for name, key in _keys(study).items() if key.startswith("fixed.")]
    fields = {}
    for name, value in table.items():
        key = f"fixed.{name}"
        if name in settings:
            fields[name] = _Field(key, _plain(key, value))
        elif name not in study.AXES:
            raise _unknown(("fixed", name), [*settings, *study.AXES])
        elif study.AXES[name] in given:
            raise InputError(key, f"given as axes.{name} too; leave out one of the two")
        elif isinstance(value, list | dict):
            raise InputError(key, "expected one number; lists and ranges stand under [axes]")
        else:
            fields[study.AXES[name]] = _Field(key, [_plain(key, value)], [key])
    return fields


def _budget_seconds(document: dict[str, Any]) -> float | None:
    if "budget" not in document:
        return None
    total = Decimal(0)
    budget = _table(document, "budget")
    for name, value in budget.items():
        if name not in _SECONDS:
            raise _unknown(("budget", name), _SECONDS)
        number = _number(f"budget.{name}", value)
        if float(number) <= 0.0:
            raise InputError(f"budget.{name}", f"expected a number above 0, got {_shown(value)}")
        total += number * _SECONDS[name]
    if not budget:
        raise InputError("budget", f"empty; expected {', '.join(_SECONDS)}")
    return float(total)


def _table(document: dict[str, Any], name: str) -> dict[str, Any]:
    table = document.get(name, {})
    if not isinstance(table, dict):
        raise InputError(name, f"expected a table that begins with [{name}], got {_shown(table)}")
    return table


def _number(key: str, value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise InputError(key, f"expected a number, got {_shown(value)}")
    number = Decimal(value)
    if not number.is_finite():
        raise InputError(key, f"expected a finite number, got {value}")
    if abs(number) >= _TOO_LARGE:
        raise InputError(key, "expected a number below 2^64 in size")
    return number


def _plain(key: str, value: Any) -> Any:
    """Return a value of the file with its numbers as int, where they are whole, or float."""
    if isinstance(value, list):
        return [_plain(f"{key}[{i}]", item) for i, item in enumerate(value)]
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return value
    number = _number(key, value)
    return int(number) if number == int(number) else float(number)


def _wrong_type(message: str, fields: Mapping[str, _Field]) -> InputError:
    """Return msgspec's complaint, "Expected `int`, got `str` - at `$.n_neurons[1]`", in the words of the file."""
    problem, _, place = message.rpartition(" - at ")
    name, *index = re.findall(r"\w+", place)
    key, value, item_keys = fields[name]
    if index:
        value = value[int(index[0])]
        key = item_keys[int(index[0])] if item_keys else f"{key}[{index[0]}]"
    expected = re.match(r"Expected `(.+?)`", problem)
    if expected:
        kinds = [_KINDS.get(kind, kind) for kind in expected[1].split(" | ") if kind != "null"]
        problem = f"expected {' or '.join(kinds)}, got {_shown(value)}"
    return InputError(key, problem)


def _unknown(path: tuple[str, ...], known: Collection[str], hint: str = "") -> InputError:
    """Return the error of a key that is not known, with what may have been meant."""
    name = path[-1]
    key = ".".join([*path[:-1], name if re.fullmatch(r"[\w-]+", name, re.ASCII) else _shown(name)])
    if name == "threads":
        return InputError(key, "is no part of a specification; give --threads to the command")
    if name == "seed":
        return InputError(key, "stands at the top of the file, before the first [table]")
    close = difflib.get_close_matches(name, known, 1)
    if close:
        return InputError(key, f"unknown; did you mean {close[0]}?")
    return InputError(key, f"unknown; expected {', '.join(known)}{hint}")


def _shown(value: Any) -> str:
    """Return a value as it may stand in a message: as in the file, but short."""
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, bool):
        return str(value).lower()
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, str) else str(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
