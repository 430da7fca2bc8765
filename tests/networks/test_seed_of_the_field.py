"""Where the field began: two patterns in four neurons, worked out by hand; and patterns that share a mean."""

import itertools

import numpy as np
import pytest
from false_alarms import assert_plausible, normal_p

from hopsim.datasets.random_patterns import correlated_patterns
from hopsim.networks.hopfield_network import HopfieldNetwork

STATES = list(itertools.product((-1, 1), repeat=4))
PATTERNS = [(1, 1, -1, -1), (1, -1, 1, -1)]

# N W, by hand: the patterns agree on neurons 0 and 3 and differ on 1 and 2, so that the terms cancel but for the
# pairs (0, 3) and (1, 2), which are opposite in both patterns:
N_COUPLINGS = [
    [0, 0, 0, -2],
    [0, 0, -2, 0],
    [0, -2, 0, 0],
    [-2, 0, 0, 0],
]

# The network is two pairs of neurons that want to be opposite. A field is -s_partner/2, never 0: without a bias there
# are no ties. In sequential order neurons 0 and 1 go first and become the opposites of 3 and 2, which are then content:
#   (s0, s1, s2, s3) -> (-s3, -s2, s2, s3)
# So the second half of the state decides, and it ends in a pattern or the inverse of one:
ENDS = {
    (-1, -1): (1, 1, -1, -1),  # the first pattern
    (1, -1): (1, -1, 1, -1),  # the second
    (-1, 1): (-1, 1, -1, 1),  # inverse of the second
    (1, 1): (-1, -1, 1, 1),  # inverse of the first
}


def network(bias=None):
    return HopfieldNetwork.store(PATTERNS, bias=bias)


def test_couplings_by_hand():
    assert (4 * network().couplings == N_COUPLINGS).all()


@pytest.mark.parametrize("start", STATES)
def test_every_start_by_hand_in_sequential_order(start):
    """All 16 states: end, flips, sweeps (one that flips and one that proves rest, or the proof alone), energy."""
    recall = network().recall(start, order="sequential", seed=1)
    end = ENDS[start[2:]]
    n_flips = (start[0] == start[3]) + (start[1] == start[2])
    assert tuple(recall.states[0]) == end
    assert recall.n_flips[0] == n_flips
    assert recall.n_sweeps[0] == (2 if n_flips else 1)
    assert recall.converged[0]
    assert network().energy(start)[0] == (start[0] * start[3] + start[1] * start[2]) / 2
    assert recall.energies[0] == -1.0  # both pairs opposite: (-1 - 1)/2


@pytest.mark.parametrize(
    ("pattern", "flipped", "end"),
    [
        (0, 0, (1, 1, -1, -1)),  # neurons 0 and 1 are repaired by their partners, which are right
        (0, 1, (1, 1, -1, -1)),
        (0, 2, (1, -1, 1, -1)),  # s2 = +1: neuron 1 goes first and follows the error, into the other pattern
        (0, 3, (-1, 1, -1, 1)),  # s3 = +1: neuron 0 follows the error, into the inverse of the other pattern
        (1, 0, (1, -1, 1, -1)),
        (1, 1, (1, -1, 1, -1)),
        (1, 2, (1, 1, -1, -1)),
        (1, 3, (-1, -1, 1, 1)),
    ],
)
def test_one_bit_flipped_by_hand(pattern, flipped, end):
    """A state one bit from a pattern is as near to another or an inverse: the update order decides between them."""
    start = list(PATTERNS[pattern])
    start[flipped] = -start[flipped]
    recall = network().recall(start, order="sequential", seed=1)
    assert tuple(recall.states[0]) == end
    assert recall.n_flips[0] == 1
    assert recall.converged[0]


@pytest.mark.parametrize("order", ["random", "replacement"])
def test_random_orders_end_where_pairs_can(order):
    """From equal partners, the one that is visited first turns: either way, and both happen over many trials."""
    start = (1, 1, 1, -1)  # neurons 0 and 3 stand; 1 and 2 are equal
    recall = network().recall([start] * 200, order=order, seed=1)
    ends = {tuple(state) for state in recall.states.tolist()}
    assert ends == {(1, -1, 1, -1), (1, 1, -1, -1)}
    assert (recall.n_flips == 1).all()
    assert recall.converged.all()


def test_synchronous_updates_by_hand():
    """Both partners turn at once: an equal pair alternates forever, an opposite one stands."""
    recall = network().recall(STATES, order="synchronous", seed=1, trajectory=True)
    for k, (a, b, c, d) in enumerate(STATES):
        resting = a != d and b != c
        assert recall.period[k] == (1 if resting else 2)
        assert tuple(recall.trajectory.states[k, 1]) == (-d, -c, -b, -a)
        assert tuple(recall.trajectory.states[k, 2]) == (a, b, c, d)


# With a bias of 1/2 on every neuron the field is (1 - s_partner)/2: 1 beside a partner at -1, and exactly 0, a tie,
# beside one at +1. A tie keeps the state, so a pair (first, second), updated in this order, goes
#   (+, +): both see a tie and stay                 -> (+, +)
#   (+, -): the first sees 1, the second a tie      -> (+, -)
#   (-, +): the first sees a tie, the second 1      -> (-, +)
#   (-, -): the first sees 1 and turns, then the second sees a tie and stays -> (+, -)
TIED_PAIR = {(1, 1): (1, 1), (1, -1): (1, -1), (-1, 1): (-1, 1), (-1, -1): (1, -1)}


@pytest.mark.parametrize("start", STATES)
def test_every_tie_by_hand(start):
    """All 16 starts under the bias that makes ties, sequential order."""
    a, d = TIED_PAIR[start[0], start[3]]
    b, c = TIED_PAIR[start[1], start[2]]
    recall = network([0.5] * 4).recall(start, order="sequential", seed=1)
    assert tuple(recall.states[0]) == (a, b, c, d)
    assert recall.n_flips[0] == (start[0] == start[3] == -1) + (start[1] == start[2] == -1)
    assert recall.converged[0]
    fields = network([0.5] * 4).local_fields(start)[0]
    assert fields.tolist() == [(1 - partner) / 2 for partner in start[::-1]]


# -- patterns with a mean --

MEAN = 0.5  # a: a^3 = 1/8, so that (P - 1) a^3 = 1 at P = 9


def stabilities_of_negative_units(n_neurons, n_patterns, n_networks):
    """For each network: sum of N xi_i h_i/(N - 1) over stored units with xi = -1, and their number."""
    sums, counts = [], []
    for seed in range(n_networks):
        patterns = correlated_patterns(seed, n_patterns, n_neurons, MEAN)
        fields = HopfieldNetwork.store(patterns).local_fields(patterns)
        negative = patterns == -1
        sums.append((patterns * fields)[negative].sum() * n_neurons / (n_neurons - 1))
        counts.append(negative.sum())
    return np.array(sums), np.array(counts)


@pytest.mark.parametrize("n_neurons", [50, 200, 800])
@pytest.mark.parametrize("n_patterns", [5, 8, 9, 10, 13])
def test_negative_units_lose_their_stability_where_the_mean_says(n_patterns, n_neurons):
    """N xi h/(N - 1) of a unit with xi = -1 has mean 1 - (P - 1) a^3 exactly, whatever N: zero at P = 9, and its
    sign seen on either side at 5 standard errors (over 300 networks).
    """
    sums, counts = stabilities_of_negative_units(n_neurons, n_patterns, 300)
    excess = sums - counts * (1.0 - (n_patterns - 1) * MEAN**3)  # of mean 0, network by network
    assert_plausible(normal_p(excess.mean() / (excess.std(ddof=1) / np.sqrt(len(excess)))))
    if n_patterns != 9:
        z = sums.mean() / (sums.std(ddof=1) / np.sqrt(len(sums)))
        assert z > 5 if n_patterns < 9 else z < -5


def test_beyond_that_load_states_fall_into_the_mean_state():
    """(P - 1) a^3 = 6.1: whatever pattern is asked for, the network answers with all +1, the sign of the mean."""
    patterns = correlated_patterns(1, 50, 400, MEAN)
    network = HopfieldNetwork.store(patterns)
    recall = network.recall(patterns, seed=1)
    assert recall.converged.all()
    assert (recall.states == 1).all()
    # (P - 1) a^3 = 0.25: three patterns of the same mean are still themselves
    few = patterns[:3]
    assert (HopfieldNetwork.store(few).recall(few, seed=1).states == few).mean() > 0.99
