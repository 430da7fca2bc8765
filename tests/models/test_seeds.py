"""Seeds and streams: what is refused, that every purpose and index has its own key, and that keys never change."""

import numpy as np
import pytest

from hopsim.errors import InputError
from hopsim.models.seeds import MAX_SEED, Stream, check_seed, fresh_seed, stream_keys


@pytest.mark.parametrize("seed", [0, 7, MAX_SEED, np.uint64(MAX_SEED), np.int32(3)])
def test_every_64_bit_integer_is_a_seed(seed):
    assert check_seed(seed) == int(seed)
    assert type(check_seed(seed)) is int


@pytest.mark.parametrize("seed", [-1, MAX_SEED + 1, 1.0, float("nan"), True, "7", np.int64(-5)])
def test_other_seeds_are_refused(seed):
    with pytest.raises(InputError, match=r"^seed: "):
        check_seed(seed)


def test_no_seed_gives_fresh_ones_that_a_json_reader_keeps():
    seeds = {fresh_seed() for _ in range(50)} | {check_seed(None) for _ in range(50)}
    assert len(seeds) == 100
    assert all(0 <= seed < 2**53 for seed in seeds)


def test_a_key_depends_on_seed_purpose_and_index_alone():
    """One by one, as a range, as an array, or under an array of keys: the same keys."""
    keys = stream_keys(5, Stream.CHAIN, range(3, 8))
    assert keys.dtype == np.uint64
    assert (keys == stream_keys(5, Stream.CHAIN, np.arange(3, 8))).all()
    assert (keys == [stream_keys(5, Stream.CHAIN, index)[0] for index in range(3, 8)]).all()
    under = stream_keys(keys, Stream.PROBE, np.arange(5))
    singly = [stream_keys(int(key), Stream.PROBE, index)[0] for index, key in enumerate(keys)]
    assert (under == singly).all()
    assert (
        stream_keys(keys, Stream.PATTERNS, 0) == [stream_keys(k, Stream.PATTERNS, 0)[0] for k in keys]
    ).all()


def test_no_two_of_many_keys_are_equal():
    """Three seeds, all purposes, 2,000 indices."""
    keys = [stream_keys(seed, stream, range(2000)) for seed in (0, 1, MAX_SEED) for stream in Stream]
    assert len(np.unique(np.concatenate(keys))) == 3 * len(Stream) * 2000


def test_the_numbers_of_the_streams_are_a_promise():
    """A changed number would change what every published seed gives."""
    assert {stream.name: int(stream) for stream in Stream} == {
        "N_NEURONS": 1,
        "N_PATTERNS": 2,
        "NETWORK": 3,
        "PATTERNS": 4,
        "PROBE": 5,
        "CHAIN": 6,
        "BOOTSTRAP": 7,
        "N_FLIPPED": 8,
        "START": 9,
        "SWAP": 10,
        "GRADIENT": 11,
        "MINIBATCH": 12,
        "WEIGHTS": 13,
        "DISTURBANCE": 14,
        "RUN": 15,
        "INSTANCE": 16,
    }
