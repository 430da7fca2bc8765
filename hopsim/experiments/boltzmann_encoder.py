"""How do hidden units learn to encode? The encoder problems of Ackley, Hinton and Sejnowski (1985), section 4.1.

Two groups of V visible units see the same one of V patterns, one unit of each group on; H hidden units between them are
the only way from group to group, so a code must be found. Visible units are connected within their group and to the
hidden units. A run is solved when the hidden units' most probable states under all patterns, clamped clean, differ; in
4-3-4, where there are codes to spare, when they differ in two bits. It learns on to the next multiple of 50 cycles.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from hopsim.errors import InputError, Interrupted
from hopsim.experiments.observer import Observer
from hopsim.learning.annealed_recipe import SCHEDULE_1985, AnnealedLearner, AnnealedRecipe
from hopsim.models.seeds import Stream, check_seed, stream_keys
from hopsim.sampling.threads import using_threads
from hopsim.storage.machine_records import MACHINE_VARIABLES, machine_arrays
from hopsim.storage.records import Records, Variable

EXPERIMENT = "boltzmann_encoder"

TEST_SCHEDULE = ((4, 20), (4, 15), (4, 12), (8, 5))  # twice the time, half the last temperature
TESTS = 5  # of each pattern

_COLDEST = SCHEDULE_1985[-1][1]
_CYCLES_AT_ONCE = 50
_RUN = ("run",)
VARIABLES = {
    **MACHINE_VARIABLES,
    "run": Variable(_RUN, "number of the run"),
    "solved": Variable(_RUN, "whether the run is solved"),
    "cycles": Variable(_RUN, "cycles until it was solved; NaN: never", "cycle"),
    "cycles_spaced": Variable(
        _RUN, "cycles until codes first differed in two bits or more; NaN: never", "cycle"
    ),
    "n_codes": Variable(("n_codes",), "number of different codes"),
    "cycles_to_codes": Variable(
        ("run", "n_codes"), "cycles until so many codes differed; NaN: never", "cycle"
    ),
    "code": Variable(
        ("run", "pattern", "hidden_unit"),
        "most probable hidden states after the run's last cycle",
    ),
    "completed": Variable(
        _RUN, "share of patterns whose second half is recalled from the first, after the run's last cycle"
    ),
    "n_cycles": Variable((), "cycles of the longest run", "cycle"),
}


class Stage(NamedTuple):
    """A stretch of learning."""

    n_cycles: int
    recipe: AnnealedRecipe
    hidden: bool  # whether hidden units take part


class BoltzmannEncoder(msgspec.Struct, frozen=True, kw_only=True):
    """Configuration of the experiment.

    Attributes
    ----------
    code : str
        ``"V-H-V"``. 8-3-8 and 40-10-40 have noise of their own, and the latter learns in three stages, as in 1985.
    n_runs : int
    n_cycles : int, optional
        At most; 4,000 by default. 40-10-40 does all of them, 1,500 by default.
    """

    seed: int
    code: str = "4-2-4"
    n_runs: int = 100
    n_cycles: int | None = None
    threads: int | None = None

    def __post_init__(self) -> None:
        check_seed(self.seed)
        sizes_of(self.code)
        for name in ("n_runs", "n_cycles"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise InputError(name, f"expected at least 1, got {value}")


def sizes_of(code: str) -> tuple[int, int]:
    """V and H of ``"V-H-V"``; `InputError` for ``code`` that is none."""
    parts = code.split("-")
    if len(parts) == 3 and all(part.isdecimal() for part in parts) and parts[0] == parts[2]:
        n_patterns, n_hidden = int(parts[0]), int(parts[1])
        if 2 <= n_patterns <= 100 and 1 <= n_hidden <= 60:
            return n_patterns, n_hidden
    raise InputError("code", f"expected V-H-V as 4-2-4, V from 2 to 100, H from 1 to 60; got {code!r}")


def stages_of(code: str, n_cycles: int | None) -> list[Stage]:
    """How a code is learned (Ackley, Hinton, Sejnowski 1985, section 4.1)."""
    if code == "40-10-40":
        noisy, clean = AnnealedRecipe(turn_off=0.1, turn_on=0.0025), AnnealedRecipe(turn_off=0, turn_on=0)
        total = n_cycles or 1500
        first, second = min(300, total), min(500, max(total - 300, 0))
        stages = [
            Stage(first, noisy, False),
            Stage(second, noisy, True),
            Stage(total - first - second, clean, True),
        ]
        return [stage for stage in stages if stage.n_cycles]
    recipe = AnnealedRecipe(turn_on=0.02) if code == "8-3-8" else AnnealedRecipe()
    return [Stage(n_cycles or 4000, recipe, True)]


def run(configuration: BoltzmannEncoder, observer: Observer) -> Records:
    """Learn all runs side by side; an interrupted experiment gives what the cycles so far have come to."""
    n_patterns, n_hidden = sizes_of(configuration.code)
    stages = stages_of(configuration.code, configuration.n_cycles)
    learner = AnnealedLearner(
        encoder_mask(n_patterns, n_hidden),
        2 * n_patterns,
        stream_keys(configuration.seed, Stream.RUN, range(configuration.n_runs)),
        tuple(value for _, value in (*SCHEDULE_1985, *TEST_SCHEDULE)),
    )
    patterns = np.tile(np.eye(n_patterns, dtype=np.int8), 2)
    codes = _Codes(configuration.n_runs, n_patterns, spaced=configuration.code == "4-3-4")
    observer.begin(sum(stage.n_cycles for stage in stages), "cycle")

    def clamped(first: int, n: int) -> NDArray[np.int8]:
        return np.tile(patterns, (configuration.n_runs, n, 1, 1))

    def records() -> Records:
        return _records(learner, codes, patterns, n_hidden)

    try:
        with using_threads(configuration.threads):
            for stage in stages:
                for first in range(0, stage.n_cycles, _CYCLES_AT_ONCE):
                    n = min(_CYCLES_AT_ONCE, stage.n_cycles - first)
                    n_active = None if stage.hidden else 2 * n_patterns
                    learns = np.isnan(codes.cycles) if len(stages) == 1 else None
                    found = learner.learn(
                        stage.recipe,
                        clamped,
                        n,
                        n_active=n_active,
                        n_codes=n_patterns,
                        learns=learns,
                        tick=observer.tick,
                    )
                    codes.note(found, learns)
                    observer.advance(n, records)
                    if len(stages) == 1 and not np.isnan(codes.cycles).any():
                        return records()
    except Interrupted:
        if codes.n_cycles == 0:
            raise
    finally:
        observer.end()
    return records()


def encoder_mask(n_patterns: int, n_hidden: int) -> NDArray[np.bool_]:
    """Couplings within each visible group and between hidden and visible units: bool (n_units, n_units)."""
    n_visible = 2 * n_patterns
    mask = np.zeros((n_visible + n_hidden, n_visible + n_hidden), np.bool_)
    mask[:n_patterns, :n_patterns] = mask[n_patterns:n_visible, n_patterns:n_visible] = True
    mask[:n_visible, n_visible:] = mask[n_visible:, :n_visible] = True
    np.fill_diagonal(mask, False)
    return mask


class _Codes:
    """When codes first differed."""

    def __init__(self, n_runs: int, n_patterns: int, *, spaced: bool) -> None:
        self.n_cycles = 0
        self.cycles_to_codes = np.full((n_runs, n_patterns + 1), np.nan)
        self.cycles_spaced = np.full(n_runs, np.nan)
        self.codes = np.zeros((n_runs, n_patterns), np.int64)
        self._spaced = spaced

    @property
    def cycles(self) -> NDArray[np.float64]:
        """Cycles until each run was solved, NaN if it is not."""
        return self.cycles_spaced if self._spaced else self.cycles_to_codes[:, -1]

    def note(self, codes: NDArray[np.int64], learns: NDArray[np.bool_] | None) -> None:
        """Take the codes (n_runs, n_cycles, n_patterns) of the next cycles, of the runs that learn."""
        rows = np.arange(len(codes)) if learns is None else np.flatnonzero(learns)
        codes, n_patterns = codes[rows], codes.shape[2]
        n_different = 1 + (np.diff(np.sort(codes, axis=2), axis=2) != 0).sum(axis=2)
        reached = n_different[:, :, None] >= np.arange(1, n_patterns + 1)
        self.cycles_to_codes[rows, 1:] = self._first(self.cycles_to_codes[rows, 1:], reached)
        distances = np.bitwise_count(codes[:, :, :, None] ^ codes[:, :, None, :])
        pairs = np.triu_indices(n_patterns, 1)
        spaced = distances[:, :, pairs[0], pairs[1]].min(axis=2) >= 2
        self.cycles_spaced[rows] = self._first(self.cycles_spaced[rows], spaced)
        self.codes[rows] = codes[:, -1]
        self.n_cycles += codes.shape[1]

    def _first(self, known: NDArray[np.float64], reached: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Cycles until what is `reached` (n_runs, n_cycles, ...) first was, where it is not known yet."""
        first = np.where(reached.any(axis=1), self.n_cycles + 1.0 + reached.argmax(axis=1), np.nan)
        return np.where(np.isnan(known), first, known)


def _records(learner: AnnealedLearner, codes: _Codes, patterns: NDArray[np.int8], n_hidden: int) -> Records:
    n_patterns, n_visible = patterns.shape
    cycles = codes.cycles
    bits = (codes.codes[:, :, None] >> np.arange(n_hidden)) & 1
    arrays: dict[str, Any] = {
        **machine_arrays(
            learner.runs.couplings[0] / float(_COLDEST),
            learner.runs.bias[0] / float(_COLDEST),
            "01",
            n_visible,
        ),
        "run": np.arange(len(cycles)),
        "solved": np.isfinite(cycles),
        "cycles": cycles,
        "cycles_spaced": codes.cycles_spaced,
        "n_codes": np.arange(n_patterns + 1),
        "cycles_to_codes": codes.cycles_to_codes,
        "code": bits.astype(np.int8),
        "completed": _completed(learner, patterns),
        "n_cycles": codes.n_cycles,
    }
    return Records(VARIABLES, arrays)


def _completed(learner: AnnealedLearner, patterns: NDArray[np.int8]) -> NDArray[np.float64]:
    """Share of patterns whose second half comes back from the first, `TESTS` tries each."""
    n_runs, n_patterns = len(learner.runs.keys), len(patterns)
    asked = np.tile(np.repeat(patterns, TESTS, axis=0), (n_runs, 1, 1))
    ends = learner.complete(TEST_SCHEDULE, asked, n_patterns)
    return (ends == asked).all(axis=2).mean(axis=1)
