"""Is the sampled gradient of a Boltzmann machine the exact one? On random machines small enough to know.

Chains that start from exact states must give the gradient without bias. Chains that start from the data and do k sweeps
(CD-k) are biased, less for larger k (Carreira-Perpinan and Hinton 2005, "On contrastive divergence learning": biased in
general, the bias typically very small).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from hopsim.errors import InputError, Interrupted
from hopsim.evaluation.enumeration import enumerate_states
from hopsim.experiments.observer import Observer
from hopsim.learning.boltzmann_phases import Gradient, Statistics, gradient, sampled_statistics
from hopsim.learning.connections import random_machine
from hopsim.models.boltzmann import BoltzmannModel, check_encoding
from hopsim.models.seeds import Stream, check_seed, stream_keys
from hopsim.sampling.gibbs_chains import GibbsChains, check_order, check_temperatures
from hopsim.sampling.threads import using_threads
from hopsim.storage.records import Records, Variable

EXPERIMENT = "boltzmann_gradient"

MOST_UNITS = 16

_FEWEST_EVENTS = 200.0  # variance of a sum over chains, below which its deviations are not normal

_MACHINE, _CURVE = ("machine",), ("machine", "k")
VARIABLES = {
    "machine": Variable(_MACHINE, "number of the machine"),
    "k": Variable(("k",), "sweeps of the chains that start from the data", "sweep"),
    "n_units": Variable(_MACHINE, "units"),
    "n_hidden": Variable(_MACHINE, "hidden units"),
    "gradient_norm": Variable(_MACHINE, "norm of the exact gradient, each coupling counted once"),
    "noise": Variable(_MACHINE, "norm that sampling noise alone gives, root mean square"),
    "distance": Variable(_CURVE, "norm of the CD-k gradient minus the exact one"),
    "cosine": Variable(_CURVE, "cosine of the angle between the CD-k gradient and the exact one"),
    "z": Variable(
        ("machine", "component"),
        "sampled minus exact gradient in standard errors, from exact states; NaN: too rare",
    ),
    "distance_median": Variable(("k",), "median of the distance over machines"),
    "distance_low": Variable(("k",), "lower quartile of the distance over machines"),
    "distance_high": Variable(("k",), "upper quartile of the distance over machines"),
    "z_largest": Variable((), "largest |z|"),
    "z_p": Variable((), "probability of a larger one, were all components normal and independent"),
}


class BoltzmannGradient(msgspec.Struct, frozen=True, kw_only=True):
    """Configuration of the study.

    Attributes
    ----------
    n_units : tuple of int
        Sizes of the machines; a third of the units is hidden, one at least.
    n_machines : int
        Machines of each size.
    n_data : int
        Data rows, drawn by fair coins.
    weight_scale : float
        Standard deviation of couplings and biases.
    n_chains : int
        Of each sampled phase.
    sweeps : tuple of int
        The k of CD-k, ascending.
    """

    seed: int
    n_units: tuple[int, ...] = (3, 4, 5, 6, 8, 10, 12)
    n_machines: int = 10
    n_data: int = 10
    weight_scale: float = 2.0
    n_chains: int = 20_000
    sweeps: tuple[int, ...] = (1, 2, 3, 5, 10, 20, 50, 100)
    encoding: str = "01"
    order: str = "sequential"
    temperature: float = 1.0
    threads: int | None = None

    def __post_init__(self) -> None:
        check_seed(self.seed)
        check_encoding(self.encoding)
        check_order(self.order)
        check_temperatures(self.temperature)
        if not self.n_units or min(self.n_units) < 2 or max(self.n_units) > MOST_UNITS:
            raise InputError("n_units", f"expected sizes from 2 to {MOST_UNITS}, got {self.n_units}")
        for name, least in (("n_machines", 1), ("n_data", 1), ("n_chains", 2)):
            if getattr(self, name) < least:
                raise InputError(name, f"expected at least {least}, got {getattr(self, name)}")
        if not self.sweeps or list(self.sweeps) != sorted(set(self.sweeps)) or self.sweeps[0] < 1:
            raise InputError("sweeps", f"expected numbers from 1 on, ascending; got {self.sweeps}")
        if not 0 < self.weight_scale < np.inf:
            raise InputError("weight_scale", f"expected a number above 0, got {self.weight_scale:g}")


class Phases(NamedTuple):
    """The exact distributions of both phases over all states.

    Attributes
    ----------
    states : int8 (2^n_units, n_units)
        In the machine's encoding.
    clamped, free : float64 (2^n_units,)
        Probabilities.
    """

    states: NDArray[np.int8]
    clamped: NDArray[np.float64]
    free: NDArray[np.float64]


def run(configuration: BoltzmannGradient, observer: Observer) -> Records:
    """Study every machine; an interrupted run gives those that are finished."""
    machines = [(n, i) for n in configuration.n_units for i in range(configuration.n_machines)]
    finished: list[dict[str, Any]] = []
    observer.begin(len(machines), "machine")
    try:
        with using_threads(configuration.threads):
            for n_units, i in machines:
                finished.append(_study(configuration, n_units, i, observer))
                observer.advance(1, lambda: _records(configuration, finished))
    except Interrupted:
        if not finished:
            raise
    finally:
        observer.end()
    return _records(configuration, finished)


def exact_phases(model: BoltzmannModel, data: NDArray[np.int8], temperature: float) -> Phases:
    """Sum over the states of a small machine: with data rows (n_data, n_visible) clamped, and with all units free."""
    bits = (np.arange(1 << model.n_units)[:, None] >> np.arange(model.n_units)) & 1
    states = model.states((2 * bits - 1).astype(np.int8))
    log_z = enumerate_states(model, temperature).log_partition_function
    free = np.exp(-model.energies(states) / temperature - log_z)
    clamped = np.zeros(len(states))
    for row in data:
        fits = (states[:, : model.n_visible] == row).all(axis=1)
        clamped[fits] += free[fits] / (free[fits].sum() * len(data))
    return Phases(states, clamped, free)


def _study(configuration: BoltzmannGradient, n_units: int, i: int, observer: Observer) -> dict[str, Any]:
    """Compare the gradients of one machine."""
    temperature = configuration.temperature
    key = int(stream_keys(stream_keys(configuration.seed, Stream.N_NEURONS, n_units), Stream.INSTANCE, i)[0])
    n_hidden = max(1, n_units // 3)
    model = random_machine(
        n_units - n_hidden,
        n_hidden,
        configuration.encoding,
        weight_scale=configuration.weight_scale,
        bias_scale=configuration.weight_scale,
        seed=key,
    )
    coins = stream_keys(key, Stream.PATTERNS, np.arange(configuration.n_data * model.n_visible)) & np.uint64(
        1
    )
    spins = (2 * coins.astype(np.int8) - 1).reshape(-1, model.n_visible)
    phases = exact_phases(model, model.states(spins), temperature)
    clamped, free = (_moments(phases.states, weights) for weights in (phases.clamped, phases.free))
    exact = _components(gradient(clamped, free, temperature))
    variances = [_variances(phases.states, weights) for weights in (phases.clamped, phases.free)]
    variance = (variances[0] + variances[1]) / (configuration.n_chains * temperature**2)

    # chains that start from exact states must keep to them
    hidden = _chains(configuration, model, phases.states, phases.clamped, 0, key, hidden_only=True)
    everything = _chains(configuration, model, phases.states, phases.free, 1, key, hidden_only=False)
    sampled = gradient(
        sampled_statistics(hidden, model, 0, 1), sampled_statistics(everything, model, 0, 1), temperature
    )
    difference = _components(sampled) - exact
    frequent = variance * (configuration.n_chains * temperature) ** 2 > _FEWEST_EVENTS
    z = np.divide(difference, np.sqrt(variance), out=np.full_like(exact, np.nan), where=frequent)

    chains = _chains(configuration, model, phases.states, phases.clamped, 2, key, hidden_only=False)
    distances, cosines, done = [], [], 0
    for k in configuration.sweeps:
        statistics = sampled_statistics(chains, model, k - done - 1, 1)
        observer.tick()
        done = k
        found = _components(gradient(clamped, statistics, temperature))
        distances.append(np.linalg.norm(found - exact))
        cosines.append(found @ exact / (np.linalg.norm(found) * np.linalg.norm(exact)))
    return {
        "n_units": n_units,
        "n_hidden": n_hidden,
        "gradient_norm": np.linalg.norm(exact),
        "noise": np.sqrt(variances[1].sum() / configuration.n_chains) / temperature,
        "distance": distances,
        "cosine": cosines,
        "z": z,
    }


def _chains(
    configuration: BoltzmannGradient,
    model: BoltzmannModel,
    states: NDArray[np.int8],
    weights: NDArray[np.float64],
    index: int,
    key: int,
    hidden_only: bool,
) -> GibbsChains:
    """Chains that start from states drawn exactly."""
    n_chains = configuration.n_chains
    phase_key = int(stream_keys(key, Stream.GRADIENT, index)[0])
    bits = stream_keys(phase_key, Stream.START, np.arange(n_chains))
    uniform = (bits >> np.uint64(11)).astype(np.float64) * 2.0**-53
    cumulative = np.cumsum(weights)
    drawn = np.searchsorted(cumulative, uniform * cumulative[-1], side="right")
    return GibbsChains(
        model.spin_network,
        model.spins(states[drawn]),
        stream_keys(phase_key, Stream.CHAIN, np.arange(n_chains)),
        temperature=configuration.temperature,
        order=configuration.order,
        free=np.arange(model.n_visible if hidden_only else 0, model.n_units),
    )


def _moments(states: NDArray[np.int8], weights: NDArray[np.float64]) -> Statistics:
    values = states.astype(np.float64)
    return Statistics(weights @ values, np.einsum("s,si,sj->ij", weights, values, values))


def _variances(states: NDArray[np.int8], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Variances of the products and units whose means are the gradient's components."""
    first = _moments(states, weights)
    second = _moments(states * states, weights)
    return _components(
        Gradient(second.correlations - first.correlations**2, second.means - first.means**2)
    ).clip(0.0)


def _components(values: Gradient) -> NDArray[np.float64]:
    """Couplings, each once, and biases in one row."""
    return np.concatenate([values.couplings[np.triu_indices(len(values.bias), 1)], values.bias])


def _records(configuration: BoltzmannGradient, finished: list[dict[str, Any]]) -> Records:
    n_components = max(len(machine["z"]) for machine in finished)
    z = np.full((len(finished), n_components), np.nan)
    for row, machine in zip(z, finished, strict=True):
        row[: len(machine["z"])] = machine["z"]
    names = ("n_units", "n_hidden", "gradient_norm", "noise", "distance", "cosine")
    arrays: dict[str, Any] = {name: np.array([machine[name] for machine in finished]) for name in names}
    low, median, high = np.quantile(arrays["distance"], [0.25, 0.5, 0.75], axis=0)
    largest = float(np.abs(np.nan_to_num(z)).max())
    n_tests = int(np.isfinite(z).sum())
    return Records(
        VARIABLES,
        arrays
        | {
            "machine": np.arange(len(finished)),
            "k": np.array(configuration.sweeps),
            "z": z,
            "distance_median": median,
            "distance_low": low,
            "distance_high": high,
            "z_largest": largest,
            "z_p": float(-np.expm1(n_tests * np.log1p(-2.0 * ndtr(-largest)))) if n_tests else 1.0,
        },
    )
