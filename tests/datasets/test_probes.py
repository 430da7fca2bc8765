"""Probes: exact counts from fractions, random bits under a mask, each state by its own key, bad fractions refused."""

import numpy as np
import pytest
from false_alarms import assert_plausible, chi_square_p, correlation_p, normal_p
from kernel_chains import random_states

from hopsim.datasets.probes import check_fraction, make_probes
from hopsim.errors import InputError


def keys(n):
    return np.arange(n, dtype=np.uint64)


@pytest.mark.parametrize(
    ("n_neurons", "fraction", "n_chosen"),
    [
        (100, 0.0, 0),
        (100, 0.1, 10),
        (33, 0.25, 8),
        (10, 0.05, 1),
        (10, 0.04, 0),
        (7, 0.5, 4),
        (20, 0.999, 20),
        (9, 1.0, 9),
    ],
)
def test_exactly_floor_of_fraction_times_n_plus_a_half_are_flipped(n_neurons, fraction, n_chosen):
    """A tie rounds up: 0.5 and 3.5 neurons are 1 and 4. The states given are left alone."""
    states = random_states(np.random.default_rng(1), 50, n_neurons)
    given = states.copy()
    probes = make_probes(states, keys(50), flip=fraction)
    assert ((probes != states).sum(axis=1) == n_chosen).all()
    assert set(np.unique(probes)) <= {-1, 1}
    assert probes.dtype == np.int8
    assert (states == given).all()


def test_a_mask_holds_fair_bits_and_leaves_the_rest():
    """40 % of 50: a place changes in a fifth of all probes whatever it held; changes a probe are Binomial(20, 1/2)."""
    n_states = 40_000
    for value in (-1, 1):
        states = np.full((n_states, 50), value, np.int8)
        changed = make_probes(states, keys(n_states), mask=0.4) != states
        binomial = np.array([1.0])
        for _ in range(20):
            binomial = np.convolve(binomial, [0.5, 0.5])
        assert changed.sum(axis=1).max() <= 20
        assert_plausible(chi_square_p(np.bincount(changed.sum(axis=1), minlength=21), binomial))
        z = (changed.sum(axis=0) - n_states * 0.2) / np.sqrt(n_states * 0.2 * 0.8)
        for place in range(50):
            assert_plausible(normal_p(z[place]), f"place {place}")


def test_exactly_the_masked_neurons_forget_what_they_held():
    """Of opposite states under one key, the probes agree on the masked neurons and on no others."""
    states = random_states(np.random.default_rng(2), 60, 45)
    agree = make_probes(states, keys(60), mask=0.3) == make_probes(-states, keys(60), mask=0.3)
    assert (agree.sum(axis=1) == 14).all()  # floor(13.5 + 1/2)


def test_mask_and_flip_together():
    """The mask comes first, then exactly the flips of the same keys."""
    states = random_states(np.random.default_rng(3), 60, 45)
    both = make_probes(states, keys(60), flip=0.2, mask=0.3)
    assert (both == make_probes(make_probes(states, keys(60), mask=0.3), keys(60), flip=0.2)).all()


def test_a_whole_mask_is_a_random_state():
    """Nothing of the state is left, and neighbouring keys give unrelated states: 64 bits of one against the next."""
    states = np.ones((20_001, 64), np.int8)
    bits = make_probes(states, keys(20_001), mask=1.0) > 0
    words = np.packbits(bits, axis=1).view(np.uint64).ravel()
    assert_plausible(correlation_p(words[:-1].copy(), words[1:].copy()))


def test_a_probe_depends_on_its_key_alone():
    """Place, company and number of trials change nothing; equal keys disturb equal places; other keys others."""
    states = random_states(np.random.default_rng(4), 40, 80)
    probes = make_probes(states, keys(40), flip=0.2, mask=0.1)
    backwards = make_probes(states[::-1], keys(40)[::-1].copy(), flip=0.2, mask=0.1)
    assert (backwards[::-1] == probes).all()
    for k in (0, 7, 39):
        assert (make_probes(states[k : k + 1], keys(40)[k : k + 1], flip=0.2, mask=0.1)[0] == probes[k]).all()
    flips = make_probes(states, np.full(40, 5, np.uint64), flip=0.2) != states
    assert (flips == flips[0]).all()
    flips = make_probes(states, keys(40), flip=0.2) != states
    assert len(np.unique(flips, axis=0)) == 40


def test_flipped_places_of_neighbouring_keys_are_independent():
    """Common flips of keys k and k + 1, 16 of 80 each, are hypergeometric: mean 3.2."""
    states = np.ones((20_001, 80), np.int8)
    flips = make_probes(states, keys(20_001), flip=0.2) < 0
    common = (flips[:-1:2] & flips[1::2]).sum(axis=1)  # disjoint pairs
    variance = 16 * 0.2 * 0.8 * 64 / 79
    assert_plausible(normal_p((common.mean() - 3.2) / np.sqrt(variance / len(common))))


@pytest.mark.parametrize("fraction", [-0.1, 1.1, float("nan"), float("inf")])
def test_other_fractions_are_refused(fraction):
    states = np.ones((1, 10), np.int8)
    for name in ("flip", "mask"):
        with pytest.raises(InputError, match=f"^{name}: expected a fraction from 0 to 1"):
            make_probes(states, keys(1), **{name: fraction})
    with pytest.raises(InputError, match=r"^thinning: "):
        check_fraction("thinning", fraction)
