"""Exact results of small machines: brute force, closed forms, limits."""

import math

import numpy as np
import pytest
from small_machines import brute_force, random_machine

from hopsim.errors import InputError, Interrupted
from hopsim.evaluation.enumeration import (
    MAX_UNITS,
    enumerate_states,
    kl_divergence,
    state_probabilities,
    visible_probabilities,
)
from hopsim.models.boltzmann import boltzmann_model
from hopsim.models.lattices import edwards_anderson, ising
from hopsim.sampling.threads import using_threads
from hopsim.theory.ising import torus

ROUNDING = 1e-12  # moments: 1e-13 of the kernel's sums, and as much of the brute force's matrix products


def assert_same(found, exact, model, temperature):
    scale = 1.0 + np.abs(model.couplings).sum() + np.abs(model.bias).sum()
    energy_rounding = 1e-14 * scale  # a sum of so much in float64
    assert found.log_partition_function == pytest.approx(
        exact.log_partition_function, abs=energy_rounding / temperature
    )
    np.testing.assert_allclose(found.means, exact.means, atol=ROUNDING)
    np.testing.assert_allclose(found.correlations, exact.correlations, atol=ROUNDING)
    assert found.energy_mean == pytest.approx(exact.energy_mean, abs=100 * energy_rounding)
    assert found.entropy == pytest.approx(exact.entropy, abs=100 * energy_rounding / temperature)


@pytest.mark.parametrize("encoding", ["01", "pm1"])
@pytest.mark.parametrize("n_units", [1, 2, 5, 10, 13])
@pytest.mark.parametrize("temperature", [0.3, 1.0, 4.0])
def test_small_machines_agree_with_brute_force(encoding, n_units, temperature):
    model = random_machine(n_units, seed=1, encoding=encoding)
    assert_same(enumerate_states(model, temperature), brute_force(model, temperature), model, temperature)


@pytest.mark.parametrize("temperature", [0.05, 0.01, 1e-3, 1e-5])
def test_low_temperatures_agree_with_brute_force(temperature):
    """Log weights that differ by up to 10^6 among ten units: fewer of them are the kernel's low ones."""
    model = random_machine(12, seed=2, encoding="pm1", strength=2.0)
    assert_same(enumerate_states(model, temperature), brute_force(model, temperature), model, temperature)


def test_a_frozen_ferromagnet_has_two_states():
    """As T goes to 0 the entropy is log 2 and the energy that of the two."""
    couplings = np.ones((22, 22)) - np.eye(22)
    exact = enumerate_states(boltzmann_model(couplings, encoding="pm1"), 0.2)
    assert exact.entropy == pytest.approx(math.log(2), abs=1e-9)
    assert exact.energy_mean == pytest.approx(-231.0, rel=1e-14)
    np.testing.assert_allclose(exact.correlations, 1.0, atol=ROUNDING)
    np.testing.assert_allclose(exact.means, 0.0, atol=ROUNDING)


def test_two_machines_side_by_side():
    """23 units of two machines without couplings between them, shuffled: log Z adds up, correlations multiply."""
    first, second = random_machine(11, seed=3), random_machine(12, seed=4)
    couplings = np.zeros((23, 23))
    couplings[:11, :11], couplings[11:, 11:] = first.couplings, second.couplings
    bias = np.concatenate([first.bias, second.bias])
    order = np.random.default_rng(5).permutation(23)
    exact = enumerate_states(boltzmann_model(couplings[np.ix_(order, order)], bias[order]))
    one, other = brute_force(first), brute_force(second)
    means = np.concatenate([one.means, other.means])
    correlations = means[:, None] * means
    correlations[:11, :11], correlations[11:, 11:] = one.correlations, other.correlations
    assert exact.log_partition_function == pytest.approx(
        one.log_partition_function + other.log_partition_function, abs=ROUNDING
    )
    np.testing.assert_allclose(exact.means, means[order], atol=ROUNDING)
    np.testing.assert_allclose(exact.correlations, correlations[np.ix_(order, order)], atol=ROUNDING)
    assert exact.entropy == pytest.approx(one.entropy + other.entropy, abs=1e-11)


def test_curie_weiss_of_24_units():
    """All couplings J/N: the sum over states is one over the number of units that are up."""
    n_units, strength, field = 24, 1.3, 0.1
    couplings = strength / n_units * (np.ones((n_units, n_units)) - np.eye(n_units))
    n_up = np.arange(n_units + 1)
    sums = 2 * n_up - n_units
    logs = np.array([math.log(math.comb(n_units, k)) for k in n_up])
    logs = logs + strength / n_units * (sums**2 - n_units) / 2 + field * sums
    weights = np.exp(logs - logs.max())
    exact = enumerate_states(boltzmann_model(couplings, np.full(n_units, field), "pm1"))
    assert exact.log_partition_function == pytest.approx(logs.max() + math.log(weights.sum()), rel=1e-13)
    np.testing.assert_allclose(exact.means, weights @ sums / weights.sum() / n_units, atol=ROUNDING)


def test_the_largest_machines():
    """Curie-Weiss as above, as many units as may be."""
    couplings = 0.04 * (np.ones((MAX_UNITS, MAX_UNITS)) - np.eye(MAX_UNITS))
    n_up = np.arange(MAX_UNITS + 1)
    logs = np.array([math.log(math.comb(MAX_UNITS, k)) for k in n_up])
    logs = logs + 0.04 * ((2 * n_up - MAX_UNITS) ** 2 - MAX_UNITS) / 2
    exact = enumerate_states(boltzmann_model(couplings, encoding="pm1"))
    assert exact.log_partition_function == pytest.approx(np.logaddexp.reduce(logs), rel=1e-13)


def test_threads_change_no_bit():
    """Of 22 units, in four compiled machines."""
    model = random_machine(22, seed=6)
    with using_threads(1):
        alone = enumerate_states(model)
    both = enumerate_states(model)
    assert alone.log_partition_function == both.log_partition_function
    assert np.array_equal(alone.correlations, both.correlations)


def test_a_tick_can_stop_it():
    def stop():
        raise Interrupted

    with pytest.raises(Interrupted):
        enumerate_states(random_machine(12, seed=7), tick=stop)


def test_what_cannot_be_enumerated():
    """Too many units, with what to do instead; temperatures that are none, or at which weights are not finite."""
    with pytest.raises(InputError, match=r"at most 30 units, got 31; .*annealed importance") as caught:
        enumerate_states(boltzmann_model(np.zeros((31, 31))))
    assert caught.value.subject == "couplings"
    with pytest.raises(InputError, match="at most 20 units"):
        state_probabilities(boltzmann_model(np.zeros((21, 21))))
    model = random_machine(3, seed=8)
    for temperature in (0.0, -1.0, np.nan, np.inf, [1.0, 2.0], 1e-310):
        with pytest.raises(InputError) as caught:
            enumerate_states(model, temperature)
        assert caught.value.subject == "temperature"


@pytest.mark.parametrize("encoding", ["01", "pm1"])
def test_probabilities_are_listed_in_their_order(encoding):
    """As itertools.product lists the states; the visible ones are the first digits."""
    model = random_machine(7, seed=9, encoding=encoding, n_visible=3)
    exact = brute_force(model, 0.7)
    np.testing.assert_allclose(state_probabilities(model, 0.7), exact.probabilities, atol=ROUNDING)
    values = np.unique(exact.states)
    for k, of_state in enumerate(visible_probabilities(model, 0.7)):
        digits = values[[k >> 2 & 1, k >> 1 & 1, k & 1]]
        member = (exact.states[:, :3] == digits).all(axis=1)
        assert of_state == pytest.approx(exact.probabilities[member].sum(), abs=ROUNDING)


def test_kl_divergence():
    assert kl_divergence([0.5, 0.5, 0.0], [0.25, 0.25, 0.5]) == pytest.approx(math.log(2))
    assert kl_divergence([0.5, 0.5], [1.0, 0.0]) == math.inf
    assert kl_divergence([0.3, 0.7], [0.3, 0.7]) == 0.0
    for wrong in ([0.5, 0.6], [-0.5, 1.5], [[1.0]], [np.nan, 1.0]):
        with pytest.raises(InputError, match="sum to 1"):
            kl_divergence(wrong, [0.5, 0.5])
    with pytest.raises(InputError, match="as many states"):
        kl_divergence([1.0], [0.5, 0.5])


@pytest.mark.parametrize("encoding", ["01", "pm1"])
def test_sparse_machines_are_enumerated_as_dense_ones(encoding):
    """A spin glass's exact results, from sparse couplings and from the same as an array; an Ising torus's log Z."""
    couplings, bias = edwards_anderson((3, 3), 1, gaussian=True), np.linspace(-1, 1, 9)
    sparse, dense = (boltzmann_model(c, bias, encoding) for c in (couplings, couplings.toarray()))
    assert_same(enumerate_states(sparse, 1.3), enumerate_states(dense, 1.3), dense, 1.3)
    ferromagnet = boltzmann_model(ising((4, 4)), encoding="pm1").in_encoding(encoding)
    log_z = enumerate_states(ferromagnet, 2.0).log_partition_function + ferromagnet.energy_offset / 2.0
    assert log_z == pytest.approx(torus(4, 4, 2.0).log_partition_function, rel=1e-13)
