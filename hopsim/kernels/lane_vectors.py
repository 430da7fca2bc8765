"""Vector code of the chains in lanes: 512 bits at a time, as generic LLVM that any target lowers."""

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

VECTOR_BYTES = 64
TILE_VECTORS = 8  # vectors of a tile's row: as many accumulators stay in registers

_I1, _I32, _I64 = ir.IntType(1), ir.IntType(32), ir.IntType(64)


@intrinsic
def float_bits(typing_context, x):
    """The bits of a float32, as int32."""

    def generate(context, builder, signature, arguments):
        return builder.bitcast(arguments[0], _I32)

    return types.int32(types.float32), generate


@intrinsic
def bits_float(typing_context, bits):
    """The float32 of these bits (int32)."""

    def generate(context, builder, signature, arguments):
        return builder.bitcast(arguments[0], ir.FloatType())

    return types.float32(types.int32), generate


def _load(builder, address, vector, alignment=VECTOR_BYTES):
    value = builder.load(builder.inttoptr(address, vector.as_pointer()))
    value.align = alignment
    return value


def _splat(builder, value, vector):
    lane = builder.insert_element(ir.Constant(vector, ir.Undefined), value, _I32(0))
    zeros = ir.Constant(ir.VectorType(_I32, vector.count), [0] * vector.count)
    return builder.shuffle_vector(lane, ir.Constant(vector, ir.Undefined), zeros)


@intrinsic
def add_rows(typing_context, fields, rows, flipped, down):
    """Add the rows whose bits are set in `flipped`, those also set in `down` with a minus, to a tile's fields.

    Parameters
    ----------
    fields : array
        The fields of one chain in one tile, `TILE_VECTORS` vectors of int16 or int32, aligned to cache lines.
    rows : array
        Up to 32 rows of the same type and length, one after the other.
    flipped, down : int64
        The fields stay in registers while the rows are added; sums wrap around.
    """
    width = fields.dtype.bitwidth
    element = ir.IntType(width)
    vector = ir.VectorType(element, VECTOR_BYTES * 8 // width)
    row_bytes = TILE_VECTORS * VECTOR_BYTES

    def generate(context, builder, signature, arguments):
        fields_type, rows_type = signature.args[:2]
        views = [
            context.make_array(kind)(context, builder, value)
            for kind, value in zip((fields_type, rows_type), arguments[:2], strict=True)
        ]
        target, source = (builder.ptrtoint(view.data, _I64) for view in views)
        flipped, down = arguments[2:]
        sums = [cgutils.alloca_once(builder, vector) for _ in range(TILE_VECTORS)]
        for k, slot in enumerate(sums):
            builder.store(_load(builder, builder.add(target, _I64(VECTOR_BYTES * k)), vector), slot)
        left = cgutils.alloca_once_value(builder, flipped)
        trailing = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(_I64, [_I64, _I1]), "llvm.cttz.i64"
        )
        body, done = builder.append_basic_block("rows.add"), builder.append_basic_block("rows.done")
        builder.cbranch(builder.icmp_unsigned("!=", flipped, _I64(0)), body, done)
        builder.position_at_end(body)
        bits = builder.load(left)
        index = builder.call(trailing, [bits, _I1(1)])
        rest = builder.and_(bits, builder.sub(bits, _I64(1)))
        builder.store(rest, left)
        # all ones where the row is subtracted: -x = (x ^ sign) - sign
        sign_bit = builder.and_(builder.lshr(down, index), _I64(1))
        sign = _splat(builder, builder.neg(builder.trunc(sign_bit, element)), vector)
        row = builder.add(source, builder.mul(index, _I64(row_bytes)))
        for k, slot in enumerate(sums):
            value = _load(builder, builder.add(row, _I64(VECTOR_BYTES * k)), vector)
            signed = builder.sub(builder.xor(value, sign), sign)
            builder.store(builder.add(builder.load(slot), signed), slot)
        builder.cbranch(builder.icmp_unsigned("!=", rest, _I64(0)), body, done)
        builder.position_at_end(done)
        for k, slot in enumerate(sums):
            address = builder.add(target, _I64(VECTOR_BYTES * k))
            builder.store(
                builder.load(slot), builder.inttoptr(address, vector.as_pointer())
            ).align = VECTOR_BYTES
        return context.get_dummy_value()

    return types.void(fields, rows, types.int64, types.int64), generate
