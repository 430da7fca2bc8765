"""The group `hopfield` and its command `recall`; those that run a study are in `hopsim_cli.hopfield_studies`."""

from typing import Any

import click

from hopsim_cli.groups import Group
from hopsim_cli.hopfield_options import LOAD, SIZE, order_option, rule_option, temperature_option
from hopsim_cli.hopfield_studies import STUDY_COMMANDS
from hopsim_cli.options import (
    FRACTION,
    POSITIVE_INTEGER,
    Number,
    Output,
    output_options,
    seed_option,
    threads_option,
)


@click.group(cls=Group)
def hopfield() -> None:
    """Hopfield networks: recall, capacity, phase diagram, basins, scaling."""


for _command in STUDY_COMMANDS:
    hopfield.add_command(_command)


@hopfield.command()
@click.option(
    "--glyphs", is_flag=False, flag_value="", metavar="[LETTERS]", help="Store letters drawn for hopsim."
)
@click.option("--patterns", multiple=True, metavar="FILE", help="Store patterns: .npy .csv .txt .h5 .png")
@click.option("--couplings", metavar="FILE", help="Take couplings from a .npy file.")
@click.option("--n-neurons", type=SIZE, help="Store random patterns of N neurons.")
@click.option("--n-patterns", type=SIZE, help="Number of random patterns.")
@click.option("--load", type=LOAD, help="Load P/N of random patterns.")
@click.option(
    "--activity", type=Number(-1, 1), default=0.0, help="Mean of random patterns.", show_default=True
)
@click.option("--flip", type=FRACTION, default=0.0, help="Fraction of neurons flipped at the start.")
@click.option("--mask", type=FRACTION, default=0.0, help="Fraction set to random values at the start.")
@click.option("--probes", metavar="FILE", help="Start from the states in a file.")
@rule_option
@temperature_option
@order_option
@click.option("--n-trials", type=POSITIVE_INTEGER, default=6, help="Number of recalls.", show_default=True)
@click.option(
    "--max-sweeps",
    type=POSITIVE_INTEGER,
    default=1000,
    help="Limit at T = 0; length at T > 0.",
    show_default=True,
)
@click.option(
    "--record",
    type=click.Choice(["state", "packed", "observables", "none"]),
    default="state",
    help="What is kept of each sweep.",
    show_default=True,
)
@seed_option
@threads_option
@output_options
def recall(output: Output, seed: int | None, patterns: tuple[str, ...], **options: Any) -> None:
    """Recall stored patterns from disturbed ones, and say what each trial ended in."""
    from hopsim.experiments import hopfield_recall
    from hopsim.models.seeds import check_seed
    from hopsim_cli.hopfield_printing import recall_as_json, recall_as_text
    from hopsim_cli.running import conclude, run_experiment

    configuration = hopfield_recall.HopfieldRecall(
        seed=check_seed(seed), patterns=patterns or None, **options
    )
    conclude(run_experiment(hopfield_recall, configuration, output), recall_as_json, recall_as_text)
