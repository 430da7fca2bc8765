"""Commands of the group `sweep`: run a study from a specification, plan it, look how far it is, join its shares."""

import functools
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hopsim.errors import InputError
from hopsim_cli.groups import Group
from hopsim_cli.options import Output, output_options, threads_option
from hopsim_cli.printing import print_json
from hopsim_cli.study_options import SweepOptions, sweep_options

if TYPE_CHECKING:
    from hopsim.sweeps.specification import Specification

specification_argument = click.argument(
    "specification", type=click.Path(path_type=Path), metavar="STUDY.toml"
)
run_argument = click.argument("run", type=click.Path(path_type=Path), metavar="RUN.h5")
json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON object.")


@click.group(cls=Group)
def sweep() -> None:
    """Studies from a specification: many points, on this machine, a cluster, or a job array."""


@sweep.command()
@specification_argument
@sweep_options
@output_options
def run(specification: Path, output: Output, sweep: SweepOptions) -> None:
    """Run a study from a TOML file; its points are safe as soon as they are counted."""
    from hopsim_cli.running import conclude
    from hopsim_cli.study_printing import result_as_json, result_as_text
    from hopsim_cli.study_running import run_study

    read = _read(specification)
    outcome = run_study(
        read.study, read.configuration, output, sweep, in_columns=True, budget_seconds=read.budget_seconds
    )
    conclude(
        outcome, functools.partial(result_as_json, read.study), functools.partial(result_as_text, read.study)
    )


@sweep.command()
@specification_argument
@threads_option
@json_option
def plan(specification: Path, threads: int | None, as_json: bool) -> None:
    """Say how many points a study has, and what memory, disk and time it will take, timing a few of them."""
    from hopsim.sweeps.plan import plan_sweep
    from hopsim_cli.observers import StopOnSignal
    from hopsim_cli.running import announce_compilation, progress_observer
    from hopsim_cli.study_printing import plan_as_json, plan_as_text

    read = _read(specification)
    announce_compilation(progress_observer())
    with StopOnSignal() as stop:
        planned = plan_sweep(read.study, read.configuration, threads, stop.tick)
    if as_json:
        print_json(plan_as_json(planned))
    else:
        click.echo(plan_as_text(planned, read.study, read.budget_seconds))


@sweep.command()
@run_argument
@json_option
def status(run: Path, as_json: bool) -> None:
    """Say how far a sweep is, running or not, from another shell."""
    from dataclasses import asdict

    from hopsim.sweeps.status import sweep_status
    from hopsim_cli.study_printing import status_as_text

    told = sweep_status(run)
    if as_json:
        print_json(asdict(told) | {"out": run})
    else:
        click.echo(status_as_text(told, run))


@sweep.command()
@run_argument
@click.option("--partial", is_flag=True, help="Write what there is, though points are missing.")
@click.option("--force", is_flag=True, help="Overwrite the file.")
@click.option("--quiet", is_flag=True, help="No notes.")
@json_option
def merge(run: Path, partial: bool, force: bool, quiet: bool, as_json: bool) -> None:
    """Join what the shares of a sweep have left in RUN.h5.shards to the file RUN.h5."""
    from hopsim_cli.running import conclude
    from hopsim_cli.study_printing import result_as_json, result_as_text
    from hopsim_cli.study_running import merge_shares

    study, outcome = merge_shares(Output(run, force, quiet, as_json), partial)
    conclude(outcome, functools.partial(result_as_json, study), functools.partial(result_as_text, study))


def _read(path: Path) -> "Specification":
    """Read a specification whose every point fits the memory there is."""
    from hopsim.sweeps.specification import read_specification
    from hopsim.sweeps.studies import StudiesByName

    read = read_specification(path, StudiesByName())
    try:
        for cell in read.study.cells(read.configuration):
            cell.require_memory()
    except InputError as error:
        raise InputError(str(path), f"axes.{error}") from None
    return read
