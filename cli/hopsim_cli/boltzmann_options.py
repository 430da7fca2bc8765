"""Options that the commands of the group `boltzmann` share."""

from collections.abc import Callable

import click

from hopsim_cli.options import Number

ENCODINGS = click.Choice(["01", "pm1"])
ORDERS = click.Choice(["sequential", "random", "replacement", "coloured"])
POSITIVE_TEMPERATURE = Number(0)

order_option = click.option(
    "--order",
    type=ORDERS,
    default="sequential",
    help="Update order; coloured is for lattices.",
    show_default=True,
)
temperature_option = click.option(
    "--temperature",
    type=POSITIVE_TEMPERATURE,
    default=1.0,
    help="Temperature T > 0, k_B = 1.",
    show_default=True,
)


def machine_options(command: Callable) -> Callable:
    """Add what names a machine: ``[MACHINE] --couplings --bias --model --encoding``."""
    for option in (
        click.option(
            "--encoding",
            type=ENCODINGS,
            help="Values of the units.  [default: 01 for --couplings, else the machine's]",
        ),
        click.option("--model", metavar="NAME", help="A named machine: sk:100, ising:64x64, ea:10x10, ..."),
        click.option("--bias", metavar="FILE", help="Take biases from a .npy file."),
        click.option("--couplings", metavar="FILE", help="Take couplings from a .npy file."),
        click.argument("machine", required=False),
    ):
        command = option(command)
    return command
