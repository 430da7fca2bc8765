"""Counter-based randomness: every number is a function of a key and a counter, never of a shared state.

Keys are derived with Philox4x32-10 [1]_. Inside the hot loops a cheaper counter hash, SplitMix64's finaliser [2]_, is
keyed by them: number `n` of the stream `key` is ``mix(key + (n + 1) * GOLDEN)``.

References
----------
.. [1] Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC11 (2011).
.. [2] Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA (2014).
"""

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from hopsim.kernels.compile_options import inline_kernel, kernel

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_PHILOX_M0 = np.uint64(0xD2511F53)
_PHILOX_M1 = np.uint64(0xCD9E8D57)
_PHILOX_W0 = np.uint64(0x9E3779B9)
_PHILOX_W1 = np.uint64(0xBB67AE85)
_LOW_32 = np.uint64(0xFFFFFFFF)
_SHIFT_32 = np.uint64(32)


@kernel
def philox4x32(c0, c1, c2, c3, k0, k1):
    """Philox4x32-10: four 32-bit words (held in uint64) from a counter of four and a key of two."""
    for _ in range(10):
        product_0 = _PHILOX_M0 * c0
        product_1 = _PHILOX_M1 * c2
        c0, c1, c2, c3 = (
            (product_1 >> _SHIFT_32) ^ c1 ^ k0,
            product_1 & _LOW_32,
            (product_0 >> _SHIFT_32) ^ c3 ^ k1,
            product_0 & _LOW_32,
        )
        k0 = (k0 + _PHILOX_W0) & _LOW_32
        k1 = (k1 + _PHILOX_W1) & _LOW_32
    return c0, c1, c2, c3


@kernel
def derive_key(key, purpose, index):
    """Key (uint64) of stream `index` (uint64) for `purpose` (uint64 below 2^32) under another key or a seed.

    The whole counter but its last word is used, so that different (purpose, index) never meet.
    """
    zero = np.uint64(0)
    low, high, _, _ = philox4x32(
        index & _LOW_32, index >> _SHIFT_32, purpose, zero, key & _LOW_32, key >> _SHIFT_32
    )
    return low | (high << _SHIFT_32)


@inline_kernel
def mix(z):
    """SplitMix64's finaliser: a bijection of uint64 in which every input bit moves about half of the output's."""
    z = (z ^ (z >> np.uint64(30))) * _MIX_1
    z = (z ^ (z >> np.uint64(27))) * _MIX_2
    return z ^ (z >> np.uint64(31))


@inline_kernel
def random_bits(key, counter):
    """64 random bits: number `counter` (uint64) of the stream `key` (uint64)."""
    return mix(key + (counter + np.uint64(1)) * GOLDEN)


@intrinsic
def multiply_high(typing_context, a, b):
    """Upper 64 bits of the product of two uint64: `random_bits` times n gives a number below n (bias under n/2^64)."""

    def generate(context, builder, signature, arguments):
        wide = ir.IntType(128)
        product = builder.mul(builder.zext(arguments[0], wide), builder.zext(arguments[1], wide))
        return builder.trunc(builder.lshr(product, wide(64)), ir.IntType(64))

    return types.uint64(types.uint64, types.uint64), generate


@inline_kernel
def random_below(key, counter, n):
    """Uniform integer in [0, n), as int64."""
    return np.int64(multiply_high(random_bits(key, counter), np.uint64(n)))


@kernel
def shuffle(key, order):
    """Fill `order` (integers, length n) with a uniform random permutation of 0..n-1 that depends on `key` alone."""
    n = order.shape[0]
    for i in range(n):
        order[i] = i
    for i in range(n - 1, 0, -1):
        j = random_below(key, np.uint64(i), i + 1)
        order[i], order[j] = order[j], order[i]


@kernel
def derive_keys(keys, purpose, indices, derived):
    """`derive_key` of each pair of `keys` and `indices` (uint64, alike in length) into `derived`."""
    for k in range(keys.shape[0]):
        derived[k] = derive_key(keys[k], purpose, indices[k])
