"""Mean-field phases: fixed points they are, exact where mean-field theory is, and what they lose is seen."""

import numpy as np
import pytest

from hopsim.evaluation.enumeration import enumerate_states
from hopsim.learning.connections import random_machine
from hopsim.learning.mean_field import (
    TOLERANCE,
    fixed_points,
    independent_means,
    mean_statistics,
)
from hopsim.models.boltzmann import boltzmann_model

encodings = pytest.mark.parametrize("encoding", ["01", "pm1"])


def right_side(model, means, temperature):
    fields = (means @ model.couplings + model.bias) / temperature
    return np.tanh(fields) if model.encoding == "pm1" else 1 / (1 + np.exp(-fields))


@encodings
def test_converged_means_solve_their_equations(encoding):
    """An iteration moves no mean by more than the tolerance, so the equations hold to twice that."""
    model = random_machine(5, 4, encoding, weight_scale=0.5, bias_scale=1.0, seed=2)
    starts = np.repeat(independent_means(model, 1.5)[None], 3, axis=0)
    starts[1] += 0.1
    found = fixed_points(model, starts, temperature=1.5)
    assert found.converged.all()
    assert np.abs(found.means - right_side(model, found.means, 1.5)).max() <= 2.01 * TOLERANCE


@encodings
def test_clamped_units_keep_their_values(encoding):
    model = random_machine(3, 4, encoding, weight_scale=1.0, seed=2)
    starts = np.full((2, 7), 0.25)
    starts[:, :3] = [[1, 1, 1], [1, 0, 1]] if encoding == "01" else [[1, 1, 1], [1, -1, 1]]
    found = fixed_points(model, starts, 3)
    assert found.converged.all()
    assert np.array_equal(found.means[:, :3], starts[:, :3])
    assert np.abs(found.means - right_side(model, found.means, 1.0))[:, 3:].max() <= 2.01 * TOLERANCE


@encodings
def test_mean_field_is_exact_without_couplings(encoding):
    """To some times the iteration's tolerance of 1e-10."""
    model = boltzmann_model(np.zeros((3, 3)), [0.3, -1.0, 2.0], encoding)
    found = fixed_points(model, np.zeros((1, 3)), temperature=0.7)
    exact = enumerate_states(model, 0.7)
    statistics = mean_statistics(found.means, encoding)
    assert statistics.means == pytest.approx(exact.means, abs=1e-9)
    assert statistics.correlations == pytest.approx(exact.correlations, abs=1e-9)


def test_what_has_not_converged_is_said():
    """Without damping, strong negative couplings of ±1 units make the parallel iteration alternate."""
    model = boltzmann_model(-5.0 * (1 - np.eye(4)), None, "pm1")
    starts = np.full((1, 4), 0.5)
    assert not fixed_points(model, starts, damping=0.0, most_iterations=200).converged.any()
    damped = fixed_points(model, starts, damping=0.9)
    assert damped.converged.all()
    assert damped.n_iterations[0] > 1


def test_starts_from_two_modes_keep_the_correlation_that_one_fixed_point_loses():
    """Two strongly coupled ±1 units: exactly <s s'> = tanh(2); one fixed point 0 has none, two modes have it."""
    model = boltzmann_model([[0, 2], [2, 0]], None, "pm1")
    centre = fixed_points(model, np.zeros((1, 2)))
    modes = fixed_points(model, np.array([[1.0, 1.0], [-1.0, -1.0]]))
    assert mean_statistics(centre.means, "pm1").correlations[0, 1] == 0.0
    found = mean_statistics(modes.means, "pm1")
    assert found.means == pytest.approx([0.0, 0.0], abs=1e-9)
    assert found.correlations[0, 1] == pytest.approx(modes.means[0, 0] ** 2)
    assert found.correlations[0, 1] > 0.9
