"""Values of options: numbers, lists and ranges, and what is said of wrong ones."""

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hopsim_cli.options import FRACTION, POSITIVE_INTEGER, Number, Numbers

LOADS = Numbers(Number(0))
SIZES = Numbers(POSITIVE_INTEGER)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("0.1", (0.1,)),
        ("0.05:0.20:0.05", (0.05, 0.1, 0.15, 0.2)),
        ("0.05,0.1:0.12:0.01", (0.05, 0.1, 0.11, 0.12)),
        ("0.1:0.1:1", (0.1,)),
        ("0:1:0.4", (0.0, 0.4, 0.8)),
        (" 1e-3 , 2 ", (0.001, 2.0)),
    ],
)
def test_lists_and_ranges_mean_the_decimals_that_are_written(text, values):
    assert LOADS.convert(text, None, None) == values


@given(start=st.integers(0, 2000), n_steps=st.integers(0, 300), step=st.integers(1, 50))
def test_a_range_includes_its_stop_without_rounding(start, n_steps, step):
    """In floats, 0.1 + 0.005 i leaves the decimal grid and may miss the stop."""
    stop = start + n_steps * step
    values = LOADS.convert(f"{start / 1000}:{stop / 1000}:{step / 1000}", None, None)
    assert values == tuple((start + i * step) / 1000 for i in range(n_steps + 1))


def test_integers_may_have_exponents_and_ranges():
    assert SIZES.convert("1000,2e3,3000:4000:500", None, None) == (1000, 2000, 3000, 3500, 4000)
    assert all(isinstance(size, int) for size in SIZES.convert("1e6", None, None))


@pytest.mark.parametrize(
    ("kind", "text", "problem"),
    [
        (POSITIVE_INTEGER, "0", "expected a whole number, 1 or larger, got '0'"),
        (POSITIVE_INTEGER, "1.5", "expected a whole number, 1 or larger, got '1.5'"),
        (POSITIVE_INTEGER, "1e300", "expected a whole number, 1 or larger, got '1e300'"),
        (POSITIVE_INTEGER, "", "expected a whole number, 1 or larger, got ''"),
        (FRACTION, "1.01", "expected a number from 0 to 1, got '1.01'"),
        (FRACTION, "nan", "expected a number from 0 to 1, got 'nan'"),
        (FRACTION, "sNaN", "expected a number from 0 to 1, got 'sNaN'"),
        (Number(0), "inf", "expected a number, 0 or larger, got 'inf'"),
        (Number(0), "1e999", "expected a number, 0 or larger, got '1e999'"),
        (Number(0), "-0.1", "expected a number, 0 or larger, got '-0.1'"),
        (LOADS, "0.1,,0.2", "expected a number, 0 or larger, or several"),
        (LOADS, "0.1:0.2", "expected a range as 'start:stop:step', got '0.1:0.2'"),
        (LOADS, "0.2:0.1:0.1", "expected 'start:stop:step' with start <= stop and step > 0"),
        (LOADS, "0.1:0.2:0", "expected 'start:stop:step' with start <= stop and step > 0"),
        (LOADS, "0:1:1e-999999", "expected 'start:stop:step' with start <= stop and step > 0"),
        (LOADS, "0:1:1e-12", "'0:1:1e-12' has more than 100000 values"),
        (LOADS, "0:1:1e-5,2:3:1e-5", "more than 100000 values"),
        (LOADS, "0.1:0.3:nan", "expected a number, 0 or larger, or several"),
        (LOADS, "0.1,0.05:0.1:0.05", "0.1 is given twice"),
        (SIZES, "1000,1e3", "1000 is given twice"),
        (SIZES, "1:2:0.5", "expected a whole number, 1 or larger"),
    ],
)
def test_wrong_values_are_refused_with_what_is_expected(kind, text, problem):
    with pytest.raises(click.BadParameter) as refusal:
        kind.convert(text, None, None)
    assert refusal.value.message.startswith(problem)
