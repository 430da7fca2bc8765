"""Which Boltzmann machine is a Hopfield network at T > 0? The one with its couplings; here as a file of its own."""

from __future__ import annotations

from pathlib import Path

import msgspec

from hopsim.datasets.coupling_files import read_couplings
from hopsim.errors import InputError
from hopsim.experiments.hopfield_recall import EXPERIMENT as HOPFIELD_RECALL
from hopsim.experiments.hopfield_recall import HopfieldRecall
from hopsim.experiments.observer import Observer
from hopsim.experiments.recall_network import build_network
from hopsim.models.boltzmann import check_encoding
from hopsim.networks.boltzmann_machine import BoltzmannMachine
from hopsim.networks.hopfield_network import HopfieldNetwork
from hopsim.storage.machine_records import MACHINE_VARIABLES, machine_arrays
from hopsim.storage.records import Records
from hopsim.storage.run_file import Run, open_run

EXPERIMENT = "boltzmann_machine"


class FromHopfield(msgspec.Struct, frozen=True, kw_only=True):
    """Configuration of the conversion.

    Attributes
    ----------
    file : str
        A file of the recall experiment, or a .npy file of couplings.
    encoding : {"01", "pm1"}
        Of the machine's units.
    """

    file: str
    encoding: str = "pm1"

    def __post_init__(self) -> None:
        check_encoding(self.encoding)


def run(configuration: FromHopfield, observer: Observer) -> Records:
    """Rebuild the network and convert it."""
    path = Path(configuration.file)
    observer.begin(1, "network")
    try:
        if path.suffix.lower() == ".npy":
            network = HopfieldNetwork(read_couplings(path))
        else:
            network = _network_of(open_run(path), observer)
        machine = BoltzmannMachine.from_hopfield(network, configuration.encoding)
        records = Records(
            MACHINE_VARIABLES,
            machine_arrays(machine.couplings, machine.bias, machine.encoding, machine.n_visible),
        )
        observer.advance(1, lambda: records)
    finally:
        observer.end()
    return records


def _network_of(run: Run, observer: Observer) -> HopfieldNetwork:
    if run.experiment != HOPFIELD_RECALL:
        raise InputError(
            str(run.path),
            f"is of the experiment {run.experiment}; expected a file that `hopsim hopfield recall` wrote",
        )
    try:
        recall = msgspec.convert(run.configuration, HopfieldRecall, strict=False)
    except msgspec.ValidationError as error:
        raise InputError(str(run.path), f"has a configuration that is none of a recall: {error}") from None
    if recall.couplings is None and "pattern_state" in run.records:
        return HopfieldNetwork.store(run.records["pattern_state"], rule=recall.rule)
    return build_network(recall, observer.tick).network
