"""Where the experiments on Boltzmann machines get their machine from: a hopsim file, couplings, or a name."""

from __future__ import annotations

import msgspec

from hopsim.datasets.coupling_files import read_bias, read_couplings
from hopsim.datasets.machine_files import read_boltzmann
from hopsim.errors import InputError
from hopsim.models.boltzmann import check_encoding
from hopsim.models.lattices import named_couplings
from hopsim.models.seeds import MAX_SEED
from hopsim.networks.boltzmann_machine import BoltzmannMachine
from hopsim.sampling.gibbs_chains import check_temperatures


class MachineSource(msgspec.Struct, frozen=True, kw_only=True):
    """What all these configurations share.

    One source is named: `machine` (a hopsim file), `couplings` (a .npy file, with `bias` beside it) or `model`.

    Attributes
    ----------
    model : str, optional
        A named machine as ``"sk:100"`` or ``"ising:64x64"`` (`hopsim.models.lattices`); random couplings follow from
        the seed.
    encoding : {"01", "pm1"}, optional
        Of the couplings in a .npy file (0/1 if None); what any other machine is converted to.
    """

    seed: int
    machine: str | None = None
    couplings: str | None = None
    bias: str | None = None
    model: str | None = None
    encoding: str | None = None
    threads: int | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.seed <= MAX_SEED:
            raise InputError("seed", f"expected an integer from 0 to 2^64 - 1, got {self.seed}")
        named = [name for name in ("machine", "couplings", "model") if getattr(self, name) is not None]
        if not named:
            raise InputError(
                "couplings", "say which machine: a hopsim file, --couplings W.npy or --model NAME"
            )
        if len(named) > 1:
            raise InputError(named[1], f"give one machine only, not {' and '.join(named)}")
        if self.bias is not None and self.couplings is None:
            raise InputError(
                "bias", "goes with --couplings; leave it out where the machine has its own biases"
            )
        if self.encoding is not None:
            check_encoding(self.encoding)


class WarmMachineSource(MachineSource, frozen=True, kw_only=True):
    """The same with one temperature.

    Attributes
    ----------
    temperature : float
        T > 0.
    """

    temperature: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_temperatures(self.temperature)


def load_machine(source: MachineSource) -> BoltzmannMachine:
    """Return the machine that a configuration names.

    Raises
    ------
    InputError
        Naming the file or the parameter that is wrong.
    """
    if source.couplings is not None:
        bias = None if source.bias is None else read_bias(source.bias)
        return BoltzmannMachine(read_couplings(source.couplings), bias, source.encoding or "01")
    if source.machine is not None:
        machine = BoltzmannMachine.from_model(read_boltzmann(source.machine))
    else:
        assert source.model is not None
        machine = BoltzmannMachine(named_couplings(source.model, source.seed), encoding="pm1")
    return machine if source.encoding is None else machine.in_encoding(source.encoding)
