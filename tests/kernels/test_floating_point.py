"""The exponential of the kernels."""

import numba
import numpy as np
import pytest

from hopsim.kernels.floating_point import exponential


@numba.njit(error_model="numpy")
def fill_exponentials(x, values):
    for k in range(x.size):
        values[k] = exponential(x[k])


def exponentials_of(x):
    values = np.empty(len(x))
    fill_exponentials(np.asarray(x, float), values)
    return values


@pytest.mark.skipif(np.finfo(np.longdouble).nmant < 63, reason="needs a long double as reference")
def test_exponential_is_good_to_one_ulp():
    """Over the whole range, close to 0, and where the exponent is rounded up or down."""
    random = np.random.default_rng(1)
    halves = -(np.arange(1, 1020) + 0.5) * np.log(2.0)
    x = np.concatenate(
        [
            -random.uniform(0.0, 708.0, 200_000),
            -(2.0 ** random.uniform(-60, 9, 100_000)),
            np.ravel(halves[:, None] * (1 + np.arange(-4, 5) * 2.0**-52)),
            [0.0, -708.0],
        ]
    )
    values, exact = exponentials_of(x), np.exp(x.astype(np.longdouble))
    assert (np.abs(values - exact) <= np.spacing(values)).all()


def test_exponential_of_what_lies_below_is_zero():
    """Whatever the bits of a huge exponent would make of it."""
    below = [np.nextafter(-708.0, -np.inf), -709.0, -1e4, -1e18, -1e300, -np.inf]
    assert exponentials_of(below).tolist() == [0.0] * len(below)
    assert exponentials_of([0.0, -0.0]).tolist() == [1.0, 1.0]
