"""Which states have low energy? Chains are cooled from many random starts, then go downhill."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hopsim.datasets.npy_files import read_npy
from hopsim.errors import InputError, Interrupted
from hopsim.experiments.boltzmann_source import MachineSource, load_machine
from hopsim.experiments.observer import Observer
from hopsim.models.boltzmann import BoltzmannModel
from hopsim.sampling.annealing import SCHEDULES, Annealing, Look, check_schedule, schedule, usual_range
from hopsim.sampling.gibbs_chains import check_order
from hopsim.sampling.threads import using_threads
from hopsim.storage.records import Records, Variable

EXPERIMENT = "boltzmann_anneal"

SAME = 1e-9  # energies closer than that, relative to the lowest, are one

_LOOKS = 200
VARIABLES = {
    "look": Variable(("look",), "number of the look at the chains"),
    "n_sweeps": Variable(("look",), "sweeps done so far", "sweep"),
    "temperature": Variable(("look",), "temperature of the last sweep; 0 after the quench"),
    "energy": Variable(("chain", "look"), "energy of each chain"),
    "energy_lowest": Variable(("chain",), "lowest energy that each chain was seen at"),
    "state": Variable(("chain", "unit"), "states that had it"),
    "n_best": Variable((), "chains that came to the lowest energy of all", "chain"),
}


class BoltzmannAnneal(MachineSource, frozen=True, kw_only=True):
    """Configuration of an annealing.

    Attributes
    ----------
    schedule : str
        ``"geometric"``, ``"linear"``, or a .npy file of temperatures, one a sweep.
    t_start, t_end : float, optional
        Of the first and the last sweep; `hopsim.sampling.annealing.usual_range` if None.
    n_sweeps : int, optional
        1,000 by default; a file has its own number.
    n_chains : int
        Starts.
    quench : bool
        Go downhill at the end.
    """

    schedule: str = "geometric"
    t_start: float | None = None
    t_end: float | None = None
    n_sweeps: int | None = None
    n_chains: int = 64
    order: str = "sequential"
    quench: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        check_order(self.order)
        if self.n_chains < 1:
            raise InputError("n_chains", f"expected at least 1, got {self.n_chains}")
        if _is_file(self.schedule):
            for name in ("t_start", "t_end", "n_sweeps"):
                if getattr(self, name) is not None:
                    raise InputError(name, "leave it out where the schedule is a file")
        elif self.t_start is not None and self.t_end is not None:
            schedule(self.schedule, self.t_start, self.t_end, 2)
        elif self.schedule not in SCHEDULES:
            schedule(self.schedule, 1.0, 1.0, 1)


def run(configuration: BoltzmannAnneal, observer: Observer) -> Records:
    """Anneal; an interrupted run gives what was found so far."""
    machine = load_machine(configuration)
    temperatures = _temperatures(configuration, machine.model)
    n_sweeps = len(temperatures)
    looks: list[Look] = []
    observer.begin(n_sweeps, "sweep")

    def finished() -> Records:
        return _records(machine.model, annealing, looks)

    try:
        with using_threads(configuration.threads):
            machine.require_sample_memory(configuration.n_chains, 1)
            chains = machine.start_chains(
                configuration.n_chains,
                order=configuration.order,
                seed=configuration.seed,
                tick=observer.tick,
            )
            annealing = Annealing(chains, temperatures)
            done = 0
            for look in annealing.run(max(1, n_sweeps // _LOOKS), quench=configuration.quench):
                looks.append(look)
                observer.advance(min(look.n_sweeps, n_sweeps) - done, finished)
                done = min(look.n_sweeps, n_sweeps)
    except Interrupted:
        if not looks:
            raise
    finally:
        observer.end()
    return finished()


def _is_file(name: str) -> bool:
    return name.lower().endswith(".npy")


def _temperatures(configuration: BoltzmannAnneal, model: BoltzmannModel) -> NDArray[np.float64]:
    if _is_file(configuration.schedule):
        return check_schedule(read_npy(Path(configuration.schedule)))
    warm, cold = usual_range(model.spin_network)
    t_start, t_end = configuration.t_start, configuration.t_end
    if t_start is None:
        t_start = warm if t_end is None else max(warm, t_end)
    if t_end is None:
        t_end = min(cold, t_start)
    return schedule(configuration.schedule, t_start, t_end, configuration.n_sweeps or 1000)


def _records(model: BoltzmannModel, annealing: Annealing, looks: list[Look]) -> Records:
    lowest = annealing.energies + model.energy_offset
    best = lowest.min()
    arrays: dict[str, Any] = {
        "look": np.arange(len(looks)),
        "n_sweeps": np.array([look.n_sweeps for look in looks]),
        "temperature": np.array([look.temperature for look in looks]),
        "energy": np.array([look.energies for look in looks]).T + model.energy_offset,
        "energy_lowest": lowest,
        "state": model.states(annealing.spins),
        "n_best": int((lowest <= best + SAME * max(abs(best), 1.0)).sum()),
    }
    return Records(VARIABLES, arrays)
