"""512-bit vector code for packed rows against bit-sliced counters, as generic LLVM that any target lowers.

A *block* is 8 words of 64 bits, one bit for each of 512 columns (patterns). The counters of a block are stored as
``[mask, plane 0, ..., plane B - 1]``, 8 words each: bit p of a column's counter lies in plane p, and the mask holds a 1
for each column that counts at all. Columns outside the mask stay 0 in every plane.
"""

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

WORDS_PER_BLOCK = 8
BITS_PER_BLOCK = 512
# Numbers of planes come in steps of two, from 4 to 26 (more neurons than memory holds): each is code of its own.
PLANE_STEP, MAX_PLANES = 2, 26

_BLOCK_BYTES = 64
_I64 = ir.IntType(64)
_VECTOR = ir.VectorType(_I64, WORDS_PER_BLOCK)


@intrinsic
def data_address(typing_context, array):
    """Address (int64) of the first element of an array, without touching its reference count."""

    def generate(context, builder, signature, arguments):
        view = context.make_array(signature.args[0])(context, builder, arguments[0])
        return builder.ptrtoint(view.data, _I64)

    return types.int64(array), generate


def _constant(value):
    return ir.Constant(_VECTOR, [value] * WORDS_PER_BLOCK)


def _offset(builder, address, index, stride):
    return builder.add(address, builder.mul(index, stride))


def _load(builder, address):
    value = builder.load(builder.inttoptr(address, _VECTOR.as_pointer()))
    value.align = 8
    return value


def _store(builder, value, address):
    builder.store(value, builder.inttoptr(address, _VECTOR.as_pointer())).align = 8


def _popcount(builder, vector):
    function = ir.FunctionType(_VECTOR, [_VECTOR])
    return builder.call(
        cgutils.get_or_insert_function(builder.module, function, "llvm.ctpop.v8i64"), [vector]
    )


def _horizontal_sum(builder, vector):
    function = ir.FunctionType(_I64, [_VECTOR])
    name = "llvm.vector.reduce.add.v8i64"
    return builder.call(cgutils.get_or_insert_function(builder.module, function, name), [vector])


def _accumulator(builder):
    slot = cgutils.alloca_once(builder, _VECTOR)
    builder.store(_constant(0), slot)
    return slot


def _sum_unrolled(builder, row, planes, n_blocks, n_planes):
    """One accumulator a plane, kept in registers over the blocks; their weights 2^p come in once, at the end."""
    counts = [_accumulator(builder) for _ in range(n_planes)]
    stride = _I64(_BLOCK_BYTES * (n_planes + 1))
    with cgutils.for_range(builder, n_blocks) as loop:
        bits = _load(builder, _offset(builder, row, loop.index, _I64(_BLOCK_BYTES)))
        block = _offset(builder, planes, loop.index, stride)
        for p, count in enumerate(counts):
            plane = _load(builder, builder.add(block, _I64(_BLOCK_BYTES * (p + 1))))
            ones = _popcount(builder, builder.and_(bits, plane))
            builder.store(builder.add(builder.load(count), ones), count)
    total = _constant(0)
    for count in reversed(counts):
        total = builder.add(builder.add(total, total), builder.load(count))
    return _horizontal_sum(builder, total)


@intrinsic
def sum_counters(typing_context, row, planes, n_blocks, n_planes):
    """Sum of the counters (int64) over the columns in which a packed row has a 1.

    Parameters
    ----------
    row, planes : int64
        Addresses of `n_blocks` blocks of the row and of the counters.
    n_blocks, n_planes : int64
        `n_planes` is a multiple of `PLANE_STEP` from 4 to `MAX_PLANES`.
    """

    def generate(context, builder, signature, arguments):
        row, planes, n_blocks, n_planes = arguments
        result = cgutils.alloca_once_value(builder, _I64(0))
        done = builder.append_basic_block("counters.done")
        switch = builder.switch(n_planes, done)
        for case in range(2 * PLANE_STEP, MAX_PLANES + 1, PLANE_STEP):
            branch = builder.append_basic_block(f"counters.{case}")
            switch.add_case(_I64(case), branch)
            builder.position_at_end(branch)
            builder.store(_sum_unrolled(builder, row, planes, n_blocks, case), result)
            builder.branch(done)
        builder.position_at_end(done)
        return builder.load(result)

    return types.int64(types.int64, types.int64, types.int64, types.int64), generate


@intrinsic
def step_counters(typing_context, row, planes, n_blocks, n_planes, up):
    """Move every counter by one: by +1 where the packed row holds the bit `up`, by -1 where it does not.

    One bit-sliced addition. Adding -1 adds a 1 in every plane; either way plane 0 changes and carries its old value.

    Parameters
    ----------
    row, planes, n_blocks, n_planes : int64
        As in `sum_counters`.
    up : int64
        1 or 0.
    """

    def generate(context, builder, signature, arguments):
        row, planes, n_blocks, n_planes, up = arguments
        down_where = builder.neg(up)  # all ones where a set bit means up: columns without it go down
        lanes = builder.insert_element(ir.Constant(_VECTOR, ir.Undefined), down_where, ir.IntType(32)(0))
        zeros = ir.Constant(ir.VectorType(ir.IntType(32), WORDS_PER_BLOCK), [0] * WORDS_PER_BLOCK)
        flip = builder.shuffle_vector(lanes, ir.Constant(_VECTOR, ir.Undefined), zeros)
        stride = builder.mul(builder.add(n_planes, _I64(1)), _I64(_BLOCK_BYTES))
        carry_slot = cgutils.alloca_once(builder, _VECTOR)
        with cgutils.for_range(builder, n_blocks) as loop:
            bits = _load(builder, _offset(builder, row, loop.index, _I64(_BLOCK_BYTES)))
            block = _offset(builder, planes, loop.index, stride)
            mask = _load(builder, block)
            down = builder.and_(builder.xor(bits, flip), mask)
            lowest = builder.add(block, _I64(_BLOCK_BYTES))
            counter = _load(builder, lowest)
            _store(builder, builder.xor(counter, mask), lowest)
            builder.store(counter, carry_slot)
            with cgutils.for_range(builder, builder.sub(n_planes, _I64(1))) as upper:
                address = _offset(builder, block, builder.add(upper.index, _I64(2)), _I64(_BLOCK_BYTES))
                counter = _load(builder, address)
                carry = builder.load(carry_slot)
                partial = builder.xor(counter, down)
                _store(builder, builder.xor(partial, carry), address)
                majority = builder.or_(builder.and_(counter, down), builder.and_(carry, partial))
                builder.store(majority, carry_slot)
        return context.get_dummy_value()

    address = types.int64
    return types.void(address, address, types.int64, types.int64, types.int64), generate


@intrinsic
def count_ones(typing_context, row, n_blocks):
    """Number of ones (int64) in the `n_blocks` blocks at address `row`."""

    def generate(context, builder, signature, arguments):
        row, n_blocks = arguments
        total = _accumulator(builder)
        with cgutils.for_range(builder, n_blocks) as loop:
            ones = _popcount(builder, _load(builder, _offset(builder, row, loop.index, _I64(_BLOCK_BYTES))))
            builder.store(builder.add(builder.load(total), ones), total)
        return _horizontal_sum(builder, builder.load(total))

    return types.int64(types.int64, types.int64), generate


@intrinsic
def count_differences(typing_context, row, other, n_blocks):
    """Number of bits (int64) in which the `n_blocks` blocks at two addresses differ."""

    def generate(context, builder, signature, arguments):
        row, other, n_blocks = arguments
        total = _accumulator(builder)
        with cgutils.for_range(builder, n_blocks) as loop:
            bits, others = (
                _load(builder, _offset(builder, address, loop.index, _I64(_BLOCK_BYTES)))
                for address in (row, other)
            )
            differences = _popcount(builder, builder.xor(bits, others))
            builder.store(builder.add(builder.load(total), differences), total)
        return _horizontal_sum(builder, builder.load(total))

    return types.int64(types.int64, types.int64, types.int64), generate


@intrinsic
def prefetch_row(typing_context, row, n_blocks):
    """Ask for the `n_blocks` cache lines at address `row` ahead of their use."""

    def generate(context, builder, signature, arguments):
        row, n_blocks = arguments
        byte, i32 = ir.IntType(8).as_pointer(), ir.IntType(32)
        function = ir.FunctionType(ir.VoidType(), [byte, i32, i32, i32])
        prefetch = cgutils.get_or_insert_function(builder.module, function, "llvm.prefetch.p0")
        with cgutils.for_range(builder, n_blocks) as loop:
            line = _offset(builder, row, loop.index, _I64(_BLOCK_BYTES))
            builder.call(prefetch, [builder.inttoptr(line, byte), i32(0), i32(3), i32(1)])
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), generate
