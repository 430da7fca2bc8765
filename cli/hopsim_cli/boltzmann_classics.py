"""The classic experiments of the group `boltzmann`: `encoder`, `shifter`, `xor`, and all in one table: `classics`."""

import math
from typing import Any

import click
import numpy as np

from hopsim.storage.records import Records
from hopsim_cli.groups import Command
from hopsim_cli.options import POSITIVE_INTEGER, Number, Output, output_options, seed_option, threads_option
from hopsim_cli.printing import number, table

_PATTERNS_LISTED = 16


@click.command(cls=Command)
@click.argument("code", default="4-2-4")
@click.option("--n-runs", type=POSITIVE_INTEGER, default=100, help="Networks that learn.")
@click.option("--n-cycles", type=POSITIVE_INTEGER, help="Cycles of each.  [default: 4000; 1500 for 40-10-40]")
@seed_option
@threads_option
@output_options
def encoder(output: Output, seed: int | None, **options: Any) -> None:
    """Learn an encoder, CODE being 4-2-4, 4-3-4, 8-3-8, 40-10-40 or any V-H-V, by the recipe of 1985."""
    from hopsim.experiments import boltzmann_encoder
    from hopsim.models.seeds import check_seed
    from hopsim_cli.running import conclude, run_experiment

    configuration = boltzmann_encoder.BoltzmannEncoder(seed=check_seed(seed), **options)
    outcome = run_experiment(boltzmann_encoder, configuration, output)
    conclude(outcome, _encoder_as_json, _encoder_as_text)


@click.command(cls=Command)
@click.option("--n-runs", type=POSITIVE_INTEGER, default=10, help="Networks that learn.")
@click.option("--n-cycles", type=POSITIVE_INTEGER, default=9000, help="Cycles of each.")
@click.option("--n-hidden", type=POSITIVE_INTEGER, default=24, help="Hidden units.")
@seed_option
@threads_option
@output_options
def shifter(output: Output, seed: int | None, **options: Any) -> None:
    """Learn to tell how a pattern of 8 pixels was shifted, by the recipe of 1985."""
    from hopsim.experiments import boltzmann_shifter
    from hopsim.models.seeds import check_seed
    from hopsim_cli.running import conclude, run_experiment

    configuration = boltzmann_shifter.BoltzmannShifter(seed=check_seed(seed), **options)
    outcome = run_experiment(boltzmann_shifter, configuration, output)
    conclude(outcome, _shifter_as_json, _shifter_as_text)


@click.command(cls=Command)
@click.option("--n-hidden", type=Number(0, 8, integer=True), default=3, help="Up to so many hidden units.")
@click.option("--n-starts", type=POSITIVE_INTEGER, default=10, help="Random starts of each machine.")
@seed_option
@threads_option
@output_options
def xor(output: Output, seed: int | None, **options: Any) -> None:
    """Bring machines as near to XOR as their connections allow, along exact gradients."""
    from hopsim.experiments import boltzmann_xor
    from hopsim.models.seeds import check_seed
    from hopsim_cli.running import conclude, run_experiment

    configuration = boltzmann_xor.BoltzmannXor(seed=check_seed(seed), **options)
    conclude(run_experiment(boltzmann_xor, configuration, output), _xor_as_json, _xor_as_text)


@click.command(cls=Command)
@click.option(
    "--n-runs",
    type=POSITIVE_INTEGER,
    help="Runs of each task.  [default: 250, 200, 100, and 10 of slow ones]",
)
@seed_option
@threads_option
@output_options
def classics(output: Output, seed: int | None, **options: Any) -> None:
    """Run encoders, shifter and XOR, and lay what comes out beside what was published."""
    from hopsim.experiments import boltzmann_classics
    from hopsim.models.seeds import check_seed
    from hopsim_cli.running import conclude, run_experiment

    configuration = boltzmann_classics.BoltzmannClassics(seed=check_seed(seed), **options)
    outcome = run_experiment(boltzmann_classics, configuration, output)
    conclude(outcome, _classics_as_json, _classics_as_text)


def _encoder_as_json(records: Records) -> dict[str, Any]:
    cycles = records["cycles"][records["solved"]]
    return {
        "n_runs": len(records["run"]),
        "n_solved": len(cycles),
        "median_cycles": float(np.median(cycles)) if len(cycles) else None,
        "max_cycles": float(cycles.max()) if len(cycles) else None,
    }


def _encoder_as_text(records: Records) -> str:
    cycles, spaced = (values[np.isfinite(values)] for values in (records["cycles"], records["cycles_spaced"]))
    n_runs, n_cycles = len(records["run"]), int(records["n_cycles"])
    codes = records["code"][int(records["solved"].argmax())]
    lines = [f"{len(cycles)} of {n_runs} runs solved within {n_cycles} cycles"]
    if len(cycles):
        lines.append(f"cycles of these: median {np.median(cycles):g}, most {cycles.max():g}")
    if len(spaced):
        lines.append(f"codes two bits apart: {len(spaced)} runs, median {np.median(spaced):g} cycles")
    lines += [
        f"second half recalled from the first: {records['completed'].mean():.3f} of the patterns",
        "",
        "the codes of one run:",
    ]
    lines += [f"{p:>3}  {''.join(map(str, code))}" for p, code in enumerate(codes[:_PATTERNS_LISTED])]
    return "\n".join(lines)


def _shifter_as_json(records: Records) -> dict[str, Any]:
    return {
        "n_runs": len(records["run"]),
        "correct": float(records["correct"].mean()),
        "correct_by_n_on": records["correct_by_n_on"],
    }


def _shifter_as_text(records: Records) -> str:
    rows = [
        [str(n), number(float(correct), 3), str(tests)]
        for n, correct, tests in zip(
            records["n_on"], records["correct_by_n_on"], records["n_tests"], strict=True
        )
    ]
    n_runs, mean = len(records["run"]), float(records["correct"].mean())
    return "\n".join(
        [
            table(["pixels on", "shift told", "tests"], rows),
            f"{mean:.3f} of all new patterns, {n_runs} runs of {int(records['n_cycles'])} cycles",
        ]
    )


def _xor_as_json(records: Records) -> dict[str, Any]:
    kinds = records["connections"].tolist()
    return {
        "n_hidden": records["n_hidden"],
        **{kind: records["divergence_least"][k] for k, kind in enumerate(kinds)},
        "bound": records["bound"],
    }


def _xor_as_text(records: Records) -> str:
    least, kinds = records["divergence_least"], records["connections"].tolist()
    rows = [
        [str(n), *(number(float(value), 5) for value in least[:, i]), number(float(records["bound"][i]), 5)]
        for i, n in enumerate(records["n_hidden"])
    ]
    return "\n".join(
        [
            "least divergence from XOR, nats",
            table(["hidden", *kinds, "bound (restricted)"], rows),
        ]
    )


def _classics_as_json(records: Records) -> dict[str, Any]:
    names = ("task", "quantity", "value", "published")
    columns = [records[name].tolist() for name in names]
    rows = [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]
    return {"rows": [{name: _or_null(value) for name, value in row.items()} for row in rows]}


def _or_null(value: Any) -> Any:
    return None if isinstance(value, float) and math.isnan(value) else value


def _classics_as_text(records: Records) -> str:
    columns = [records[name].tolist() for name in ("task", "quantity", "value", "published")]
    rows = [
        [task, quantity, _short(value), _short(published)]
        for task, quantity, value, published in zip(*columns, strict=True)
    ]
    return table(["task", "quantity", "hopsim", "published"], rows)


def _short(value: float) -> str:
    return number(value, 0 if abs(value) >= 10 else 3)
