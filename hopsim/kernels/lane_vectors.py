"""Vector code of the chains in lanes: 512 bits at a time, as generic LLVM that any target lowers."""

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

VECTOR_BYTES = 64
LANE_VECTORS = 2  # vectors of int32 that hold a value for each of the lanes
TILE_VECTORS = 8  # vectors of a tile's row: as many accumulators stay in registers

_I1, _I32, _I64 = ir.IntType(1), ir.IntType(32), ir.IntType(64)


def _load(builder, address, vector):
    value = builder.load(builder.inttoptr(address, vector.as_pointer()))
    value.align = VECTOR_BYTES
    return value


def _store(builder, value, address, vector):
    builder.store(value, builder.inttoptr(address, vector.as_pointer())).align = VECTOR_BYTES


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
        start, body, done = (
            builder.append_basic_block(name) for name in ("rows.start", "rows.add", "rows.done")
        )
        end = builder.append_basic_block("rows.end")
        builder.cbranch(builder.icmp_unsigned("!=", flipped, _I64(0)), start, end)
        builder.position_at_end(start)
        sums = [cgutils.alloca_once(builder, vector) for _ in range(TILE_VECTORS)]
        for k, slot in enumerate(sums):
            builder.store(_load(builder, builder.add(target, _I64(VECTOR_BYTES * k)), vector), slot)
        left = cgutils.alloca_once_value(builder, flipped)
        trailing = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(_I64, [_I64, _I1]), "llvm.cttz.i64"
        )
        builder.branch(body)
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
            _store(builder, builder.load(slot), builder.add(target, _I64(VECTOR_BYTES * k)), vector)
        builder.branch(end)
        builder.position_at_end(end)
        return context.get_dummy_value()

    return types.void(fields, rows, types.int64, types.int64), generate


@intrinsic
def add_products(typing_context, sums, factors, rows, n_rows):
    """``sums[lane] += sum_j factors[j] rows[j, lane]`` over j < `n_rows`, all int32, lane < LANES.

    Parameters
    ----------
    sums : int32 array (LANES,)
    factors : int32 array (at least n_rows,)
    rows : int32 array (at least n_rows, LANES), C-contiguous
    n_rows : int64
        Sums stay in registers. All arrays but `factors` are aligned to 64 bytes.
    """
    vector = ir.VectorType(_I32, VECTOR_BYTES // 4)

    def generate(context, builder, signature, arguments):
        views = [
            context.make_array(kind)(context, builder, value)
            for kind, value in zip(signature.args[:3], arguments[:3], strict=True)
        ]
        target, factor, source = (builder.ptrtoint(view.data, _I64) for view in views)
        places = [builder.add(target, _I64(VECTOR_BYTES * k)) for k in range(LANE_VECTORS)]
        totals = [cgutils.alloca_once_value(builder, _load(builder, place, vector)) for place in places]
        with cgutils.for_range(builder, arguments[3]) as loop:
            address = builder.add(factor, builder.mul(loop.index, _I64(4)))
            scale = _splat(builder, builder.load(builder.inttoptr(address, _I32.as_pointer())), vector)
            row = builder.add(source, builder.mul(loop.index, _I64(VECTOR_BYTES * LANE_VECTORS)))
            for k, total in enumerate(totals):
                value = _load(builder, builder.add(row, _I64(VECTOR_BYTES * k)), vector)
                builder.store(builder.add(builder.load(total), builder.mul(scale, value)), total)
        for place, total in zip(places, totals, strict=True):
            _store(builder, builder.load(total), place, vector)
        return context.get_dummy_value()

    return types.void(sums, factors, rows, types.int64), generate
