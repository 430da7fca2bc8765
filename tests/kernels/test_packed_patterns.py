"""Packed patterns against plain numpy, at ragged sizes."""

import numpy as np
import oracles
import pytest
from false_alarms import assert_plausible, chi_square_p, normal_p
from kernel_chains import random_states

from hopsim.kernels.packed_patterns import (
    add_distances,
    count_rows,
    draw_patterns,
    pack_patterns,
    unpack_patterns,
)

RAGGED = [1, 63, 64, 65, 511, 512, 513, 1300]
KEYS = np.array([3, 99], np.uint64)


def words_for(n_patterns):
    return -(-n_patterns // 512) * 8


def drawn(n_patterns, n_neurons, keys=KEYS):
    rows = np.full((len(keys), n_neurons, words_for(n_patterns)), 0xDEADBEEF, np.uint64)
    draw_patterns(keys, n_patterns, 0, n_neurons, rows)
    return rows


@pytest.mark.parametrize("n_patterns", RAGGED)
@pytest.mark.parametrize("n_neurons", [1, 7, 8, 13, 515])
def test_packing_counting_and_unpacking_agree_with_numpy(n_patterns, n_neurons):
    """Whatever the rows held before; unpacking may begin at any pattern."""
    patterns = random_states(np.random.default_rng(n_patterns * 1000 + n_neurons), n_patterns, n_neurons)
    rows = np.full((1, n_neurons, words_for(n_patterns)), 0xDEADBEEF, np.uint64)
    pack_patterns(patterns, rows[0])
    assert (rows[0] == oracles.pack_rows(patterns)).all()
    for first in {0, 1 % n_patterns, n_patterns // 2, n_patterns - 1}:
        unpacked = np.zeros((n_patterns - first, n_neurons), np.int8)
        unpack_patterns(rows[0], first, unpacked)
        assert (unpacked == patterns[first:]).all()
    ones = np.full((1, n_neurons), -1, np.int32)
    half = n_neurons // 2
    count_rows(0, half, rows, ones)
    assert (ones[0, half:] == -1).all()
    count_rows(half, n_neurons, rows, ones)
    assert (ones[0] == (patterns > 0).sum(axis=0)).all()


@pytest.mark.parametrize("n_patterns", RAGGED)
def test_distances_agree_with_numpy_and_add_up_over_slices(n_patterns):
    """Any slice of neurons, whole eights or not, adds what numpy counts there."""
    rng = np.random.default_rng(n_patterns)
    for n_neurons in (1, 7, 8, 9, 64, 300, 1021):
        patterns, spins = random_states(rng, n_patterns, n_neurons), random_states(rng, n_neurons)
        rows = oracles.pack_rows(patterns)
        for first, last in ((0, n_neurons), (n_neurons // 3, n_neurons // 3 + n_neurons // 2), (0, 0)):
            found = np.full(n_patterns, 5, np.int32)
            add_distances(rows, spins, first, last, found)
            part = slice(first, last)
            assert (found == 5 + oracles.distances(patterns[:, part], spins[None, part])[0]).all()


def test_distances_to_a_pattern_and_its_inverse_reach_both_ends():
    """All agree, all disagree: no counter runs over, at sizes around powers of two."""
    for n_neurons in (15, 16, 17, 255, 256, 257, 4096):
        pattern = random_states(np.random.default_rng(n_neurons), 1, n_neurons)
        rows, found = oracles.pack_rows(np.concatenate([pattern, -pattern])), np.zeros(2, np.int32)
        add_distances(rows, pattern[0], 0, n_neurons, found)
        assert found.tolist() == [0, n_neurons]


def test_drawn_patterns_do_not_depend_on_their_number_or_on_slices():
    """A network of P patterns is the first P of a larger one; rows drawn in slices are the same; padding is
    0.
    """
    largest = drawn(1300, 37)
    for n_patterns in RAGGED:
        rows = drawn(n_patterns, 37)
        expected = largest[:, :, : rows.shape[2]].copy()
        for w in range(rows.shape[2]):
            left = min(max(n_patterns - 64 * w, 0), 64)
            expected[:, :, w] &= np.uint64(2**left - 1)
        assert (rows == expected).all()
        sliced = np.zeros_like(rows)
        for first, last in ((20, 37), (0, 3), (3, 20)):
            draw_patterns(KEYS, n_patterns, first, last, sliced)
        assert (sliced == rows).all()
    assert (drawn(1300, 12) == largest[:, :12]).all()  # nor on the number of neurons
    assert (drawn(1300, 37, KEYS[::-1].copy()) == largest[::-1]).all()  # nor on the network's place


def test_drawn_patterns_are_unbiased_and_independent():
    """Ones by neuron, pattern and network, and products of neighbours along each axis are fair coins."""
    n_patterns, n_neurons = 500, 400
    keys = np.arange(20, dtype=np.uint64)
    rows = drawn(n_patterns, n_neurons, keys)
    patterns = np.empty((len(keys), n_patterns, n_neurons), np.int8)
    for network in range(len(keys)):
        unpack_patterns(rows[network], 0, patterns[network])
    along = {
        "value": patterns,
        "network": patterns[1:] * patterns[:-1],
        "pattern": patterns[:, 1:] * patterns[:, :-1],
        "neuron": patterns[:, :, 1:] * patterns[:, :, :-1],
    }
    for name, products in along.items():
        total = int(products.sum(dtype=np.int64))
        assert_plausible(normal_p(total / np.sqrt(products.size)), name)
        for axis in range(3):
            ups = (products > 0).sum(axis=axis)
            n = products.shape[axis]
            # the number of ups along an axis is binomial: compare its spread through a chi-square of its
            # variance
            z = (((2 * ups - n) ** 2 / n).mean() - 1) * np.sqrt(ups.size / 2)
            assert_plausible(normal_p(z), f"{name} along {axis}")
    overlaps = patterns[0].astype(np.int32) @ patterns[0].T.astype(np.int32)
    signs = overlaps[np.triu_indices(n_patterns, 1)]
    assert_plausible(chi_square_p([(signs > 0).sum(), (signs < 0).sum()], [1, 1]), "signs of overlaps")
