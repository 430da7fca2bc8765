"""Dense symmetric couplings: local fields are kept, and changed only on flips.

Couplings are float32, float64, or integers: int16 where N W is an integer matrix that fits, int16 or int32 in fixed
point. Fields are float64 (int32 for integers): an attempt without a flip costs O(1), a flip one pass over a row.
"""

from typing import NamedTuple

import numpy as np
from numba import prange
from numba.extending import overload

from hopsim.kernels.compile_options import LOOP_OPTIONS, parallel_kernel
from hopsim.kernels.system import flip_unit, local_field, pair_energy, prefetch_unit, settle


class DenseSystem(NamedTuple):
    """A coupling matrix and the fields of chains on it."""

    couplings: np.ndarray  # (n_neurons, n_neurons): symmetric, zero diagonal
    fields: np.ndarray  # (n_chains, n_neurons): float64, or int32 for integer couplings


def _is_dense(system):
    return getattr(system, "instance_class", None) is DenseSystem


@parallel_kernel
def add_fields(system, spins, first, last):
    """Add what units `first` to `last` - 1 contribute to the fields of all chains at `spins` (n_chains, n_neurons)."""
    for c in prange(spins.shape[0]):
        fields = system.fields[c]
        for j in range(first, last):
            row = system.couplings[j]
            if spins[c, j] > 0:
                for i in range(fields.shape[0]):
                    fields[i] += row[i]
            else:
                for i in range(fields.shape[0]):
                    fields[i] -= row[i]


@overload(local_field, jit_options=LOOP_OPTIONS)
def _local_field(system, c, i, spin):
    if not _is_dense(system):
        return None

    def field(system, c, i, spin):
        return np.float64(system.fields[c, i])

    return field


@overload(flip_unit, jit_options=LOOP_OPTIONS)
def _flip_unit(system, c, i, spin):
    if not _is_dense(system):
        return None

    def flip(system, c, i, spin):
        fields = system.fields[c]
        row = system.couplings[i]
        if spin > 0:
            for j in range(fields.shape[0]):
                fields[j] -= row[j] + row[j]
        else:
            for j in range(fields.shape[0]):
                fields[j] += row[j] + row[j]

    return flip


@overload(prefetch_unit, jit_options=LOOP_OPTIONS)
def _prefetch_unit(system, c, i):
    if not _is_dense(system):
        return None

    def prefetch(system, c, i):
        pass

    return prefetch


@overload(settle, jit_options=LOOP_OPTIONS)
def _settle(system, c):
    if not _is_dense(system):
        return None

    def settle_fields(system, c):
        pass

    return settle_fields


@overload(pair_energy)
def _pair_energy(system, spins, c):
    if not _is_dense(system):
        return None

    def energy(system, spins, c):
        total = np.float64(0.0)
        for i in range(spins.shape[0]):
            total += np.float64(spins[i]) * np.float64(system.fields[c, i])
        return -0.5 * total

    return energy
