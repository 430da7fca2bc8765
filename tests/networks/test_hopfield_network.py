"""HopfieldNetwork: energies, fields and overlaps by definition; recalls that depend on their seed alone; bad input."""

import warnings

import numpy as np
import oracles
import pytest
from kernel_chains import random_states, start_states

import hopsim
from hopsim.errors import InputError
from hopsim.networks.hopfield_network import HopfieldNetwork

ORDERS = ("random", "replacement", "sequential", "synchronous")
RULES = ("hebbian", "pseudo_inverse", "storkey")
FIELDS = ("states", "overlaps", "energies", "n_sweeps", "n_flips", "converged", "period")


def patterns_and_starts(n_neurons=80, n_patterns=9, seed=1):
    rng = np.random.default_rng(seed)
    patterns = random_states(rng, n_patterns, n_neurons)
    return patterns, start_states(patterns, rng)


def assert_same_recall(first, second):
    for name in FIELDS:
        assert (getattr(first, name) == getattr(second, name)).all(), name


# -- definitions --


@pytest.mark.parametrize(
    ("n_patterns", "n_neurons"), [(1, 1), (2, 2), (3, 17), (9, 80), (70, 130), (600, 33)]
)
def test_hebbian_observables_are_the_definition_exactly(n_patterns, n_neurons):
    """N h, N E and N m are integers: divided by N they are the same floats, bit for bit."""
    patterns, states = patterns_and_starts(n_neurons, n_patterns)
    network = HopfieldNetwork.store(patterns)
    couplings = oracles.hebbian_couplings(patterns)  # N W
    assert (network.couplings == couplings / n_neurons).all()
    assert (network.local_fields(states) == states.astype(float) @ couplings / n_neurons).all()
    assert (
        network.energy(states) == oracles.energies(couplings, np.zeros(n_neurons), states) / n_neurons
    ).all()
    sums = n_neurons - 2 * oracles.distances(patterns, states)
    # 1 - 2 d/N and (N - 2 d)/N may differ in the last bit
    assert np.abs(network.overlaps(states) - sums / n_neurons).max() <= np.finfo(float).eps
    assert (network.patterns == patterns).all()
    assert (network.n_patterns, network.n_neurons) == patterns.shape


@pytest.mark.parametrize("rule", RULES)
def test_observables_with_biases_are_the_definition_up_to_rounding(rule):
    """Sums of N terms of order 1 (N = 80): rounding is far below 1e-12."""
    patterns, states = patterns_and_starts()
    bias = np.random.default_rng(2).normal(size=80)
    network = HopfieldNetwork.store(patterns, rule=rule, bias=bias)
    couplings = network.couplings
    fields = states.astype(float) @ couplings + bias
    assert np.abs(network.local_fields(states) - fields).max() < 1e-12
    assert np.abs(network.energy(states) - oracles.energies(couplings, bias, states)).max() < 1e-12
    assert np.abs(network.overlaps(states) - states.astype(float) @ patterns.T / 80).max() < 1e-15
    assert (network.bias == bias).all()
    assert (network.patterns == patterns).all()


def test_given_couplings_have_no_patterns():
    network = HopfieldNetwork([[0.0, 0.3], [0.3, 0.0]])
    assert network.n_patterns == 0
    assert network.patterns.shape == (0, 2)
    assert network.overlaps([1, 1]).shape == (1, 0)
    assert network.recall([1, -1], seed=1, trajectory=True).trajectory.overlaps.shape[2] == 0


def test_a_single_state_is_one_row():
    patterns, _ = patterns_and_starts()
    network = HopfieldNetwork.store(patterns.tolist())
    assert network.energy(patterns[0]).shape == (1,)
    assert network.local_fields(list(patterns[0])).shape == (1, 80)
    assert network.recall(patterns[0], seed=1).states.shape == (1, 80)


# -- recalls --


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("temperature", [0.0, 0.4])
@pytest.mark.parametrize("biased", [False, True])
def test_a_network_of_the_couplings_recalls_alike_bit_for_bit(biased, temperature, order):
    """Packed patterns against the int16 matrix of the same integers; energies with real biases up to rounding."""
    patterns, states = patterns_and_starts()
    bias = np.random.default_rng(3).normal(size=80) / 4 if biased else None
    packed = HopfieldNetwork.store(patterns, bias=bias)
    dense = HopfieldNetwork(packed.couplings, bias=bias)
    assert dense.model.matrix.dtype == np.int16
    options = {"temperature": temperature, "order": order, "max_sweeps": 25, "seed": 4}
    first, second = packed.recall(states, **options), dense.recall(states, **options)
    for name in ("states", "energies", "n_sweeps", "n_flips", "converged", "period"):
        assert (getattr(first, name) == getattr(second, name)).all(), name


@pytest.mark.parametrize("rule", ["pseudo_inverse", "storkey"])
def test_dense_rules_recall_as_their_matrix_does(rule):
    patterns, states = patterns_and_starts()
    network = HopfieldNetwork.store(patterns, rule=rule)
    again = HopfieldNetwork(network.couplings)
    for order in ORDERS:
        first, second = network.recall(states, order=order, seed=1), again.recall(states, order=order, seed=1)
        assert (first.states == second.states).all()
        assert (first.energies == second.energies).all()


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("temperature", [0.0, 0.4])
@pytest.mark.parametrize("rule", ["hebbian", "storkey"])
def test_same_seed_same_bits_for_any_threads_and_batches(rule, temperature, order):
    """One thread, two, and trials in three batches of unequal size; another seed gives another recall."""
    patterns, states = patterns_and_starts(n_patterns=16)
    network = HopfieldNetwork.store(patterns, rule=rule)
    options = {"temperature": temperature, "order": order, "max_sweeps": 20, "trajectory": "observables"}
    whole = network.recall(states, seed=7, threads=1, **options)
    assert whole.seed == 7
    assert_same_recall(whole, network.recall(states, seed=7, threads=2, **options))
    for first, last in ((0, 1), (1, 4), (4, len(states))):
        part = network.recall(states[first:last], seed=7, first_trial=first, **options)
        for name in FIELDS:
            assert (getattr(part, name) == getattr(whole, name)[first:last]).all(), name
    if temperature > 0.0:
        other = network.recall(states, seed=8, **options)
        assert (other.states != whole.states).any()


def test_a_recall_without_a_seed_can_be_done_again():
    patterns, states = patterns_and_starts()
    network = HopfieldNetwork.store(patterns)
    first = network.recall(states, temperature=0.5, max_sweeps=5)
    assert_same_recall(first, network.recall(states, temperature=0.5, max_sweeps=5, seed=first.seed))
    assert network.recall(states, temperature=0.5, max_sweeps=5).seed != first.seed


@pytest.mark.parametrize("order", ORDERS)
def test_what_a_recall_says_of_its_end_is_true(order):
    """Fixed points have no unit against its field; sweeps at the limit are no convergence; energies and overlaps
    belong to the states.
    """
    patterns, states = patterns_and_starts(n_neurons=300, n_patterns=60)
    network = HopfieldNetwork.store(patterns)
    recall = network.recall(states, order=order, seed=1)
    at_rest = recall.states[recall.converged]
    assert len(at_rest) > 0
    assert (network.local_fields(at_rest) * at_rest >= 0).all()
    assert (recall.energies == network.energy(recall.states)).all()
    assert (recall.overlaps == network.overlaps(recall.states)).all()
    assert ((recall.period == 1) == recall.converged).all()
    assert (recall.n_flips >= (recall.states != states).sum(axis=1)).all()
    stopped = network.recall(states[-2:], order=order, max_sweeps=1, seed=1)  # random states: far from rest
    assert not stopped.converged.any()
    assert not stopped.period.any()
    assert stopped.n_sweeps.tolist() == [1, 1]


def test_nothing_converges_at_a_temperature():
    patterns, _ = patterns_and_starts()
    recall = HopfieldNetwork.store(patterns).recall(patterns, temperature=1e-9, max_sweeps=12, seed=1)
    assert not recall.converged.any()
    assert (recall.n_sweeps == 12).all()


# -- trajectories --


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("temperature", [0.0, 0.4])
@pytest.mark.parametrize("rule", ["hebbian", "storkey"])
def test_a_trajectory_is_what_shorter_recalls_end_in(rule, temperature, order):
    """At each time t: the state of a recall of at most t sweeps, its flips, the definitions of E and m; recording
    changes nothing.
    """
    patterns, states = patterns_and_starts(n_neurons=60, n_patterns=8)
    network = HopfieldNetwork.store(patterns, rule=rule)
    options = {"temperature": temperature, "order": order, "seed": 5}
    recall = network.recall(states, max_sweeps=8, trajectory=True, **options)
    kept = recall.trajectory
    n_times = kept.states.shape[1]
    assert n_times == (9 if temperature > 0.0 else recall.n_sweeps.max() + 1)
    assert_same_recall(recall, network.recall(states, max_sweeps=8, **options))
    assert (kept.states[:, 0] == states).all()
    assert not kept.n_flips[:, 0].any()
    flips_so_far = np.cumsum(kept.n_flips, axis=1)
    for t in range(1, n_times):
        shorter = network.recall(states, max_sweeps=t, **options)
        running = recall.n_sweeps >= t  # later times are continued, see below
        assert (kept.states[running, t] == shorter.states[running]).all()
        assert (flips_so_far[running, t] == shorter.n_flips[running]).all()
    for t in range(n_times):
        assert (kept.overlaps[:, t] == network.overlaps(kept.states[:, t])).all()
        difference = np.abs(kept.energies[:, t] - network.energy(kept.states[:, t])).max()
        assert difference == 0.0 if rule == "hebbian" else difference < 1e-12
    changed = (kept.states[:, 1:] != kept.states[:, :-1]).sum(axis=2)
    if order == "replacement":  # a unit may flip twice in a sweep
        assert ((kept.n_flips[:, 1:] - changed >= 0) & ((kept.n_flips[:, 1:] - changed) % 2 == 0)).all()
    else:
        assert (kept.n_flips[:, 1:] == changed).all()


def test_trials_at_rest_stay_while_others_run():
    """A pattern beside random states, asynchronous: one constant row, no flips, as long as the longest."""
    patterns, states = patterns_and_starts(n_neurons=200, n_patterns=30)
    both = np.concatenate([patterns[:1], states[-3:]])
    network = HopfieldNetwork.store(patterns[:10])
    recall = network.recall(both, seed=1, trajectory=True)
    assert recall.n_sweeps[0] == 1
    assert recall.trajectory.states.shape[1] == recall.n_sweeps.max() + 1 > 2
    assert (recall.trajectory.states[0] == patterns[0]).all()
    assert not recall.trajectory.n_flips[0].any()
    assert (recall.trajectory.states[:, -1] == recall.states).all()


def test_two_cycles_alternate_to_the_end_of_the_trajectory():
    """Two ferromagnetic units started opposite swap forever; beside a slow trial they go on doing so in the record."""
    rng = np.random.default_rng(6)
    couplings = np.zeros((42, 42))
    block = np.triu(rng.normal(size=(40, 40)), 1)
    couplings[2:, 2:] = block + block.T
    couplings[0, 1] = couplings[1, 0] = 3.0
    states = random_states(rng, 12, 42)
    states[:, :2] = [1, -1]
    network = HopfieldNetwork(couplings)
    recall = network.recall(states, order="synchronous", seed=1, trajectory=True)
    kept = recall.trajectory
    assert (recall.period == 2).all()
    assert not recall.converged.any()
    assert len(set(recall.n_sweeps.tolist())) > 1
    swapping = np.where(np.arange(kept.states.shape[1]) % 2, -1, 1)
    assert (kept.states[:, :, 0] == swapping).all()
    assert (kept.states[:, :, 1] == -swapping).all()
    for t in range(1, kept.states.shape[1]):  # every step recorded or continued is the dynamics' own
        fields = network.local_fields(kept.states[:, t - 1])
        assert (kept.states[:, t] == np.sign(fields)).all()
        assert (kept.n_flips[:, t] == (kept.states[:, t] != kept.states[:, t - 1]).sum(axis=1)).all()


def test_observables_alone_are_those_of_the_whole_trajectory():
    patterns, states = patterns_and_starts()
    network = HopfieldNetwork.store(patterns)
    whole = network.recall(states, seed=1, trajectory=True).trajectory
    part = network.recall(states, seed=1, trajectory="observables").trajectory
    assert part.states is None
    for name in ("overlaps", "energies", "n_flips"):
        assert (getattr(part, name) == getattr(whole, name)).all()
    assert network.recall(states, seed=1).trajectory is None


# -- bad input --

GOOD = hopsim.HopfieldNetwork.store([[1, 1, -1, -1], [1, -1, 1, -1]])
MATRIX = np.array([[0.0, 0.5], [0.5, 0.0]])


def with_entry(i, j, value):
    matrix = MATRIX.copy()
    matrix[i, j] = value
    return matrix


@pytest.mark.parametrize(
    ("subject", "call"),
    [
        ("patterns", lambda: HopfieldNetwork.store([[1, 1, 1], [1, 1]])),
        ("patterns", lambda: HopfieldNetwork.store([1, -1, 1])),
        ("patterns", lambda: HopfieldNetwork.store([])),
        ("patterns", lambda: HopfieldNetwork.store(np.zeros((0, 5)))),
        ("patterns", lambda: HopfieldNetwork.store(np.zeros((5, 0)))),
        ("patterns", lambda: HopfieldNetwork.store([[1, 0, 1]])),
        ("patterns", lambda: HopfieldNetwork.store([[1, 2, 1]])),
        ("patterns", lambda: HopfieldNetwork.store([[1, np.nan, 1]])),
        ("patterns", lambda: HopfieldNetwork.store([["1", "-1"]])),
        ("patterns", lambda: HopfieldNetwork.store(None)),
        ("rule", lambda: HopfieldNetwork.store([[1, -1]], rule="hebb")),
        ("bias", lambda: HopfieldNetwork.store([[1, -1]], bias=[0.0, np.nan])),
        ("bias", lambda: HopfieldNetwork.store([[1, -1]], bias=[0.0])),
        ("bias", lambda: HopfieldNetwork(MATRIX, bias=[0.0, np.inf])),
        ("couplings", lambda: HopfieldNetwork(with_entry(0, 1, 0.6))),
        ("couplings", lambda: HopfieldNetwork(with_entry(1, 1, 0.1))),
        ("couplings", lambda: HopfieldNetwork(with_entry(0, 1, np.nan))),
        ("couplings", lambda: HopfieldNetwork(MATRIX[:1])),
        ("couplings", lambda: HopfieldNetwork(np.zeros((0, 0)))),
        ("states", lambda: GOOD.recall([1, 1, 1])),
        ("states", lambda: GOOD.recall([[1, 1, 1, 1], [1, 1]])),
        ("states", lambda: GOOD.recall([1, 1, 0, 1])),
        ("states", lambda: GOOD.recall([1, 1, np.nan, 1])),
        ("states", lambda: GOOD.recall(np.zeros((0, 4)))),
        ("states", lambda: GOOD.energy([1, 1, 1, 1, 1])),
        ("states", lambda: GOOD.local_fields([1, 1, 1, 3])),
        ("states", lambda: GOOD.overlaps([[[1, 1, 1, 1]]])),
        ("temperature", lambda: GOOD.recall([1, 1, 1, 1], temperature=-0.1)),
        ("temperature", lambda: GOOD.recall([1, 1, 1, 1], temperature=np.nan)),
        ("temperature", lambda: GOOD.recall([1, 1, 1, 1], temperature=np.inf)),
        ("order", lambda: GOOD.recall([1, 1, 1, 1], order="parallel")),
        ("max_sweeps", lambda: GOOD.recall([1, 1, 1, 1], max_sweeps=0)),
        ("max_sweeps", lambda: GOOD.recall([1, 1, 1, 1], max_sweeps=1.5)),
        ("max_sweeps", lambda: GOOD.recall([1, 1, 1, 1], max_sweeps=np.nan)),
        ("first_trial", lambda: GOOD.recall([1, 1, 1, 1], first_trial=-1)),
        ("seed", lambda: GOOD.recall([1, 1, 1, 1], seed=-1)),
        ("seed", lambda: GOOD.recall([1, 1, 1, 1], seed=2**64)),
        ("seed", lambda: GOOD.recall([1, 1, 1, 1], seed=0.5)),
        ("threads", lambda: GOOD.recall([1, 1, 1, 1], threads=0)),
        ("threads", lambda: GOOD.recall([1, 1, 1, 1], threads=100_000)),
    ],
)
def test_bad_input_is_refused_by_the_name_of_its_parameter(subject, call):
    """One line that begins with the parameter, and no warning before it."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(InputError, match=f"^{subject}: ") as caught:
            call()
    assert caught.value.subject == subject
    assert "\n" not in str(caught.value)
