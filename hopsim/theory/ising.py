"""The two-dimensional Ising ferromagnet solved exactly: on a finite torus (Kaufman) and on the infinite lattice.

Couplings J = 1 between nearest neighbours of a square lattice, no field; ``K = 1/T``. Energies are in units of J.

References
----------
.. [1] Kaufman, "Crystal statistics. II. Partition function evaluated by spinor analysis", Phys. Rev. 76, 1232 (1949).
.. [2] Onsager, "Crystal statistics. I. A two-dimensional model with an order-disorder transition", Phys. Rev. 65, 117
   (1944).
.. [3] Yang, "The spontaneous magnetization of a two-dimensional Ising model", Phys. Rev. 85, 808 (1952).
.. [4] Ferdinand and Fisher, "Bounded and inhomogeneous Ising models. I. Specific-heat anomaly of a finite lattice",
   Phys. Rev. 185, 832 (1969).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ellipkm1

from hopsim.errors import InputError
from hopsim.theory.arguments import FloatArray

CRITICAL_TEMPERATURE = 2.0 / np.log(1.0 + np.sqrt(2.0))

_COLDEST = 0.01  # below, nothing differs from T = 0 by a float64 that is not 0


class TorusThermodynamics(NamedTuple):
    """Exact equilibrium of a torus of n x m units at one temperature.

    Attributes
    ----------
    log_partition_function : float
        ``log Z``.
    energy : float
        Mean energy of a unit.
    specific_heat : float
        ``dE/dT`` of a unit.
    """

    log_partition_function: float
    energy: float
    specific_heat: float


class _Term(NamedTuple):
    """One of the four products in Z: a logarithm L and, times exp(-L), the product and its derivatives in K."""

    log: float
    value: float
    slope: float
    curvature: float


def torus(n_rows: int, n_columns: int, temperature: float) -> TorusThermodynamics:
    """Kaufman's partition function of a periodic square lattice, and its derivatives [1]_, [4]_.

    A side of 2 units has two bonds between the same neighbours, as `hopsim.models.lattices.ising` has.

    Parameters
    ----------
    n_rows, n_columns : int
        At least 2.
    temperature : float
        T >= 0.01.

    Raises
    ------
    InputError
        For ``shape`` or ``temperature``.

    Examples
    --------
    >>> round(torus(64, 64, 2.0).energy, 5)
    -1.74556
    """
    if min(n_rows, n_columns) < 2:
        raise InputError("shape", f"expected sides of at least 2, got {n_rows}x{n_columns}")
    K = 1.0 / float(_temperatures(temperature))
    odd = _products(n_rows, n_columns, K, first=1)
    even = _products(n_rows, n_columns, K, first=0)
    terms = [*odd, *even]
    largest = max(term.log for term in terms)
    weights = [np.exp(term.log - largest) for term in terms]
    value, slope, curvature = (
        sum(weight * term[k] for weight, term in zip(weights, terms, strict=True)) for k in (1, 2, 3)
    )
    # Z = 1/2 (2 sinh 2K)^(nm/2) times the sum
    n_units = n_rows * n_columns
    sinh = np.sinh(2 * K)
    log_z = 0.5 * n_units * np.log(2 * sinh) - np.log(2.0) + largest + np.log(value)
    first = n_units / np.tanh(2 * K) + slope / value
    second = -2 * n_units / sinh**2 + curvature / value - (slope / value) ** 2
    return TorusThermodynamics(float(log_z), float(-first / n_units), float(K**2 * second / n_units))


def _products(n: int, m: int, K: float, first: int) -> tuple[_Term, _Term]:
    """The products of 2 cosh and of 2 sinh of ``m gamma_l / 2`` over l = first, first + 2, ..., below 2 n."""
    sinh, cosh = np.sinh(2 * K), np.cosh(2 * K)
    order = np.arange(first, 2 * n, 2)
    order = order[order > 0]
    # cosh gamma_l - 1 = cosh 2K coth 2K - cos(pi l/n) - 1, without its cancellation next to the critical point
    excess = (sinh - 1) ** 2 / sinh + 2 * np.sin(0.5 * np.pi * order / n) ** 2
    sinh_gamma = np.sqrt(excess * (excess + 2))
    gamma = np.log1p(excess + sinh_gamma)
    slope = 2 * cosh * (1 - 1 / sinh**2) / sinh_gamma
    bend = 4 * sinh - 4 / sinh + 8 * cosh**2 / sinh**3
    curvature = (bend - (1 + excess) * slope**2) / sinh_gamma
    terms = []
    for sign in (1.0, -1.0):
        x, dx, ddx = 0.5 * m * gamma, 0.5 * m * slope, 0.5 * m * curvature
        # of log(e^x + sign e^-x): its slope is tanh or coth, and the slope of that 1 - tanh^2 or 1 - coth^2
        response = np.tanh(x) if sign > 0 else 1 / np.tanh(x)
        log = (x + np.log1p(sign * np.exp(-2 * x))).sum()
        first_slope = (dx * response).sum()
        second_slope = (ddx * response + dx**2 * (1 - response**2)).sum()
        rest = _Term(float(log), 1.0, float(first_slope), float(second_slope + first_slope**2))
        terms.append(_times_zeroth(rest, m, K, sign) if first == 0 else rest)
    return terms[0], terms[1]


def _times_zeroth(rest: _Term, m: int, K: float, sign: float) -> _Term:
    """Multiply a product by the factor of gamma_0 = 2 K + log tanh K, which changes its sign at the critical point."""
    sinh = np.sinh(2 * K)
    x = 0.5 * m * (2 * K + np.log(np.tanh(K)))
    dx = m * (1 + 1 / sinh)
    ddx = -2 * m * np.cosh(2 * K) / sinh**2
    up, down = np.exp(x - abs(x)), np.exp(-x - abs(x))
    value, other = up + sign * down, up - sign * down
    slope = other * dx
    curvature = value * dx**2 + other * ddx
    return _Term(
        rest.log + abs(float(x)),
        value,
        value * rest.slope + slope,
        value * rest.curvature + 2 * slope * rest.slope + curvature,
    )


def onsager_energy(temperature: ArrayLike) -> FloatArray:
    """Mean energy of a unit of the infinite lattice [2]_, of each temperature T >= 0.01.

    Examples
    --------
    >>> round(float(onsager_energy(CRITICAL_TEMPERATURE)), 6)  # -sqrt(2)
    -1.414214
    """
    K = 1.0 / _temperatures(temperature)
    tanh = np.tanh(2 * K)
    complement = 2 * tanh**2 - 1  # of the modulus 2 sinh 2K / cosh^2 2K
    with np.errstate(invalid="ignore"):
        product = np.where(complement == 0, 0.0, complement * ellipkm1(complement**2))
    energy: FloatArray = -(1 + 2 / np.pi * product) / tanh
    return energy


def yang_magnetisation(temperature: ArrayLike) -> FloatArray:
    """Spontaneous magnetisation of the infinite lattice [3]_, of each temperature T >= 0.01; 0 from T_c on."""
    K = 1.0 / _temperatures(temperature)
    magnetisation: FloatArray = np.maximum(1 - np.sinh(2 * K) ** -4.0, 0.0) ** 0.125
    return magnetisation


def _temperatures(temperature: ArrayLike) -> FloatArray:
    values = np.asarray(temperature, np.float64)
    wrong = values[~(np.isfinite(values) & (values >= _COLDEST))]
    if wrong.size:
        raise InputError("temperature", f"expected a finite number of at least {_COLDEST}, got {wrong[0]:g}")
    return values
