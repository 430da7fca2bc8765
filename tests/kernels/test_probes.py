"""Probes: exactly as many units changed as asked for, chosen uniformly, each state by its own key."""

import itertools

import numba
import numpy as np
import pytest
from false_alarms import assert_plausible, chi_square_p, normal_p
from kernel_chains import random_states

from hopsim.kernels.probes import flip_units, mask_units


@pytest.mark.parametrize("n_chosen", [0, 1, 5, 33])
def test_exactly_as_many_units_flip_as_asked_for(n_chosen):
    """All states, and by key alone: a state's flips do not depend on its place."""
    states = random_states(np.random.default_rng(1), 100, 33)
    keys = np.arange(100, dtype=np.uint64)
    flipped = states.copy()
    flip_units(keys, n_chosen, flipped)
    assert ((flipped != states).sum(axis=1) == n_chosen).all()
    backwards = states[::-1].copy()
    flip_units(keys[::-1].copy(), n_chosen, backwards)
    assert (backwards == flipped[::-1]).all()


def test_flips_are_uniform_over_all_choices():
    """3 of 6 units: the 20 choices are equally likely over neighbouring keys."""
    states = np.ones((200_000, 6), np.int8)
    flip_units(np.arange(len(states), dtype=np.uint64), 3, states)
    index = (states < 0) @ (1 << np.arange(6))
    choices = [sum(1 << i for i in chosen) for chosen in itertools.combinations(range(6), 3)]
    counts = np.bincount(index, minlength=64)[choices]
    assert counts.sum() == len(states)
    assert_plausible(chi_square_p(counts, np.ones(len(choices))))


def test_masked_units_are_fair_coins_on_a_uniform_choice():
    """Half of the masked units change, units equally often, whether they held +1 or -1; their values are
    independent.
    """
    n_states, n_chosen = 100_000, 4
    for value in (-1, 1):
        states = np.full((n_states, 10), value, np.int8)
        mask_units(np.arange(n_states, dtype=np.uint64), n_chosen, states)
        changed = (states != value).sum(axis=1)
        assert_plausible(chi_square_p(np.bincount(changed, minlength=5), [1, 4, 6, 4, 1]))
        by_unit = (states != value).sum(axis=0)
        z = (by_unit - n_states * n_chosen / 20) / np.sqrt(n_states * 0.2 * 0.8)
        for unit in range(10):
            assert_plausible(normal_p(z[unit]), f"unit {unit}")


def test_probes_are_the_same_for_any_number_of_threads():
    """1 or 2 threads."""
    results = []
    before = numba.get_num_threads()
    for n_threads in (1, min(2, numba.config.NUMBA_NUM_THREADS)):
        numba.set_num_threads(n_threads)
        states = np.ones((64, 50), np.int8)
        flip_units(np.arange(64, dtype=np.uint64), 20, states)
        mask_units(np.arange(64, dtype=np.uint64), 20, states)
        results.append(states)
    numba.set_num_threads(before)
    assert (results[0] == results[1]).all()
