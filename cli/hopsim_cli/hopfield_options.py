"""Options that the commands of the group `hopfield` share."""

import click

from hopsim_cli.options import TEMPERATURE, Number

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
