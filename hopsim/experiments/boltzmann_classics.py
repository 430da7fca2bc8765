"""Do the classic experiments come out as published? Encoders, shifter and XOR in one table, beside 1985's figures.

Published: Ackley, Hinton and Sejnowski (1985), section 4; for XOR the bound of Montufar, Rauh and Ay (2011). Where they
differ: steps by sign never end, so couplings wander where both phases agree, and long runs freeze at the last
temperature. That ends most runs of 8-3-8 before the eighth code is found (of 100 simulated anew by this rule 40 found
it), and it holds 40-10-40 far from the published completion. The shifter is learned given both images, which is easier.
"""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np

from hopsim.errors import InputError
from hopsim.experiments import boltzmann_encoder, boltzmann_shifter, boltzmann_xor
from hopsim.experiments.observer import Observer
from hopsim.models.seeds import check_seed
from hopsim.storage.records import Records, Variable

EXPERIMENT = "boltzmann_classics"

_RUNS = {"4-2-4": 250, "4-3-4": 200, "8-3-8": 100, "40-10-40": 10, "shifter": 10, "xor": 10}
_ROW = ("row",)
VARIABLES = {
    "task": Variable(_ROW, "the problem"),
    "quantity": Variable(_ROW, "what is told of it"),
    "value": Variable(_ROW, "as found here; NaN: no run came to it"),
    "published": Variable(_ROW, "as published; NaN: not published"),
}

Row = tuple[str, str, float, float]


class BoltzmannClassics(msgspec.Struct, frozen=True, kw_only=True):
    """Configuration of the table.

    Attributes
    ----------
    n_runs : int, optional
        Of each task; by default 250 of 4-2-4, 200 of 4-3-4, 100 of 8-3-8, 10 of all others.
    """

    seed: int
    n_runs: int | None = None
    threads: int | None = None

    def __post_init__(self) -> None:
        check_seed(self.seed)
        if self.n_runs is not None and self.n_runs < 1:
            raise InputError("n_runs", f"expected at least 1, got {self.n_runs}")


class _Part(Observer):
    """What a part of the whole tells the outside: to look up, and nothing else."""

    def __init__(self, whole: Observer) -> None:
        self.tick = whole.tick  # type: ignore[method-assign]


def run(configuration: BoltzmannClassics, observer: Observer) -> Records:
    """Run task by task; an interrupted run gives the tasks that are finished."""
    rows: list[Row] = []
    observer.begin(len(_RUNS), "task")
    try:
        for task, n_runs in _RUNS.items():
            settings = {
                "seed": configuration.seed,
                "threads": configuration.threads,
                "n_starts" if task == "xor" else "n_runs": configuration.n_runs or n_runs,
            }
            rows.extend(_rows_of(task, settings, _Part(observer)))
            observer.advance(1, lambda: _records(rows))
    finally:
        observer.end()
    return _records(rows)


def _rows_of(task: str, settings: dict[str, Any], observer: Observer) -> list[Row]:
    if task == "shifter":
        shifter = boltzmann_shifter.BoltzmannShifter(**settings)
        return _shifter_rows(boltzmann_shifter.run(shifter, observer))
    if task == "xor":
        xor = boltzmann_xor.BoltzmannXor(**settings)
        return _xor_rows(boltzmann_xor.run(xor, observer))
    encoder = boltzmann_encoder.BoltzmannEncoder(code=task, **settings)
    return _encoder_rows(task, boltzmann_encoder.run(encoder, observer))


def _encoder_rows(task: str, records: Records) -> list[Row]:
    cycles = records["cycles_to_codes"]
    if task == "4-2-4":
        return _cycle_rows(task, "4 codes", cycles[:, 4], (1.0, 110.0, 1810.0))
    if task == "4-3-4":
        return _cycle_rows(task, "codes 2 bits apart", records["cycles_spaced"], (1.0, 270.0, 1090.0))
    if task == "8-3-8":
        seven = _cycle_rows(task, "7 codes", cycles[:, 7], (1.0, 210.0, np.nan))
        return seven + _cycle_rows(task, "8 codes", cycles[:, 8], (0.8, 1570.0, np.nan))
    completed = float(records["completed"].mean())
    return [
        *_cycle_rows(task, "40 codes", cycles[:, 40], (np.nan, np.nan, np.nan)),
        (task, "halves completed, share", completed, 0.986),
    ]


def _cycle_rows(task: str, aim: str, cycles: np.ndarray, published: tuple[float, float, float]) -> list[Row]:
    """How many runs came to an aim, and when: medians are of those that did."""
    reached = cycles[np.isfinite(cycles)]
    median, most = (np.median(reached), reached.max()) if len(reached) else (np.nan, np.nan)
    values = (len(reached) / len(cycles), float(median), float(most))
    names = (f"{aim}, share of runs", f"{aim}, median cycles", f"{aim}, most cycles")
    return [(task, *row) for row in zip(names, values, published, strict=True)]


def _shifter_rows(records: Records) -> list[Row]:
    correct = records["correct_by_n_on"][1 : boltzmann_shifter.N_PIXELS]
    return [
        ("shifter", "told, share, all patterns", float(records["correct"].mean()), np.nan),
        ("shifter", "told, hardest number of pixels on", float(np.nanmin(correct)), 0.50),
        ("shifter", "told, easiest number of pixels on", float(np.nanmax(correct)), 0.89),
    ]


def _xor_rows(records: Records) -> list[Row]:
    least = records["divergence_least"][list(records["connections"]).index("restricted")]
    return [
        ("XOR", f"divergence, {n} hidden (bound)", float(least[n]), float(bound))
        for n, bound in enumerate(records["bound"])
    ]


def _records(rows: list[Row]) -> Records:
    columns = list(zip(*rows, strict=True))
    return Records(VARIABLES, {name: np.array(columns[i]) for i, name in enumerate(VARIABLES)})
