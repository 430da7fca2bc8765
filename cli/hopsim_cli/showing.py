"""A run as text and as JSON: what is in its file, how it was made, and how to make it again."""

from datetime import datetime
from typing import Any

from hopsim.storage.records import Records
from hopsim.storage.run_file import Run
from hopsim_cli.printing import one_line, table

MOST_VALUES = 12  # of a list that is shown in full
MOST_CHARACTERS = 300


def as_json(run: Run) -> dict[str, Any]:
    """Return everything but the data as one object."""
    attributes = run.attributes
    return {
        "file": run.path,
        "experiment": run.experiment,
        "complete": run.complete,
        **{name: attributes.get(name) for name in ("started", "ended", "seed", "command", "processor")},
        "versions": _versions(run),
        "configuration": run.configuration,
        "variables": {
            name: {
                "group": variable.group,
                "dims": variable.dims,
                "shape": [run.records.sizes[dim] for dim in variable.dims],
                "dtype": _type(run.records, name),
                "units": variable.units,
                "long_name": variable.long_name,
            }
            for name, variable in run.records.variables.items()
        },
    }


def as_text(run: Run) -> str:
    """Return the same as a page of text."""
    state = "complete" if run.complete else "interrupted, finished points only"
    parts = [f"{one_line(str(run.path))}: {one_line(run.experiment)} ({state})"]
    parts.append(_section("How it was made", _origin(run)))
    settings = {name: _short(value) for name, value in run.configuration.items()}
    parts.append(_section("Configuration", settings))
    parts.append("Variables\n" + _variables(run.records))
    command = run.attributes.get("command")
    if command is not None:
        parts.append(f"To make it again\n  {one_line(str(command))}")
    return "\n\n".join(parts)


def _origin(run: Run) -> dict[str, str]:
    origin = {
        "started": run.attributes.get("started"),
        "took": _duration(run),
        "seed": run.attributes.get("seed"),
        "with": ", ".join(f"{program} {number}" for program, number in _versions(run).items()),
        "on": run.attributes.get("processor"),
    }
    return {name: one_line(str(value)) for name, value in origin.items() if value is not None}


def _duration(run: Run) -> str | None:
    try:
        started, ended = (datetime.fromisoformat(run.attributes[name]) for name in ("started", "ended"))
        return str(ended - started)
    except (KeyError, TypeError, ValueError):
        return None  # the file says nothing that can be understood


def _versions(run: Run) -> dict[str, str]:
    return {
        name.removesuffix("_version"): str(value)
        for name, value in run.attributes.items()
        if name.endswith("_version") and name != "format_version"
    }


def _section(title: str, lines: dict[str, str]) -> str:
    width = max(map(len, lines), default=0)
    return "\n".join([title, *(f"  {one_line(name):<{width}}  {text}" for name, text in lines.items())])


def _short(value: Any) -> str:
    if isinstance(value, list):
        texts = [_short(each) for each in value]
        if len(texts) > MOST_VALUES:
            texts = [*texts[:3], "...", f"{texts[-1]} ({len(value)} values)"]
        text = ", ".join(texts)
    else:
        text = "none" if value is None else one_line(str(value))
    return text if len(text) <= MOST_CHARACTERS else f"{text[:MOST_CHARACTERS]}..."


def _variables(records: Records) -> str:
    rows = []
    for name, variable in records.variables.items():
        axes = ", ".join(f"{dim}: {records.sizes[dim]}" for dim in variable.dims)
        path = f"{variable.group}/{name}" if variable.group else name
        rows.append(
            [path, f"({axes})", _type(records, name), one_line(variable.units), one_line(variable.long_name)]
        )
    return table(["name", "dimensions", "type", "units", "what it is"], rows, indent="  ")


def _type(records: Records, name: str) -> str:
    if records.variables[name].packed:
        return "spin"  # not unpacked for the sake of its type
    dtype = records[name].dtype
    return "str" if dtype.kind == "U" else str(dtype)
