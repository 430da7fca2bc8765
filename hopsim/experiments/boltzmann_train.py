"""What does a Boltzmann machine learn from data? It learns, epoch by epoch, and can go on where it was stopped."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from hopsim.datasets.machine_files import read_boltzmann
from hopsim.datasets.npy_files import read_npy
from hopsim.datasets.pattern_files import read_patterns
from hopsim.errors import InputError
from hopsim.evaluation.likelihood import log_likelihoods
from hopsim.experiments.observer import Observer
from hopsim.learning.boltzmann_learning import LearningState, StepReport, Trainer
from hopsim.learning.connections import random_machine
from hopsim.learning.learning_options import BoltzmannLearning
from hopsim.learning.reconstruction import reconstruction_log_probability
from hopsim.learning.trainers import start_trainer
from hopsim.models.boltzmann import BoltzmannModel, check_encoding
from hopsim.models.seeds import Stream, stream_keys
from hopsim.sampling.threads import using_threads
from hopsim.storage.machine_records import MACHINE_VARIABLES, machine_arrays
from hopsim.storage.records import Records, Variable
from hopsim.storage.run_file import open_run

EXPERIMENT = "boltzmann_train"

EXACT_UNITS = 24  # up to which the likelihood is summed exactly after each epoch

_EPOCH = ("epoch",)
_PAIR = ("unit", "unit_2")

VARIABLES = {
    **MACHINE_VARIABLES,
    "epoch": Variable(_EPOCH, "passes through the data"),
    "learning_rate": Variable(_EPOCH, "learning rate of the epoch's last step"),
    "log_likelihood": Variable(_EPOCH, "mean log-likelihood of the data, exact; NaN: too many units", "nat"),
    "reconstruction": Variable(
        _EPOCH,
        "mean over the data of the sum of log p(v_i | all other units), hidden units sampled given the data",
        "nat",
    ),
    "gradient_norm": Variable(_EPOCH, "norm of the gradient in the epoch's last step"),
    "converged": Variable(
        _EPOCH, "share of mean-field fixed points reached in the epoch's last step; NaN: none"
    ),
    "couplings_norm": Variable(_EPOCH, "root mean square coupling"),
    "step": Variable((), "steps done"),
    "last_gradient_norm": Variable((), "norm of the gradient in the last step"),
    "last_converged": Variable((), "share of mean-field fixed points reached in the last step; NaN: none"),
    "couplings_velocity": Variable(_PAIR, "last change of the couplings"),
    "bias_velocity": Variable(("unit",), "last change of the biases"),
    "free_spins": Variable(("chain", "unit"), "persistent chains of the free phase, as ±1"),
    "clamped_spins": Variable(("clamped_chain", "hidden_unit"), "hidden units' persistent chains, as ±1"),
    "data_checksum": Variable((), "CRC-32 of the data as int8"),
}
_HISTORY = (
    "learning_rate",
    "log_likelihood",
    "reconstruction",
    "gradient_norm",
    "converged",
    "couplings_norm",
)
_CHAINS = ("free_spins", "clamped_spins")  # only where they are persistent


class BoltzmannTrain(BoltzmannLearning, frozen=True, kw_only=True):
    """Configuration of a training run: the data, the machine that starts, and how it learns.

    Attributes
    ----------
    data : str
        File of the data, a row a pattern: see `hopsim.datasets.pattern_files.read_patterns`.
    encoding : {"01", "pm1"}
        Values of the units; data may be written either way.
    n_hidden : int
    weight_scale : float
        Standard deviation of the couplings at the start.
    machine : str, optional
        A hopsim file of the machine to start from, in place of random couplings; it has its own number of hidden units
        and its own encoding.
    mask : str, optional
        A .npy file (n_units, n_units): which couplings learn, in place of `connections`.
    measure_every : int
        Epochs between two entries of log-likelihood and reconstruction; others are NaN.
    threads : int, optional
    """

    data: str
    encoding: str = "01"
    n_hidden: int = 0
    weight_scale: float = 0.01
    machine: str | None = None
    mask: str | None = None
    measure_every: int = 1
    threads: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        check_encoding(self.encoding)
        if self.n_hidden < 0:
            raise InputError("n_hidden", f"expected at least 0, got {self.n_hidden}")
        if self.measure_every < 1:
            raise InputError("measure_every", f"expected at least 1, got {self.measure_every}")
        if self.machine is not None and self.n_hidden:
            raise InputError(
                "n_hidden", "leave it out where a machine to start from is given; it has its own"
            )


class Checkpoint(NamedTuple):
    """Where an earlier run had come to.

    Attributes
    ----------
    state : LearningState
    history : dict of str to list of float
        One entry an epoch, the one before learning included.
    last : StepReport
    data_checksum : int
    """

    state: LearningState
    history: dict[str, list[float]]
    last: StepReport
    data_checksum: int


def run(configuration: BoltzmannTrain, observer: Observer, checkpoint: Checkpoint | None = None) -> Records:
    """Learn; what an observer's `advance` gets at any time is enough to go on from, to the same bits.

    Raises
    ------
    InputError
        Naming the option or the file.
    RunError
        If learning diverges; the records given last are those of the last good step.
    """
    data, start = _read(configuration)
    training = _Training(configuration, data, start, observer, checkpoint)
    with using_threads(configuration.threads):
        observer.begin(training.trainer.n_steps, "step", training.trainer.state.step)
        observer.advance(0, training.records)
        try:
            training.measure()
            while training.trainer.state.step < training.trainer.n_steps:
                training.step()
                observer.advance(1, training.records)
                training.measure()
        finally:
            observer.end()
    return training.records()


def read_checkpoint(path: Path, configuration: BoltzmannTrain) -> Checkpoint:
    """Read where the run that wrote `path` had come to.

    Raises
    ------
    InputError
        If the file is not of a training run, or of one with another configuration (threads apart).
    """
    run = open_run(path)
    if run.experiment != EXPERIMENT:
        raise InputError("resume", f"{path} is a run of {run.experiment}, not of {EXPERIMENT}")
    before, now = run.configuration, msgspec.to_builtins(configuration)
    for name, value in msgspec.json.decode(msgspec.json.encode(now)).items():
        if name != "threads" and before.get(name) != value:
            raise InputError(
                "resume",
                f"{path} was run with {name} = {before.get(name)}, not {value}; "
                "leave it as it was, or name another file",
            )
    model, records = read_boltzmann(path), run.records
    for name, variable in VARIABLES.items():
        if name not in records:
            usable = name in _CHAINS
        else:
            kinds = "U" if name == "encoding" else "iuf"
            usable = records.variables[name].dims == variable.dims and records[name].dtype.kind in kinds
        if not usable:
            raise InputError("resume", f"{path} cannot be gone on with: {name} is not as hopsim writes it")
    no_chains = {"free_spins": (0, model.n_units), "clamped_spins": (0, model.n_hidden)}
    chains = {
        name: records[name] if name in records else np.zeros(shape, np.int8)
        for name, shape in no_chains.items()
    }
    state = LearningState(
        step=int(records["step"]),
        couplings=model.couplings,
        bias=model.bias,
        couplings_velocity=records["couplings_velocity"],
        bias_velocity=records["bias_velocity"],
        **chains,
    )
    history = {name: records[name].tolist() for name in _HISTORY}
    last = StepReport(float(records["last_gradient_norm"]), float(records["last_converged"]))
    return Checkpoint(state, history, last, int(records["data_checksum"]))


class _Training:
    """A trainer, and what is known of each epoch."""

    def __init__(
        self,
        configuration: BoltzmannTrain,
        data: NDArray[np.int8],
        start: BoltzmannModel,
        observer: Observer,
        checkpoint: Checkpoint | None,
    ) -> None:
        self.configuration = configuration
        self.tick = observer.tick
        self.data_checksum = zlib.crc32(np.ascontiguousarray(data).tobytes())
        self.history: dict[str, list[float]] = {name: [] for name in _HISTORY}
        self.last = StepReport(np.nan, np.nan)
        state = None
        if checkpoint is not None:
            if checkpoint.data_checksum != self.data_checksum:
                raise InputError(
                    "resume", f"{configuration.data} no longer holds the data that the run began with"
                )
            state, self.history, self.last = checkpoint.state, checkpoint.history, checkpoint.last
        self.data = data
        self.trainer: Trainer = start_trainer(
            start, data, configuration, _read_mask(configuration), state, observer.tick
        )

    def step(self) -> None:
        self.last = self.trainer.step()

    def measure(self) -> None:
        """Describe the epoch that has just ended, if one has; epoch 0 is the start."""
        epoch, n_rest = divmod(self.trainer.state.step, self.trainer.n_steps_per_epoch)
        if n_rest or len(self.history["couplings_norm"]) > epoch:
            return
        model, configuration = self.trainer.model, self.configuration
        temperature = configuration.temperature
        likelihood = reconstruction = np.nan
        if epoch % configuration.measure_every == 0 or epoch == configuration.n_epochs:
            if model.n_units <= EXACT_UNITS:
                likelihood = float(log_likelihoods(model, self.data, temperature, tick=self.tick).mean())
            key = int(stream_keys(configuration.seed, Stream.RUN, epoch)[0])
            reconstruction = reconstruction_log_probability(model, self.data, temperature, key, self.tick)
        n_steps = self.trainer.n_steps_per_epoch
        rate = configuration.rate(epoch * n_steps - 1, n_steps) if epoch else np.nan
        n_pairs = max(model.n_units * (model.n_units - 1), 1)
        norm = float(np.sqrt((model.couplings**2).sum() / n_pairs))
        found = (rate, likelihood, reconstruction, *self.last, norm)
        for name, value in zip(_HISTORY, found, strict=True):
            self.history[name].append(value)

    def records(self) -> Records:
        state, model = self.trainer.state, self.trainer.model
        arrays: dict[str, Any] = {
            **machine_arrays(model.couplings, model.bias, model.encoding, model.n_visible),
            "epoch": np.arange(len(self.history["couplings_norm"])),
            **{name: np.array(values, np.float64) for name, values in self.history.items()},
            "step": state.step,
            "last_gradient_norm": self.last.gradient_norm,
            "last_converged": self.last.converged,
            "couplings_velocity": state.couplings_velocity,
            "bias_velocity": state.bias_velocity,
            "data_checksum": self.data_checksum,
        }
        chains = {name: getattr(state, name) for name in _CHAINS if getattr(state, name).size}
        return Records(VARIABLES, arrays | chains)


def _read(configuration: BoltzmannTrain) -> tuple[NDArray[np.int8], BoltzmannModel]:
    """The data in the machine's encoding, and the machine that starts."""
    spins = read_patterns(configuration.data).spins
    if configuration.machine is not None:
        model = read_boltzmann(configuration.machine)
        if spins.shape[1] != model.n_visible:
            raise InputError(
                "data",
                f"its rows have {spins.shape[1]} values, and the machine {model.n_visible} visible units",
            )
    else:
        model = random_machine(
            spins.shape[1],
            configuration.n_hidden,
            configuration.encoding,
            weight_scale=configuration.weight_scale,
            connections=configuration.connections,
            seed=configuration.seed,
        )
    return model.states(spins), model


def _read_mask(configuration: BoltzmannTrain) -> NDArray[np.bool_] | None:
    if configuration.mask is None:
        return None
    return read_npy(Path(configuration.mask)) != 0
