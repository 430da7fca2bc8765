"""The commands of the group `boltzmann` that temper: `temper` samples cold machines, `ground-states` compares."""

from typing import Any

import click
import numpy as np

from hopsim.storage.records import Records
from hopsim_cli.boltzmann_options import (
    POSITIVE_TEMPERATURE,
    machine_options,
    order_option,
    temperature_option,
)
from hopsim_cli.groups import Command
from hopsim_cli.options import POSITIVE_INTEGER, Number, Output, output_options, seed_option, threads_option
from hopsim_cli.printing import number, table

_LADDER_SIZE = Number(2, integer=True)


@click.command(cls=Command)
@machine_options
@temperature_option
@click.option("--t-max", type=POSITIVE_TEMPERATURE, help="The hottest.  [default: 2 root mean square fields]")
@click.option("--n-temperatures", type=_LADDER_SIZE, default=16, help="Temperatures of the ladder.")
@click.option(
    "--ladder",
    type=click.Choice(["geometric", "adapted"]),
    default="geometric",
    help="By equal factors, or spaced in the burn-in for equal swap rates.",
)
@order_option
@click.option("--n-chains", type=POSITIVE_INTEGER, default=4, help="Chains, each with replicas at every T.")
@click.option("--burn-in", type=Number(0, integer=True), default=200, help="Sweeps before anything is kept.")
@click.option("--n-sweeps", type=POSITIVE_INTEGER, default=1000, help="Sweeps after that.")
@click.option("--thin", type=POSITIVE_INTEGER, default=1, help="Keep a state every so many sweeps.")
@seed_option
@threads_option
@output_options
def temper(output: Output, seed: int | None, **options: Any) -> None:
    """Sample a rugged machine at a low --temperature by parallel tempering.

    MACHINE is a hopsim file that holds one; else give --couplings or --model.
    """
    from hopsim.experiments import boltzmann_temper
    from hopsim.models.seeds import check_seed
    from hopsim_cli.running import conclude, run_experiment

    configuration = boltzmann_temper.BoltzmannTemper(seed=check_seed(seed), **options)
    conclude(run_experiment(boltzmann_temper, configuration, output), _temper_as_json, _temper_as_text)


@click.command("ground-states", cls=Command)
@click.option(
    "--models",
    default="sk:20,sk:64,sk:128,sk:256,ea:6x6,ea:8x8,ea:10x10",
    help="Names, separated by commas: sk:N, ea:LxL.",
)
@click.option("--n-instances", type=POSITIVE_INTEGER, default=10, help="Instances of each model.")
@click.option("--n-groups", type=POSITIVE_INTEGER, default=20, help="Tries of each way on each instance.")
@click.option("--n-temperatures", type=_LADDER_SIZE, default=12, help="Temperatures of the ladder.")
@click.option("--n-sweeps", type=POSITIVE_INTEGER, default=200, help="Sweeps of each replica.")
@seed_option
@threads_option
@output_options
def ground_states(output: Output, seed: int | None, models: str, **options: Any) -> None:
    """How often do tempering and single-temperature chains find ground states, at equal updates?"""
    from hopsim.experiments import boltzmann_ground_states as experiment
    from hopsim.models.seeds import check_seed
    from hopsim_cli.running import conclude, run_experiment

    names = tuple(name.strip() for name in models.split(",") if name.strip())
    configuration = experiment.BoltzmannGroundStates(seed=check_seed(seed), models=names, **options)
    conclude(run_experiment(experiment, configuration, output), _states_as_json, _states_as_text)


def _temper_as_json(records: Records) -> dict[str, Any]:
    names = ("integrated_autocorrelation_time", "effective_sample_size", "r_hat", "mean", "swap_rate")
    return {
        "n_chains": records.sizes["chain"],
        "n_draws": records.sizes["draw"],
        "energy_mean": records["energy"].mean(),
        "energy_lowest": records["energy_lowest"].min(),
        "temperatures": records["temperature"],
        "round_trips": int(records["round_trips"].sum()),
        **{name: records[name] for name in names},
    }


def _temper_as_text(records: Records) -> str:
    n_chains, n_draws = records.sizes["chain"], records.sizes["draw"]
    temperatures, r_hat = records["temperature"], float(records["r_hat"])
    trust = "" if np.isnan(r_hat) or r_hat < 1.01 else "  (above 1.01: the chains do not agree yet)"
    means = records["energy_by_temperature"].mean(axis=(0, 1))
    rates = [*(number(float(rate), 3) for rate in records["swap_rate"]), ""]
    rows = [
        [f"{temperature:.4g}", number(float(mean), 4), rate]
        for temperature, mean, rate in zip(temperatures, means, rates, strict=True)
    ]
    trips = records["round_trips"]
    return "\n".join(
        [
            f"{n_chains} chains of {n_draws} draws at T = {temperatures[0]:g}",
            f"mean energy                     {records['energy'].mean():.5f}",
            f"lowest energy seen              {records['energy_lowest'].min():.5f}",
            f"integrated autocorrelation time {number(float(records['integrated_autocorrelation_time']), 2)} draws",
            f"effective sample size           {number(float(records['effective_sample_size']), 0)}",
            f"split R-hat                     {number(r_hat)}{trust}",
            f"round trips of the ladder       {trips.sum()}, {trips.mean():.2f} a replica",
            "",
            table(["temperature", "mean energy", "swaps with the next"], rows),
        ]
    )


def _states_as_json(records: Records) -> dict[str, Any]:
    return {
        "rows": [
            {
                "model": model,
                "known_by": str(records["known_by"][m]),
                "tempering": float(records["success_rate"][m, 0]),
                "single": float(records["success_rate"][m, 1]),
                "n_solved": records["n_solved"][m],
                "n_updates": int(records["n_updates"][m]),
            }
            for m, model in enumerate(records["model"].tolist())
        ]
    }


def _states_as_text(records: Records) -> str:
    n_instances = records.sizes["instance"]
    rows = []
    for m, model in enumerate(records["model"].tolist()):
        annealed = records["n_found_annealing"][m]
        rows.append(
            [
                model,
                str(records["known_by"][m]),
                *(_rate(records, m, k) for k in range(2)),
                f"{int(records['n_solved'][m, 0])} of {n_instances}",
                f"{int(records['n_solved'][m, 1])} of {n_instances}",
                f"{int((annealed > 0).sum())} of {n_instances}" if (annealed >= 0).any() else "-",
            ]
        )
    headers = ["model", "known by", "tempering", "single T", "solved", "by single T", "by annealing"]
    return "\n".join(
        [
            "share of tries that came to the ground state (95 % interval); equal updates, best single T",
            table(headers, rows),
        ]
    )


def _rate(records: Records, model: int, method: int) -> str:
    rate, low, high = (float(records[f"success_{name}"][model, method]) for name in ("rate", "low", "high"))
    return f"{rate:.3f} ({low:.3f} to {high:.3f})"
