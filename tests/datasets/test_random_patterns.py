"""Random patterns with a mean: the mean, the overlaps that follow from it, and what is refused."""

import numpy as np
import pytest
from false_alarms import assert_plausible, normal_p

from hopsim.datasets.random_patterns import correlated_patterns
from hopsim.errors import InputError


@pytest.mark.parametrize("activity", [0.0, 0.5, -0.3, 0.9])
def test_values_have_the_mean_and_patterns_the_overlaps_asked_for(activity):
    """Independent ±1 of mean a; two patterns overlap by a^2, even and odd pairs alike."""
    patterns = correlated_patterns(1, 200, 5000, activity)
    assert patterns.shape == (200, 5000)
    assert patterns.dtype == np.int8
    assert (np.abs(patterns) == 1).all()
    spread = np.sqrt((1 - activity**2) / patterns.size)
    assert_plausible(normal_p((patterns.mean() - activity) / spread))
    products = patterns[0::2] * patterns[1::2]  # disjoint pairs: all independent
    spread = np.sqrt((1 - activity**4) / products.size)
    assert_plausible(normal_p((products.mean() - activity**2) / spread))
    neighbours = patterns[:, 0::2] * patterns[:, 1::2]
    assert_plausible(normal_p((neighbours.mean() - activity**2) / spread))


def test_extreme_means_are_constant():
    assert (correlated_patterns(1, 5, 100, 1.0) == 1).all()
    assert (correlated_patterns(1, 5, 100, -1.0) == -1).all()


def test_patterns_depend_on_the_seed_alone():
    first = correlated_patterns(2**64 - 1, 4, 300, 0.2)
    assert (first == correlated_patterns(2**64 - 1, 4, 300, 0.2)).all()
    assert (first != correlated_patterns(0, 4, 300, 0.2)).any()


@pytest.mark.parametrize("activity", [1.01, -2.0, float("nan")])
def test_impossible_means_are_refused(activity):
    with pytest.raises(InputError, match=r"^activity: expected a mean from -1 to 1"):
        correlated_patterns(1, 2, 10, activity)


def test_more_than_the_memory_is_refused():
    with pytest.raises(InputError, match=r"^n_neurons: .* need"):
        correlated_patterns(1, 10**6, 10**9)
