"""Sums over all states of machines of ±1 units, without an exponential for each state.

Weights are ``w(s) = exp(1/2 s.J.s + g.s)``. The first ten units, the *low* ones, fall into groups A and B of five with
32 states a and b; the others are *high*. Given a state H of the high units, with fields h(H) on the low ones,

``w(a, b, H) = w(H) A_H[a] C[a, b] B_H[b]``, ``A_H[a] = exp(h.a)``, ``B_H[b] = exp(h.b)``:

ten exponentials serve 1,024 states, and the sums over a, b and H are products of small matrices, a multiply-add a
state. All means and correlations are Walsh coefficients of three marginals: of (a, b), of H, and of (H, a) and (H, b).
"""

import numpy as np
from numba import prange

from hopsim.kernels.compile_options import inline_kernel, kernel, loop_kernel, parallel_kernel
from hopsim.kernels.floating_point import exponential, fma

GROUP = 5  # units
N_LOW = 2 * GROUP
SIDE = 1 << GROUP  # states of a group
MAX_SPREAD = 500.0  # of the exponents within C: beyond, what counts could lie below the range of float64

N_MATRICES = 6  # of scratch
_BLOCK = SIDE  # high states weighed together
_DEPTH = 8  # terms that a product of matrices adds at once


@parallel_kernel
def enumerate_machines(couplings, biases, scratch, shifts, sums, means, correlations):
    """Sum over all states of machines that differ in their biases.

    Parameters
    ----------
    couplings : float64 (n_units, n_units)
        J, divided by the temperature; at least `N_LOW` units, and ``2 sum_(i<j) |J_ij|`` over the first `N_LOW` at most
        `MAX_SPREAD`.
    biases : float64 (n_machines, n_units)
        g, divided by the temperature.
    scratch : float64 (1 + n_parts, N_MATRICES, SIDE, SIDE)
        Aligned to cache lines. Threads share the machines out in `n_parts` pieces, which changes no bit.
    shifts, sums : float64 (n_machines,)
        Filled: Z is ``sums exp(shifts)``.
    means : float64 (n_machines, n_units)
    correlations : float64 (n_machines, n_units, n_units)
        Filled, 1 on the diagonal.
    """
    n_parts = scratch.shape[0] - 1
    low_weights = scratch[n_parts]
    largest = _weigh_low_pairs(couplings, low_weights)
    for part in prange(n_parts):
        _enumerate_part(
            couplings, biases, part, n_parts, low_weights, scratch[part], shifts, sums, means, correlations
        )
    for c in range(biases.shape[0]):
        shifts[c] += largest


@kernel
def _weigh_low_pairs(couplings, low_weights):
    """C relative to its largest, and its transpose; returns the logarithm of the largest."""
    exponents = np.empty((SIDE, SIDE))
    for a in range(SIDE):
        for b in range(SIDE):
            state = (a << GROUP) | b
            exponent = 0.0
            for i in range(N_LOW):
                for j in range(i):
                    exponent += couplings[i, j] * _spin(state, i) * _spin(state, j)
            exponents[a, b] = exponent
    largest = exponents.max()
    for a in range(SIDE):
        for b in range(SIDE):
            weight = exponential(exponents[a, b] - largest)
            low_weights[0, a, b] = weight
            low_weights[1, b, a] = weight
    return largest


@inline_kernel
def _spin(state, unit):
    return 1.0 if (state >> unit) & 1 else -1.0


@kernel
def _enumerate_part(
    couplings, biases, part, n_parts, low_weights, matrices, shifts, sums, means, correlations
):
    """Every `n_parts`-th machine from `part` on."""
    n_high = biases.shape[1] - N_LOW
    n_states = 1 << n_high
    fields = np.empty((n_states, N_LOW))
    high_fields = np.empty((n_high, n_states))
    exponents = np.empty(n_states)
    low_sums = matrices[0]
    alignments = np.empty((2, n_high, SIDE))
    for c in range(part, biases.shape[0], n_parts):
        shifts[c] = _prepare_high_states(couplings, biases[c], fields, high_fields, exponents)
        _sum_weights(fields, exponents, low_weights, matrices, alignments)
        sums[c] = _moments(low_sums, exponents, alignments, means[c], correlations[c])


@loop_kernel
def _prepare_high_states(couplings, bias, fields, high_fields, exponents):
    """Fields (n_states, N_LOW) of the low units in every state of the high ones, and their log weights.

    To the log weight belongs the largest that A_H and B_H can add; returns the largest sum, which is taken off all.
    Bit i of a high state is unit N_LOW + i; states with one more unit up follow from those before.
    """
    n_high, n_states = high_fields.shape
    exponents[0] = 0.0
    for i in range(n_high):
        high_fields[i, 0] = bias[N_LOW + i]
        exponents[0] -= bias[N_LOW + i]
        for j in range(n_high):
            high_fields[i, 0] -= couplings[N_LOW + i, N_LOW + j]
        for j in range(i):
            exponents[0] += couplings[N_LOW + i, N_LOW + j]
    for k in range(N_LOW):
        fields[0, k] = bias[k]
        for i in range(n_high):
            fields[0, k] -= couplings[N_LOW + i, k]
    for i in range(n_high):
        half = 1 << i
        for state in range(half):
            exponents[half + state] = exponents[state] + 2.0 * high_fields[i, state]
        for j in range(n_high):
            for state in range(half):
                high_fields[j, half + state] = high_fields[j, state] + 2.0 * couplings[N_LOW + i, N_LOW + j]
        for state in range(half):
            for k in range(N_LOW):
                fields[half + state, k] = fields[state, k] + 2.0 * couplings[N_LOW + i, k]
    shift = -np.inf
    for state in range(n_states):
        for k in range(N_LOW):
            exponents[state] += abs(fields[state, k])
        shift = max(shift, exponents[state])
    for state in range(n_states):
        exponents[state] -= shift
    return shift


@kernel
def _sum_weights(fields, exponents, low_weights, matrices, alignments):
    """Sum the weights of all states.

    Parameters
    ----------
    fields, exponents
        As `_prepare_high_states` leaves them; `exponents` is replaced by the sums (n_states,) of each high state.
    low_weights : float64 (at least 2, SIDE, SIDE)
    matrices : float64 (N_MATRICES, SIDE, SIDE)
        Filled: the first with the sum of each (a, b) over the high states; the others are scratch.
    alignments : float64 (2, n_high, SIDE)
        Filled: ``sum_H s_i(H) w(H, b)`` of each high unit and b, and the same of a.
    """
    n_states = exponents.shape[0]
    n_block = min(_BLOCK, n_states)
    n_terms = max(n_block, _DEPTH)  # factors of states that do not exist stay 0
    low_sums, a_factors, b_factors = matrices[0], matrices[1], matrices[2]
    a_products, b_products, block_matrix = matrices[3], matrices[4], matrices[5]
    small = np.empty(_BLOCK * (N_LOW + 1))
    signs = _signs_within_block(n_block, n_terms)
    block_sums = block_matrix[: signs.shape[0]]
    matrices[:] = 0.0
    alignments[:] = 0.0
    for first in range(0, n_states, n_block):
        last = first + n_block
        _fill_factors(fields[first:last], exponents[first:last], small, a_factors, b_factors)
        a_products[:] = 0.0
        b_products[:] = 0.0
        _add_product(b_factors[:n_block], low_weights[1], a_products)
        _add_product(a_factors[:n_block], low_weights[0], b_products)
        _add_product(a_factors[:n_terms].T, b_factors[:n_terms], low_sums)
        _multiply_into(a_products, a_factors)
        _multiply_into(b_products, b_factors)
        _sum_rows(b_products, exponents[first:last])
        for group in range(2):
            block_sums[:] = 0.0
            _add_product(signs, (b_products if group == 0 else a_products)[:n_terms], block_sums)
            _add_alignments(first // n_block, block_sums, alignments[group])
    _multiply_into(low_sums, low_weights[0])


@kernel
def _signs_within_block(n_block, n_terms):
    """A row of ones, and the spins of those high units that differ within a block."""
    n_units = 0
    while (1 << n_units) < n_block:
        n_units += 1
    signs = np.ones((1 + n_units, n_terms))
    for i in range(n_units):
        for state in range(n_block):
            signs[1 + i, state] = _spin(state, i)
    return signs


@loop_kernel
def _add_alignments(block, block_sums, alignments):
    """Add a block's sums: with signs for the units that differ within it, as a whole for the others."""
    n_within = block_sums.shape[0] - 1
    for i in range(alignments.shape[0]):
        row = block_sums[1 + i] if i < n_within else block_sums[0]
        sign = 1.0 if i < n_within else _spin(block, i - n_within)
        for k in range(block_sums.shape[1]):
            alignments[i, k] += sign * row[k]


@loop_kernel
def _fill_factors(fields, exponents, small, a_factors, b_factors):
    """``exp(h.s - |h|)`` over the states of either group; those of B times ``exp(exponents)``."""
    n_block = fields.shape[0]
    flat = fields.reshape(n_block * N_LOW)
    for k in range(n_block * N_LOW):
        small[k] = exponential(-2.0 * abs(flat[k]))
    weights = small[n_block * N_LOW :]
    for k in range(n_block):
        weights[k] = exponential(exponents[k])
    for k in range(n_block):
        _fill_group(fields[k, :GROUP], small[k * N_LOW :], weights[k], b_factors[k])
        _fill_group(fields[k, GROUP:], small[k * N_LOW + GROUP :], 1.0, a_factors[k])


@inline_kernel
def _fill_group(field, small, weight, factors):
    up_0, down_0 = _factors_of_unit(field[0], small[0])
    up_0, down_0 = weight * up_0, weight * down_0
    up_1, down_1 = _factors_of_unit(field[1], small[1])
    up_2, down_2 = _factors_of_unit(field[2], small[2])
    up_3, down_3 = _factors_of_unit(field[3], small[3])
    up_4, down_4 = _factors_of_unit(field[4], small[4])
    for state in range(factors.shape[0]):
        low = (up_0 if state & 1 else down_0) * (up_1 if state & 2 else down_1)
        high = (up_2 if state & 4 else down_2) * (up_3 if state & 8 else down_3)
        factors[state] = low * high * (up_4 if state & 16 else down_4)


@inline_kernel
def _factors_of_unit(field, small):
    return (1.0, small) if field >= 0.0 else (small, 1.0)


@loop_kernel
def _add_product(left, right, product):
    """Add ``left right``, (m, k) times (k, n), to `product`; k a multiple of `_DEPTH`."""
    for k in range(0, right.shape[0], _DEPTH):
        r0, r1, r2, r3 = right[k], right[k + 1], right[k + 2], right[k + 3]
        r4, r5, r6, r7 = right[k + 4], right[k + 5], right[k + 6], right[k + 7]
        for i in range(left.shape[0]):
            l0, l1, l2, l3 = left[i, k], left[i, k + 1], left[i, k + 2], left[i, k + 3]
            l4, l5, l6, l7 = left[i, k + 4], left[i, k + 5], left[i, k + 6], left[i, k + 7]
            row = product[i]
            for j in range(right.shape[1]):
                total = fma(l0, r0[j], row[j])
                total = fma(l1, r1[j], total)
                total = fma(l2, r2[j], total)
                total = fma(l3, r3[j], total)
                total = fma(l4, r4[j], total)
                total = fma(l5, r5[j], total)
                total = fma(l6, r6[j], total)
                row[j] = fma(l7, r7[j], total)


@loop_kernel
def _multiply_into(values, factors):
    """Multiply the matrix `values` by the matrix `factors`, element by element."""
    n_rows, n_columns = values.shape
    flat, flat_factors = values.reshape(n_rows * n_columns), factors.reshape(n_rows * n_columns)
    for k in range(n_rows * n_columns):
        flat[k] *= flat_factors[k]


@loop_kernel
def _sum_rows(values, sums):
    """Fill `sums` with the sums of the rows of `values` (at least as many, SIDE), each in eight lanes."""
    for i in range(sums.shape[0]):
        row = values[i]
        total = 0.0
        for k in range(8):
            total += (row[k] + row[8 + k]) + (row[16 + k] + row[24 + k])
        sums[i] = total


@kernel
def _moments(low_sums, high_sums, alignments, means, correlations):
    """Means and correlations (filled) from the three marginals, and the sum of all weights (returned)."""
    low = low_sums.reshape(SIDE * SIDE)
    _walsh_transform(low)
    _walsh_transform(high_sums)
    n_units = means.shape[0]
    total = low[0]
    for i in range(n_units):
        correlations[i, i] = 1.0
    for i in range(N_LOW):
        means[i] = low[1 << i] / total
        for j in range(i):
            correlations[i, j] = low[(1 << i) | (1 << j)] / total
            correlations[j, i] = correlations[i, j]
    for i in range(n_units - N_LOW):
        unit = N_LOW + i
        means[unit] = high_sums[1 << i] / total
        for j in range(i):
            correlations[unit, N_LOW + j] = high_sums[(1 << i) | (1 << j)] / total
            correlations[N_LOW + j, unit] = correlations[unit, N_LOW + j]
        for group in range(2):
            _walsh_transform(alignments[group, i])
            for k in range(GROUP):
                j = group * GROUP + k
                correlations[unit, j] = alignments[group, i, 1 << k] / total
                correlations[j, unit] = correlations[unit, j]
    return total


@loop_kernel
def _walsh_transform(values):
    """Replace values over the states of n units, (2^n,), by ``sum_s values[s] prod_(i in k) s_i``, k units as bits."""
    half = 1
    while half < values.shape[0]:
        for first in range(0, values.shape[0], 2 * half):
            for k in range(first, first + half):
                low, high = values[k], values[half + k]
                values[k] = low + high
                values[half + k] = high - low
        half *= 2
