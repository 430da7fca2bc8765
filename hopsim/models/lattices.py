"""Couplings of the standard models of statistical physics: Ising lattices, spin glasses, diluted networks.

All are W of ``E(s) = -1/2 sum_ij W_ij s_i s_j`` over ±1 units, each instance a function of its seed alone. Sites of a
lattice are numbered row by row (C order). On a periodic side of length 2 the bonds forwards and backwards join the same
two sites, and add up.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array

from hopsim.errors import InputError
from hopsim.models.memory import require_memory
from hopsim.models.seeds import Stream, check_seed, stream_keys
from hopsim.models.sparse import coupling_list

MODELS = {
    "ising": "ising:64x64, ising:16x16x16",
    "ea": "ea:10x10",
    "ea-gaussian": "ea-gaussian:8x8",
    "sk": "sk:256",
    "sk-pm": "sk-pm:256",
    "viana-bray": "viana-bray:1000:3",
}
_LARGEST_SYSTEM = 2**31 - 1  # units, numbered in int32
_BYTES_PER_BOND = 80  # while a lattice is built
_BYTES_PER_DRAWN_PAIR = 500  # while pairs are drawn: where they are many, numpy lists all pairs


def ising(shape: Sequence[int], coupling: float = 1.0, *, periodic: bool = True) -> csr_array:
    """Nearest neighbours on a (hyper)cubic lattice, all coupled alike (`coupling` > 0: a ferromagnet).

    Parameters
    ----------
    shape : sequence of int
        Sides, each at least 2.
    coupling : float
        J.
    periodic : bool
        A torus, or free boundaries.

    Returns
    -------
    csr_array of float64 (n_sites, n_sites)

    Raises
    ------
    InputError
        For ``shape``.

    Examples
    --------
    >>> ising((2, 3), periodic=False).sum()  # 7 bonds, each there and back
    np.float64(14.0)
    """
    rows, columns = _bonds(shape, periodic)
    return _couplings(shape, rows, columns, np.full(len(rows), float(coupling)))


def edwards_anderson(
    shape: Sequence[int], seed: int | None = None, *, gaussian: bool = False, periodic: bool = True
) -> csr_array:
    """Random bonds between nearest neighbours [1]_: ±1 with equal odds, or standard normal.

    Parameters, returns and errors as `ising`; also ``seed``.

    References
    ----------
    .. [1] Edwards and Anderson, "Theory of spin glasses", J. Phys. F 5, 965 (1975).
    """
    rows, columns = _bonds(shape, periodic)
    return _couplings(shape, rows, columns, _random_couplings(_generator(seed), len(rows), gaussian))


def sherrington_kirkpatrick(
    n_units: int, seed: int | None = None, *, gaussian: bool = True
) -> NDArray[np.float64]:
    """Every pair coupled with variance 1/N [1]_: normal, or ±1/sqrt(N) with equal odds.

    Returns
    -------
    float64 (n_units, n_units)

    Raises
    ------
    InputError
        For ``n_units`` or ``seed``.

    References
    ----------
    .. [1] Sherrington and Kirkpatrick, "Solvable model of a spin-glass", Phys. Rev. Lett. 35, 1792 (1975).
    """
    _check_size("n_units", n_units, 2)
    require_memory(32 * n_units**2, "n_units", f"couplings of {n_units} units")
    rows, columns = np.triu_indices(n_units, 1)
    couplings = np.zeros((n_units, n_units))
    couplings[rows, columns] = _random_couplings(_generator(seed), len(rows), gaussian) / np.sqrt(n_units)
    return couplings + couplings.T


def viana_bray(n_units: int, degree: float, seed: int | None = None, *, gaussian: bool = False) -> csr_array:
    """A diluted spin glass [1]_: each pair is coupled with probability ``degree / (N - 1)``, by ±1 or a normal number.

    Parameters
    ----------
    n_units : int
        N, at least 2.
    degree : float
        Mean number of neighbours, up to N - 1.
    seed : int, optional
    gaussian : bool
        Standard normal couplings rather than ±1.

    Returns
    -------
    csr_array of float64 (n_units, n_units)

    Raises
    ------
    InputError
        For ``n_units``, ``degree`` or ``seed``.

    References
    ----------
    .. [1] Viana and Bray, "Phase diagrams for dilute spin glasses", J. Phys. C 18, 3037 (1985).
    """
    _check_size("n_units", n_units, 2)
    if not 0 <= degree <= n_units - 1:
        raise InputError("degree", f"expected a number from 0 to n_units - 1 = {n_units - 1}, got {degree}")
    n_pairs = n_units * (n_units - 1) // 2
    n_bytes = int(_BYTES_PER_DRAWN_PAIR * degree * n_units / 2)
    require_memory(n_bytes, "degree", f"couplings of {n_units} units with {degree:g} neighbours")
    generator = _generator(seed)
    n_bonds = generator.binomial(n_pairs, degree / (n_units - 1))
    pairs = np.sort(generator.choice(n_pairs, n_bonds, replace=False, shuffle=False))
    # pair p is (i, j), j < i, with p = i (i - 1)/2 + j; the root may be off by its rounding
    rows = np.rint(np.sqrt(2.0 * pairs)).astype(np.int64)
    rows += (rows * (rows + 1) // 2 <= pairs).astype(np.int64)
    rows -= (rows * (rows - 1) // 2 > pairs).astype(np.int64)
    columns = pairs - rows * (rows - 1) // 2
    return coupling_list(n_units, rows, columns, _random_couplings(generator, n_bonds, gaussian))


def named_couplings(name: str, seed: int | None = None) -> NDArray[np.float64] | csr_array:
    """Couplings of a model by its name: periodic lattices sparse, ``sk`` dense.

    Parameters
    ----------
    name : str
        ``ising:LxL``, ``ising:LxLxL``, ``ea:LxL`` (±1 bonds), ``ea-gaussian:LxL``, ``sk:N`` (normal), ``sk-pm:N``
        (±1/sqrt(N)), ``viana-bray:N:C`` (±1 bonds, C neighbours on average).
    seed : int, optional
        Of random couplings; drawn if None.

    Raises
    ------
    InputError
        For ``model`` that is none of these, or ``seed``.

    Examples
    --------
    >>> named_couplings("ising:3x3").nnz
    36
    """
    kind, _, size = name.partition(":")
    if kind not in MODELS:
        raise InputError(
            "model", f"expected one of {', '.join(MODELS)}, such as {MODELS['ising']}; got {name!r}"
        )
    try:
        if kind in ("ising", "ea", "ea-gaussian"):
            shape = [int(side) for side in size.split("x")]
            if kind == "ising":
                return ising(shape)
            return edwards_anderson(shape, seed, gaussian=kind == "ea-gaussian")
        if kind == "viana-bray":
            n_units, degree = size.split(":")
            return viana_bray(int(n_units), float(degree), seed)
        return sherrington_kirkpatrick(int(size), seed, gaussian=kind == "sk")
    except InputError as error:
        if error.subject == "seed":
            raise
        raise InputError("model", f"{name}: {error.subject}: {error.problem}") from error
    except ValueError as error:
        raise InputError("model", f"expected a name such as {MODELS[kind]}; got {name!r}") from error


def _bonds(shape: Sequence[int], periodic: bool) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Sites at both ends of each bond: of every site, the next one along each axis in turn."""
    if len(shape) == 0:
        raise InputError("shape", "expected at least one side")
    for side in shape:
        _check_size("shape", side, 2)
    n_sites = int(np.prod([int(side) for side in shape], dtype=object))
    _check_size("shape", n_sites, 2)
    require_memory(_BYTES_PER_BOND * n_sites * len(shape), "shape", f"couplings of {n_sites} sites")
    sites = np.arange(n_sites).reshape(tuple(shape))
    rows, columns = [], []
    for axis in range(len(shape)):
        last = shape[axis] if periodic else shape[axis] - 1
        rows.append(np.take(sites, range(last), axis).ravel())
        columns.append(np.take(np.roll(sites, -1, axis), range(last), axis).ravel())
    return np.concatenate(rows), np.concatenate(columns)


def _couplings(
    shape: Sequence[int], rows: NDArray[np.int64], columns: NDArray[np.int64], values: NDArray[np.float64]
) -> csr_array:
    n_sites = int(np.prod(shape))
    ends = (np.concatenate([rows, columns]), np.concatenate([columns, rows]))
    matrix = coo_array((np.concatenate([values, values]), ends), shape=(n_sites, n_sites)).tocsr()
    matrix.eliminate_zeros()  # double bonds that cancel
    return matrix


def _random_couplings(generator: np.random.Generator, n_bonds: int, gaussian: bool) -> NDArray[np.float64]:
    if gaussian:
        return generator.standard_normal(n_bonds)
    return generator.choice([-1.0, 1.0], n_bonds)


def _generator(seed: int | None) -> np.random.Generator:
    key = stream_keys(check_seed(seed), Stream.INSTANCE, 0)[0]
    return np.random.Generator(np.random.Philox(key=int(key)))


def _check_size(subject: str, value: int, smallest: int) -> None:
    if not isinstance(value, int | np.integer) or not smallest <= value <= _LARGEST_SYSTEM:
        raise InputError(
            subject, f"expected a whole number from {smallest} to {_LARGEST_SYSTEM}, got {value}"
        )
