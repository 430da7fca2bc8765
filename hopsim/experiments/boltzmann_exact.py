"""What does a small Boltzmann machine's distribution look like, exactly? All its states are summed over."""

from __future__ import annotations

from hopsim.evaluation.enumeration import enumerate_states
from hopsim.experiments.boltzmann_source import WarmMachineSource, load_machine
from hopsim.experiments.observer import Observer
from hopsim.sampling.threads import using_threads
from hopsim.storage.records import Records, Variable

EXPERIMENT = "boltzmann_exact"

VARIABLES = {
    "unit": Variable(("unit",), "number of the unit"),
    "unit_2": Variable(("unit_2",), "number of the unit"),
    "log_partition_function": Variable((), "log of the sum over all states of exp(-E/T)", "nat"),
    "energy_mean": Variable((), "mean energy"),
    "entropy": Variable((), "entropy of the distribution", "nat"),
    "mean": Variable(("unit",), "mean of each unit"),
    "correlation": Variable(("unit", "unit_2"), "mean of the product of two units"),
}


class BoltzmannExact(WarmMachineSource, frozen=True, kw_only=True):
    """Configuration of an enumeration: the machine and its temperature."""


def run(configuration: BoltzmannExact, observer: Observer) -> Records:
    """Sum over all states; nothing is kept of an interrupted run."""
    model = load_machine(configuration).model
    observer.begin(1, "enumeration")
    try:
        with using_threads(configuration.threads):
            exact = enumerate_states(model, configuration.temperature, observer.tick)
        records = Records(
            VARIABLES,
            {
                "log_partition_function": exact.log_partition_function,
                "energy_mean": exact.energy_mean,
                "entropy": exact.entropy,
                "mean": exact.means,
                "correlation": exact.correlations,
            },
        )
        observer.advance(1, lambda: records)
    finally:
        observer.end()
    return records
