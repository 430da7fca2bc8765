"""Results of a study of the load-temperature plane as text for people and as an object for machines."""

from typing import Any

import numpy as np

from hopsim.storage.records import Records
from hopsim_cli.printing import number, table

_POINT_FIELDS = ("overlap_mean", "overlap_se")


def phase_as_json(records: Records) -> dict[str, Any]:
    """Return a study as the object that ``--json`` prints; NaN stands for what is not known."""
    sizes, loads, temperatures = (records[name] for name in ("n_neurons", "load", "temperature"))
    n_trials = len(records["trial"])
    points = [
        {
            "n_neurons": n_neurons,
            "n_patterns": records["n_patterns"][i, k],
            "load": load,
            "temperature": temperature,
            "n_networks": records["n_finished"][i, k, t],
            "n_trials": n_trials,
            **{name: records[name][i, k, t] for name in _POINT_FIELDS},
            "overlap_theory": records["overlap_theory"][k, t],
        }
        for i, n_neurons in enumerate(sizes)
        for k, load in enumerate(loads)
        for t, temperature in enumerate(temperatures)
    ]
    boundaries = [
        {
            "n_neurons": n_neurons,
            "load": load,
            "value": records["boundary"][i, k],
            "low": records["boundary_low"][i, k],
            "high": records["boundary_high"][i, k],
            "distance": records["boundary_distance"][i, k],
            "t_m": records["t_m"][k],
        }
        for i, n_neurons in enumerate(sizes)
        for k, load in enumerate(loads)
    ]
    theory = [
        {"load": load, **{name: records[name][k] for name in ("t_m", "t_c", "t_g")}}
        for k, load in enumerate(loads)
    ]
    return {"points": points, "boundary": boundaries, "theory": theory}


def phase_as_text(records: Records) -> str:
    """Return the temperatures at which recall is lost, beside the lines of theory, and what they mean."""
    rows = []
    for i, n_neurons in enumerate(records["n_neurons"]):
        for k, load in enumerate(records["load"]):
            if not records["n_finished"][i, k].any():
                continue
            low, high = records["boundary_low"][i, k], records["boundary_high"][i, k]
            rows.append(
                [
                    str(n_neurons),
                    f"{load:g}",
                    number(records["boundary"][i, k], 3),
                    "" if np.isnan(low) else f"{low:.3f} to {high:.3f}",
                    *(number(records[name][k], 3) for name in ("t_m", "t_c", "t_g")),
                    number(records["boundary_distance"][i, k], 3),
                ]
            )
    headers = ["N", "load", "T lost", "95 %", "T_M", "T_c", "T_g", "T lost - T_M"]
    lines = [
        "T lost: the overlap, averaged over time and networks, falls below half of theory's just below T_M",
        "T_M: retrieval states exist below; T_c: they are the global minima below; T_g: spin glass below",
    ]
    return "\n".join([table(headers, rows), "", *lines])
