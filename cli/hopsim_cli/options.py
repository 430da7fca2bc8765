"""Options that have the same name in every command, and the types of their values."""

import decimal
import functools
import math
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import click

MAX_VALUES = 100_000  # of one list or range
MAX_INTEGER = 2**63 - 1


class Output(NamedTuple):
    """Where results go: what `output_options` collects.

    Attributes
    ----------
    path : Path or None
        The file to write, from ``--out``.
    force : bool
        Overwrite it.
    quiet : bool
        No progress and no notes on stderr; results and errors are printed all the same.
    json : bool
        Print the result as one JSON object.
    """

    path: Path | None
    force: bool
    quiet: bool
    json: bool


def output_options(command: Callable) -> Callable:
    """Add ``--out --force --quiet --json``; the command gets them as one parameter `output`, an `Output`."""

    @click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="HDF5 file to write.")
    @click.option("--force", is_flag=True, help="Overwrite the file.")
    @click.option("--quiet", is_flag=True, help="No progress and no notes.")
    @click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON object.")
    @functools.wraps(command)
    def collect(*, out: Path | None, force: bool, quiet: bool, as_json: bool, **options: Any) -> Any:
        return command(output=Output(out, force, quiet, as_json), **options)

    return collect


class Number(click.ParamType):
    """One number; NaN and infinity are none.

    Parameters
    ----------
    minimum, maximum : float, optional
        The least and the largest allowed.
    integer : bool
        Whole numbers only; ``1e6`` is one.
    """

    def __init__(
        self, minimum: float | None = None, maximum: float | None = None, *, integer: bool = False
    ) -> None:
        self.minimum = -math.inf if minimum is None else minimum
        self.maximum = (MAX_INTEGER if integer else math.inf) if maximum is None else maximum
        self.integer = integer
        self.name = "integer" if integer else "number"
        kind = "a whole number" if integer else "a number"
        if minimum is not None and maximum is not None:
            self.expected = f"{kind} from {minimum} to {maximum}"
        elif minimum is not None:
            self.expected = f"{kind}, {minimum} or larger"
        else:
            self.expected = kind

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return an int or a float; defaults pass the same checks."""
        number = self.allowed(str(value))
        if number is None:
            self.fail(f"expected {self.expected}, got {str(value)!r}", param, ctx)
        return self.plain(number)

    def allowed(self, text: str) -> Decimal | None:
        """Return the number, or None if it is none or not allowed."""
        try:
            number = Decimal(text.strip())
        except decimal.InvalidOperation:
            return None
        if not (number.is_finite() and math.isfinite(float(number))):
            return None
        if not self.minimum <= number <= self.maximum or (self.integer and number != int(number)):
            return None
        return number

    def plain(self, number: Decimal) -> int | float:
        """Return an allowed number as int or float."""
        return int(number) if self.integer else float(number)


class Numbers(click.ParamType):
    """Numbers with commas between, each maybe a range: ``0.05,0.1:0.12:0.01`` is 0.05, 0.1, 0.11, 0.12.

    A range ``start:stop:step`` includes stop and is computed in decimal. The command gets a tuple, in the
    order given; a number given twice is an error.

    Parameters
    ----------
    number : Number
        What each may be.
    """

    def __init__(self, number: Number) -> None:
        self.number = number
        self.name = "list or range"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return a tuple of int or of float."""
        if isinstance(value, tuple):
            return value
        numbers: list[Decimal] = []
        for part in value.split(","):
            numbers += self._range(part, param, ctx) if ":" in part else [self._one(part, param, ctx)]
            if len(numbers) > MAX_VALUES:
                self.fail(f"more than {MAX_VALUES} values", param, ctx)
        values = tuple(self.number.plain(number) for number in numbers)
        if len(set(values)) < len(values):
            twice = next(x for i, x in enumerate(values) if x in values[:i])
            self.fail(f"{twice} is given twice", param, ctx)
        return values

    def _one(self, text: str, param: click.Parameter | None, ctx: click.Context | None) -> Decimal:
        number = self.number.allowed(text)
        if number is None:
            self.fail(
                f"expected {self.number.expected}, or several as 'a,b,c' or 'start:stop:step', got {text!r}",
                param,
                ctx,
            )
        return number

    def _range(self, text: str, param: click.Parameter | None, ctx: click.Context | None) -> list[Decimal]:
        parts = text.split(":")
        if len(parts) != 3:
            self.fail(f"expected a range as 'start:stop:step', got {text!r}", param, ctx)
        start, stop, step = (self._one(part, param, ctx) for part in parts)
        if float(step) <= 0 or stop < start:
            self.fail(f"expected 'start:stop:step' with start <= stop and step > 0, got {text!r}", param, ctx)
        if (stop - start) / step > MAX_VALUES:
            self.fail(f"{text!r} has more than {MAX_VALUES} values", param, ctx)
        return [start + i * step for i in range(int((stop - start) / step) + 1)]


POSITIVE_INTEGER = Number(1, integer=True)
FRACTION = Number(0, 1)
TEMPERATURE = Number(0)

seed_option = click.option(
    "--seed",
    type=Number(0, 2**64 - 1, integer=True),
    help="Same seed, same numbers.  [default: drawn, and recorded]",
)
threads_option = click.option(
    "--threads", type=POSITIVE_INTEGER, help="Threads to use.  [default: all that the machine has]"
)
