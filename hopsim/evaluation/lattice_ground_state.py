"""Exact ground-state energies of square lattices by transfer matrices over the (min, +) algebra.

Row by row, the lowest energy of all rows so far is kept for each state of the last one; a bond to the next row takes
one pass over them. Periodic columns of rows (vertical bonds from the last row to the first) are cut by fixing the first
row's state, all of them at a time as memory allows.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, triu

from hopsim.errors import InputError
from hopsim.models.sparse import check_sparse_couplings

LARGEST_WIDTH = 14
_NUMBERS_AT_ONCE = 1 << 18


class _Bonds(NamedTuple):
    across: NDArray[np.float64]  # (n_rows, width): from each site to the next of its row, periodically
    down: NDArray[np.float64]  # (n_rows, width): to the same column of the next row, periodically

    @property
    def is_periodic(self) -> bool:
        """Whether the last row is coupled to the first."""
        return bool(self.down[-1].any())


def square_ground_state_energy(
    couplings: csr_array, shape: tuple[int, int], tick: Callable[[], None] = lambda: None
) -> float:
    """Lowest energy ``-1/2 sum_ij W_ij s_i s_j`` of a square lattice with bonds between nearest neighbours alone.

    Time grows as 2^width on lattices with free rows, as 4^width on periodic ones; the width is the shorter side.

    Parameters
    ----------
    couplings : csr_array (n_sites, n_sites)
        Sites numbered row by row, as `hopsim.models.lattices.edwards_anderson` has them; periodic or free.
    shape : (n_rows, n_columns)
        The shorter side at most 14.
    tick : callable, optional
        Called between pieces of work; may raise to stop.

    Raises
    ------
    InputError
        For ``couplings`` that join other sites than neighbours, or ``shape``.

    Examples
    --------
    >>> from hopsim.models.lattices import ising
    >>> square_ground_state_energy(ising((4, 5)), (4, 5))
    -40.0
    """
    bonds = _bonds_of(check_sparse_couplings(couplings), shape)
    width = bonds.across.shape[1]
    if width > LARGEST_WIDTH:
        raise InputError("shape", f"expected a shorter side of at most {LARGEST_WIDTH}, got {width}")
    states = _row_states(width)
    # energies change nothing if all units flip: half the first rows will do
    firsts = np.arange(len(states) // 2) if bonds.is_periodic else np.arange(0)
    if firsts.size == 0:
        return float(_advance(bonds, states, _row_energies(bonds, states, 0)[None], tick).min())
    lowest = np.inf
    step = max(1, _NUMBERS_AT_ONCE // len(states))
    for first in range(0, len(firsts), step):
        part = firsts[first : first + step]
        start = np.full((len(part), len(states)), np.inf)
        start[np.arange(len(part)), part] = _row_energies(bonds, states, 0)[part]
        energies = _advance(bonds, states, start, tick)
        back = -(states[part] * bonds.down[-1]).astype(np.float64) @ states.T
        lowest = min(lowest, float((energies + back).min()))
    return lowest


def _bonds_of(couplings: csr_array, shape: tuple[int, int]) -> _Bonds:
    """Bonds of a lattice, the longer side as rows."""
    n_rows, n_columns = shape
    if min(shape) < 2 or n_rows * n_columns != couplings.shape[0]:
        raise InputError(
            "shape", f"expected sides of at least 2 with {couplings.shape[0]} sites, got {n_rows}x{n_columns}"
        )
    across, down = np.zeros(shape), np.zeros(shape)
    upper = triu(couplings).tocoo()
    (row, column), (other_row, other_column) = (divmod(sites, n_columns) for sites in upper.coords)
    for bonds, side, along, other_along, same in (
        (across, n_columns, column, other_column, row == other_row),
        (down, n_rows, row, other_row, column == other_column),
    ):
        forwards = same & (other_along - along == 1)
        backwards = same & (other_along - along == side - 1) & ~forwards
        bonds[row[forwards], column[forwards]] = upper.data[forwards]
        bonds[other_row[backwards], other_column[backwards]] = upper.data[backwards]
    if np.count_nonzero(across) + np.count_nonzero(down) != upper.nnz:
        raise InputError(
            "couplings", f"expected bonds between neighbours of a {n_rows}x{n_columns} lattice only"
        )
    return _Bonds(across, down) if n_rows >= n_columns else _Bonds(down.T.copy(), across.T.copy())


def _row_states(width: int) -> NDArray[np.float64]:
    """All states of a row, float64 (2^width, width) of ±1; column i is bit i of the state's number."""
    bits = (np.arange(1 << width)[:, None] >> np.arange(width)) & 1
    return (2 * bits - 1).astype(np.float64)


def _row_energies(bonds: _Bonds, states: NDArray[np.float64], row: int) -> NDArray[np.float64]:
    """Energies (2^width,) of the bonds within a row."""
    return -(states * np.roll(states, -1, axis=1)) @ bonds.across[row]


def _advance(
    bonds: _Bonds, states: NDArray[np.float64], energies: NDArray[np.float64], tick: Callable[[], None]
) -> NDArray[np.float64]:
    """From the lowest energies (n_starts, 2^width) by the first row's state to those by the last one's."""
    n_rows, width = bonds.across.shape
    for row in range(1, n_rows):
        for column in range(width):
            # unit `column` of the row before gives way to the one below it
            coupling = bonds.down[row - 1, column]
            pairs = energies.reshape(len(energies), -1, 2, 1 << column)
            below = np.empty_like(pairs)
            alike, unlike = pairs - coupling, pairs + coupling
            np.minimum(alike[:, :, 0], unlike[:, :, 1], out=below[:, :, 0])
            np.minimum(alike[:, :, 1], unlike[:, :, 0], out=below[:, :, 1])
            energies = below.reshape(energies.shape)
            tick()
        energies = energies + _row_energies(bonds, states, row)
    return energies
