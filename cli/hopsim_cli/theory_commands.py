"""Commands of the group `theory`: mean-field predictions."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from hopsim_cli.groups import Group
from hopsim_cli.options import Number, Numbers, Output, output_options
from hopsim_cli.printing import number, table

if TYPE_CHECKING:
    from hopsim.storage.records import Records

LINES = {
    "temperature_retrieval": "T_M",
    "temperature_coexistence": "T_c",
    "temperature_spin_glass": "T_g",
    "temperature_at": "T_AT",
}


@click.group(cls=Group)
def theory() -> None:
    """Mean-field predictions, solved anew."""


@theory.command()
@click.option("--loads", type=Numbers(Number(0)), default="0:0.15:0.01", help="Loads alpha = P/N.")
@click.option("--temperatures", type=Numbers(Number(0)), default="0", help="Temperatures for m(alpha, T).")
@output_options
def hopfield(loads: tuple[float, ...], temperatures: tuple[float, ...], output: Output) -> None:
    """Retrieval overlap m and phase lines over the load.

    Replica-symmetric mean-field theory of Amit, Gutfreund and Sompolinsky (1985, 1987). --out may also
    name a .csv file.
    """
    from hopsim.experiments import hopfield_theory
    from hopsim.storage.run_file import check_output
    from hopsim_cli.exporting import write_csv
    from hopsim_cli.running import conclude, run_experiment

    configuration = hopfield_theory.HopfieldTheory(loads=loads, temperatures=temperatures)
    if output.path is not None and output.path.suffix.lower() == ".csv":
        check_output(output.path, output.force)
        outcome = run_experiment(hopfield_theory, configuration, output._replace(path=None))
        outcome = replace(outcome, output=output)
        write_csv(output.path, outcome.records, ("load", "temperature"), ["overlap", *LINES])
    else:
        outcome = run_experiment(hopfield_theory, configuration, output)
    conclude(outcome, _as_json, _as_text)


def _as_json(records: "Records") -> dict[str, Any]:
    loads, temperatures, overlap = records["load"], records["temperature"], records["overlap"]
    return {
        "points": [
            {"load": load, "temperature": temperature, "overlap": overlap[i, k]}
            for i, load in enumerate(loads)
            for k, temperature in enumerate(temperatures)
        ],
        "lines": [
            {"load": load} | {line: records[line][i] for line in LINES} for i, load in enumerate(loads)
        ],
        "alpha_c": records["load_critical"],
        "m_c": records["overlap_critical"],
    }


def _as_text(records: "Records") -> str:
    headers = ["load", *(f"m(T={temperature:g})" for temperature in records["temperature"]), *LINES.values()]
    rows = []
    for i, load in enumerate(records["load"]):
        overlaps = [number(overlap, 6) for overlap in records["overlap"][i]]
        rows.append([f"{load:g}", *overlaps, *(number(records[line][i], 6) for line in LINES)])
    meanings = "\n".join(records.variables[line].long_name for line in LINES)
    alpha_c, m_c = float(records["load_critical"]), float(records["overlap_critical"])
    return f"{table(headers, rows)}\n\n{meanings}\nT = 0: alpha_c = {alpha_c:.6f}, m_c = {m_c:.6f}"
