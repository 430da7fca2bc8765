"""The network and the probes of a recall experiment, from whatever its configuration names."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hopsim.datasets.coupling_files import read_couplings
from hopsim.datasets.glyphs import glyphs
from hopsim.datasets.pattern_files import read_patterns
from hopsim.datasets.pattern_set import PatternSet
from hopsim.datasets.probes import make_probes
from hopsim.datasets.random_patterns import correlated_patterns
from hopsim.errors import InputError
from hopsim.models.hopfield import draw_hebbian
from hopsim.models.memory import require_memory
from hopsim.models.seeds import Stream, stream_keys
from hopsim.networks.hopfield_network import HopfieldNetwork

if TYPE_CHECKING:
    from hopsim.experiments.hopfield_recall import HopfieldRecall


class RecallNetwork(NamedTuple):
    """A network with the names of its patterns and the shape of their pictures, if they are any."""

    network: HopfieldNetwork
    names: list[str]
    image_shape: tuple[int, int] | None


class Starts(NamedTuple):
    """Where the trials start, and which pattern each start was made from (-1: none)."""

    states: NDArray[np.int8]
    patterns: NDArray[np.int64]


def build_network(configuration: HopfieldRecall, tick: Callable[[], None]) -> RecallNetwork:
    """Store the patterns that the configuration names, or take its couplings."""
    given = _given_patterns(configuration)
    if configuration.couplings is not None:
        couplings = read_couplings(configuration.couplings)
        network = HopfieldNetwork(couplings)
        _require_trial_memory(network.n_neurons, 0, configuration.n_trials)
        if given is None:
            return RecallNetwork(network, [], None)
        if given.n_neurons != network.n_neurons:
            raise InputError(
                "couplings", f"are for {network.n_neurons} neurons, but the patterns have {given.n_neurons}"
            )
        return RecallNetwork(
            HopfieldNetwork.from_model(network.model, given.spins), list(given.names), given.image_shape
        )
    if given is not None:
        _require_trial_memory(given.n_neurons, given.n_patterns, configuration.n_trials)
        network = HopfieldNetwork.store(given.spins, rule=configuration.rule)
        return RecallNetwork(network, list(given.names), given.image_shape)
    return _random_network(configuration, tick)


def make_starts(
    configuration: HopfieldRecall, network: HopfieldNetwork, probes: PatternSet | None, trials: range
) -> Starts:
    """Return the starts of some trials: probes from a file, disturbed patterns, or random states where there are none.

    Trial t starts from probe or pattern t, modulo their number; its disturbance depends on the seed and t alone.
    """
    keys = stream_keys(configuration.seed, Stream.PROBE, trials)
    disturb = {"flip": configuration.flip, "mask": configuration.mask}
    if probes is not None:
        if probes.n_neurons != network.n_neurons:
            raise InputError(
                str(configuration.probes), f"has {probes.n_neurons} neurons, the network {network.n_neurons}"
            )
        states = probes.spins[np.array(trials) % probes.n_patterns]
        return Starts(make_probes(states, keys, **disturb), _nearest(network, states))
    if network.n_patterns == 0:
        states = np.ones((len(trials), network.n_neurons), np.int8)
        return Starts(make_probes(states, keys, mask=1.0), np.full(len(trials), -1))
    chosen = np.array(trials) % network.n_patterns
    different, which = np.unique(chosen, return_inverse=True)
    states = np.concatenate([network.patterns_between(mu, mu + 1) for mu in different])[which]
    return Starts(make_probes(states, keys, **disturb), chosen)


def _given_patterns(configuration: HopfieldRecall) -> PatternSet | None:
    if configuration.glyphs is not None:
        return glyphs(configuration.glyphs or None)
    if configuration.patterns is not None:
        return read_patterns(configuration.patterns)
    return None


def _random_network(configuration: HopfieldRecall, tick: Callable[[], None]) -> RecallNetwork:
    n_neurons, n_patterns = configuration.random_size()
    _require_trial_memory(n_neurons, n_patterns, configuration.n_trials)
    key = stream_keys(configuration.seed, Stream.PATTERNS, 0)
    if configuration.activity == 0.0 and configuration.rule == "hebbian":
        network = HopfieldNetwork.from_model(draw_hebbian(key, n_neurons, n_patterns, tick))
    else:
        patterns = correlated_patterns(int(key[0]), n_patterns, n_neurons, configuration.activity)
        network = HopfieldNetwork.store(patterns, rule=configuration.rule)
    return RecallNetwork(network, [str(mu) for mu in range(n_patterns)], None)


def _require_trial_memory(n_neurons: int, n_patterns: int, n_trials: int) -> None:
    kept = 2 * n_neurons + 8 * n_patterns  # start, end and overlaps of a trial, whatever is recorded
    require_memory(kept * n_trials, "n_trials", f"starts and ends of {n_trials} trials")


def _nearest(network: HopfieldNetwork, states: NDArray[np.int8]) -> NDArray[np.int64]:
    if network.n_patterns == 0:
        return np.full(len(states), -1)
    return np.abs(network.overlaps(states)).argmax(axis=1)
