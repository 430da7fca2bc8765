"""Seeds and the keys derived from them: every stream is named by what it is for, never by when it was drawn."""

import secrets
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from hopsim.errors import InputError
from hopsim.kernels.randomness import derive_keys

MAX_SEED = 2**64 - 1


class Stream(IntEnum):
    """What a key under a seed is for. Numbers are part of what a seed promises: never change one."""

    N_NEURONS = 1  # of a point of a study: its key derives from what it is
    N_PATTERNS = 2
    NETWORK = 3
    PATTERNS = 4
    PROBE = 5
    CHAIN = 6
    BOOTSTRAP = 7
    N_FLIPPED = 8
    START = 9  # of the chains of a Boltzmann machine
    SWAP = 10  # of tempered chains
    GRADIENT = 11  # of a learning step
    MINIBATCH = 12
    WEIGHTS = 13  # before learning
    DISTURBANCE = 14  # of clamped values
    RUN = 15  # of a learning experiment
    INSTANCE = 16  # of random couplings


def fresh_seed() -> int:
    """Return a seed from the system's entropy (53 bits, so that every JSON reader keeps it)."""
    return secrets.randbits(53)


def check_seed(seed: int | None) -> int:
    """Return `seed`, or a fresh one for None.

    Raises
    ------
    InputError
        If it is no integer from 0 to 2^64 - 1.
    """
    if seed is None:
        return fresh_seed()
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= seed <= MAX_SEED:
        raise InputError("seed", f"expected an integer from 0 to 2^64 - 1, got {seed!r}")
    return int(seed)


def stream_keys(
    keys: NDArray[np.uint64] | int, stream: Stream, indices: NDArray | range | int
) -> NDArray[np.uint64]:
    """Keys of the streams `indices` for one purpose, under each of `keys` (a seed is a key).

    Parameters
    ----------
    keys : int or uint64 array (n,)
    stream : Stream
    indices : int, range or integer array
        Broadcast against `keys`.

    Returns
    -------
    uint64 array (n,)
    """
    index = np.asarray(indices if not isinstance(indices, range) else list(indices), dtype=np.uint64)
    both = np.broadcast_arrays(np.asarray(keys, dtype=np.uint64), index)
    result = np.empty(max(both[0].size, 1), np.uint64)
    derive_keys(both[0].reshape(-1).copy(), np.uint64(stream), both[1].reshape(-1).copy(), result)
    return result
