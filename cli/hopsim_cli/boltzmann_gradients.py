"""The command `gradient` of the group `boltzmann`: the sampled gradient beside the exact one."""

from typing import Any

import click

from hopsim.storage.records import Records
from hopsim_cli.boltzmann_options import ENCODINGS, order_option, temperature_option
from hopsim_cli.groups import Command
from hopsim_cli.options import (
    POSITIVE_INTEGER,
    Number,
    Numbers,
    Output,
    output_options,
    seed_option,
    threads_option,
)
from hopsim_cli.printing import table

_SIZES = Numbers(Number(2, 16, integer=True))


@click.command(cls=Command)
@click.option("--n-units", type=_SIZES, default="3,4,5,6,8,10,12", help="Sizes of the machines.")
@click.option("--n-machines", type=POSITIVE_INTEGER, default=10, help="Machines of each size.")
@click.option("--n-data", type=POSITIVE_INTEGER, default=10, help="Random data rows.")
@click.option(
    "--weight-scale", type=Number(0), default=2.0, help="Standard deviation of couplings and biases."
)
@click.option(
    "--n-chains", type=Number(2, integer=True), default=20_000, help="Chains of each sampled phase."
)
@click.option(
    "--sweeps",
    type=Numbers(POSITIVE_INTEGER),
    default="1,2,3,5,10,20,50,100",
    help="The k of CD-k, ascending.",
)
@click.option("--encoding", type=ENCODINGS, default="01", help="Values of the units: 0/1 or ±1.")
@order_option
@temperature_option
@seed_option
@threads_option
@output_options
def gradient(output: Output, seed: int | None, **options: Any) -> None:
    """Compare the gradient from Gibbs chains with the exact one, on small random machines.

    Chains from exact states give it without bias, chains of k sweeps from the data (CD-k) with one that falls with k.
    """
    from hopsim.experiments import boltzmann_gradient
    from hopsim.models.seeds import check_seed
    from hopsim_cli.running import conclude, run_experiment

    configuration = boltzmann_gradient.BoltzmannGradient(seed=check_seed(seed), **options)
    conclude(run_experiment(boltzmann_gradient, configuration, output), _as_json, _as_text)


def _as_json(records: Records) -> dict[str, Any]:
    return {
        "n_machines": len(records["machine"]),
        "k": records["k"],
        **{name: records[f"distance_{name}"] for name in ("median", "low", "high")},
        "z_largest": float(records["z_largest"]),
        "z_p": float(records["z_p"]),
    }


def _as_text(records: Records) -> str:
    cosines = records["cosine"]
    rows = [
        [
            str(k),
            f"{records['distance_median'][i]:.4f}",
            f"{records['distance_low'][i]:.4f} to {records['distance_high'][i]:.4f}",
            f"{sorted(cosines[:, i])[len(cosines) // 2]:.4f}",
        ]
        for i, k in enumerate(records["k"])
    ]
    n_machines, noise = len(records["machine"]), sorted(records["noise"])[len(cosines) // 2]
    return "\n".join(
        [
            table(["k", "|CD-k - exact|", "quartiles", "cosine"], rows),
            f"medians over {n_machines} machines; noise alone gives {noise:.4f}",
            f"from exact states: largest |z| = {float(records['z_largest']):.2f} "
            f"(a larger one by chance: p = {float(records['z_p']):.2g})",
        ]
    )
