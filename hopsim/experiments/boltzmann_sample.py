"""What states does a Boltzmann machine take? Chains are run, states kept, and how far to trust them is said."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Literal

import numpy as np

from hopsim.datasets.npy_files import read_npy
from hopsim.errors import InputError, Interrupted
from hopsim.evaluation import chain_diagnostics
from hopsim.experiments.boltzmann_source import WarmMachineSource, load_machine
from hopsim.experiments.observer import Observer
from hopsim.networks.boltzmann_machine import check_counts
from hopsim.sampling.gibbs_chains import check_order
from hopsim.sampling.threads import using_threads
from hopsim.storage.records import Records, Variable

EXPERIMENT = "boltzmann_sample"

_REPORT_SECONDS = 0.1  # between two looks of the observer at what is finished
_LAGS_KEPT = 200
_VALUES_DIAGNOSED = (
    1 << 20
)  # states of units; of more, each unit's diagnostics would take longer than a stop may

VARIABLES = {
    "state": Variable(("chain", "draw", "unit"), "states of the units", group="posterior"),
    "energy": Variable(("chain", "draw"), "energy of each state", group="sample_stats"),
    "temperature": Variable((), "temperature, k_B = 1"),
    "unit": Variable(("unit",), "number of the unit"),
    "lag": Variable(("lag",), "distance of two draws", "draw"),
    "mean": Variable(("unit",), "mean of each unit over all draws"),
    "autocorrelation": Variable(("lag",), "autocorrelation of the energy, mean over chains"),
    "integrated_autocorrelation_time": Variable((), "of the energy", "draw"),
    "effective_sample_size": Variable((), "independent draws that the energies are worth", "draw"),
    "r_hat": Variable((), "split R-hat of the energy; above 1.01 chains do not agree"),
    "unit_effective_sample_size": Variable(("unit",), "the same of each unit", "draw"),
    "unit_r_hat": Variable(("unit",), "split R-hat of each unit"),
    "flip_rate": Variable((), "flips per update, burn-in included"),
}


class BoltzmannSample(WarmMachineSource, frozen=True, kw_only=True):
    """Configuration of a sampling experiment.

    Attributes
    ----------
    burn_in, n_sweeps, thin : int
        Sweeps before anything is kept, sweeps after that, and every how many of them a state is kept.
    clamp : str, optional
        Units held at values, as ``"0=1,5=0"``, or a .npy file of (n_units,) or (n_chains, n_units), NaN where free.
    record : {"state", "observables"}
        Whether the states are kept, or energies alone.
    """

    order: str = "sequential"
    n_chains: int = 4
    burn_in: int = 100
    n_sweeps: int = 1000
    thin: int = 1
    clamp: str | None = None
    record: Literal["state", "observables"] = "state"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_order(self.order)
        check_counts(n_chains=self.n_chains, n_sweeps=self.n_sweeps, burn_in=self.burn_in, thin=self.thin)
        if self.record not in ("state", "observables"):
            raise InputError("record", f"expected state or observables, got {self.record!r}")


def run(configuration: BoltzmannSample, observer: Observer) -> Records:
    """Draw; an interrupted run gives the draws that all chains have finished."""
    machine = load_machine(configuration)
    n_chains, n_draws = configuration.n_chains, configuration.n_sweeps // configuration.thin
    keeps_states = configuration.record == "state"
    machine.require_sample_memory(n_chains, n_draws if keeps_states else 1)
    states = np.empty((n_chains, n_draws if keeps_states else 0, machine.n_units), np.int8)
    energies = np.empty((n_chains, n_draws))
    sums = np.zeros(machine.n_units, np.int64)
    n_finished = 0
    observer.begin(configuration.burn_in + n_draws * configuration.thin, "sweep")

    def finished() -> Records:
        kept = states[:, :n_finished] if keeps_states else None
        return _records(configuration, kept, energies[:, :n_finished], sums, flip_rate())

    def flip_rate() -> float:
        n_sweeps = configuration.burn_in + n_finished * configuration.thin
        return float(chains.n_flips.sum()) / max(n_chains * n_sweeps * n_free, 1)

    try:
        with using_threads(configuration.threads):
            clamp = _read_clamp(configuration.clamp)
            chains = machine.start_chains(
                n_chains,
                configuration.temperature,
                configuration.order,
                clamp,
                configuration.seed,
                tick=observer.tick,
            )
            n_free = chains.n_free
            chains.advance(configuration.burn_in)
            n_unreported, reported = configuration.burn_in, time.monotonic()
            for draw in range(n_draws):
                chains.advance(configuration.thin)
                values = machine.model.states(chains.spins)
                if keeps_states:
                    states[:, draw] = values
                energies[:, draw] = chains.energies + machine.model.energy_offset
                sums += values.sum(axis=0, dtype=np.int64)
                n_finished = draw + 1
                n_unreported += configuration.thin
                if time.monotonic() > reported + _REPORT_SECONDS or n_finished == n_draws:
                    observer.advance(n_unreported, finished)
                    n_unreported, reported = 0, time.monotonic()
    except Interrupted:
        if n_finished == 0:
            raise
    finally:
        observer.end()
    return finished()


def _records(
    configuration: BoltzmannSample,
    states: np.ndarray | None,
    energies: np.ndarray,
    sums: np.ndarray,
    flip_rate: float,
) -> Records:
    n_chains, n_draws = energies.shape
    arrays: dict[str, Any] = {
        "temperature": configuration.temperature,
        "energy": energies,
        "unit": np.arange(len(sums)),
        "mean": sums / (n_chains * n_draws),
        "flip_rate": flip_rate,
        "autocorrelation": chain_diagnostics.autocorrelation(energies)[:_LAGS_KEPT],
        "integrated_autocorrelation_time": chain_diagnostics.integrated_autocorrelation_time(energies),
        "effective_sample_size": chain_diagnostics.effective_sample_size(energies),
        "r_hat": chain_diagnostics.split_r_hat(energies),
    }
    if states is not None:
        arrays["state"] = states
    if states is not None and states.size <= _VALUES_DIAGNOSED:
        arrays["unit_effective_sample_size"] = chain_diagnostics.effective_sample_size(states)
        arrays["unit_r_hat"] = chain_diagnostics.split_r_hat(states)
    return Records(VARIABLES, arrays)


def _read_clamp(text: str | None) -> dict[int, int] | np.ndarray | None:
    """Clamped units from ``"0=1,5=0"`` or from a .npy file."""
    if text is None:
        return None
    if text.lower().endswith(".npy"):
        return read_npy(Path(text))
    values: dict[int, int] = {}
    for part in text.split(","):
        unit, _, value = part.partition("=")
        try:
            number, held = int(unit), int(value)
        except ValueError:
            raise InputError(
                "clamp", f"expected units and values as '0=1,5=0', or a .npy file; got {part!r}"
            ) from None
        if number in values:
            raise InputError("clamp", f"unit {number} is given twice")
        values[number] = held
    return values
