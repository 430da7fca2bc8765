"""Results of `hopsim boltzmann train` as text for people and as objects for machines."""

from typing import Any

import numpy as np

from hopsim.storage.records import Records
from hopsim_cli.printing import number, table

_EPOCHS_LISTED = 12
_FIELDS = ("log_likelihood", "reconstruction", "gradient_norm", "couplings_norm")


def training_as_json(records: Records) -> dict[str, Any]:
    """Return what was learned as the object that ``--json`` prints: the last epoch, and the machine's size."""
    n_units, n_visible = len(records["bias"]), int(records["n_visible"])
    last: dict[str, Any] = {}
    if len(records["epoch"]):
        last = {name: float(records[name][-1]) for name in _FIELDS}
    return {
        "n_visible": n_visible,
        "n_hidden": n_units - n_visible,
        "n_epochs": max(len(records["epoch"]) - 1, 0),
        "n_steps": int(records["step"]),
        **{name: last.get(name, np.nan) for name in _FIELDS},
    }


def training_as_text(records: Records) -> str:
    """Return the epochs of a training run as a table, of many epochs some."""
    n_units, n_visible = len(records["bias"]), int(records["n_visible"])
    rows = [
        [
            str(records["epoch"][e]),
            "-" if np.isnan(records["learning_rate"][e]) else f"{records['learning_rate'][e]:g}",
            *(number(records[name][e]) for name in _FIELDS),
        ]
        for e in _some(len(records["epoch"]))
    ]
    headers = ["epoch", "rate", "log-likelihood", "reconstruction", "|gradient|", "rms W"]
    size = f"{n_visible} visible and {n_units - n_visible} hidden units, {int(records['step'])} steps"
    return "\n".join([table(headers, rows), size])


def _some(n_epochs: int) -> list[int]:
    """The first epoch, the last, and some between."""
    return sorted({int(e) for e in np.linspace(0, n_epochs - 1, min(n_epochs, _EPOCHS_LISTED))})
