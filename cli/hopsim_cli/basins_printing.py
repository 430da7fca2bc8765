"""Results of a study of basins of attraction as text for people and as an object for machines."""

from typing import Any

import numpy as np

from hopsim.storage.records import Records
from hopsim_cli.printing import number, table

_POINT_FIELDS = ("overlap_mean", "overlap_se", "retrieval_fraction", "retrieval_low", "retrieval_high")


def basins_as_json(records: Records) -> dict[str, Any]:
    """Return a study as the object that ``--json`` prints; NaN stands for what cannot be estimated."""
    sizes, loads, starts = (records[name] for name in ("n_neurons", "load", "start_overlap"))
    n_trials = len(records["trial"])
    points = [
        {
            "n_neurons": n_neurons,
            "n_patterns": records["n_patterns"][i, k],
            "load": load,
            "start_overlap": start,
            "n_flipped": records["n_flipped"][i, s],
            "n_networks": records["n_finished"][i, k, s],
            "n_trials": n_trials,
            **{name: records[name][i, k, s] for name in _POINT_FIELDS},
        }
        for i, n_neurons in enumerate(sizes)
        for k, load in enumerate(loads)
        for s, start in enumerate(starts)
    ]
    basins = [
        {
            "n_neurons": n_neurons,
            "load": load,
            "overlap_half": records["overlap_half"][i, k],
            "low": records["overlap_half_low"][i, k],
            "high": records["overlap_half_high"][i, k],
        }
        for i, n_neurons in enumerate(sizes)
        for k, load in enumerate(loads)
    ]
    theory = {
        "alpha_c": records["alpha_c_theory"],
        "overlap": [{"load": load, "value": records["overlap_theory"][k]} for k, load in enumerate(loads)],
        "first_step": [
            {"load": load, "start_overlap": start, "value": records["first_step_theory"][k, s]}
            for k, load in enumerate(loads)
            for s, start in enumerate(starts)
        ],
    }
    return {"basins": basins, "points": points, "theory": theory}


def basins_as_text(records: Records) -> str:
    """Return the edges of the basins as a table, and what they mean."""
    rows = []
    for i, n_neurons in enumerate(records["n_neurons"]):
        for k, load in enumerate(records["load"]):
            if not records["n_finished"][i, k].any():
                continue
            rows.append(
                [
                    str(n_neurons),
                    f"{load:g}",
                    str(records["n_patterns"][i, k]),
                    *_half(records, i, k),
                    number(records["overlap_theory"][k], 5),
                ]
            )
    success = float(records["success_threshold"])
    headers = ["N", "load", "P", "m0 half", "95 %", "basin radius", "m theory"]
    lines = [
        f"m0 half: start overlap at which half of the recalls end above overlap {success:g}",
        "basin radius: 1 - m0 half; m theory: overlap of the retrieval state, mean field",
    ]
    return "\n".join([table(headers, rows), "", *lines])


def _half(records: Records, i: int, k: int) -> list[str]:
    """Return the start overlap at which half succeed, its interval, and the basin's radius."""
    value, low, high = (float(records[f"overlap_half{end}"][i, k]) for end in ("", "_low", "_high"))
    interval = "" if np.isnan(low) or np.isnan(high) else f"{low:.3f} to {high:.3f}"
    return [number(value, 3), interval, number(float(records["basin_radius"][i, k]), 3)]
