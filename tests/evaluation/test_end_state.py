"""End states made by hand: patterns, inverses, mixtures, uniform states, and what is none of them."""

import numpy as np
import pytest

from hopsim.evaluation.end_state import EndState, classify_end_states, describe_end_states

N_NEURONS = 2_001
LETTERS = "ABCDEFGHIJKLMNOPQRST"


def random_patterns(n_patterns=20, activity=0.0, n_neurons=N_NEURONS, seed=31):
    """Patterns of mean `activity`."""
    random = np.random.default_rng(seed)
    return np.where(random.random((n_patterns, n_neurons)) < (1 + activity) / 2, 1, -1).astype(np.int8)


def with_flips(state, n_flips, seed=32):
    """The state with so many of its units flipped."""
    flipped = state.copy()
    flipped[np.random.default_rng(seed).choice(state.size, n_flips, replace=False)] *= -1
    return flipped


def sign_of_sum(patterns):
    return np.sign(patterns.sum(axis=0, dtype=int)).astype(np.int8)


def classify(states, patterns, **options):
    """Classify with the overlaps computed here and the patterns fetched by index."""
    states = np.atleast_2d(states)
    overlaps = (states.astype(float) @ patterns.T.astype(float)) / states.shape[1]
    return classify_end_states(overlaps, states, lambda indices: patterns[list(indices)], **options)


def describe(state, patterns, **options):
    """Words for one state."""
    overlaps = (state.astype(float) @ patterns.T.astype(float))[None] / state.size
    return describe_end_states(overlaps, state[None], lambda indices: patterns[list(indices)], **options)[0]


@pytest.mark.parametrize("n_flips", [0, 33, 100])  # 100 of 2,001: overlap 0.90005
def test_patterns_and_their_inverses(n_flips):
    patterns = random_patterns()
    states = np.array([with_flips(state, n_flips) for state in (patterns[4], -patterns[4])])
    assert classify(states, patterns, start_pattern=4) == [
        EndState("pattern", (4,), (1,)),
        EndState("inverse", (4,), (-1,)),
    ]
    assert classify(states, patterns, start_pattern=[7, -1]) == [
        EndState("other pattern", (4,), (1,)),
        EndState("other pattern", (4,), (-1,)),
    ]


def test_the_threshold_says_what_a_pattern_is():
    patterns = random_patterns()
    state = with_flips(patterns[4], 101)
    assert describe(state, patterns, start_pattern=4) == "spurious"
    assert describe(state, patterns, start_pattern=4, threshold=0.8) == "stored pattern"


@pytest.mark.parametrize("size", [3, 5, 7, 9])
@pytest.mark.parametrize("n_flips", [0, 50])  # overlap with the mixture: 1, 0.95002
def test_odd_mixtures_with_their_signs(size, n_flips):
    patterns = random_patterns()
    random = np.random.default_rng(size)
    members = np.sort(random.choice(20, size, replace=False))
    signs = random.choice([-1, 1], size)
    state = with_flips(sign_of_sum(patterns[members] * signs[:, None]), n_flips)
    expected = EndState("mixture", tuple(members.tolist()), tuple(signs.tolist()))
    assert classify(state, patterns, start_pattern=int(members[0])) == [expected]
    assert classify(with_flips(state, 100, seed=33), patterns) == [EndState("spurious")]


@pytest.mark.parametrize(("n_patterns", "activity"), [(20, 0.4), (20, 0.6), (40, 0.9), (200, 0.2)])
def test_correlated_patterns_fall_into_the_mixture_of_all(n_patterns, activity):
    """Found though mixtures of a few, and at activity 0.9 single patterns, are near enough too."""
    patterns = random_patterns(n_patterns, activity, n_neurons=20_001)
    sums = patterns.sum(axis=0, dtype=int)
    state = with_flips(np.where(sums >= 0, 1, -1).astype(np.int8), 20)  # ties belong to neither side
    assert describe(state, patterns, start_pattern=0) == f"mixture of all {n_patterns}"
    assert describe(-state, patterns, start_pattern=0) == f"inverse of the mixture of all {n_patterns}"


def test_recalled_patterns_stay_patterns_when_correlated():
    patterns = random_patterns(activity=0.6)
    assert describe(with_flips(patterns[3], 20), patterns, start_pattern=3) == "stored pattern"


def test_uniform_states():
    patterns = random_patterns(activity=0.96)
    ones = np.ones(N_NEURONS, np.int8)
    assert (patterns.mean(axis=1) > 0.9).all()  # uniform is nearer than any of them
    assert describe(ones, patterns, start_pattern=0) == "uniform +1"
    assert describe(-ones, patterns, start_pattern=0) == "uniform -1"
    patterns[2] = 1
    assert describe(ones, patterns, start_pattern=2) == "stored pattern"
    assert describe(ones, patterns, start_pattern=0, names=LETTERS) == "pattern C"


def test_equal_patterns_are_resolved_for_the_start():
    patterns = random_patterns(6)
    patterns[4] = patterns[1]
    patterns[5] = -patterns[1]
    state = with_flips(patterns[1], 10)
    assert describe(state, patterns, start_pattern=4) == "stored pattern"
    assert describe(state, patterns, start_pattern=5) == "inverse"
    assert describe(state, patterns, start_pattern=0) == "pattern 1"


def test_random_states_are_spurious_and_no_pattern_is_fetched():
    patterns = random_patterns(200)
    states = random_patterns(50, seed=34)
    overlaps = states.astype(float) @ patterns.T.astype(float) / N_NEURONS

    def fetch(indices):
        raise AssertionError(f"fetched {indices}")

    assert describe_end_states(overlaps, states, fetch) == ["spurious"] * 50


def test_two_patterns_have_no_mixture():
    """Half the units of sign(xi^1 + xi^2) are ties."""
    patterns = random_patterns(2)
    state = np.where(patterns[0] == patterns[1], patterns[0], 1).astype(np.int8)
    assert describe(state, patterns, start_pattern=0) == "spurious"


def test_without_patterns_a_state_is_unknown_unless_uniform():
    states = np.array([[1, -1, 1], [-1, -1, -1]], np.int8)
    assert describe_end_states(np.empty((2, 0)), states, lambda indices: states[:0]) == [
        "unknown",
        "uniform -1",
    ]


def test_all_patterns_are_summed_in_pieces():
    """More unpacked patterns than may be held at a time: 700 of 100,001 units."""
    patterns = random_patterns(5, 0.5, n_neurons=100_001)[np.arange(700) % 5]
    state = sign_of_sum(patterns)
    pieces = []

    def fetch(indices):
        pieces.append(len(indices))
        return patterns[list(indices)]

    overlaps = (patterns[:5] @ state.astype(np.int64))[np.arange(700) % 5] / state.size
    assert describe_end_states(overlaps[None], state[None], fetch) == ["mixture of all 700"]
    assert sum(pieces[:2]) == 700
    assert max(pieces) < 700


@pytest.mark.parametrize(
    ("end_state", "text"),
    [
        (EndState("pattern", (3,), (1,)), "stored pattern"),
        (EndState("inverse", (3,), (-1,)), "inverse"),
        (EndState("other pattern", (3,), (1,)), "pattern D"),
        (EndState("other pattern", (3,), (-1,)), "inverse of D"),
        (EndState("mixture", (0, 1, 3), (1, 1, -1)), "mixture of +A +B -D"),
        (EndState("mixture", tuple(range(20)), (1,) * 20), "mixture of all 20"),
        (EndState("spurious"), "spurious"),
    ],
)
def test_words(end_state, text):
    assert end_state.text(LETTERS) == text
