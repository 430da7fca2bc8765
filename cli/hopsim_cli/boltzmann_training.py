"""The command `train` of the group `boltzmann`."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from hopsim.errors import InputError
from hopsim_cli.boltzmann_options import ENCODINGS, order_option, temperature_option
from hopsim_cli.groups import Command
from hopsim_cli.options import (
    POSITIVE_INTEGER,
    Number,
    Output,
    output_options,
    seed_option,
    threads_option,
)
from hopsim_cli.printing import note

if TYPE_CHECKING:
    from hopsim.experiments.boltzmann_train import BoltzmannTrain, Checkpoint
    from hopsim.experiments.observer import Observer
    from hopsim.storage.records import Records

_PHASES = click.Choice(["exact", "gibbs", "persistent", "mean-field"])
_COUNT = Number(0, integer=True)


@click.command(cls=Command)
@click.argument("data", metavar="DATA")
@click.option("--n-hidden", type=_COUNT, default=0, help="Hidden units.")
@click.option("--phases", type=_PHASES, default="gibbs", help="Statistics of both phases.")
@click.option("--clamped", type=_PHASES, help="Statistics of the clamped phase.  [default: --phases]")
@click.option("--free", type=_PHASES, help="Statistics of the free phase.  [default: --phases]")
@click.option(
    "--start", type=click.Choice(["data", "random"]), default="data", help="Start of the free phase's chains."
)
@click.option("--burn-in", type=_COUNT, default=10, help="Sweeps of a phase before its statistics.")
@click.option("--n-sweeps", type=POSITIVE_INTEGER, default=10, help="Sweeps of a phase for its statistics.")
@click.option("--n-chains", type=POSITIVE_INTEGER, default=100, help="Chains of a phase.")
@order_option
@click.option("--n-epochs", type=POSITIVE_INTEGER, default=100, help="Passes through the data.")
@click.option("--batch-size", type=POSITIVE_INTEGER, help="Data rows a step.  [default: all]")
@click.option("--learning-rate", type=Number(0), default=0.1, help="Learning rate.")
@click.option(
    "--schedule",
    type=click.Choice(["constant", "linear", "inverse"]),
    default="constant",
    help="Learning rate over the epochs.",
)
@click.option(
    "--rate-epochs", type=Number(0), default=10.0, help="Epochs in which an inverse schedule halves the rate."
)
@click.option("--momentum", type=Number(0, 1), default=0.0, help="Share of the last step done again.")
@click.option("--weight-decay", type=Number(0), default=0.0, help="Pull of couplings towards 0.")
@temperature_option
@click.option(
    "--connections",
    type=click.Choice(["full", "no-visible-visible", "no-hidden-hidden", "restricted"]),
    default="full",
    help="Which couplings there are.",
)
@click.option("--mask", metavar="FILE", help="Which couplings learn: a .npy file, in place of these.")
@click.option("--encoding", type=ENCODINGS, default="01", help="Values of the units: 0/1 or ±1.")
@click.option(
    "--weight-scale", type=Number(0), default=0.01, help="Standard deviation of couplings at the start."
)
@click.option("--machine", metavar="FILE", help="Start from the machine in a hopsim file.")
@click.option("--measure-every", type=POSITIVE_INTEGER, default=1, help="Epochs between two measurements.")
@click.option(
    "--recipe",
    type=click.Choice(["1985"]),
    help="Annealed phases and steps by sign, an epoch a cycle; most other options do not count then.",
)
@click.option("--resume", is_flag=True, help="Go on with what an earlier run left in FILE.")
@seed_option
@threads_option
@output_options
def train(output: Output, seed: int | None, resume: bool, **options: Any) -> None:
    """Learn a Boltzmann machine from DATA: .npy .csv .txt .data .h5 .png, a row a pattern of 0/1 or ±1.

    A step goes along clamped minus free statistics. A run that was stopped goes on by --resume with the same options,
    to the same bits.
    """
    from hopsim.experiments.boltzmann_train import BoltzmannTrain, read_checkpoint
    from hopsim.models.seeds import check_seed
    from hopsim_cli.boltzmann_training_printing import training_as_json, training_as_text
    from hopsim_cli.running import conclude, run_experiment

    if resume and output.path is None:
        raise InputError("resume", "needs --out, the file to go on with")
    going_on = resume and output.path is not None and output.path.exists()
    if going_on and seed is None:
        seed = _seed_of(output)
    configuration = BoltzmannTrain(seed=check_seed(seed), **options)
    checkpoint = None
    if going_on:
        assert output.path is not None
        checkpoint = read_checkpoint(output.path, configuration)
        output = output._replace(force=True)
    outcome = run_experiment(_Training(checkpoint), configuration, output, keep_failed=True)
    if outcome.interrupted and output.path is not None:
        note("go on with --resume")
    conclude(outcome, training_as_json, training_as_text)


@dataclass(frozen=True)
class _Training:
    """The experiment, going on from a checkpoint if there is one."""

    checkpoint: "Checkpoint | None"
    EXPERIMENT = "boltzmann_train"

    def run(self, configuration: "BoltzmannTrain", observer: "Observer") -> "Records":
        from hopsim.experiments import boltzmann_train

        return boltzmann_train.run(configuration, observer, self.checkpoint)


def _seed_of(output: Output) -> int | None:
    """The seed of the run to go on with."""
    from hopsim.storage.run_file import open_run

    assert output.path is not None
    seed = open_run(output.path).configuration.get("seed")
    return seed if isinstance(seed, int) else None
