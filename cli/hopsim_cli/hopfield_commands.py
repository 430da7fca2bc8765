"""Commands of the group `hopfield`: recall patterns, measure how many can be held."""

from typing import Any

import click

from hopsim_cli.groups import Group
from hopsim_cli.options import (
    FRACTION,
    POSITIVE_INTEGER,
    TEMPERATURE,
    Number,
    Numbers,
    Output,
    output_options,
    seed_option,
    threads_option,
)
from hopsim_cli.printing import print_json

RULES = click.Choice(["hebbian", "pseudo_inverse", "storkey"])
ORDERS = click.Choice(["random", "replacement", "sequential", "synchronous"])
# far more than any memory holds, and P = load N still fits an integer
SIZE = Number(1, 10**12, integer=True)
LOAD = Number(0, 10**6)

rule_option = click.option("--rule", type=RULES, default="hebbian", help="Storage rule.", show_default=True)
order_option = click.option("--order", type=ORDERS, default="random", help="Update order.", show_default=True)
temperature_option = click.option(
    "--temperature", type=TEMPERATURE, default=0.0, help="Temperature T, k_B = 1.", show_default=True
)


@click.group(cls=Group)
def hopfield() -> None:
    """Hopfield networks: store, recall, capacity."""


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
    from hopsim_cli.running import run_experiment

    configuration = hopfield_recall.HopfieldRecall(
        seed=check_seed(seed), patterns=patterns or None, **options
    )
    outcome = run_experiment(hopfield_recall, configuration, output)
    if output.json:
        print_json(recall_as_json(outcome.records) | {"out": output.path})
    else:
        click.echo(recall_as_text(outcome.records))
    outcome.finish()


@hopfield.command()
@click.option(
    "--n-neurons",
    type=Numbers(SIZE),
    default="1000,2000,4000",
    help="Sizes N.",
    show_default=True,
)
@click.option(
    "--loads",
    type=Numbers(LOAD),
    default="0.05:0.20:0.005",
    help="Loads alpha = P/N.",
    show_default=True,
)
@click.option("--n-networks", type=POSITIVE_INTEGER, default=20, help="Networks a point.", show_default=True)
@click.option("--n-trials", type=POSITIVE_INTEGER, default=5, help="Recalls a network.", show_default=True)
@click.option("--flip", type=FRACTION, default=0.0, help="Fraction of neurons flipped at the start.")
@temperature_option
@rule_option
@order_option
@click.option(
    "--success",
    type=FRACTION,
    default=0.9,
    help="Overlap that counts as retrieved at T = 0.",
    show_default=True,
)
@click.option("--max-sweeps", type=POSITIVE_INTEGER, default=1000, help="Limit at T = 0.", show_default=True)
@click.option(
    "--burn-in",
    type=Number(0, integer=True),
    default=100,
    help="At T > 0: sweeps before the average.",
    show_default=True,
)
@click.option(
    "--n-sweeps",
    type=POSITIVE_INTEGER,
    default=100,
    help="At T > 0: sweeps of the average.",
    show_default=True,
)
@seed_option
@threads_option
@output_options
def capacity(output: Output, seed: int | None, **options: Any) -> None:
    """How many patterns a network holds: overlap and retrieval over the load, beside mean-field theory."""
    from hopsim.experiments import hopfield_capacity
    from hopsim.models.seeds import check_seed
    from hopsim_cli.hopfield_printing import capacity_as_json, capacity_as_text
    from hopsim_cli.running import run_experiment

    configuration = hopfield_capacity.HopfieldCapacity(seed=check_seed(seed), **options)
    outcome = run_experiment(hopfield_capacity, configuration, output)
    if output.json:
        print_json(capacity_as_json(outcome.records) | {"out": output.path})
    else:
        click.echo(capacity_as_text(outcome.records))
    outcome.finish()
