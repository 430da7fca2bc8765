"""The command `anneal` of the group `boltzmann`: states of low energy."""

from typing import Any

import click

from hopsim.storage.records import Records
from hopsim_cli.boltzmann_options import POSITIVE_TEMPERATURE, machine_options, order_option
from hopsim_cli.groups import Command
from hopsim_cli.options import POSITIVE_INTEGER, Output, output_options, seed_option, threads_option

_UNITS_LISTED = 200


@click.command(cls=Command)
@machine_options
@click.option(
    "--schedule", default="geometric", help="geometric, linear, or a .npy file: one temperature a sweep."
)
@click.option(
    "--t-start", type=POSITIVE_TEMPERATURE, help="First temperature.  [default: 2 root mean square fields]"
)
@click.option(
    "--t-end", type=POSITIVE_TEMPERATURE, help="Last temperature.  [default: 0.05 root mean square fields]"
)
@click.option("--n-sweeps", type=POSITIVE_INTEGER, help="Sweeps of each chain.  [default: 1000]")
@click.option("--n-chains", type=POSITIVE_INTEGER, default=64, help="Random starts.")
@order_option
@click.option("--quench/--no-quench", default=True, help="Go downhill at the end until nothing is lower.")
@seed_option
@threads_option
@output_options
def anneal(output: Output, seed: int | None, **options: Any) -> None:
    """Find states of low energy by simulated annealing.

    MACHINE is a hopsim file that holds one; else give --couplings or --model.
    """
    from hopsim.experiments import boltzmann_anneal
    from hopsim.models.seeds import check_seed
    from hopsim_cli.running import conclude, run_experiment

    configuration = boltzmann_anneal.BoltzmannAnneal(seed=check_seed(seed), **options)
    conclude(run_experiment(boltzmann_anneal, configuration, output), _as_json, _as_text)


def _as_json(records: Records) -> dict[str, Any]:
    lowest = records["energy_lowest"]
    return {
        "energy": float(lowest.min()),
        "energy_mean": float(lowest.mean()),
        "n_chains": len(lowest),
        "n_best": int(records["n_best"]),
        "n_sweeps": int(records["n_sweeps"][-1]),
        "state": records["state"][lowest.argmin()],
    }


def _as_text(records: Records) -> str:
    lowest = records["energy_lowest"]
    state = records["state"][lowest.argmin()]
    on, off = ("+", "-") if (state < 0).any() else ("1", "0")
    letters = "".join(on if value > 0 else off for value in state[:_UNITS_LISTED])
    rest = "" if len(state) <= _UNITS_LISTED else f"... and {len(state) - _UNITS_LISTED} more units"
    return "\n".join(
        [
            f"lowest energy  {lowest.min():.6f}",
            f"of a chain     {lowest.mean():.6f} in the mean; "
            f"{int(records['n_best'])} of {len(lowest)} came to the lowest",
            f"its state      {letters}{rest}",
        ]
    )
