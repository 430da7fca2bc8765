"""What commands print: tables and JSON on stdout, notes on stderr."""

import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click


def one_line(text: str) -> str:
    r"""Return `text` as one line that a terminal shows and does not obey.

    Examples
    --------
    >>> one_line("two\nlines, \x1b[31mred")
    'two lines, \\x1b[31mred'
    """
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in " ".join(text.split()))


def readable(path: Path | str) -> str:
    """Return a path as UTF-8 text, with marks for the bytes that are none."""
    return os.fsencode(path).decode(errors="replace")


def note(text: str) -> None:
    """Print a line about the run on stderr."""
    click.echo(f"hopsim: {one_line(text)}", err=True)


def print_json(result: Any) -> None:
    """Print a result as one JSON object on stdout; see `as_json`."""
    click.echo(as_json(result))


def as_json(result: Any) -> str:
    """Return a result as JSON: NaN, infinity and None are null; numpy's numbers and arrays are fine, and paths."""
    import msgspec

    return msgspec.json.encode(result, enc_hook=_plain).decode()


def _plain(value: Any) -> Any:
    if hasattr(value, "tolist"):  # of numpy
        return value.tolist()
    if isinstance(value, Path):
        return readable(value)
    raise NotImplementedError(type(value))


def table(headers: Sequence[str], rows: Sequence[Sequence[str]], indent: str = "") -> str:
    """Return a table as text: numbers to the right, words to the left, no line at the end.

    Examples
    --------
    >>> print(table(["load", "end"], [["0.1", "pattern"], ["0.12", "spurious"]]))
    load  end
     0.1  pattern
    0.12  spurious
    """
    columns = []
    for header, *cells in zip(headers, *rows, strict=True):
        width = max(len(text) for text in (header, *cells))
        right = all(_is_number(cell) for cell in cells)
        columns.append([f"{text:>{width}}" if right else f"{text:<{width}}" for text in (header, *cells)])
    return "\n".join((indent + "  ".join(line)).rstrip() for line in zip(*columns, strict=True))


def _is_number(cell: str) -> bool:
    return not cell or cell.lstrip("-")[:1] in "0123456789"


def number(value: float, digits: int = 4) -> str:
    """Return a number with `digits` decimals, and a dash for NaN.

    Examples
    --------
    >>> number(0.1379, 3), number(float("nan"))
    ('0.138', '-')
    """
    return "-" if math.isnan(value) else f"{value:z.{digits}f}"
