"""Results of the group `boltzmann` as text for people and as objects for machines."""

from typing import Any

import numpy as np

from hopsim.storage.records import Records
from hopsim_cli.printing import number, table

_UNITS_LISTED = 30


def exact_as_json(records: Records) -> dict[str, Any]:
    """Return an enumeration as the object that ``--json`` prints."""
    names = ("log_partition_function", "mean", "entropy", "energy_mean")
    return {name: records[name] for name in names}


def exact_as_text(records: Records) -> str:
    """Return an enumeration as a few lines and a table of the units."""
    lines = [
        f"log Z         {float(records['log_partition_function']):.6f}",
        f"mean energy   {float(records['energy_mean']):.6f}",
        f"entropy       {float(records['entropy']):.6f} nats",
        "",
        _units_table(records, {"mean": ("mean", 4)}),
    ]
    return "\n".join(lines)


def sample_as_json(records: Records) -> dict[str, Any]:
    """Return a sampling run as the object that ``--json`` prints; NaN stands for what cannot be estimated."""
    names = (
        "temperature",
        "mean",
        "integrated_autocorrelation_time",
        "effective_sample_size",
        "r_hat",
        "flip_rate",
    )
    return {
        "n_chains": records.sizes["chain"],
        "n_draws": records.sizes["draw"],
        "energy_mean": records["energy"].mean(),
        "energy_se": _energy_error(records),
        **{name: records[name] for name in names},
    }


def sample_as_text(records: Records) -> str:
    """Return a sampling run as a few lines on its energies and a table of the units."""
    n_chains, n_draws = records.sizes["chain"], records.sizes["draw"]
    r_hat = float(records["r_hat"])
    trust = "" if np.isnan(r_hat) or r_hat < 1.01 else "  (above 1.01: the chains do not agree yet)"
    lines = [
        f"{n_chains} chains of {n_draws} draws at T = {float(records['temperature']):g}; "
        f"{float(records['flip_rate']):.3g} flips an update",
        f"mean energy                     {records['energy'].mean():.5f} ± {_energy_error(records):.5f}",
        f"integrated autocorrelation time {number(float(records['integrated_autocorrelation_time']), 2)} draws",
        f"effective sample size           {number(float(records['effective_sample_size']), 0)}",
        f"split R-hat                     {number(r_hat)}{trust}",
        "",
    ]
    columns = {"mean": ("mean", 4)}
    if "unit_r_hat" in records:
        columns |= {"unit_effective_sample_size": ("effective size", 0), "unit_r_hat": ("R-hat", 4)}
    return "\n".join([*lines, _units_table(records, columns)])


def evaluation_as_json(records: Records) -> dict[str, Any]:
    """Return an evaluation as the object that ``--json`` prints; without log Z (pseudo) it is null."""
    names = (
        "log_partition_function",
        "log_partition_function_se",
        "log_likelihood_mean",
        "log_likelihood_se",
    )
    return {
        "method": str(records["method"]),
        **dict.fromkeys(names),
        **{name: records[name] for name in names if name in records},
        "n_data": records["n_data"],
    }


def evaluation_as_text(records: Records) -> str:
    """Return an evaluation as a few lines."""
    lines = []
    if "log_partition_function" in records:
        log_z, error = (float(records[f"log_partition_function{end}"]) for end in ("", "_se"))
        lines.append(f"log Z                {log_z:.4f}" + (f" ± {error:.4f}" if error else " (exact)"))
    if "effective_sample_size" in records:
        size = float(records["effective_sample_size"])
        lines.append(f"                     weights worth {size:.1f} of {records.sizes['chain']} chains")
    name = "pseudo-log-likelihood" if str(records["method"]) == "pseudo" else "log-likelihood"
    mean, error = (float(records[f"log_likelihood_{end}"]) for end in ("mean", "se"))
    lines.append(f"{name:<21}{mean:.4f} ± {number(error)}, mean of {int(records['n_data'])} rows (nats)")
    return "\n".join(lines)


def machine_as_json(records: Records) -> dict[str, Any]:
    """Return what a machine's file holds, but the numbers themselves."""
    return {
        "n_units": records.sizes["unit"],
        "n_visible": records["n_visible"],
        "encoding": str(records["encoding"]),
        "largest_coupling": np.abs(records["couplings"]).max(),
    }


def machine_as_text(records: Records) -> str:
    """Return one line on a machine."""
    units = "0/1" if str(records["encoding"]) == "01" else "±1"
    return (
        f"{records.sizes['unit']} {units} units, {int(records['n_visible'])} of them visible; "
        f"largest |W| {np.abs(records['couplings']).max():.4g}, largest |b| {np.abs(records['bias']).max():.4g}"
    )


def _energy_error(records: Records) -> float:
    size = float(records["effective_sample_size"])
    return float(records["energy"].std() / np.sqrt(size)) if size > 0 else float("nan")


def _units_table(records: Records, columns: dict[str, tuple[str, int]]) -> str:
    """A row for each unit; a column for each variable, with its header and its number of decimals."""
    n_units = records.sizes["unit"]
    rows = [
        [str(i), *(number(float(records[name][i]), digits) for name, (_, digits) in columns.items())]
        for i in range(min(n_units, _UNITS_LISTED))
    ]
    text = table(["unit", *(header for header, _ in columns.values())], rows)
    if n_units > _UNITS_LISTED:
        text += f"\n... and {n_units - _UNITS_LISTED} more units; --out keeps them all"
    return text
