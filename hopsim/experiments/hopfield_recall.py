"""What does a Hopfield network recall? Patterns are stored, disturbed, and the dynamics run to where it ends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from hopsim.datasets.pattern_files import read_patterns
from hopsim.datasets.probes import check_fraction
from hopsim.datasets.random_patterns import MAX_LOAD, patterns_at
from hopsim.errors import InputError, Interrupted
from hopsim.evaluation.end_state import describe_end_states
from hopsim.experiments.observer import Observer
from hopsim.experiments.recall_network import RecallNetwork, Starts, build_network, make_starts
from hopsim.learning.storage_rules import check_rule
from hopsim.models.seeds import MAX_SEED
from hopsim.networks.hopfield_network import HopfieldNetwork, Recall
from hopsim.sampling.chains import check_order, check_temperature
from hopsim.sampling.threads import using_threads
from hopsim.storage.records import Records, Variable

EXPERIMENT = "hopfield_recall"

_TIMES = ("trial", "time")
_SPINS_AT_ONCE = 4_000_000  # of the trials that run together; what an interruption may lose
_PATTERN_SPINS_KEPT = 1 << 24  # larger pattern sets are drawn anew from the seed rather than stored

VARIABLES = {
    "trial": Variable(("trial",), "number of the trial"),
    "time": Variable(("time",), "time since the start", "sweep"),
    "neuron": Variable(("neuron",), "number of the neuron"),
    "pattern": Variable(("pattern",), "number of the pattern"),
    "state": Variable(("trial", "time", "neuron"), "spins after each sweep"),
    "overlap": Variable(("trial", "time", "pattern"), "overlap with each pattern after each sweep"),
    "energy": Variable(_TIMES, "energy after each sweep"),
    "n_flips": Variable(_TIMES, "flips in the sweep that ended at this time"),
    "n_sweeps": Variable(("trial",), "sweeps done, the proving one included", "sweep"),
    "n_flips_total": Variable(("trial",), "flips in the whole recall"),
    "converged": Variable(("trial",), "ended in a proven fixed point"),
    "period": Variable(("trial",), "1: fixed point, 2: two-cycle, 0: neither was proven", "sweep"),
    "start_pattern": Variable(("trial",), "pattern that the start was made from; -1: none"),
    "overlap_initial": Variable(("trial",), "overlap with the start pattern at the start"),
    "overlap_final": Variable(("trial",), "overlap with the start pattern at the end"),
    "energy_final": Variable(("trial",), "energy at the end"),
    "end_state": Variable(("trial",), "what the end state is"),
    "pattern_name": Variable(("pattern",), "name of the pattern"),
    "pattern_state": Variable(("pattern", "neuron"), "the patterns"),
    "image_rows": Variable((), "rows of the picture that the neurons form", "pixel"),
    "image_columns": Variable((), "columns of the picture that the neurons form", "pixel"),
}


class HopfieldRecall(msgspec.Struct, frozen=True, kw_only=True):
    """Configuration of a recall experiment.

    One source of the network is named: `glyphs` (letters; "" for the default ones), `patterns` (files), `couplings` (a
    file, beside which patterns may be named to take overlaps with), or `n_neurons` with `n_patterns` or `load`.

    Attributes
    ----------
    activity : float
        Mean of random patterns.
    flip, mask : float
        Fractions of neurons flipped, or replaced by random values, at the start.
    probes : str, optional
        File of the starts, in place of the patterns.
    max_sweeps : int
        Limit at T = 0, number of sweeps at T > 0.
    record : {"state", "packed", "observables", "none"}
        What is kept of each sweep.
    """

    seed: int
    glyphs: str | None = None
    patterns: tuple[str, ...] | None = None
    couplings: str | None = None
    n_neurons: int | None = None
    n_patterns: int | None = None
    load: float | None = None
    activity: float = 0.0
    flip: float = 0.0
    mask: float = 0.0
    probes: str | None = None
    rule: str = "hebbian"
    temperature: float = 0.0
    order: str = "random"
    n_trials: int = 1
    max_sweeps: int = 1000
    record: Literal["state", "packed", "observables", "none"] = "state"
    threads: int | None = None

    def __post_init__(self) -> None:
        for name in ("n_trials", "max_sweeps"):
            if getattr(self, name) < 1:
                raise InputError(name, f"expected at least 1, got {getattr(self, name)}")
        if not 0 <= self.seed <= MAX_SEED:
            raise InputError("seed", f"expected an integer from 0 to 2^64 - 1, got {self.seed}")
        if self.record not in ("state", "packed", "observables", "none"):
            raise InputError("record", f"expected state, packed, observables or none; got {self.record!r}")
        check_fraction("flip", self.flip)
        check_fraction("mask", self.mask)
        if not -1.0 <= self.activity <= 1.0:
            raise InputError("activity", f"expected a mean from -1 to 1, got {self.activity}")
        check_temperature(self.temperature)
        check_rule(self.rule)
        check_order(self.order)
        self._check_source()

    def _check_source(self) -> None:
        if self.glyphs is not None and self.patterns is not None:
            raise InputError("patterns", "give either pattern files or glyphs, not both")
        if self.glyphs is None and self.patterns is None and self.couplings is None:
            self.random_size()
            return
        for name in ("n_neurons", "n_patterns", "load"):
            if getattr(self, name) is not None:
                raise InputError(
                    name, "is for random patterns; leave it out where patterns or couplings are given"
                )
        if self.activity:
            raise InputError(
                "activity", "is for random patterns; leave it out where patterns or couplings are given"
            )

    def random_size(self) -> tuple[int, int]:
        """N and P of random patterns; `InputError` if they are not given so that they say one thing."""
        if self.n_neurons is None:
            raise InputError(
                "n_neurons", "say what to store: glyphs, pattern files, couplings, or a number of neurons"
            )
        if self.n_neurons < 1:
            raise InputError("n_neurons", f"expected at least 1, got {self.n_neurons}")
        if (self.n_patterns is None) == (self.load is None):
            raise InputError("n_patterns", "random patterns need either their number or a load")
        if self.n_patterns is not None:
            if self.n_patterns < 1:
                raise InputError("n_patterns", f"expected at least 1, got {self.n_patterns}")
            return self.n_neurons, self.n_patterns
        load = self.load or 0.0
        if not 0 < load <= MAX_LOAD:
            raise InputError("load", f"expected a load above 0, {MAX_LOAD:g} at most; got {load:g}")
        if patterns_at(self.n_neurons, load) < 1:
            raise InputError("load", f"load {load:g} of {self.n_neurons} neurons rounds to no pattern")
        return self.n_neurons, patterns_at(self.n_neurons, load)


def run(configuration: HopfieldRecall, observer: Observer) -> Records:
    """Run all trials; an interrupted run gives the batches of trials that were finished."""
    finished: list[tuple[dict[str, Any], Recall]] = []
    with using_threads(configuration.threads) as n_threads:
        probes = None if configuration.probes is None else read_patterns(configuration.probes)
        recall_network = build_network(configuration, observer.tick)
        network = recall_network.network
        observer.begin(configuration.n_trials, "trial")
        step = max(n_threads, _SPINS_AT_ONCE // network.n_neurons)
        try:
            for first in range(0, configuration.n_trials, step):
                trials = range(first, min(first + step, configuration.n_trials))
                starts = make_starts(configuration, network, probes, trials)
                recall = _recall(configuration, network, starts, first, observer)
                finished.append((_final(recall_network, starts, recall), recall))
                observer.advance(len(trials), lambda: _records(configuration, recall_network, finished))
        except Interrupted:
            pass
        finally:
            observer.end()
    return _records(configuration, recall_network, finished)


def _recall(
    configuration: HopfieldRecall, network: HopfieldNetwork, starts: Starts, first: int, observer: Observer
) -> Recall:
    kept: dict[str, bool | str] = {"state": True, "packed": True, "observables": "observables", "none": False}
    return network.recall(
        starts.states,
        configuration.temperature,
        configuration.order,
        configuration.max_sweeps,
        configuration.seed,
        first_trial=first,
        threads=configuration.threads,
        trajectory=kept[configuration.record],
        tick=observer.tick,
    )


def _records(
    configuration: HopfieldRecall,
    recall_network: RecallNetwork,
    finished: Sequence[tuple[dict[str, Any], Recall]],
) -> Records:
    network, names, image_shape = recall_network
    schema = dict(VARIABLES)
    arrays: dict[str, Any] = {"neuron": np.arange(network.n_neurons)}
    if finished:
        arrays["trial"] = np.arange(sum(len(final["converged"]) for final, _ in finished))
        arrays |= {name: np.concatenate([final[name] for final, _ in finished]) for name in finished[0][0]}
        if configuration.record != "none":
            arrays |= _over_time(finished)
    if configuration.record == "packed":
        schema["state"] = msgspec.structs.replace(schema["state"], packed=True)
    if network.n_patterns:
        arrays |= {"pattern": np.arange(network.n_patterns), "pattern_name": np.array(names, dtype=object)}
        if network.n_patterns * network.n_neurons <= _PATTERN_SPINS_KEPT:
            arrays["pattern_state"] = network.patterns
    if image_shape is not None:
        arrays |= {"image_rows": image_shape[0], "image_columns": image_shape[1]}
    return Records(schema, arrays)


def _final(recall_network: RecallNetwork, starts: Starts, recall: Recall) -> dict[str, Any]:
    """What is said of each trial of a batch; at once, so that the end of a long run has nothing left to do."""
    network, names, _ = recall_network

    def rows(indices: Sequence[int]) -> NDArray[np.int8]:
        if isinstance(indices, range):
            return network.patterns_between(indices.start, indices.stop)
        return np.concatenate([network.patterns_between(mu, mu + 1) for mu in indices])

    end_states = describe_end_states(recall.overlaps, recall.states, rows, starts.patterns, names or None)
    return {
        "n_sweeps": recall.n_sweeps,
        "n_flips_total": recall.n_flips,
        "converged": recall.converged,
        "period": recall.period,
        "start_pattern": starts.patterns,
        "overlap_initial": _own(network.overlaps(starts.states), starts.patterns),
        "overlap_final": _own(recall.overlaps, starts.patterns),
        "energy_final": recall.energies,
        "end_state": np.array(end_states, dtype=object),
    }


def _own(overlaps: NDArray[np.float64], start_pattern: NDArray[np.int64]) -> NDArray[np.float64]:
    """Overlap of each trial with its own start pattern, NaN where it has none."""
    if overlaps.shape[1] == 0:
        return np.full(len(overlaps), np.nan)
    own = np.take_along_axis(overlaps, np.maximum(start_pattern, 0)[:, None], axis=1)[:, 0]
    return np.where(start_pattern >= 0, own, np.nan)


def _over_time(finished: Sequence[tuple[dict[str, Any], Recall]]) -> dict[str, Any]:
    """Trajectories of all batches, each continued to the longest; stored packed, states are packed by the writer."""
    kept = [(recall, recall.trajectory) for _, recall in finished if recall.trajectory is not None]
    n_times = max(len(trajectory.energies[0]) for _, trajectory in kept)
    full = [trajectory.continued(recall.n_sweeps, recall.period, n_times) for recall, trajectory in kept]
    states = [trajectory.states for trajectory in full if trajectory.states is not None]
    arrays: dict[str, Any] = {
        "time": np.arange(n_times),
        "energy": np.concatenate([trajectory.energies for trajectory in full]),
        "n_flips": np.concatenate([trajectory.n_flips for trajectory in full]),
    }
    if full[0].overlaps.shape[2]:
        arrays["overlap"] = np.concatenate([trajectory.overlaps for trajectory in full])
    if states:
        arrays["state"] = np.concatenate(states)
    return arrays
