"""Storage rules: patterns -> Hopfield model. A new rule is a function in `RULES`."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from hopsim.errors import InputError
from hopsim.models.hopfield import DenseModel, HebbianModel, Model, dense_model, pack_hebbian
from hopsim.models.memory import require_memory


def store_hebbian(patterns: NDArray[np.int8], bias: NDArray[np.float64]) -> HebbianModel:
    """Hebbian rule ``W_ij = (1/N) sum_mu xi_i xi_j``, ``W_ii = 0`` (Hopfield 1982, eq. 2): kept as packed patterns."""
    return pack_hebbian(patterns, bias)


def store_pseudo_inverse(patterns: NDArray[np.int8], bias: NDArray[np.float64]) -> DenseModel:
    """Pseudo-inverse rule ``W_ij = (1/N) sum xi_i^mu (C^-1)_mu,nu xi_j^nu``, C the patterns' overlaps, ``W_ii = 0``.

    Linearly independent patterns are fixed points whatever their correlations (Personnaz, Guyon, Dreyfus 1985; Kanter
    and Sompolinsky 1987, eq. 3). Dependent ones are allowed: W projects on what they span.
    """
    _require_matrix(patterns.shape[1])
    x = patterns.astype(np.float64)
    return _symmetric(np.linalg.pinv(x) @ x, bias)


def store_storkey(patterns: NDArray[np.int8], bias: NDArray[np.float64]) -> DenseModel:
    """Storkey's rule: pattern by pattern, local, with more room than the Hebbian one (Storkey 1997, eq. 3).

    ``W_ij += (xi_i xi_j - xi_i h_ji - h_ij xi_j)/N`` with ``h_ij = sum_(k != i, j) W_ik xi_k``.
    """
    n_neurons = patterns.shape[1]
    _require_matrix(n_neurons)
    couplings = np.zeros((n_neurons, n_neurons))
    for pattern in patterns.astype(np.float64):
        fields = (couplings @ pattern)[:, None] - couplings * pattern
        step = np.outer(pattern, pattern) - fields * pattern - (fields * pattern).T
        couplings += step / n_neurons
        np.fill_diagonal(couplings, 0.0)
    return _symmetric(couplings, bias)


RULES: dict[str, Callable[[NDArray[np.int8], NDArray[np.float64]], Model]] = {
    "hebbian": store_hebbian,
    "pseudo_inverse": store_pseudo_inverse,
    "storkey": store_storkey,
}


def check_rule(rule: str) -> str:
    """Return the name of a storage rule; `InputError` for an unknown one."""
    if rule not in RULES:
        raise InputError("rule", f"expected one of {', '.join(RULES)}; got {rule!r}")
    return rule


def _require_matrix(n_neurons: int) -> None:
    require_memory(4 * 8 * n_neurons**2, "n_neurons", f"dense couplings of {n_neurons} neurons")


def _symmetric(couplings: NDArray[np.float64], bias: NDArray[np.float64]) -> DenseModel:
    symmetric = (couplings + couplings.T) / 2
    np.fill_diagonal(symmetric, 0.0)
    return dense_model(symmetric, bias)
