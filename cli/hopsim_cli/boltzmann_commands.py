"""The group `boltzmann`: Boltzmann machines enumerated, sampled, evaluated; other commands have files of their own."""

from typing import Any

import click

from hopsim_cli.boltzmann_annealing import anneal
from hopsim_cli.boltzmann_classics import classics, encoder, shifter, xor
from hopsim_cli.boltzmann_gradients import gradient
from hopsim_cli.boltzmann_options import ENCODINGS, machine_options, order_option, temperature_option
from hopsim_cli.boltzmann_tempering import ground_states, temper
from hopsim_cli.boltzmann_training import train
from hopsim_cli.groups import Group
from hopsim_cli.options import (
    POSITIVE_INTEGER,
    Number,
    Output,
    output_options,
    seed_option,
    threads_option,
)


@click.group(cls=Group)
def boltzmann() -> None:
    """Boltzmann machines: exact, sample, anneal, train, evaluate, and the classic experiments."""


for _command in (anneal, classics, encoder, gradient, ground_states, shifter, temper, train, xor):
    boltzmann.add_command(_command)


@boltzmann.command()
@machine_options
@temperature_option
@seed_option
@threads_option
@output_options
def exact(output: Output, seed: int | None, **options: Any) -> None:
    """Sum over all states of a machine of up to 30 units.

    MACHINE is a hopsim file that holds one; else give --couplings or --model.
    """
    from hopsim.experiments import boltzmann_exact
    from hopsim.models.seeds import check_seed
    from hopsim_cli.boltzmann_printing import exact_as_json, exact_as_text
    from hopsim_cli.running import conclude, run_experiment

    configuration = boltzmann_exact.BoltzmannExact(seed=check_seed(seed), **options)
    conclude(run_experiment(boltzmann_exact, configuration, output), exact_as_json, exact_as_text)


@boltzmann.command()
@machine_options
@temperature_option
@order_option
@click.option("--n-chains", type=POSITIVE_INTEGER, default=4, help="Number of chains.", show_default=True)
@click.option(
    "--burn-in",
    type=Number(0, integer=True),
    default=100,
    help="Sweeps before anything is kept.",
    show_default=True,
)
@click.option("--n-sweeps", type=POSITIVE_INTEGER, default=1000, help="Sweeps after that.", show_default=True)
@click.option(
    "--thin",
    type=POSITIVE_INTEGER,
    default=1,
    help="Keep a state every so many sweeps.",
    show_default=True,
)
@click.option("--clamp", metavar="UNITS", help="Hold units, as 0=1,5=0; or a .npy file, NaN where free.")
@click.option(
    "--record",
    type=click.Choice(["state", "observables"]),
    default="state",
    help="What is kept of each draw.",
    show_default=True,
)
@seed_option
@threads_option
@output_options
def sample(output: Output, seed: int | None, **options: Any) -> None:
    """Draw states by Gibbs sampling, and say how far to trust them.

    MACHINE is a hopsim file that holds one; else give --couplings or --model.
    """
    from hopsim.experiments import boltzmann_sample
    from hopsim.models.seeds import check_seed
    from hopsim_cli.boltzmann_printing import sample_as_json, sample_as_text
    from hopsim_cli.running import conclude, run_experiment

    configuration = boltzmann_sample.BoltzmannSample(seed=check_seed(seed), **options)
    conclude(run_experiment(boltzmann_sample, configuration, output), sample_as_json, sample_as_text)


@boltzmann.command()
@machine_options
@temperature_option
@click.option("--data", required=True, metavar="FILE", help="Rows of visible states: .npy .csv .txt .h5")
@click.option(
    "--method",
    type=click.Choice(["exact", "ais", "reverse-ais", "pseudo"]),
    default="exact",
    help="How log Z is found; pseudo does without.",
    show_default=True,
)
@click.option("--n-chains", type=POSITIVE_INTEGER, default=100, help="Chains of AIS.", show_default=True)
@click.option(
    "--n-temperatures", type=POSITIVE_INTEGER, default=1000, help="Steps of AIS.", show_default=True
)
@click.option(
    "--burn-in",
    type=Number(0, integer=True),
    default=1000,
    help="Sweeps before reverse AIS.",
    show_default=True,
)
@seed_option
@threads_option
@output_options
def evaluate(output: Output, seed: int | None, **options: Any) -> None:
    """Log-likelihood of data, and log Z.

    MACHINE is a hopsim file that holds one; else give --couplings or --model.
    """
    from hopsim.experiments import boltzmann_evaluate
    from hopsim.models.seeds import check_seed
    from hopsim_cli.boltzmann_printing import evaluation_as_json, evaluation_as_text
    from hopsim_cli.running import conclude, run_experiment

    configuration = boltzmann_evaluate.BoltzmannEvaluate(seed=check_seed(seed), **options)
    conclude(
        run_experiment(boltzmann_evaluate, configuration, output), evaluation_as_json, evaluation_as_text
    )


@boltzmann.command("from-hopfield")
@click.argument("file")
@click.option("--encoding", type=ENCODINGS, default="pm1", help="Values of the units.", show_default=True)
@output_options
def from_hopfield(output: Output, file: str, encoding: str) -> None:
    """Make the Boltzmann machine that a Hopfield network is at T > 0.

    FILE is what `hopsim hopfield recall --out FILE` wrote, or a .npy file of couplings.
    """
    from hopsim.experiments import boltzmann_machine
    from hopsim_cli.boltzmann_printing import machine_as_json, machine_as_text
    from hopsim_cli.running import conclude, run_experiment

    configuration = boltzmann_machine.FromHopfield(file=file, encoding=encoding)
    conclude(run_experiment(boltzmann_machine, configuration, output), machine_as_json, machine_as_text)
