"""Other ways to the same recall: numpy, naive numba, packages from PyPI; and hopsim in the same form.

All store with the Hebbian rule and relax one unit at a time at T = 0 until a sweep changes nothing.
"""

from collections.abc import Callable
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any, NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from hopsim.networks.hopfield_network import HopfieldNetwork
from hopsim.sampling.chains import chain_bytes
from hopsim.sampling.threads import using_threads

Spins = NDArray[np.int8]


class Contender(NamedTuple):
    """A program for recall."""

    name: str
    store: Callable[[Spins], Any]  # patterns (n_patterns, n_neurons) to what recall needs
    recall: Callable[[Any, Spins], NDArray]  # from a start (n_neurons,) to the final state
    n_bytes: Callable[[Any], int]  # arrays held during a recall


class Package(NamedTuple):
    """A package from PyPI, and how to give it a matrix that was built elsewhere."""

    contender: Contender
    adopt: Callable[[NDArray[np.float64]], Any]


def hebbian_couplings(patterns: Spins) -> NDArray[np.float32]:
    """W as plain numpy has it fastest: one single-precision matrix product."""
    values = patterns.astype(np.float32)
    couplings = values.T @ values
    couplings /= np.float32(patterns.shape[1])
    np.fill_diagonal(couplings, 0.0)
    return couplings


def _numpy_recall(couplings: NDArray[np.float32], start: Spins) -> NDArray:
    """Kept local fields; in sequential order, from one misaligned unit straight to the next."""
    spins = start.astype(np.float32)
    fields = couplings @ spins
    flipped = True
    while flipped:
        flipped = False
        i = 0
        while i < len(spins):
            misaligned = fields[i:] * spins[i:] < 0
            step = int(misaligned.argmax())
            if not misaligned[step]:
                break
            i += step
            fields -= (2 * spins[i]) * couplings[i]
            spins[i] = -spins[i]
            flipped = True
            i += 1
    return spins


@numba.njit(fastmath=True, cache=False)
def _naive_relax(couplings: NDArray[np.float32], spins: NDArray[np.float32]) -> Any:
    flipped = True
    while flipped:
        flipped = False
        for i in range(spins.size):
            field = np.float32(0.0)
            for j in range(spins.size):
                field += couplings[i, j] * spins[j]
            if field * spins[i] < 0:
                spins[i] = -spins[i]
                flipped = True
    return spins


def _naive_recall(couplings: NDArray[np.float32], start: Spins) -> NDArray:
    return _naive_relax(couplings, start.astype(np.float32))


def _store(patterns: Spins) -> HopfieldNetwork:
    with using_threads(1):
        return HopfieldNetwork.store(patterns)


def _recall(network: HopfieldNetwork, start: Spins) -> NDArray:
    with using_threads(1):
        return network.recall(start, seed=1, threads=1).states[0]


def _network_bytes(network: HopfieldNetwork) -> int:
    model = network.model
    held = sum(array.nbytes for array in vars(model).values() if isinstance(array, np.ndarray))
    return held + chain_bytes(model.n_neurons, network.n_patterns, "random")


HOPSIM = Contender("hopsim", _store, _recall, _network_bytes)
# the state and, in numpy, the fields are kept beside W; both are float32
NUMPY = Contender("numpy, kept fields", hebbian_couplings, _numpy_recall, lambda w: w.nbytes + 8 * len(w))
NAIVE = Contender(
    "naive numba, dot product", hebbian_couplings, _naive_recall, lambda w: w.nbytes + 4 * len(w)
)


def packages() -> tuple[list[Package], dict[str, str]]:
    """Return the packages that are installed, and by name why others are not there."""
    found, absent = [], {}
    for name, expected, wrap in (
        ("hopfieldnetwork", "1.0.1", _hopfieldnetwork),
        ("hopfieldkit", "0.1.0", _hopfieldkit),
    ):
        label = f"{name} {expected}"
        try:
            if version(name) != expected:
                absent[label] = f"not measured: version {version(name)} is installed"
                continue
            found.append(wrap(label, import_module(name)))
        except (PackageNotFoundError, ImportError) as error:
            absent[label] = f"not measured: pip install {name}=={expected} ({error})"
    return found, absent


def _hopfieldnetwork(label: str, module: Any) -> Package:
    def adopt(couplings: NDArray[np.float64]) -> Any:
        network = module.HopfieldNetwork(N=1)
        network.N, network.w = len(couplings), couplings
        return network

    def store(patterns: Spins) -> Any:
        network = module.HopfieldNetwork(N=patterns.shape[1])
        network.train_pattern(patterns.T.astype(float))  # in int8 its sums would overflow
        return network

    def recall(network: Any, start: Spins) -> NDArray:
        network.set_initial_neurons_state(start.astype(float))  # spares it a conversion at each update
        network.update_neurons(1, "async", run_max=True)
        return network.S

    return Package(Contender(label, store, recall, lambda network: network.w.nbytes + 8 * network.N), adopt)


def _hopfieldkit(label: str, module: Any) -> Package:
    def adopt(couplings: NDArray[np.float64]) -> Any:
        network = module.HopfieldNetwork(1)
        network.n_units, network.weights = len(couplings), couplings
        return network

    def store(patterns: Spins) -> Any:
        return module.HopfieldNetwork(patterns.shape[1]).fit(patterns)

    def recall(network: Any, start: Spins) -> NDArray:
        return network.recall(start, order="random", seed=1)

    return Package(
        Contender(label, store, recall, lambda network: network.weights.nbytes + 8 * network.n_units), adopt
    )
