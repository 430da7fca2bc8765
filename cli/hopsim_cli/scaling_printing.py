"""Results of a study of finite-size scaling as text for people and as an object for machines."""

from fractions import Fraction
from typing import Any

import numpy as np

from hopsim.evaluation.capacity_extrapolation import ACCEPTABLE_P, SCALING_FROM
from hopsim.evaluation.network_bootstrap import N_BOOTSTRAP
from hopsim.experiments.hopfield_scaling import ALL_NETWORKS_UP_TO, WINDOW
from hopsim.storage.records import Records
from hopsim_cli.printing import number, table

_POINT_FIELDS = ("overlap_mean", "overlap_se", "retrieval_fraction", "retrieval_low", "retrieval_high")


def scaling_as_json(records: Records) -> dict[str, Any]:
    """Return a study as the object that ``--json`` prints; NaN stands for what cannot be estimated."""
    n_sizes, n_loads = records["load"].shape
    n_trials = len(records["trial"])
    points = [
        {
            "n_neurons": records["n_neurons"][i],
            "n_patterns": records["n_patterns"][i, k],
            "load": records["load"][i, k],
            "n_networks": records["n_finished"][i, k],
            "n_trials": n_trials,
            **{name: records[name][i, k] for name in _POINT_FIELDS},
        }
        for i in range(n_sizes)
        for k in range(n_loads)
    ]
    sizes = [
        {
            "n_neurons": records["n_neurons"][i],
            **_interval(records, "alpha_c", i),
            "se": records["alpha_c_se"][i],
            "in_fits": records["in_fits"][i],
            "logistic": {
                **_interval(records, "alpha_c_logistic", i),
                "se": records["alpha_c_logistic_se"][i],
                "width": records["logistic_width"][i],
            },
        }
        for i in range(n_sizes)
    ]
    columns = {
        "exponent": "exponent",
        "value": "fit_value",
        "se": "fit_se",
        "p": "fit_p",
        "accepted": "fit_accepted",
    }
    n_fits = len(records["exponent"])
    return {
        "points": points,
        "alpha_c": sizes,
        "fits": [{key: records[name][k] for key, name in columns.items()} for k in range(n_fits)],
        "alpha_c_infinite": _interval(records, "alpha_c_infinite", ()),
        "theory": {"alpha_c": records["alpha_c_theory"], "alpha_c_rsb": records["alpha_c_rsb"]},
    }


def scaling_as_text(records: Records) -> str:
    """Return a study as a table of its sizes, a table of the fits, and every choice that was made on the way."""
    return "\n".join(
        [
            "alpha_c(N) at T = 0, Hebbian rule, recalls that start from a stored pattern",
            "",
            _sizes(records),
            "",
            *_choices_at_each_size(records),
            "",
            "N -> infinity: fits alpha_c + b N^-x to the logistic half-heights",
            "",
            _fits(records),
            "",
            *_choices_of_fits(records),
            "",
            *_limit(records),
        ]
    )


def _sizes(records: Records) -> str:
    rows = []
    for i in np.argsort(records["n_neurons"]):
        loads, n_finished = records["load"][i], records["n_finished"][i]
        some = np.unique(n_finished)
        rows.append(
            [
                str(records["n_neurons"][i]),
                f"{loads.min():.4f} to {loads.max():.4f}",
                str(some[0]) if len(some) == 1 else f"{some[0]} to {some[-1]}",
                number(records["alpha_c"][i]),
                number(records["alpha_c_se"][i]),
                _ends(records, "alpha_c", i),
                number(records["alpha_c_logistic"][i]),
                _ends(records, "alpha_c_logistic", i),
                number(records["logistic_width"][i]),
                "yes" if records["in_fits"][i] else "no",
            ]
        )
    headers = ["N", "loads", "networks a load", "half-height", "±", "95 %"]
    return table([*headers, "logistic", "95 %", "width", "in fits"], rows)


def _choices_at_each_size(records: Records) -> list[str]:
    n_loads, n_trials = records["load"].shape[1], len(records["trial"])
    success = records["success_threshold"].flat[0]
    return [
        f"loads:       {n_loads} whole numbers of patterns in equal steps over {WINDOW}",
        f"networks:    those asked for up to N = {ALL_NETWORKS_UP_TO}, beyond fewer, as 1/N; "
        f"{n_trials} trial{'s' if n_trials > 1 else ''} each",
        f"success:     a trial that ends at an overlap above {success:g} with its pattern",
        "half-height: where the isotonic (never rising) curve through the fractions retrieved crosses 1/2",
        "logistic:    1/(1 + exp((load - alpha_c)/width)), maximum likelihood on trials; it uses all loads and so",
        "             scatters half as much as the other: it enters the fits over N",
        f"95 %, ±:     bootstrap over networks, not trials: {N_BOOTSTRAP} times n - 1 of n at each load; "
        "± is the interval over 2 x 1.96",
    ]


def _fits(records: Records) -> str:
    rows = [
        [
            str(Fraction(exponent).limit_denominator(9)),
            number(records["fit_value"][k]),
            number(records["fit_se"][k]),
            "-" if np.isnan(records["fit_p"][k]) else f"{records['fit_p'][k]:.2g}",
            "accepted"
            if records["fit_accepted"][k]
            else "rejected"
            if records["fit_p"][k] >= 0
            else "no fit",
        ]
        for k, exponent in enumerate(records["exponent"])
    ]
    return table(["x", "alpha_c", "±", "p", ""], rows)


def _choices_of_fits(records: Records) -> list[str]:
    used = records["n_neurons"][records["in_fits"] & np.isfinite(records["alpha_c_logistic_se"])]
    below = records["n_neurons"][records["in_fits"]].min() < SCALING_FROM
    rule = (
        f"all of them are accepted, whatever p, as sizes below {SCALING_FROM} enter and follow no single power"
        if below
        else f"accepted are those with p > {ACCEPTABLE_P:g}"
    )
    return [
        f"sizes:       all from N = {SCALING_FROM} on, or the three largest: "
        f"{', '.join(map(str, np.sort(used))) or 'none has an interval'}",
        "fits:        weighted least squares; p is the probability of a larger chi-square",
        f"             {rule}",
    ]


def _limit(records: Records) -> list[str]:
    value = float(records["alpha_c_infinite"])
    if np.isnan(value):
        limit = "alpha_c for N -> infinity: not to be had from these points"
    else:
        ends = _ends(records, "alpha_c_infinite", ())
        limit = f"alpha_c for N -> infinity: {ends}, the union of the 95 % intervals of all accepted fits"
    theories = f"{number(float(records['alpha_c_theory']))} replica symmetric, "
    return [
        limit,
        "The exponent decides: no law of the approach is known, and data that several exponents fit equally well",
        "cannot tell between their limits.",
        f"mean-field theory: {theories}{number(float(records['alpha_c_rsb']))} with replica symmetry broken",
    ]


def _ends(records: Records, name: str, where: Any) -> str:
    low, high = (float(records[f"{name}_{end}"][where]) for end in ("low", "high"))
    return f"{number(low)} to {number(high)}"


def _interval(records: Records, name: str, where: Any) -> dict[str, float]:
    value, low, high = (records[name + end][where] for end in ("", "_low", "_high"))
    return {"value": value, "low": low, "high": high}
