"""How near does a machine come to XOR? Three visible units with even parity, 0 to 3 hidden units, exact gradients.

The four states 000, 011, 101, 110 have probability 1/4 each. From many random starts the Kullback-Leibler divergence of
the machine from them is brought down along its exact gradient (BFGS), so that what is reached is what the connections
allow. For restricted machines it is held against the bound of Montufar, Rauh and Ay (2011), "Expressive power and
approximation errors of restricted Boltzmann machines", theorem 2: no distribution of N visible units is further from M
hidden ones than ``log 2 (N - k - (M + 1)/2^k)``, k = floor(log2(M + 1)).
"""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from hopsim.errors import InputError, Interrupted
from hopsim.evaluation.likelihood import log_likelihoods
from hopsim.experiments.observer import Observer
from hopsim.learning.boltzmann_phases import exact_clamped_statistics, exact_free_statistics, gradient
from hopsim.learning.connections import CONNECTIONS, connection_mask, random_machine
from hopsim.models.boltzmann import BoltzmannModel
from hopsim.models.seeds import Stream, check_seed, stream_keys
from hopsim.sampling.threads import using_threads
from hopsim.storage.records import Records, Variable

EXPERIMENT = "boltzmann_xor"

XOR = np.array([[0, 0, 0], [0, 1, 1], [1, 0, 1], [1, 1, 0]], np.int8)
KINDS = ("restricted", "full")

_LARGEST = 60.0  # of |W| and |b|, where exp(-W) is no more: some optima are at infinity
_START_SCALE = 1.0
VARIABLES = {
    "connections": Variable(("connections",), "which couplings there are"),
    "n_hidden": Variable(("n_hidden",), "hidden units"),
    "divergence": Variable(("connections", "n_hidden", "start"), "divergence reached from each start", "nat"),
    "divergence_least": Variable(("connections", "n_hidden"), "the least of all starts", "nat"),
    "bound": Variable(("n_hidden",), "no distribution is further from a restricted machine", "nat"),
}


class BoltzmannXor(msgspec.Struct, frozen=True, kw_only=True):
    """Configuration of the experiment.

    Attributes
    ----------
    n_hidden : int
        The largest number of hidden units.
    n_starts : int
    """

    seed: int
    n_hidden: int = 3
    n_starts: int = 10
    threads: int | None = None

    def __post_init__(self) -> None:
        check_seed(self.seed)
        if not 0 <= self.n_hidden <= 8:
            raise InputError("n_hidden", f"expected 0 to 8, got {self.n_hidden}")
        if self.n_starts < 1:
            raise InputError("n_starts", f"expected at least 1, got {self.n_starts}")


def run(configuration: BoltzmannXor, observer: Observer) -> Records:
    """Minimise from every start; an interrupted experiment gives the starts that are finished."""
    n_each = configuration.n_hidden + 1
    found = np.full((len(KINDS), n_each, configuration.n_starts), np.nan)
    observer.begin(found.size, "start")

    def records() -> Records:
        return _records(found)

    n_finished = 0
    try:
        with using_threads(configuration.threads):
            for start in range(configuration.n_starts):
                for k, connections in enumerate(KINDS):
                    for n_hidden in range(n_each):
                        key = int(stream_keys(configuration.seed, Stream.RUN, start)[0])
                        found[k, n_hidden, start] = least_divergence(n_hidden, connections, key, observer)
                        n_finished += 1
                        observer.advance(1, records)
    except Interrupted:
        if n_finished < found[:, :, 0].size:
            raise
    finally:
        observer.end()
    return records()


def bound(n_visible: int, n_hidden: int) -> float:
    """Largest divergence (nats) of any distribution from restricted machines; see the module's source."""
    k = int(np.log2(n_hidden + 1))
    return float(np.log(2) * (n_visible - k - (n_hidden + 1) / 2**k))


def least_divergence(n_hidden: int, connections: str, seed: int, observer: Observer) -> float:
    """Divergence (nats) that minimisation from one random start comes to."""
    assert connections in CONNECTIONS
    start = random_machine(
        3, n_hidden, weight_scale=_START_SCALE, bias_scale=_START_SCALE, connections=connections, seed=seed
    )
    pairs = np.nonzero(np.triu(connection_mask(connections, start)))

    def model_of(parameters: NDArray[np.float64]) -> BoltzmannModel:
        couplings = np.zeros_like(start.couplings)
        couplings[pairs] = parameters[: len(pairs[0])]
        return BoltzmannModel(couplings + couplings.T, parameters[len(pairs[0]) :], "01", 3)

    def divergence(parameters: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        model = model_of(parameters)
        observer.tick()
        slope = gradient(exact_clamped_statistics(model, XOR), exact_free_statistics(model))
        value = -np.log(len(XOR)) - float(log_likelihoods(model, XOR).mean())
        return value, -np.concatenate([slope.couplings[pairs], slope.bias])

    parameters = np.concatenate([start.couplings[pairs], start.bias])
    limits = [(-_LARGEST, _LARGEST)] * len(parameters)
    result = minimize(divergence, parameters, jac=True, method="L-BFGS-B", bounds=limits)
    return float(max(result.fun, 0.0))


def _records(found: NDArray[np.float64]) -> Records:
    n_each = found.shape[1]
    arrays: dict[str, Any] = {
        "connections": np.array(KINDS),
        "n_hidden": np.arange(n_each),
        "divergence": found,
        "divergence_least": np.fmin.reduce(found, axis=2),
        "bound": np.array([bound(3, n) for n in range(n_each)]),
    }
    return Records(VARIABLES, arrays)
