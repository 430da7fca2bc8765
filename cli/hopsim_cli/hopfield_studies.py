"""Commands of the group `hopfield` that run a study: many networks, on this machine or a cluster."""

from collections.abc import Callable
from functools import partial
from typing import Any

import click

from hopsim.errors import InputError
from hopsim_cli.groups import Command
from hopsim_cli.hopfield_options import LOAD, SIZE, order_option, rule_option, temperature_option
from hopsim_cli.options import (
    FRACTION,
    TEMPERATURE,
    Number,
    Numbers,
    Output,
    output_options,
    seed_option,
)
from hopsim_cli.study_options import SweepOptions, sweep_options


def sizes_option(default: str) -> Callable:
    """Return the option ``--n-neurons``."""
    return click.option(
        "--n-neurons", type=Numbers(SIZE), default=default, help="Sizes N.", show_default=True
    )


def loads_option(default: str) -> Callable:
    """Return the option ``--loads``."""
    return click.option(
        "--loads", type=Numbers(LOAD), default=default, help="Loads alpha = P/N.", show_default=True
    )


def count_option(name: str, default: int, text: str, minimum: int = 1) -> Callable:
    """Return an option for a number of things."""
    kind = Number(minimum, integer=True)
    return click.option(name, type=kind, default=default, help=text, show_default=True)


flip_option = click.option(
    "--flip", type=FRACTION, default=0.0, help="Fraction of neurons flipped at the start."
)
success_option = click.option(
    "--success",
    type=FRACTION,
    default=0.9,
    help="Overlap that counts as retrieved at T = 0.",
    show_default=True,
)


@click.command(cls=Command)
@sizes_option("1000,2000,4000")
@loads_option("0.05:0.20:0.005")
@count_option("--n-networks", 20, "Networks a point.")
@count_option("--n-trials", 5, "Recalls a network.")
@flip_option
@temperature_option
@rule_option
@order_option
@success_option
@count_option("--max-sweeps", 1000, "Limit at T = 0.")
@count_option("--burn-in", 100, "At T > 0: sweeps before the average.", minimum=0)
@count_option("--n-sweeps", 100, "At T > 0: sweeps of the average.")
@seed_option
@sweep_options
@output_options
def capacity(output: Output, sweep: SweepOptions, seed: int | None, **options: Any) -> None:
    """How many patterns a network holds: overlap and retrieval over the load, beside mean-field theory."""
    _run("capacity", options, seed, output, sweep)


@click.command(cls=Command)
@sizes_option("500,2000")
@loads_option("0.01:0.15:0.01")
@click.option(
    "--temperatures",
    type=Numbers(TEMPERATURE),
    default="0.04:1.44:0.04",
    help="Temperatures T.",
    show_default=True,
)
@count_option("--n-networks", 10, "Networks a point, the same at every T.")
@count_option("--n-trials", 1, "Recalls a network.")
@count_option("--burn-in", 400, "At T > 0: sweeps before the average.", minimum=0)
@count_option("--n-sweeps", 200, "At T > 0: sweeps of the average.")
@count_option("--max-sweeps", 1000, "Limit at T = 0.")
@seed_option
@sweep_options
@output_options
def phase(output: Output, sweep: SweepOptions, seed: int | None, **options: Any) -> None:
    """Where patterns are retrieved on the load-temperature plane, beside mean-field T_M, T_c and T_g."""
    _run("phase", options, seed, output, sweep)


@click.command(cls=Command)
@sizes_option("2000")
@loads_option("0.01:0.14:0.01")
@click.option(
    "--start-overlaps",
    type=Numbers(FRACTION),
    default="0.02:1:0.02",
    help="Initial overlaps.",
    show_default=True,
)
@count_option("--n-networks", 100, "Networks a point.")
@count_option("--n-trials", 2, "Recalls a network.")
@rule_option
@order_option
@success_option
@count_option("--max-sweeps", 1000, "Limit of a recall.")
@seed_option
@sweep_options
@output_options
def basins(output: Output, sweep: SweepOptions, seed: int | None, **options: Any) -> None:
    """How much may be wrong at the start: recall against initial overlap, and the radius of basins against load."""
    _run("basins", options, seed, output, sweep)


@click.command(cls=Command)
@sizes_option("1000,2000,4000,8000,16000,32000,64000")
@count_option("--n-loads", 9, "Loads at each size, around the fall of retrieval.", minimum=2)
@count_option("--n-networks", 3000, "Networks a load at N = 1000; larger N have fewer.")
@count_option("--n-trials", 1, "Recalls a network.")
@order_option
@success_option
@count_option("--max-sweeps", 10_000, "Limit of a recall.")
@seed_option
@sweep_options
@output_options
def scaling(output: Output, sweep: SweepOptions, seed: int | None, **options: Any) -> None:
    """How alpha_c(N) approaches its limit as N grows: half-heights, logistic fits, and four laws of the approach."""
    _run("scaling", options, seed, output, sweep)


def _run(name: str, options: dict[str, Any], seed: int | None, output: Output, sweep: SweepOptions) -> None:
    """Run a study, write its file and print what it found."""
    from hopsim.models.seeds import check_seed
    from hopsim.sweeps.output import seed_of_earlier_run
    from hopsim.sweeps.studies import study
    from hopsim.sweeps.sweep import WHOLE
    from hopsim_cli.running import conclude
    from hopsim_cli.study_printing import result_as_json, result_as_text
    from hopsim_cli.study_running import run_study

    if seed is None and sweep.share != WHOLE:
        raise InputError("seed", "missing; all shares of a sweep need the same")
    if seed is None and sweep.resume and output.path is not None:
        seed = seed_of_earlier_run(output.path)
    chosen = study(name)
    configuration = chosen.CONFIGURATION(seed=check_seed(seed), **options)
    outcome = run_study(chosen, configuration, output, sweep)
    conclude(outcome, partial(result_as_json, chosen), partial(result_as_text, chosen))


STUDY_COMMANDS = (capacity, phase, basins, scaling)
