"""Which units of a Boltzmann machine are connected, and the random couplings that it starts with."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from hopsim.errors import InputError
from hopsim.models.boltzmann import BoltzmannModel, check_encoding
from hopsim.models.memory import require_memory
from hopsim.models.seeds import Stream, stream_keys

CONNECTIONS = ("full", "no-visible-visible", "no-hidden-hidden", "restricted")


def check_connections(connections: str) -> str:
    """Return the name of a pattern of connections; `InputError` for an unknown one."""
    if connections not in CONNECTIONS:
        raise InputError("connections", f"expected one of {', '.join(CONNECTIONS)}; got {connections!r}")
    return connections


def connection_mask(connections: str, model: BoltzmannModel) -> NDArray[np.bool_]:
    """Return which couplings there are: bool (n_units, n_units), symmetric, none of a unit with itself.

    ``"restricted"`` has neither couplings between visible nor between hidden units.
    """
    check_connections(connections)
    n_visible = model.n_visible
    mask = ~np.eye(model.n_units, dtype=np.bool_)
    if connections in ("no-visible-visible", "restricted"):
        mask[:n_visible, :n_visible] = False
    if connections in ("no-hidden-hidden", "restricted"):
        mask[n_visible:, n_visible:] = False
    return mask


def random_machine(
    n_visible: int,
    n_hidden: int,
    encoding: str = "01",
    *,
    weight_scale: float = 0.01,
    bias_scale: float = 0.0,
    connections: str = "full",
    seed: int,
) -> BoltzmannModel:
    """Return a machine with normal couplings and biases of mean 0 and these standard deviations.

    Raises
    ------
    InputError
        For numbers that are too small, an unknown encoding or pattern of connections.
    """
    for name, value, least in (("n_visible", n_visible, 1), ("n_hidden", n_hidden, 0)):
        if value < least:
            raise InputError(name, f"expected at least {least}, got {value}")
    for name, scale in (("weight_scale", weight_scale), ("bias_scale", bias_scale)):
        if not 0 <= scale < np.inf:
            raise InputError(name, f"expected 0 or larger, got {scale:g}")
    n_units = n_visible + n_hidden
    require_memory(64 * n_units**2, "n_hidden", f"couplings of {n_units} units")
    pairs = np.triu_indices(n_units, 1)
    bits = stream_keys(seed, Stream.WEIGHTS, np.arange(n_units + len(pairs[0])))
    normal = ndtri(((bits >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53)
    couplings = np.zeros((n_units, n_units))
    couplings[pairs] = weight_scale * normal[n_units:]
    couplings += couplings.T
    model = BoltzmannModel(couplings, bias_scale * normal[:n_units], check_encoding(encoding), n_visible)
    couplings[~connection_mask(connections, model)] = 0.0
    return model
