"""Does parallel tempering find ground states that chains at one temperature miss? At equal numbers of updates.

Instances are spin glasses: Sherrington-Kirkpatrick (normal couplings) and the square lattice of Edwards and Anderson
(±1 bonds). What the ground state is comes from elsewhere where it can: enumeration of up to 24 units, the transfer
matrix for lattices up to 10 wide; beyond that the lowest that anything found counts, slow annealing from many starts
included.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from hopsim.errors import InputError, Interrupted
from hopsim.evaluation.enumeration import enumerate_states
from hopsim.evaluation.lattice_ground_state import square_ground_state_energy
from hopsim.evaluation.proportions import binomial_interval
from hopsim.experiments.observer import Observer
from hopsim.models.boltzmann import BoltzmannModel, boltzmann_model
from hopsim.models.lattices import named_couplings
from hopsim.models.seeds import Stream, check_seed, stream_keys
from hopsim.networks.boltzmann_machine import BoltzmannMachine
from hopsim.sampling.annealing import Annealing, schedule, usual_range
from hopsim.sampling.tempering import TemperedChains, geometric_ladder
from hopsim.sampling.threads import using_threads
from hopsim.storage.records import Records, Variable

EXPERIMENT = "boltzmann_ground_states"

_NAME = re.compile(r"sk:\d+|ea:\d+(x\d+)+")
METHODS = ("tempering", "single temperature")
ENUMERATED, WIDEST = 24, 10

_COLDEST = 0.1  # of the ladder and of the single temperatures, in root mean square fields; the hottest 1.5
_N_SINGLE = 5  # single temperatures tried; the best in hindsight stands for them
_ANNEALED = 64  # slow annealings of an instance whose ground state is not known
_TOLERANCE = 1e-6
_MODEL, _RATE = ("model",), ("model", "method")
VARIABLES = {
    "model": Variable(_MODEL, "name of the model"),
    "method": Variable(("method",), "how ground states are sought"),
    "known_by": Variable(_MODEL, "where the ground state is known from"),
    "energy": Variable(("model", "instance"), "energy of the ground state"),
    "n_found": Variable(("model", "instance", "method"), "groups of replicas, or chains, that came to it"),
    "n_found_annealing": Variable(("model", "instance"), "slow annealings that came to it; -1: none was run"),
    "success_rate": Variable(_RATE, "share that came to the ground state"),
    "success_low": Variable(_RATE, "lower end of its interval (95 %), as if all were independent"),
    "success_high": Variable(_RATE, "upper end"),
    "n_solved": Variable(_RATE, "instances whose ground state at least one found", "instance"),
    "single_temperature": Variable(_MODEL, "the single temperature that did best"),
    "n_updates": Variable(_MODEL, "updates of each group, and of each chain at a single temperature"),
}


class BoltzmannGroundStates(msgspec.Struct, frozen=True, kw_only=True):
    """Configuration of the study.

    Attributes
    ----------
    models : tuple of str
        Names as `hopsim.models.lattices.named_couplings` has them: ``sk:N`` and ``ea:LxL``.
    n_instances : int
        Of each model.
    n_groups : int
        Groups of replicas, and chains at each single temperature, on each instance.
    n_temperatures, n_sweeps : int
        Of the ladder; a single chain does their product in sweeps.
    """

    seed: int
    models: tuple[str, ...] = ("sk:20", "sk:64", "sk:128", "sk:256", "ea:6x6", "ea:8x8", "ea:10x10")
    n_instances: int = 10
    n_groups: int = 20
    n_temperatures: int = 12
    n_sweeps: int = 200
    threads: int | None = None

    def __post_init__(self) -> None:
        check_seed(self.seed)
        for name, least in (("n_instances", 1), ("n_groups", 1), ("n_temperatures", 2), ("n_sweeps", 1)):
            if getattr(self, name) < least:
                raise InputError(name, f"expected at least {least}, got {getattr(self, name)}")
        if not self.models:
            raise InputError("models", "expected at least one, as sk:64 or ea:8x8")
        for model in self.models:
            if not _NAME.fullmatch(model):
                raise InputError("models", f"expected names as sk:64 or ea:8x8, got {model!r}")


class Instance(NamedTuple):
    """What was found on one instance: energies of the lowest states seen."""

    energy: float  # of the ground state
    known_by: str
    tempering: NDArray[np.float64]  # (n_groups,)
    single: NDArray[np.float64]  # (n_single, n_groups)
    annealing: NDArray[np.float64]  # (n_annealed,)


def run(configuration: BoltzmannGroundStates, observer: Observer) -> Records:
    """Study all instances; an interrupted run gives the models that are finished."""
    found: dict[str, list[Instance]] = {}
    observer.begin(len(configuration.models) * configuration.n_instances, "instance")

    def records() -> Records:
        return _records(configuration, found)

    try:
        with using_threads(configuration.threads):
            for model in configuration.models:
                instances = []
                for k in range(configuration.n_instances):
                    instances.append(study(configuration, model, k, observer))
                    if k == configuration.n_instances - 1:
                        found[model] = instances
                    if found:
                        observer.advance(1, records)
    except Interrupted:
        if not found:
            raise
    finally:
        observer.end()
    return records()


def study(configuration: BoltzmannGroundStates, model: str, k: int, observer: Observer) -> Instance:
    """Seek the ground state of instance `k` of a model in all ways."""
    seed = int(stream_keys(configuration.seed, Stream.INSTANCE, k)[0])
    machine = BoltzmannMachine.from_model(boltzmann_model(named_couplings(model, seed), encoding="pm1"))
    field = usual_range(machine.model.spin_network)[0] / 2
    tempering = _tempering(configuration, machine, field, seed, observer)
    single = _single(configuration, machine, field, seed, observer)
    energy, known_by = _known_energy(machine.model, model, observer)
    annealing = np.empty(0)
    if not known_by:
        annealing = _annealing(configuration, machine, seed, observer)
        energy = float(min(tempering.min(), single.min(), annealing.min()))
        known_by = "lowest found"
    return Instance(energy, known_by, tempering, single, annealing)


def _known_energy(model: BoltzmannModel, name: str, observer: Observer) -> tuple[float, str]:
    """The ground state's energy and where it is known from; nothing if it is not."""
    kind, _, size = name.partition(":")
    sides = [int(side) for side in size.split("x")] if kind == "ea" else []
    if len(sides) == 2 and min(sides) <= WIDEST:
        shape = (sides[0], sides[1])
        return square_ground_state_energy(model.couplings, shape, observer.tick), "transfer matrix"
    if model.n_units <= ENUMERATED:
        coldest = 1e-4 * usual_range(model.spin_network)[0]  # where no other state counts
        return enumerate_states(model, coldest, observer.tick).energy_mean, "enumeration"
    return np.nan, ""


def _tempering(
    configuration: BoltzmannGroundStates,
    machine: BoltzmannMachine,
    field: float,
    seed: int,
    observer: Observer,
) -> NDArray[np.float64]:
    n_groups, n_temperatures = configuration.n_groups, configuration.n_temperatures
    chains = machine.start_chains(n_groups * n_temperatures, seed=seed, tick=observer.tick)
    ladder = geometric_ladder(_COLDEST * field, 1.5 * field, n_temperatures)
    tempered = TemperedChains(chains, ladder, stream_keys(seed, Stream.RUN, range(n_groups)))
    tempered.advance(configuration.n_sweeps)
    return tempered.lowest_energies


def _single(
    configuration: BoltzmannGroundStates,
    machine: BoltzmannMachine,
    field: float,
    seed: int,
    observer: Observer,
) -> NDArray[np.float64]:
    """Lowest energies (n_single, n_groups) of chains at one temperature each, looked at after every sweep."""
    n_sweeps = configuration.n_sweeps * configuration.n_temperatures
    temperatures = geometric_ladder(_COLDEST * field, 1.5 * field, _N_SINGLE)
    chains = machine.start_chains(
        _N_SINGLE * configuration.n_groups,
        temperature=np.repeat(temperatures, configuration.n_groups),
        seed=seed,
        tick=observer.tick,
    )
    lowest = chains.energies
    for _ in range(n_sweeps):
        chains.advance(1)
        lowest = np.minimum(lowest, chains.energies)
    return lowest.reshape(_N_SINGLE, -1)


def _annealing(
    configuration: BoltzmannGroundStates, machine: BoltzmannMachine, seed: int, observer: Observer
) -> NDArray[np.float64]:
    """Lowest energies of slow annealings: each does ten times the updates of a group."""
    n_sweeps = 10 * configuration.n_sweeps * configuration.n_temperatures
    chains = machine.start_chains(_ANNEALED, seed=seed, tick=observer.tick)
    temperatures = schedule("geometric", *usual_range(machine.model.spin_network), n_sweeps)
    annealing = Annealing(chains, temperatures)
    for _ in annealing.run(max(1, n_sweeps // 100)):
        observer.tick()
    return annealing.energies


def _records(configuration: BoltzmannGroundStates, found: dict[str, list[Instance]]) -> Records:
    n_groups = configuration.n_groups
    models = list(found)
    energies = np.array([[instance.energy for instance in found[model]] for model in models])
    n_found = np.zeros((*energies.shape, 2), np.int64)
    n_annealed = np.full(energies.shape, -1)
    best_single = []
    for m, model in enumerate(models):
        reached = np.array([_reached(i.single, i.energy).sum(axis=1) for i in found[model]])
        best_single.append(int(reached.sum(axis=0).argmax()))
        n_found[m, :, 1] = reached[:, best_single[-1]]
        for k, instance in enumerate(found[model]):
            n_found[m, k, 0] = _reached(instance.tempering, instance.energy).sum()
            if instance.annealing.size:
                n_annealed[m, k] = _reached(instance.annealing, instance.energy).sum()
    n_tried = n_groups * energies.shape[1]
    low, high = binomial_interval(n_found.sum(axis=1), n_tried)
    sizes = [boltzmann_model(named_couplings(model, 0)).n_units for model in models]
    scale = np.geomspace(_COLDEST, 1.5, _N_SINGLE)
    arrays: dict[str, Any] = {
        "model": np.array(models),
        "method": np.array(METHODS),
        "known_by": np.array([found[model][0].known_by for model in models]),
        "energy": energies,
        "n_found": n_found,
        "n_found_annealing": n_annealed,
        "success_rate": n_found.sum(axis=1) / n_tried,
        "success_low": low,
        "success_high": high,
        "n_solved": (n_found > 0).sum(axis=1),
        "single_temperature": scale[best_single],
        "n_updates": np.array(sizes) * configuration.n_sweeps * configuration.n_temperatures,
    }
    return Records(VARIABLES, arrays)


def _reached(energies: NDArray[np.float64], ground_state: float) -> NDArray[np.bool_]:
    return energies <= ground_state + _TOLERANCE * max(abs(ground_state), 1.0)
