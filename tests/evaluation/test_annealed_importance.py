"""Annealed importance sampling against enumeration: unbiased weights, the sandwich, errors, planted faults."""

import numpy as np
import pytest
from false_alarms import assert_detected, assert_plausible, normal_p
from small_machines import brute_force, random_machine

from hopsim.errors import InputError
from hopsim.evaluation.annealed_importance import (
    annealed_importance,
    matched_bias,
    reverse_annealed_importance,
)
from hopsim.evaluation.enumeration import enumerate_states
from hopsim.models.boltzmann import boltzmann_model

N_CHAINS = 20_000  # enough for the mean weight to be normal: weights here vary by less than their mean
MACHINES = [("01", 6, 1.0, False), ("pm1", 8, 1.5, True), ("01", 10, 0.7, True), ("pm1", 14, 3.0, False)]


def drawn_states(model, temperature, n_states, seed):
    """Exact draws from a machine, and its log Z."""
    exact = brute_force(model, temperature)
    numbers = np.random.default_rng(seed).choice(len(exact.states), n_states, p=exact.probabilities)
    return exact.states[numbers], exact.log_partition_function


def deviate(estimate, log_z, direction):
    """How many standard errors the mean weight lies off the exact ratio of partition functions."""
    excess = np.expm1(direction * (estimate.log_partition_function - log_z))
    return excess / (estimate.standard_error * (1.0 + excess))


@pytest.mark.parametrize(("encoding", "n_units", "temperature", "tilted"), MACHINES)
def test_mean_weights_are_unbiased_both_ways(encoding, n_units, temperature, tilted):
    """20,000 independent chains each way, whose mean weight is the ratio of the partition functions."""
    model = random_machine(n_units, seed=1, encoding=encoding)
    states, log_z = drawn_states(model, temperature, N_CHAINS, seed=2)
    base = matched_bias(model, states[:100].mean(axis=0), temperature) if tilted else None
    options = {"base_bias": base, "temperature": temperature, "seed": 3}
    forward = annealed_importance(model, N_CHAINS, 8, **options)
    reverse = reverse_annealed_importance(model, states, 8, **options)
    for name, estimate, direction in (("forward", forward, 1.0), ("reverse", reverse, -1.0)):
        assert estimate.effective_sample_size > N_CHAINS / 2, name
        assert_plausible(normal_p(deviate(estimate, log_z, direction)), name)


def test_standard_errors_are_those_of_many_estimates():
    """200 estimates of 100 chains: squared deviates average to 1, within five of the chi-square's errors of 10 %."""
    model = random_machine(8, seed=4)
    log_z = enumerate_states(model).log_partition_function
    deviates = [deviate(annealed_importance(model, 100, 5, seed=seed), log_z, 1.0) for seed in range(200)]
    assert np.mean(np.square(deviates)) == pytest.approx(1.0, abs=0.5)


def test_the_sandwich_holds_where_annealing_is_too_fast():
    """A cold machine, three temperatures, ten chains: low on average one way, high the other, by many errors."""
    model = random_machine(10, seed=5, encoding="pm1", strength=2.0)
    temperature, n_estimates = 0.5, 100
    states, log_z = drawn_states(model, temperature, 10 * n_estimates, seed=6)
    forward, reverse = [], []
    for seed, starts in enumerate(states.reshape(n_estimates, 10, -1)):
        options = {"temperature": temperature, "seed": seed}
        forward.append(annealed_importance(model, 10, 3, **options).log_partition_function - log_z)
        reverse.append(
            reverse_annealed_importance(model, starts, 3, **options).log_partition_function - log_z
        )
    for name, errors, sign in (("forward", forward, -1.0), ("reverse", reverse, 1.0)):
        assert_detected(normal_p(np.mean(errors) / np.std(errors) * np.sqrt(n_estimates)), name)
        assert sign * np.mean(errors) > 0, name


def test_more_temperatures_and_a_better_base_help():
    """The effective sample size rises with them, and is the number of chains for a base that is the machine."""
    model = random_machine(12, seed=7, strength=2.0)
    sizes = [annealed_importance(model, 500, n, seed=8).effective_sample_size for n in (1, 10, 100)]
    assert 1.0 <= sizes[0] < sizes[1] < sizes[2] <= 500.0
    independent = boltzmann_model(np.zeros((5, 5)), [0.5, -1.0, 2.0, 0.0, 1.0])
    exact = annealed_importance(independent, 50, 4, base_bias=independent.bias, seed=9)
    assert exact.effective_sample_size == pytest.approx(50.0)
    assert exact.standard_error == pytest.approx(0.0, abs=1e-12)
    assert exact.log_partition_function == pytest.approx(np.logaddexp(0, independent.bias).sum(), abs=1e-12)


def test_a_temperature_skipped_in_the_weights_is_seen():
    """The fault planted: the path of the weights lacks one step of the chains', as if betas were one short."""
    model = random_machine(8, seed=10)
    log_z = enumerate_states(model).log_partition_function
    betas = np.linspace(0.0, 1.0, 9)
    right = annealed_importance(model, N_CHAINS, betas=betas, seed=11)
    assert_plausible(normal_p(deviate(right, log_z, 1.0)))
    # a machine of 7/8 of the couplings and biases is where a path without its last step ends
    shorter = boltzmann_model(model.couplings * betas[-2], model.bias * betas[-2], model.encoding)
    skipped = annealed_importance(shorter, N_CHAINS, betas=betas[:-1] / betas[-2], seed=11)
    assert_detected(normal_p(deviate(skipped, log_z, 1.0)), "a skipped temperature")


def test_chains_are_those_of_their_seed():
    """The first chains of many are the few; another seed gives others."""
    model = random_machine(9, seed=12)
    many = annealed_importance(model, 40, 6, seed=13)
    few = annealed_importance(model, 15, 6, seed=13)
    assert np.array_equal(many.log_weights[:15], few.log_weights)
    assert not np.array_equal(many.log_weights[:15], annealed_importance(model, 15, 6, seed=14).log_weights)


def test_matched_bias_gives_its_means():
    """Also at the ends of the range, a thousandth off."""
    means = np.array([0.2, 0.5, 0.9, 1.0])
    for encoding, targets in (("01", means), ("pm1", 2 * means - 1)):
        model = boltzmann_model(np.zeros((4, 4)), encoding=encoding)
        biased = boltzmann_model(model.couplings, matched_bias(model, targets, 0.7), encoding)
        found = enumerate_states(biased, 0.7).means
        width = 1.0 if encoding == "01" else 2.0
        np.testing.assert_allclose(found, np.minimum(targets, 1 - 0.001 * width), atol=1e-12)


def test_wrong_parameters_are_named():
    model = random_machine(4, seed=15)
    for subject, options in (
        ("n_chains", {"n_chains": 1}),
        ("n_temperatures", {"n_temperatures": 0}),
        ("betas", {"betas": [0.0, 0.5]}),
        ("betas", {"betas": [0.0, 0.5, 0.5, 1.0]}),
        ("base_bias", {"base_bias": [0.0]}),
        ("temperature", {"temperature": 0.0}),
        ("seed", {"seed": -1}),
    ):
        with pytest.raises(InputError) as caught:
            annealed_importance(model, **{"n_chains": 10, "n_temperatures": 2, **options})
        assert caught.value.subject == subject
    with pytest.raises(InputError, match="at least 2 states"):
        reverse_annealed_importance(model, [0, 1, 0, 1])
    with pytest.raises(InputError, match="means of units"):
        matched_bias(model, [0.5, 0.5, 0.5, 1.5])
