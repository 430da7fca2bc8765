"""One point of a capacity study: recalls on some networks of one size and load."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hopsim.datasets.probes import make_probes
from hopsim.learning.storage_rules import RULES
from hopsim.models.hopfield import HebbianModel, Model, draw_hebbian, packed_bytes
from hopsim.models.memory import require_memory
from hopsim.models.seeds import Stream, stream_keys
from hopsim.sampling.chains import HopfieldChains, chain_bytes

_BATCH_BYTES = 1 << 26  # of networks and chains recalled in one go: what an interruption may lose


class RecallTask(NamedTuple):
    """How the recalls of a capacity study are done; see `hopsim.experiments.hopfield_capacity.HopfieldCapacity`."""

    rule: str
    order: str
    temperature: float
    flip: float
    max_sweeps: int
    burn_in: int
    n_sweeps: int
    n_trials: int


class RecallOutcome(NamedTuple):
    """Arrays (n_networks, n_trials) of a batch of networks."""

    overlap: NDArray[np.float64]
    n_sweeps: NDArray[np.int64]
    converged: NDArray[np.bool_]


def networks_per_batch(n_neurons: int, n_patterns: int, task: RecallTask) -> int:
    """Number of networks to recall together; dense ones come one at a time."""
    if task.rule != "hebbian":
        return 1
    return max(1, _BATCH_BYTES // _network_bytes(n_neurons, n_patterns, task))


def require_point_memory(n_neurons: int, n_patterns: int, task: RecallTask) -> None:
    """Raise `InputError` if one network of this size and its trials do not fit the memory there is."""
    require_memory(
        _network_bytes(n_neurons, n_patterns, task),
        "n_neurons",
        f"{n_patterns} patterns of {n_neurons} neurons and {task.n_trials} trials",
    )


def recall_networks(
    seed: int, n_neurons: int, n_patterns: int, networks: range, task: RecallTask, tick: Callable[[], None]
) -> RecallOutcome:
    """Draw the networks numbered `networks` and recall `n_trials` of their patterns in each.

    Trial t starts from pattern t (modulo P), disturbed; every network, probe and chain has a key that derives from the
    seed, N, P and its number. At T > 0 the overlap is the time average over `n_sweeps` sweeps after `burn_in`.
    """
    size_key = stream_keys(seed, Stream.N_NEURONS, n_neurons)
    point_key = stream_keys(size_key, Stream.N_PATTERNS, n_patterns)
    network_keys = stream_keys(point_key, Stream.NETWORK, networks)
    drawn = draw_hebbian(stream_keys(network_keys, Stream.PATTERNS, 0), n_neurons, n_patterns, tick)
    patterns = _start_patterns(drawn, len(networks), task.n_trials)
    network = np.repeat(np.arange(len(networks)), task.n_trials)
    trials = np.tile(np.arange(task.n_trials), len(networks))
    probes = make_probes(patterns, stream_keys(network_keys[network], Stream.PROBE, trials), flip=task.flip)
    model: Model = drawn if task.rule == "hebbian" else RULES[task.rule](drawn.patterns(), drawn.bias)
    chains = HopfieldChains(
        model,
        probes,
        stream_keys(network_keys[network], Stream.CHAIN, trials),
        temperature=task.temperature,
        order=task.order,
        network=network,
        tick=tick,
    )
    overlap = _recall(chains, patterns, task)
    shape = (len(networks), task.n_trials)
    return RecallOutcome(
        overlap.reshape(shape), chains.n_sweeps.reshape(shape), (chains.period == 1).reshape(shape)
    )


def _recall(chains: HopfieldChains, patterns: NDArray[np.int8], task: RecallTask) -> NDArray[np.float64]:
    if task.temperature == 0.0:
        chains.advance(task.max_sweeps)
        return _own_overlaps(chains, patterns)
    chains.advance(task.burn_in)
    total = np.zeros(len(patterns))
    for sweep in range(task.burn_in + 1, task.burn_in + task.n_sweeps + 1):
        chains.advance(sweep)
        total += _own_overlaps(chains, patterns)
    return total / task.n_sweeps


def _own_overlaps(chains: HopfieldChains, patterns: NDArray[np.int8]) -> NDArray[np.float64]:
    n_neurons = patterns.shape[1]
    return (n_neurons - 2.0 * np.count_nonzero(chains.spins != patterns, axis=1)) / n_neurons


def _start_patterns(model: HebbianModel, n_networks: int, n_trials: int) -> NDArray[np.int8]:
    n_different = min(n_trials, model.n_patterns)
    chosen = np.arange(n_trials) % n_different
    return np.concatenate([model.patterns(0, n_different, network=k)[chosen] for k in range(n_networks)])


def _network_bytes(n_neurons: int, n_patterns: int, task: RecallTask) -> int:
    # a trial's start, pattern and probe stand beside its chain
    trial = chain_bytes(n_neurons, n_patterns, task.order) + 4 * n_neurons
    dense = 0 if task.rule == "hebbian" else 4 * 8 * n_neurons**2
    return packed_bytes(n_neurons, n_patterns) + task.n_trials * trial + dense
