"""Pieces of floating-point arithmetic that are the same on every machine: bits, fused multiply-adds, an exponential."""

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from hopsim.kernels.compile_options import inline_kernel

_LOG2_E = 1.44269504088896338700e00
_LN_2_HIGH = 6.93147180369123816490e-01
_LN_2_LOW = 1.90821492927058770002e-10
_ROUND = 1.5 * 2.0**52  # adding it leaves whole numbers: the sum's unit is 1
_SMALLEST = -708.0


@intrinsic
def bits_of(typing_context, x):
    """The bits of a float64, as int64, or of a float32, as int32."""
    bits, kind = (types.int32, ir.IntType(32)) if x == types.float32 else (types.int64, ir.IntType(64))

    def generate(context, builder, signature, arguments):
        return builder.bitcast(arguments[0], kind)

    return bits(x), generate


@intrinsic
def float_of(typing_context, bits):
    """The float64 of these bits (int64), or the float32 (int32)."""
    number, kind = (
        (types.float32, ir.FloatType()) if bits == types.int32 else (types.float64, ir.DoubleType())
    )

    def generate(context, builder, signature, arguments):
        return builder.bitcast(arguments[0], kind)

    return number(bits), generate


@intrinsic
def fma(typing_context, a, b, c):
    """``a b + c``, rounded once; all float64, or all float32."""
    single = a == b == c == types.float32
    number = types.float32 if single else types.float64

    def generate(context, builder, signature, arguments):
        kind, name = (ir.FloatType(), "llvm.fma.f32") if single else (ir.DoubleType(), "llvm.fma.f64")
        function = ir.FunctionType(kind, [kind, kind, kind])
        return builder.call(cgutils.get_or_insert_function(builder.module, function, name), arguments)

    return number(number, number, number), generate


@inline_kernel
def exponential(x):
    """``exp(x)`` of x <= 0, to 1 ulp; 0 below -708, the last normal numbers.

    With x = n log 2 + r, |r| <= log(2)/2, the Taylor series of exp(r) to order 13 errs by less than 5e-18.
    """
    shifted = x * _LOG2_E + _ROUND
    n = shifted - _ROUND
    r = fma(n, -_LN_2_LOW, fma(n, -_LN_2_HIGH, x))
    series = 1.0 / 6227020800.0
    series = fma(series, r, 1.0 / 479001600.0)
    series = fma(series, r, 1.0 / 39916800.0)
    series = fma(series, r, 1.0 / 3628800.0)
    series = fma(series, r, 1.0 / 362880.0)
    series = fma(series, r, 1.0 / 40320.0)
    series = fma(series, r, 1.0 / 5040.0)
    series = fma(series, r, 1.0 / 720.0)
    series = fma(series, r, 1.0 / 120.0)
    series = fma(series, r, 1.0 / 24.0)
    series = fma(series, r, 1.0 / 6.0)
    series = fma(series, r, 0.5)
    series = fma(series, r, 1.0)
    series = fma(series, r, 1.0)
    value = float_of(bits_of(series) + (bits_of(shifted) << np.int64(52)))
    return value if x >= _SMALLEST else 0.0
