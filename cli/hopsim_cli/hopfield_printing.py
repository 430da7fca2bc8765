"""Results of the group `hopfield` as text for people and as objects for machines."""

from typing import Any

import numpy as np

from hopsim.datasets.spin_pictures import draw_spins, side_by_side
from hopsim.storage.records import Records
from hopsim_cli.printing import number, table

_TRIALS_DRAWN = 6
_TRIALS_LISTED = 40


def recall_as_json(records: Records) -> dict[str, Any]:
    """Return the trials of a recall as the object that ``--json`` prints."""
    fields: dict[str, Any] = {
        "pattern": _pattern_names(records),
        "overlap_initial": records["overlap_initial"],
        "overlap_final": records["overlap_final"],
        "energy_final": records["energy_final"],
        "n_sweeps": records["n_sweeps"],
        "n_flips": records["n_flips_total"],
        "converged": records["converged"],
        "end_state": records["end_state"],
    }
    n_trials = len(records["trial"])
    return {"trials": [{name: values[t] for name, values in fields.items()} for t in range(n_trials)]}


def recall_as_text(records: Records) -> str:
    """Return the trials of a recall as a table, after pictures of them where the neurons form one."""
    names = _pattern_names(records)
    rows = []
    for t in range(min(len(names), _TRIALS_LISTED)):
        rest = {1: "fixed point", 2: "two-cycle", 0: "not at rest"}[int(records["period"][t])]
        rows.append(
            [
                str(t),
                "-" if names[t] is None else names[t],
                number(records["overlap_initial"][t]),
                number(records["overlap_final"][t]),
                number(records["energy_final"][t], 3),
                str(records["n_sweeps"][t]),
                str(records["n_flips_total"][t]),
                rest,
                records["end_state"][t],
            ]
        )
    headers = ["trial", "pattern", "m start", "m end", "energy", "sweeps", "flips", "rest", "end state"]
    parts = [*_pictures(records), table(headers, rows)]
    if len(names) > _TRIALS_LISTED:
        parts.append(f"... and {len(names) - _TRIALS_LISTED} more trials; --out keeps them all")
    return "\n".join(parts)


def capacity_as_json(records: Records) -> dict[str, Any]:
    """Return a capacity study as the object that ``--json`` prints; NaN stands for what cannot be estimated."""
    sizes, loads = records["n_neurons"], records["load"]
    fields = ("overlap_mean", "overlap_se", "retrieval_fraction", "retrieval_low", "retrieval_high")
    n_trials = len(records["trial"])
    points = [
        {
            "n_neurons": n_neurons,
            "n_patterns": records["n_patterns"][i, k],
            "load": load,
            "n_networks": int(records["n_finished"][i, k]),
            "n_trials": n_trials,
            **{name: records[name][i, k] for name in fields},
        }
        for i, n_neurons in enumerate(sizes)
        for k, load in enumerate(loads)
    ]
    ends = ("alpha_c", "alpha_c_low", "alpha_c_high")
    limit = [float(records[name.replace("alpha_c", "alpha_c_infinite")]) for name in ends]
    return {
        "points": points,
        "alpha_c": [
            {"n_neurons": n_neurons, **_interval(*(records[name][i] for name in ends))}
            for i, n_neurons in enumerate(sizes)
        ],
        "alpha_c_infinite": _interval(*limit),
        "theory": {"alpha_c": records["alpha_c_theory"], "m_c": records["m_c_theory"]},
    }


def capacity_as_text(records: Records) -> str:
    """Return a capacity study as a table of its points and a few lines on alpha_c."""
    rows = []
    for i, n_neurons in enumerate(records["n_neurons"]):
        for k, load in enumerate(records["load"]):
            if not records["n_finished"][i, k]:
                continue
            error = records["overlap_se"][i, k]
            low, high = records["retrieval_low"][i, k], records["retrieval_high"][i, k]
            rows.append(
                [
                    str(n_neurons),
                    f"{load:g}",
                    str(records["n_patterns"][i, k]),
                    number(records["overlap_mean"][i, k], 5) + ("" if np.isnan(error) else f" ± {error:.5f}"),
                    number(records["overlap_theory"][k], 5),
                    number(records["retrieval_fraction"][i, k], 3),
                    f"{low:.3f} to {high:.3f}",
                ]
            )
    headers = ["N", "load", "P", "overlap m", "m theory", "retrieved", "95 %"]
    return "\n".join([table(headers, rows), "", *_threshold_lines(records)])


def _threshold_lines(records: Records) -> list[str]:
    lines = ["alpha_c: load at which half of the recalls succeed"]
    for i, n_neurons in enumerate(records["n_neurons"]):
        ends = (records["alpha_c_low"][i], records["alpha_c_high"][i])
        lines.append(f"  N = {n_neurons}: {_with_interval(records['alpha_c'][i], *ends)}")
    limit = [float(records[f"alpha_c_infinite{end}"]) for end in ("", "_low", "_high")]
    union = "" if np.isnan(limit[0]) else ", the union over exponents 1/3 to 1 of 1/N"
    lines.append(f"  N -> infinity: {_with_interval(*limit)}{union}")
    theory = f"{number(float(records['alpha_c_theory']))}, m = {number(float(records['m_c_theory']), 3)}"
    lines.append(f"  mean-field theory: {theory}")
    return lines


def _with_interval(value: float, low: float, high: float) -> str:
    if np.isnan(value):
        return "not to be had from these points"
    if np.isnan(low) or np.isnan(high):
        return f"{value:.4f} (no interval from these points)"
    return f"{value:.4f} ({low:.4f} to {high:.4f})"


def _interval(value: float, low: float, high: float) -> dict[str, float]:
    return {"value": value, "low": low, "high": high}


def _pattern_names(records: Records) -> list[str | None]:
    starts = records["start_pattern"]
    return [None if mu < 0 else str(records["pattern_name"][mu]) for mu in starts]


def _pictures(records: Records) -> list[str]:
    if "state" not in records or "image_rows" not in records:
        return []
    shape = (int(records["image_rows"]), int(records["image_columns"]))
    drawn = []
    for t in range(min(len(records["trial"]), _TRIALS_DRAWN)):
        states = records["state"][t]
        pictures = [draw_spins(states[0], shape), draw_spins(states[-1], shape)]
        drawn.append(side_by_side(pictures, [f"trial {t}, start", str(records["end_state"][t])]) + "\n")
    return drawn
