"""Counter-based random numbers: published vectors, independence of neighbouring streams, exact uniform
choices.
"""

import itertools
import math

import numba
import numpy as np
import pytest
from false_alarms import (
    assert_detected,
    assert_plausible,
    avalanche_p,
    chi_square_p,
    correlation_p,
    normal_p,
    serial_p,
)

from hopsim.kernels.dynamics import ORDER_STREAM, SITE_STREAM, THRESHOLD_STREAM
from hopsim.kernels.randomness import (
    GOLDEN,
    derive_key,
    derive_keys,
    multiply_high,
    philox4x32,
    random_below,
    random_bits,
    shuffle,
)

N_WORDS = 1 << 18


@numba.njit
def fill_stream(key, first, words):
    for n in range(words.size):
        words[n] = random_bits(key, np.uint64(first + n))


@numba.njit
def fill_over_keys(keys, counter, words):
    for n in range(words.size):
        words[n] = random_bits(keys[n], counter)


@numba.njit
def fill_below(key, n, values):
    for k in range(values.size):
        values[k] = random_below(key, np.uint64(k), n)


@numba.njit
def multiply_all(a, b, high):
    for k in range(a.size):
        high[k] = multiply_high(a[k], b[k])


@numba.njit
def count_shuffles(seed, n_neurons, n_shuffles, counts):
    """Count each permutation under the number in base n that its entries spell."""
    visits = np.empty(n_neurons, np.int32)
    for k in range(n_shuffles):
        shuffle(derive_key(seed, ORDER_STREAM, np.uint64(k)), visits)
        index = 0
        for value in visits:
            index = index * n_neurons + value
        counts[index] += 1


def stream(key, first=0, n=N_WORDS):
    words = np.empty(n, np.uint64)
    fill_stream(np.uint64(key), first, words)
    return words


def derived(key, purpose, indices):
    keys = np.empty(len(indices), np.uint64)
    derive_keys(np.full(len(indices), key, np.uint64), np.uint64(purpose), indices.astype(np.uint64), keys)
    return keys


def words_of_keys(keys, counter):
    words = np.empty(len(keys), np.uint64)
    fill_over_keys(keys, np.uint64(counter), words)
    return words


@pytest.mark.parametrize(
    ("counter", "key", "expected"),
    [
        ([0] * 4, [0] * 2, [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]),
        ([0xFFFFFFFF] * 4, [0xFFFFFFFF] * 2, [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]),
        (
            [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
            [0xA4093822, 0x299F31D0],
            [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1],
        ),
    ],
    ids=["zeros", "ones", "pi"],
)
def test_philox_gives_the_published_known_answers(counter, key, expected):
    """Random123's kat_vectors for philox4x32, 10 rounds."""
    assert list(philox4x32(*np.array(counter + key, np.uint64))) == expected


def test_random_bits_are_the_published_splitmix64_sequence():
    """The stream of key 1234567 is SplitMix64 seeded with it (values of Vigna's reference code)."""
    expected = [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]
    assert stream(1234567, n=5).tolist() == expected
    assert [random_bits(np.uint64(1234567), np.uint64(n)) for n in range(5)] == expected


def test_derived_keys_are_philox_of_index_and_purpose_under_the_key():
    """Index and purpose are the counter, the key is the key: no two uses share a Philox block."""
    rng = np.random.default_rng(1)
    for key, index, purpose in zip(*rng.integers(0, 2**63, (2, 50)).tolist(), range(50), strict=True):
        words = (index & 0xFFFFFFFF, index >> 32, purpose, 0, key & 0xFFFFFFFF, key >> 32)
        low, high, _, _ = philox4x32(*np.array(words, np.uint64))
        expected = int(low) | int(high) << 32
        assert derive_key(np.uint64(key), np.uint64(purpose), np.uint64(index)) == expected
        assert derived(key, purpose, np.array([index])).tolist() == [expected]


def neighbouring_streams():
    """Pairs of equally long word sequences that a program could meet side by side."""
    chains = np.arange(N_WORDS)
    yield "counters n and n + 1", stream(1), stream(1, first=1)
    yield "counters n and n + 64", stream(2), stream(2, first=64)
    yield "keys 5 and 6", stream(5), stream(6)
    yield (
        "keys k and k + 1 at one counter",
        words_of_keys(chains.astype(np.uint64), 0),
        words_of_keys((chains + 1).astype(np.uint64), 0),
    )
    key = derived(42, 9, chains)
    for counter in (0, 1, 63):
        yield (
            f"chains c and c + 1 at {counter}",
            words_of_keys(key, counter),
            words_of_keys(derived(42, 9, chains + 1), counter),
        )
    for other in (43, 42 + (1 << 63)):
        yield f"seeds 42 and {other}", words_of_keys(key, 0), words_of_keys(derived(other, 9, chains), 0)
    top = chains.astype(np.uint64) + np.uint64(1 << 63)
    yield "indices that differ in their top bit", words_of_keys(key, 0), words_of_keys(derived(42, 9, top), 0)
    yield "the derived keys of c and c + 1", key, derived(42, 9, chains + 1)
    key = np.uint64(derive_key(np.uint64(42), np.uint64(9), np.uint64(0)))
    sweeps = [derived(key, purpose, chains) for purpose in (ORDER_STREAM, SITE_STREAM, THRESHOLD_STREAM)]
    yield "order and thresholds of a sweep", words_of_keys(sweeps[0], 0), words_of_keys(sweeps[2], 0)
    yield "sites and thresholds of a sweep", words_of_keys(sweeps[1], 0), words_of_keys(sweeps[2], 0)
    yield (
        "a step's threshold in sweeps t and t + 1",
        words_of_keys(sweeps[2], 7),
        words_of_keys(derived(key, THRESHOLD_STREAM, chains + 1), 7),
    )
    row = [np.array([0, 1 << 26, 2 << 26]) + w for w in range(2)]
    rows = [words_of_keys(derived(42, 3, chains), counter) for counter in np.ravel(row)]
    yield "the same word of neurons i and i + 1", rows[0], rows[1]
    yield "neighbouring words of a neuron", rows[0], rows[3]


def test_neighbouring_counters_keys_chains_and_sweeps_are_uncorrelated():
    """All 4,096 pairs of bits, all pairs of upper six bits, and the Hamming distance, for each pair of
    neighbours.
    """
    for name, a, b in neighbouring_streams():
        assert_plausible(correlation_p(a, b), name)
        assert_plausible(serial_p(a, b), name)
        assert_plausible(avalanche_p(a, b), name)


def test_these_tests_see_copied_words_and_related_keys():
    """Power: one word in a hundred copied, one stream under two keys, and the reason why keys are derived by
    Philox.
    """
    a, b = stream(1), stream(2)
    b[::100] = a[::100]
    for p_of in (correlation_p, serial_p, avalanche_p):
        assert_detected(p_of(a, b), "copied words")
    later = stream((1 + int(GOLDEN)) % 2**64)  # key + GOLDEN is the same stream, one step on
    assert (later[:-1] == a[1:]).all()
    assert_detected(correlation_p(later[:-1], a[1:]), "one stream under two keys")
    # SplitMix64's finaliser alone lets a lone top bit through
    assert_detected(avalanche_p(stream(7), stream(7 + (1 << 63))), "raw keys that differ in their top bit")


def test_multiply_high_is_exact():
    """Against Python's integers, with the extremes."""
    rng = np.random.default_rng(2)
    extremes = np.array([0, 1, 2, 2**32 - 1, 2**32, 2**63 - 1, 2**63, 2**64 - 1], np.uint64)
    pairs = np.array(list(itertools.product(extremes, extremes)), np.uint64)
    pairs = np.concatenate([pairs, rng.integers(0, 2**64, (10_000, 2), np.uint64)])
    high = np.empty(len(pairs), np.uint64)
    multiply_all(pairs[:, 0].copy(), pairs[:, 1].copy(), high)
    assert high.tolist() == [a * b >> 64 for a, b in pairs.tolist()]


@pytest.mark.parametrize("n", [1, 2, 3, 7, 64, 1000])
def test_random_below_is_exact_and_uniform(n):
    """The upper half of bits times n, and each number as often as the others."""
    values = np.empty(1 << 18, np.int64)
    fill_below(np.uint64(3), n, values)
    assert values[:2000].tolist() == [bits * n >> 64 for bits in stream(3, n=2000).tolist()]
    if n > 1:
        assert_plausible(chi_square_p(np.bincount(values, minlength=n), np.ones(n)))
    else:
        assert (values == 0).all()


@pytest.mark.parametrize("n_neurons", [4, 5])
def test_shuffle_is_uniform_over_all_permutations(n_neurons):
    """10,000 shuffles a permutation, under the keys of successive sweeps of a chain."""
    counts = np.zeros(n_neurons**n_neurons, np.int64)
    count_shuffles(np.uint64(11), n_neurons, 10_000 * math.factorial(n_neurons), counts)
    places = [
        sum(value * n_neurons ** (n_neurons - 1 - k) for k, value in enumerate(visits))
        for visits in itertools.permutations(range(n_neurons))
    ]
    assert counts[places].sum() == counts.sum()  # nothing but permutations
    assert_plausible(chi_square_p(counts[places], np.ones(len(places))))


@pytest.mark.parametrize("n_neurons", [1, 2, 63, 1000])
def test_shuffle_gives_a_permutation_that_depends_on_the_key_alone(n_neurons):
    """Whatever the array held before."""
    a, b = np.zeros(n_neurons, np.int32), np.full(n_neurons, 7, np.int32)
    shuffle(np.uint64(5), a)
    shuffle(np.uint64(5), b)
    assert (a == b).all()
    assert sorted(a.tolist()) == list(range(n_neurons))


def test_every_bit_is_fair():
    """Each of the 64 bits of a stream is 1 half the time."""
    bits = np.unpackbits(stream(9).view(np.uint8)).reshape(-1, 64)
    z = (bits.sum(axis=0, dtype=np.int64) - N_WORDS / 2) / np.sqrt(N_WORDS / 4)
    for bit in range(64):
        assert_plausible(normal_p(z[bit]), f"bit {bit}")
