"""What the dynamics asks of a network, whatever its couplings look like.

A *system* is a named tuple of plain arrays: the couplings, and what each chain keeps so that its local fields are
cheap. Fields, energies and temperatures of a system are *scaled* by one number (N for integer Hebbian couplings, 1
for real ones), so that integer physics stays integer. `hopsim.kernels.hebbian` and `hopsim.kernels.dense` implement
these functions for their systems as numba overloads; the dynamics is compiled once for each.
"""


def local_field(system, c, i, spin):
    """Scaled field on unit `i` of chain `c` (float64, exact where integer), its bias left out; `spin` is its value."""


def flip_unit(system, c, i, spin):
    """Take note that unit `i` of chain `c` flips from `spin` to -`spin`."""


def prefetch_unit(system, c, i):
    """Fetch what `local_field` will need for unit `i` ahead of time."""


def settle(system, c):
    """Do the upkeep that is due after some flips (counters near the end of their range)."""


def pair_energy(system, spins, c):
    """Scaled energy -1/2 sum_ij W_ij s_i s_j of chain `c` (float64, exact where integer), from what is kept."""
