"""How likely does a Boltzmann machine find data? Exactly, by annealed importance sampling, or by pseudo-likelihood."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hopsim.datasets.pattern_files import read_patterns
from hopsim.errors import InputError
from hopsim.evaluation.annealed_importance import (
    AnnealedImportance,
    annealed_importance,
    matched_bias,
    reverse_annealed_importance,
)
from hopsim.evaluation.enumeration import enumerate_states
from hopsim.evaluation.likelihood import unnormalised_log_likelihoods
from hopsim.evaluation.pseudo_likelihood import pseudo_log_likelihoods
from hopsim.experiments.boltzmann_source import WarmMachineSource, load_machine
from hopsim.experiments.observer import Observer
from hopsim.models.boltzmann import BoltzmannModel
from hopsim.networks.boltzmann_machine import BoltzmannMachine
from hopsim.sampling.threads import using_threads
from hopsim.storage.records import Records, Variable

EXPERIMENT = "boltzmann_evaluate"
METHODS = ("exact", "ais", "reverse-ais", "pseudo")

VARIABLES = {
    "method": Variable((), "how log Z was found; pseudo: not at all"),
    "log_partition_function": Variable((), "log Z", "nat"),
    "log_partition_function_se": Variable((), "its standard error; 0: exact", "nat"),
    "effective_sample_size": Variable((), "chains that the importance weights are worth", "chain"),
    "log_weight": Variable(("chain",), "log importance weight of each chain", "nat"),
    "log_likelihood": Variable(
        ("datum",), "log-likelihood (pseudo: pseudo-log-likelihood) of each row", "nat"
    ),
    "log_likelihood_mean": Variable((), "its mean over the rows", "nat"),
    "log_likelihood_se": Variable((), "standard error of the mean, from the scatter of the rows", "nat"),
    "n_data": Variable((), "number of rows"),
}


class BoltzmannEvaluate(WarmMachineSource, frozen=True, kw_only=True):
    """Configuration of an evaluation.

    Attributes
    ----------
    data : str
        File of the data, a row a state of the visible units.
    method : {"exact", "ais", "reverse-ais", "pseudo"}
    n_chains, n_temperatures : int
        Of annealed importance sampling.
    burn_in : int
        Sweeps of the chains that reverse sampling starts from.
    """

    data: str
    method: str = "exact"
    n_chains: int = 100
    n_temperatures: int = 1000
    burn_in: int = 1000

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.method not in METHODS:
            raise InputError("method", f"expected one of {', '.join(METHODS)}; got {self.method!r}")
        for name, least in (("n_chains", 2), ("n_temperatures", 1), ("burn_in", 0)):
            if getattr(self, name) < least:
                raise InputError(name, f"expected at least {least}, got {getattr(self, name)}")


def run(configuration: BoltzmannEvaluate, observer: Observer) -> Records:
    """Evaluate; nothing is kept of an interrupted run."""
    machine = load_machine(configuration)
    model = machine.model
    if not isinstance(model, BoltzmannModel):
        raise InputError("model", "is sparse; evaluation is for machines with a matrix of couplings")
    data = _read_data(configuration.data, model)
    observer.begin(1, "evaluation")
    try:
        with using_threads(configuration.threads):
            arrays = _evaluate(configuration, machine, model, data, observer)
        records = Records(VARIABLES, arrays)
        observer.advance(1, lambda: records)
    finally:
        observer.end()
    return records


def _evaluate(
    configuration: BoltzmannEvaluate,
    machine: BoltzmannMachine,
    model: BoltzmannModel,
    data: NDArray[np.int8],
    observer: Observer,
) -> dict[str, Any]:
    temperature, tick = configuration.temperature, observer.tick
    arrays: dict[str, Any] = {"method": configuration.method, "n_data": len(data)}
    if configuration.method == "pseudo":
        likelihoods = pseudo_log_likelihoods(model, data, temperature, tick)
    else:
        if configuration.method == "exact":
            log_z = enumerate_states(model, temperature, tick).log_partition_function
            arrays |= {"log_partition_function": log_z, "log_partition_function_se": 0.0}
        else:
            estimate = _importance_sampling(configuration, machine, model, data, observer)
            log_z = estimate.log_partition_function
            arrays |= {
                "log_partition_function": log_z,
                "log_partition_function_se": estimate.standard_error,
                "effective_sample_size": estimate.effective_sample_size,
                "log_weight": estimate.log_weights,
            }
        likelihoods = unnormalised_log_likelihoods(model, data, temperature, tick) - log_z
    n_data = len(likelihoods)
    spread = likelihoods.std(ddof=1) / np.sqrt(n_data) if n_data > 1 else np.nan
    return arrays | {
        "log_likelihood": likelihoods,
        "log_likelihood_mean": likelihoods.mean(),
        "log_likelihood_se": spread,
    }


def _importance_sampling(
    configuration: BoltzmannEvaluate,
    machine: BoltzmannMachine,
    model: BoltzmannModel,
    data: NDArray[np.int8],
    observer: Observer,
) -> AnnealedImportance:
    """Forward from, or back to, independent units with the data's means."""
    low = 0.0 if model.encoding == "01" else -1.0
    means = np.full(model.n_units, (low + 1.0) / 2)
    means[: model.n_visible] = data.mean(axis=0)
    options: dict[str, Any] = {
        "n_temperatures": configuration.n_temperatures,
        "base_bias": matched_bias(model, means, configuration.temperature),
        "temperature": configuration.temperature,
        "seed": configuration.seed,
        "tick": observer.tick,
    }
    if configuration.method == "ais":
        return annealed_importance(model, configuration.n_chains, **options)
    chains = machine.start_chains(
        configuration.n_chains, configuration.temperature, seed=configuration.seed, tick=observer.tick
    )
    chains.advance(configuration.burn_in)
    return reverse_annealed_importance(model, model.states(chains.spins), **options)


def _read_data(path: str, model: BoltzmannModel) -> NDArray[np.int8]:
    spins = read_patterns(path).spins
    if spins.shape[1] != model.n_visible:
        raise InputError(
            "data", f"{path} has rows of {spins.shape[1]} values, the machine {model.n_visible} visible units"
        )
    return model.states(spins)
