"""Storage rules: couplings against the formula summed term by term, and which patterns they make fixed points."""

import numpy as np
import oracles
import pytest
from kernel_chains import random_states

from hopsim.errors import InputError
from hopsim.learning.storage_rules import RULES, check_rule
from hopsim.models.hopfield_energy import local_fields
from hopsim.networks.hopfield_network import HopfieldNetwork

ORDERS = ("random", "replacement", "sequential", "synchronous")


def storkey_by_hand(patterns):
    """Storkey (1997), eq. 3, every sum written out; w_ii is held at 0."""
    n_neurons = patterns.shape[1]
    couplings = np.zeros((n_neurons, n_neurons))
    for x in patterns.astype(float):
        after = couplings.copy()
        for i in range(n_neurons):
            for j in range(n_neurons):
                if i != j:
                    others = [k for k in range(n_neurons) if k not in (i, j)]
                    h_ij = sum(couplings[i, k] * x[k] for k in others)
                    h_ji = sum(couplings[j, k] * x[k] for k in others)
                    after[i, j] += (x[i] * x[j] - x[i] * h_ji - h_ij * x[j]) / n_neurons
        couplings = after
    return couplings


def pseudo_inverse_by_hand(patterns):
    """(1/N) sum xi_i^mu (C^-1)_mu,nu xi_j^nu for linearly independent patterns."""
    x = patterns.astype(float)
    couplings = x.T @ np.linalg.inv(x @ x.T) @ x
    np.fill_diagonal(couplings, 0.0)
    return couplings


def store(rule, patterns):
    return RULES[rule](patterns, np.zeros(patterns.shape[1]))


def test_hebbian_couplings_are_the_definition_exactly():
    patterns = random_states(np.random.default_rng(1), 13, 31)
    assert (store("hebbian", patterns).couplings() == oracles.hebbian_couplings(patterns) / 31).all()


@pytest.mark.parametrize(
    ("rule", "by_hand"), [("storkey", storkey_by_hand), ("pseudo_inverse", pseudo_inverse_by_hand)]
)
def test_dense_couplings_agree_with_the_formula(rule, by_hand):
    """To the rounding of sums of some hundred terms of order 1; symmetric and without diagonal, exactly."""
    patterns = random_states(np.random.default_rng(2), 6, 17)
    couplings = store(rule, patterns).couplings()
    assert np.abs(couplings - by_hand(patterns)).max() < 1e-13
    assert (couplings == couplings.T).all()
    assert not np.diagonal(couplings).any()


@pytest.mark.parametrize("rule", RULES)
def test_one_pattern_is_the_same_for_all_rules(rule):
    """xi_i xi_j / N, up to rounding."""
    patterns = random_states(np.random.default_rng(3), 1, 12)
    assert np.abs(store(rule, patterns).couplings() - oracles.hebbian_couplings(patterns) / 12).max() < 1e-15


def correlated(rng, n_patterns, n_neurons):
    return np.where(rng.random((n_patterns, n_neurons)) < 0.7, 1, -1).astype(np.int8)


@pytest.mark.parametrize("draw", [random_states, correlated])
@pytest.mark.parametrize(("n_patterns", "n_neurons"), [(5, 100), (30, 100), (50, 100), (100, 200)])
def test_pseudo_inverse_patterns_are_fixed_points_whatever_their_correlations(n_patterns, n_neurons, draw):
    """Up to load 1/2: W projects, so h_i = xi_i (1 - w_ii) with w the whole projector; recalled, nothing flips."""
    patterns = draw(np.random.default_rng(4), n_patterns, n_neurons)
    network = HopfieldNetwork.store(patterns, rule="pseudo_inverse")
    projector = np.linalg.pinv(patterns.astype(float)) @ patterns
    expected = patterns * (1.0 - np.diagonal(projector))
    assert np.abs(network.local_fields(patterns) - expected).max() < 1e-12  # rounding of sums of N terms
    for order in ORDERS:
        recall = network.recall(patterns, order=order, seed=1)
        assert (recall.states == patterns).all()
        assert not recall.n_flips.any()
        assert recall.converged.all()


def test_dependent_patterns_are_stored_as_what_they_span():
    """A pattern given twice and the inverse of another change nothing, beyond rounding."""
    patterns = random_states(np.random.default_rng(5), 8, 60)
    doubled = np.concatenate([patterns, patterns[:2], -patterns[3:4]])
    couplings = store("pseudo_inverse", patterns).couplings()
    assert np.abs(store("pseudo_inverse", doubled).couplings() - couplings).max() < 1e-13


@pytest.mark.parametrize(("rule", "load"), [("hebbian", 0.02), ("storkey", 0.02), ("storkey", 0.1)])
def test_patterns_at_small_loads_are_fixed_points(rule, load):
    """N = 500; Hebb's margin at load 0.02 is 7 standard deviations of the crosstalk. Storkey's rule has more room."""
    patterns = random_states(np.random.default_rng(6), int(500 * load), 500)
    model = store(rule, patterns)
    assert (local_fields(model, patterns) * patterns > 0).all()
    for order in ORDERS:
        recall = HopfieldNetwork.from_model(model).recall(patterns, order=order, seed=2)
        assert (recall.states == patterns).all()
        assert recall.converged.all()


def test_storkey_holds_what_hebb_does_not():
    """Unstable units, 60 patterns in 400 neurons: some 0.5 % of 24,000 under Hebb's rule, far fewer with Storkey's."""
    patterns = random_states(np.random.default_rng(7), 60, 400)
    unstable = {
        rule: int((local_fields(store(rule, patterns), patterns) * patterns < 0).sum())
        for rule in ("hebbian", "storkey")
    }
    assert unstable["hebbian"] > 50
    assert unstable["storkey"] < unstable["hebbian"] / 5


def test_an_unknown_rule_is_refused():
    assert check_rule("storkey") == "storkey"
    with pytest.raises(
        InputError, match=r"^rule: expected one of hebbian, pseudo_inverse, storkey; got 'hebb'"
    ):
        check_rule("hebb")
