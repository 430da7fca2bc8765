"""Results of studies and sweeps as text for people and as objects for machines, whichever study it is."""

from collections.abc import Callable
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from tqdm import tqdm

from hopsim.experiments.study import Study
from hopsim.storage.records import Records
from hopsim.sweeps.plan import Plan
from hopsim.sweeps.status import Status
from hopsim_cli.printing import table


class _Printer(NamedTuple):
    module: str
    as_json: str
    as_text: str


_PRINTERS = {
    "capacity": _Printer("hopsim_cli.hopfield_printing", "capacity_as_json", "capacity_as_text"),
    "phase": _Printer("hopsim_cli.phase_printing", "phase_as_json", "phase_as_text"),
    "basins": _Printer("hopsim_cli.basins_printing", "basins_as_json", "basins_as_text"),
    "scaling": _Printer("hopsim_cli.scaling_printing", "scaling_as_json", "scaling_as_text"),
}


def result_as_json(study: Study, records: Records) -> dict[str, Any]:
    """Return a study's results as the object that ``--json`` prints."""
    return _function(study, "as_json")(records)


def result_as_text(study: Study, records: Records) -> str:
    """Return a study's results as text."""
    return _function(study, "as_text")(records)


def _function(study: Study, kind: str) -> Callable[[Records], Any]:
    printer = _PRINTERS[study.NAME]
    return getattr(import_module(printer.module), getattr(printer, kind))


def plan_as_json(plan: Plan) -> dict[str, Any]:
    """Return a plan as the object that ``--json`` prints."""
    probes = [
        {**msgspec.to_builtins(probe.cell), "n_points": probe.n_points, "seconds": probe.seconds}
        for probe in plan.probes
    ]
    return {**asdict(plan), "probes": probes}


def plan_as_text(plan: Plan, study: Study, budget_seconds: float | None) -> str:
    """Return a plan as a few lines and a table of the points that were timed."""
    rows = [
        [
            str(probe.cell.n_neurons),
            str(probe.cell.n_patterns),
            f"{probe.cell.temperature:g}",
            str(probe.n_points),
            f"{probe.seconds / probe.n_points:.3g}",
        ]
        for probe in plan.probes
    ]
    low, high = tqdm.format_interval(plan.seconds_low), tqdm.format_interval(plan.seconds_high)
    lines = [
        f"{study.NAME}: {plan.n_cells} cells, {plan.n_points} points (networks), {plan.n_recalls} recalls",
        f"memory: {_bytes(plan.memory_bytes)}   file: {_bytes(plan.disk_bytes)} at most",
        f"time: about {tqdm.format_interval(plan.seconds)} on this machine ({low} to {high} by single probes)",
    ]
    if budget_seconds is not None:
        enough = "enough" if plan.seconds <= budget_seconds else "NOT enough: go on with --resume"
        lines.append(f"budget: {tqdm.format_interval(budget_seconds)}, {enough}")
    return "\n".join([*lines, "", table(["N", "P", "T", "points", "s a point"], rows)])


def status_as_text(status: Status, path: Path) -> str:
    """Return how far a sweep is, as a few lines."""
    share = status.n_finished / status.n_points
    failed = f", {status.n_failed} failed" if status.n_failed else ""
    lines = [
        f"{status.experiment}: {status.n_finished} of {status.n_points} points finished ({share:.1%}){failed}",
        "running" if status.running else "not running" + ("" if share == 1 else "; go on with --resume"),
    ]
    return "\n".join([*lines, *([status.headline] if status.headline else [])])


def _bytes(n_bytes: float) -> str:
    for unit in ("B", "kB", "MB"):
        if n_bytes < 1000:
            return f"{n_bytes:.0f} {unit}" if unit == "B" else f"{n_bytes:.1f} {unit}"
        n_bytes /= 1000
    return f"{n_bytes:.1f} GB"
