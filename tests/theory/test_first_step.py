"""First-step errors: brute force, reference values (two evaluations of the binomial), limits, bad input."""

from itertools import product

import numpy as np
import pytest

from hopsim.errors import InputError
from hopsim.theory.first_step import (
    first_step_error,
    first_step_error_limit,
    first_step_overlap,
    first_step_tie,
)


@pytest.mark.parametrize(
    ("n_neurons", "n_patterns"), [(2, 3), (3, 3), (3, 4), (4, 3), (5, 3), (3, 5), (2, 7)]
)
def test_agrees_with_every_set_of_patterns(n_neurons, n_patterns):
    """All 2^(N P) pattern sets, fields from the couplings themselves; the fractions are exact in binary."""
    n_unstable = n_ties = n_sets = 0
    for values in product((-1, 1), repeat=n_neurons * n_patterns):
        patterns = np.array(values).reshape(n_patterns, n_neurons)
        couplings = patterns.T @ patterns
        np.fill_diagonal(couplings, 0)
        stability = patterns[0, 0] * (couplings[0] @ patterns[0])
        n_unstable += stability < 0
        n_ties += stability == 0
        n_sets += 1
    assert first_step_error(n_neurons, n_patterns) == pytest.approx(n_unstable / n_sets, rel=1e-13)
    assert first_step_tie(n_neurons, n_patterns) == pytest.approx(n_ties / n_sets, rel=1e-13)


@pytest.mark.parametrize(
    ("n_neurons", "n_patterns", "unstable", "tie"),
    [
        (100, 5, 2.860851635e-07, 0.0),
        (100, 15, 0.003904849615, 0.0),
        (120, 12, 0.0004519319096, 9.835662748e-05),
        (120, 24, 0.0108942161, 0.001147674119),
        (120, 48, 0.05429002026, 0.003008546501),
        (100, 120, 0.1784428215, 0.004849545839),
    ],
)
def test_agrees_with_the_reference(n_neurons, n_patterns, unstable, tie):
    assert first_step_error(n_neurons, n_patterns) == pytest.approx(unstable, rel=6e-10)  # ten digits
    assert first_step_tie(n_neurons, n_patterns) == pytest.approx(tie, rel=6e-10)


def test_ties_counted_half_approach_the_limit():
    n = np.array([1_000, 10_000, 100_000, 1_000_000])
    p = n * 14 // 100
    excess = first_step_error(n, p) + 0.5 * first_step_tie(n, p) - first_step_error_limit(0.14)
    assert (np.abs(n * excess) < 1.0).all()  # a correction of order 1/N
    assert (np.abs(excess[1:]) < np.abs(excess[:-1])).all()


@pytest.mark.parametrize(
    ("error", "load"), [(0.001, 0.10472), (0.0036, 0.13846), (0.01, 0.18478), (0.05, 0.36961), (0.1, 0.60887)]
)
def test_limit_at_the_textbook_error_rates(error, load):
    """Hertz, Krogh and Palmer (1991), table 2.1, with two more digits of the load."""
    slope = (first_step_error_limit(load + 1e-5) - first_step_error_limit(load - 1e-5)) / 2e-5
    assert first_step_error_limit(load) == pytest.approx(error, abs=5.5e-6 * slope)


def test_a_single_pattern_is_stable_and_a_single_neuron_has_no_field():
    assert first_step_error(10, 1) == first_step_tie(10, 1) == 0.0
    assert first_step_error(1, 5) == 0.0
    assert first_step_tie(1, 5) == 1.0
    assert first_step_error_limit(0.0) == 0.0


@pytest.mark.parametrize(
    ("overlap", "load", "after"),
    [(1.0, 0.1, 0.9984345977), (0.5, 0.1, 0.886153702), (0.5, 0.138, 0.8216828915), (1.0, 0.5, 0.8427007929)],
)
def test_first_parallel_step_agrees_with_the_reference(overlap, load, after):
    assert first_step_overlap(overlap, load) == pytest.approx(after, rel=6e-10)
    assert first_step_overlap(-overlap, load) == pytest.approx(-after, rel=6e-10)


def test_first_parallel_step_from_the_pattern_is_the_error_limit():
    load = np.linspace(0.05, 1.0, 20)
    assert np.allclose(first_step_overlap(1.0, load), 1.0 - 2.0 * first_step_error_limit(load), rtol=1e-15)
    assert first_step_overlap([0.0, 0.5], 0.0).tolist() == [0.0, 1.0]


@pytest.mark.parametrize("function", [first_step_error, first_step_tie])
@pytest.mark.parametrize("wrong", [0, -3, 2.5, np.nan, np.inf])
def test_bad_sizes_are_refused(function, wrong):
    with pytest.raises(InputError, match=r"^n_neurons: "):
        function(wrong, 3)
    with pytest.raises(InputError, match=r"^n_patterns: "):
        function(3, wrong)


def test_bad_overlaps_and_loads_are_refused():
    for wrong in (1.5, -1.1, np.nan):
        with pytest.raises(InputError, match=r"^overlap: "):
            first_step_overlap(wrong, 0.1)
    with pytest.raises(InputError, match=r"^load: "):
        first_step_overlap(0.5, -0.1)
    with pytest.raises(InputError, match=r"^load: "):
        first_step_error_limit(np.nan)
