"""What states does a rugged machine take when it is cold? Replicas at many temperatures carry each other over."""

from __future__ import annotations

from typing import Any

import numpy as np

from hopsim.errors import InputError, Interrupted
from hopsim.evaluation import chain_diagnostics
from hopsim.experiments.boltzmann_source import WarmMachineSource, load_machine
from hopsim.experiments.observer import Observer
from hopsim.models.boltzmann import BoltzmannModel
from hopsim.models.seeds import Stream, stream_keys
from hopsim.networks.boltzmann_machine import check_counts
from hopsim.sampling.annealing import usual_range
from hopsim.sampling.gibbs_chains import check_order
from hopsim.sampling.tempering import LADDERS, TemperedChains, adapt_during, geometric_ladder
from hopsim.sampling.threads import using_threads
from hopsim.storage.records import Records, Variable

EXPERIMENT = "boltzmann_temper"

VARIABLES = {
    "state": Variable(("chain", "draw", "unit"), "states at the coldest temperature", group="posterior"),
    "energy": Variable(("chain", "draw"), "their energies", group="sample_stats"),
    "temperature": Variable(("rung",), "temperatures of the ladder, the coldest first"),
    "energy_by_temperature": Variable(("chain", "draw", "rung"), "energy at each temperature"),
    "swap_rate": Variable(("pair",), "share of swaps made between each temperature and the next"),
    "round_trips": Variable(("chain", "replica"), "times that each replica went to the hottest and back"),
    "energy_lowest": Variable(("chain",), "lowest energy that any replica was seen at"),
    "state_lowest": Variable(("chain", "unit"), "states that had it"),
    "unit": Variable(("unit",), "number of the unit"),
    "mean": Variable(("unit",), "mean of each unit at the coldest temperature"),
    "integrated_autocorrelation_time": Variable((), "of the coldest energy", "draw"),
    "effective_sample_size": Variable((), "independent draws that the coldest energies are worth", "draw"),
    "r_hat": Variable((), "split R-hat of the coldest energy; above 1.01 chains do not agree"),
}


class BoltzmannTemper(WarmMachineSource, frozen=True, kw_only=True):
    """Configuration of parallel tempering; `temperature` is the coldest, whose states are kept.

    Attributes
    ----------
    t_max : float, optional
        The hottest; by default 2 root mean square fields of random states, or twice the coldest if that is more.
    n_temperatures : int
    ladder : {"geometric", "adapted"}
        By equal factors, or spaced anew in the burn-in so that swaps succeed alike all along.
    n_chains : int
        Groups of replicas, each giving one chain at the coldest temperature.
    burn_in, n_sweeps, thin : int
        As of sampling; neighbours may swap after each sweep.
    """

    t_max: float | None = None
    n_temperatures: int = 16
    ladder: str = "geometric"
    order: str = "sequential"
    n_chains: int = 4
    burn_in: int = 200
    n_sweeps: int = 1000
    thin: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        check_order(self.order)
        check_counts(n_chains=self.n_chains, n_sweeps=self.n_sweeps, burn_in=self.burn_in, thin=self.thin)
        if self.ladder not in LADDERS:
            raise InputError("ladder", f"expected one of {', '.join(LADDERS)}, got {self.ladder!r}")
        t_max = 2 * self.temperature if self.t_max is None else self.t_max
        geometric_ladder(self.temperature, t_max, self.n_temperatures)


def run(configuration: BoltzmannTemper, observer: Observer) -> Records:
    """Sample; an interrupted run gives the draws that are finished."""
    machine = load_machine(configuration)
    n_groups, n_draws = configuration.n_chains, configuration.n_sweeps // configuration.thin
    n_replicas = n_groups * configuration.n_temperatures
    machine.require_sample_memory(n_replicas, n_draws // configuration.n_temperatures + 1)
    draws = _Draws(machine.model, configuration, n_draws)
    observer.begin(configuration.burn_in + n_draws * configuration.thin, "sweep")

    def finished() -> Records:
        return draws.records(tempered)

    try:
        with using_threads(configuration.threads):
            chains = machine.start_chains(
                n_replicas, order=configuration.order, seed=configuration.seed, tick=observer.tick
            )
            keys = stream_keys(configuration.seed, Stream.RUN, range(n_groups))
            tempered = TemperedChains(chains, _ladder(configuration, machine.model), keys)
            if configuration.ladder == "adapted":
                adapt_during(tempered, configuration.burn_in)
            else:
                tempered.advance(configuration.burn_in)
            tempered.count_anew()
            n_new = configuration.burn_in
            for _ in range(n_draws):
                tempered.advance(configuration.thin)
                draws.take(tempered)
                observer.advance(n_new + configuration.thin, finished)
                n_new = 0
    except Interrupted:
        if draws.n_finished == 0:
            raise
    finally:
        observer.end()
    return finished()


def _ladder(configuration: BoltzmannTemper, model: BoltzmannModel) -> np.ndarray:
    cold, t_max = configuration.temperature, configuration.t_max
    if t_max is None:
        t_max = max(usual_range(model.spin_network)[0], 2 * cold)
    return geometric_ladder(cold, t_max, configuration.n_temperatures)


class _Draws:
    """States and energies as they are drawn."""

    def __init__(self, model: BoltzmannModel, configuration: BoltzmannTemper, n_draws: int) -> None:
        n_groups = configuration.n_chains
        self.model = model
        self.n_finished = 0
        self.states = np.empty((n_groups, n_draws, model.n_units), np.int8)
        self.energies = np.empty((n_groups, n_draws, configuration.n_temperatures))

    def take(self, tempered: TemperedChains) -> None:
        self.states[:, self.n_finished] = self.model.states(tempered.spins_at(0))
        self.energies[:, self.n_finished] = tempered.energies + self.model.energy_offset
        self.n_finished += 1

    def records(self, tempered: TemperedChains) -> Records:
        states, energies = self.states[:, : self.n_finished], self.energies[:, : self.n_finished]
        coldest = energies[:, :, 0]
        report = tempered.report()
        arrays: dict[str, Any] = {
            "state": states,
            "energy": coldest,
            "temperature": tempered.ladder,
            "energy_by_temperature": energies,
            "swap_rate": report.swap_rates,
            "round_trips": report.round_trips,
            "energy_lowest": tempered.lowest_energies + self.model.energy_offset,
            "state_lowest": self.model.states(tempered.lowest_spins),
            "unit": np.arange(states.shape[2]),
            "mean": states.mean(axis=(0, 1)),
            "integrated_autocorrelation_time": chain_diagnostics.integrated_autocorrelation_time(coldest),
            "effective_sample_size": chain_diagnostics.effective_sample_size(coldest),
            "r_hat": chain_diagnostics.split_r_hat(coldest),
        }
        return Records(VARIABLES, arrays)
