"""Both phases' statistics: exactly those of the distribution, and without bias where they are sampled."""

import numpy as np
import oracles
import pytest
from false_alarms import FALSE_ALARM, normal_p

from hopsim.evaluation.likelihood import log_likelihoods
from hopsim.learning.boltzmann_phases import (
    exact_clamped_statistics,
    exact_free_statistics,
    gradient,
    sampled_statistics,
    state_statistics,
)
from hopsim.learning.connections import random_machine
from hopsim.models.boltzmann import boltzmann_model
from hopsim.models.seeds import Stream, stream_keys
from hopsim.sampling.gibbs_chains import GibbsChains
from hopsim.sampling.threads import using_threads

TEMPERATURE = 1.3
encodings = pytest.mark.parametrize("encoding", ["01", "pm1"])


def machine(encoding, n_visible=3, n_hidden=2, seed=5):
    return random_machine(n_visible, n_hidden, encoding, weight_scale=1.0, bias_scale=0.5, seed=seed)


def some_data(model):
    spins = np.random.default_rng(3).choice(np.array([-1, 1], np.int8), (7, model.n_visible))
    return model.states(spins)


def distribution(model):
    """All states, and the probability of each with all units free."""
    states = model.states(oracles.all_states(model.n_units))
    energies = oracles.energies(model.couplings, model.bias, states)
    weights = np.exp(-(energies - energies.min()) / TEMPERATURE)
    return states, weights / weights.sum()


def clamped_distribution(model, data):
    """The probability of each state, with a data row chosen at random on the visible units."""
    states, free = distribution(model)
    weights = np.zeros(len(states))
    for row in data:
        fits = (states[:, : model.n_visible] == row).all(axis=1)
        weights += np.where(fits, free, 0.0) / free[fits].sum() / len(data)
    return weights


def moments(states, weights):
    values = states.astype(float)
    return weights @ values, values.T @ (weights[:, None] * values)


@encodings
def test_exact_phases_are_sums_over_all_states(encoding):
    """To 1e-13: sums of 32 terms of order 1 on either side."""
    model = machine(encoding)
    data = some_data(model)
    states, free = distribution(model)
    for found, weights in (
        (exact_free_statistics(model, TEMPERATURE), free),
        (exact_clamped_statistics(model, data, TEMPERATURE), clamped_distribution(model, data)),
    ):
        means, correlations = moments(states, weights)
        assert found.means == pytest.approx(means, abs=1e-13)
        assert found.correlations == pytest.approx(correlations, abs=1e-13)


@encodings
def test_the_gradient_is_the_derivative_of_the_log_likelihood(encoding):
    """Central differences of step 1e-4: their error is of order 1e-8, third derivatives being of order 1."""
    model = machine(encoding)
    data = some_data(model)
    found = gradient(
        exact_clamped_statistics(model, data, TEMPERATURE),
        exact_free_statistics(model, TEMPERATURE),
        TEMPERATURE,
    )

    def mean_log_likelihood(couplings, bias):
        changed = boltzmann_model(couplings, bias, encoding, model.n_visible)
        return log_likelihoods(changed, data, TEMPERATURE).mean()

    step = 1e-4
    for i in range(model.n_units):
        change = np.zeros(model.n_units)
        change[i] = step
        up, down = (mean_log_likelihood(model.couplings, model.bias + sign * change) for sign in (1, -1))
        assert found.bias[i] == pytest.approx((up - down) / (2 * step), abs=1e-7)
        for j in range(i):
            change = np.zeros((model.n_units, model.n_units))
            change[i, j] = change[j, i] = step
            up, down = (mean_log_likelihood(model.couplings + sign * change, model.bias) for sign in (1, -1))
            assert found.couplings[i, j] == pytest.approx((up - down) / (2 * step), abs=1e-7)
    assert np.array_equal(found.couplings, found.couplings.T)
    assert not np.diagonal(found.couplings).any()


@encodings
@pytest.mark.parametrize("phase", ["clamped", "free"])
def test_sampled_phases_are_unbiased_from_exact_states(encoding, phase):
    """Every mean and correlation after 1 and 5 sweeps, 40,000 chains; Bonferroni over the 15 components."""
    model = machine(encoding)
    data = some_data(model)
    states, weights = distribution(model)
    free_units = np.arange(model.n_units)
    if phase == "clamped":
        weights, free_units = clamped_distribution(model, data), free_units[model.n_visible :]
    n_chains = 40_000
    drawn = np.random.default_rng(8).choice(len(states), n_chains, p=weights)
    chains = GibbsChains(
        model.spin_network,
        model.spins(states[drawn]),
        stream_keys(4, Stream.CHAIN, range(n_chains)),
        temperature=TEMPERATURE,
        free=free_units,
    )
    means, correlations = moments(states, weights)
    squares = moments(states * states, weights)
    pairs = np.triu_indices(model.n_units, 1)
    expected = np.concatenate([means, correlations[pairs]])
    variances = np.concatenate([squares[0], squares[1][pairs]]) - expected**2
    for burn_in in (0, 3):
        found = sampled_statistics(chains, model, burn_in, 1)
        measured = np.concatenate([found.means, found.correlations[pairs]])
        certain = variances < 1e-12  # a product that is the same in all data rows
        assert measured[certain] == pytest.approx(expected[certain])
        z = (measured - expected)[~certain] / np.sqrt(variances[~certain] / n_chains)
        assert normal_p(np.abs(z).max()) * len(z) > FALSE_ALARM, (burn_in, z)


def test_statistics_over_sweeps_are_the_mean_of_those_of_each_sweep():
    """Burn-in left out; the states' own, in the machine's encoding."""
    model = machine("01")
    starts = np.ones((6, model.n_units), np.int8)
    keys = stream_keys(1, Stream.CHAIN, range(6))
    found = sampled_statistics(GibbsChains(model.spin_network, starts, keys), model, burn_in=2, n_sweeps=3)
    chains = GibbsChains(model.spin_network, starts, keys)
    chains.advance(2)
    states = []
    for _ in range(3):
        chains.advance(1)
        states.append(model.states(chains.spins))
    expected = state_statistics(np.concatenate(states))
    assert np.array_equal(found.means, expected.means)
    assert np.array_equal(found.correlations, expected.correlations)
    assert np.array_equal(found.correlations.diagonal(), found.means)  # x^2 = x


def test_without_hidden_units_the_clamped_phase_is_the_data():
    """To the rounding of sums of seven."""
    model = machine("01", n_visible=5, n_hidden=0)
    data = some_data(model)
    exact, own = exact_clamped_statistics(model, data), state_statistics(data)
    assert exact.means == pytest.approx(own.means, abs=1e-15)
    assert exact.correlations == pytest.approx(own.correlations, abs=1e-15)


def test_sampled_statistics_do_not_depend_on_threads():
    model = machine("pm1", 20, 20)
    starts = np.ones((64, model.n_units), np.int8)
    keys = stream_keys(1, Stream.CHAIN, range(64))
    found = []
    for n_threads in (1, None):
        with using_threads(n_threads):
            found.append(sampled_statistics(GibbsChains(model.spin_network, starts, keys), model, 3, 5))
    assert np.array_equal(found[0].correlations, found[1].correlations)
