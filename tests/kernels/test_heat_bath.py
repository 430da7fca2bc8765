"""Heat-bath thresholds: the logarithm, the logit, and the exact probability with which a field beats its
threshold.
"""

import numba
import numpy as np
import pytest
from kernel_chains import DRAWS, count_draws_below
from scipy.special import expit

from hopsim.kernels.heat_bath import BLOCK, draw_thresholds, logit, natural_log
from hopsim.kernels.randomness import random_bits


@numba.njit(error_model="numpy")
def fill_logs(x, logs):
    for k in range(x.size):
        logs[k] = natural_log(x[k])


@numba.njit(error_model="numpy")
def fill_logits(draws, logits):
    for k in range(draws.size):
        logits[k] = logit(draws[k] << np.uint64(12))


def logs_of(x):
    logs = np.empty(len(x))
    fill_logs(x, logs)
    return logs


def logits_of(draws):
    logits = np.empty(len(draws))
    fill_logits(draws, logits)
    return logits


def random_draws(seed, n=200_000):
    """Draws r, the upper 52 bits: uniform ones, small ones, and the extremes."""
    rng = np.random.default_rng(seed)
    small = (2.0 ** rng.uniform(0, 52, n)).astype(np.uint64)
    special = np.array([0, 1, DRAWS // 2 - 1, DRAWS // 2, DRAWS - 2, DRAWS - 1], np.uint64)
    return np.concatenate(
        [rng.integers(0, DRAWS, n, np.uint64), small, DRAWS - np.uint64(1) - small, special]
    )


@pytest.mark.skipif(np.finfo(np.longdouble).nmant < 63, reason="needs a long double as reference")
def test_natural_log_is_good_to_two_ulp_and_a_bit():
    """Over the whole range of odds, near 1, at the joint between exponents, and at powers of two."""
    rng = np.random.default_rng(1)
    joints = np.sqrt(0.5) * 2.0 ** np.arange(-52.0, 53)
    x = np.concatenate(
        [
            np.exp(rng.uniform(-37, 37, 200_000)),
            1 + rng.uniform(-1, 1, 200_000) * 2.0 ** -rng.integers(1, 52, 200_000),
            np.ravel(joints[:, None] * (1 + np.arange(-4, 5) * 2.0**-52)),
            2.0 ** np.arange(-1022, 1024),
        ]
    )
    logs, exact = logs_of(x), np.log(x.astype(np.longdouble))
    assert (np.abs(logs - exact) <= 1e-16 + 2 * np.spacing(np.abs(logs))).all()
    assert logs_of(np.ones(1))[0] == 0.0


def test_logit_is_odd_bit_for_bit():
    """Heads and tails are the same: the threshold of draw 2^52 - 1 - r is minus that of r, and none is 0 or
    infinite.
    """
    draws = random_draws(2)
    logits = logits_of(draws)
    assert (logits_of(np.uint64(DRAWS - 1) - draws) == -logits).all()
    assert np.isfinite(logits).all()
    assert (logits != 0).all()
    assert ((logits > 0) == (draws >= DRAWS // 2)).all()


def test_logit_is_monotone_in_the_draw():
    """Neighbouring draws never cross: everywhere at random, and around the joints between the log's
    exponents.
    """
    odds = 2.0 ** (np.arange(-51, 52) + 0.5)
    joints = (DRAWS * (odds / (1 + odds))).astype(np.int64)
    rng = np.random.default_rng(3)
    for centre in [0, DRAWS // 2, DRAWS - 1, *joints.tolist(), *rng.integers(0, DRAWS, 200).tolist()]:
        first, last = max(centre - 2000, 0), min(centre + 2000, DRAWS)
        assert (np.diff(logits_of(np.arange(first, last, dtype=np.uint64))) >= 0).all()


@pytest.mark.parametrize("temperature", [1e-3, 0.1, 0.5, 1.0, 3.7, 1e3])
def test_a_field_beats_its_threshold_with_the_heat_bath_probability(temperature):
    """P(h > threshold), counted over all 2^52 draws by bisection, is sigma(2 h/T) within 2^-40."""
    rng = np.random.default_rng(4)
    fields = np.concatenate(
        [np.linspace(-20, 20, 401) * temperature, rng.normal(0, temperature, 2000), [0.0]]
    )
    exact = [count_draws_below(field, 0.5 * temperature) / DRAWS for field in fields]
    assert np.abs(exact - expit(2 * fields / temperature)).max() < 2.0**-40
    assert exact[-1] == 0.5


def test_the_odds_against_are_kept_far_in_the_tail():
    """Small probabilities are right to a few parts in their number of draws, and below one draw 0."""
    for x in (5.0, 10.0, 15.0):
        expected = expit(-2 * x) * DRAWS
        assert abs(count_draws_below(-x, 0.5) - expected) <= 1 + 1e-14 * expected
    assert count_draws_below(-19.0, 0.5) == 0
    assert count_draws_below(19.0, 0.5) == DRAWS


def test_thresholds_are_logits_of_the_stream():
    """A block's thresholds are T/2 times the logit of the numbers 64 b, 64 b + 1, ... of the key's stream."""
    thresholds = np.empty(BLOCK)
    for key in (0, 1, 2**64 - 1):
        for block in (0, 1, 1000):
            draw_thresholds(np.uint64(key), block, 0.35, thresholds)
            bits = [random_bits(np.uint64(key), np.uint64(BLOCK * block + k)) for k in range(BLOCK)]
            logits = logits_of(np.array(bits, np.uint64) >> np.uint64(12))
            assert (thresholds == 0.35 * logits).all()
