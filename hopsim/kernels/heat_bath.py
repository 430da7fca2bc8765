"""Heat-bath (Glauber) updates without an exponential in the loop.

A ±1 unit with field h at temperature T is set to +1 with probability 1/(1 + exp(-2 h/T)). Drawing u uniform in (0, 1),
that is the same as ``h > (T/2) log(u/(1 - u))``: the right side, the *threshold*, needs no field and is drawn ahead, a
block of steps at a time, in SIMD.

The arithmetic is plain IEEE (fused multiply-adds written out), so that the same key gives the same bits everywhere.
"""

import numpy as np

from hopsim.kernels.compile_options import inline_kernel, kernel
from hopsim.kernels.floating_point import bits_of, float_of, fma
from hopsim.kernels.randomness import random_bits

BLOCK = (
    64  # steps whose thresholds are drawn together; always whole blocks, so that no step depends on the batch
)

_LN_2_HIGH = 6.93147180369123816490e-01
_LN_2_LOW = 1.90821492927058770002e-10
_HALF_ROOT = np.int64(
    0x3FE6A09E00000000
)  # bits of about sqrt(1/2): mantissas are taken in [sqrt(1/2), sqrt(2))
_HALF_RANGE = 2.0**51


@inline_kernel
def natural_log(x):
    """Logarithm of a normal positive float64, to 1e-16 absolute plus 2 ulp: log x = e log 2 + 2 artanh((m-1)/(m+1))."""
    bits = bits_of(x)
    exponent = (bits - _HALF_ROOT) >> np.int64(52)
    mantissa = float_of(bits - (exponent << np.int64(52)))
    t = (mantissa - 1.0) / (mantissa + 1.0)
    t2 = t * t
    series = 1.0 / 21.0
    series = fma(series, t2, 1.0 / 19.0)
    series = fma(series, t2, 1.0 / 17.0)
    series = fma(series, t2, 1.0 / 15.0)
    series = fma(series, t2, 1.0 / 13.0)
    series = fma(series, t2, 1.0 / 11.0)
    series = fma(series, t2, 1.0 / 9.0)
    series = fma(series, t2, 1.0 / 7.0)
    series = fma(series, t2, 1.0 / 5.0)
    series = fma(series, t2, 1.0 / 3.0)
    low = fma(2.0 * t * t2, series, np.float64(exponent) * _LN_2_LOW)
    return fma(np.float64(exponent), _LN_2_HIGH, 2.0 * t + low)


@inline_kernel
def logit(bits):
    """log(u/(1 - u)) of u = (r + 1/2)/2^52, r the upper 52 of 64 random bits: finite, odd under r -> 2^52 - 1 - r."""
    centred = (
        np.float64(np.int64(bits >> np.uint64(12))) + 0.5
    ) - _HALF_RANGE  # exact, as the sums below are
    size = abs(centred)
    value = natural_log((_HALF_RANGE + size) / (_HALF_RANGE - size))
    return value if centred > 0.0 else -value


@kernel
def draw_thresholds(key, block, half_temperature, thresholds):
    """Thresholds (float64, `BLOCK` of them) of the steps from ``block BLOCK`` on, in units of `half_temperature`."""
    first = np.uint64(block * BLOCK)
    for k in range(BLOCK):
        thresholds[k] = half_temperature * logit(random_bits(key, first + np.uint64(k)))
