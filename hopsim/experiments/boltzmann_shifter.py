"""Can a machine tell how a pattern was shifted? The shifter of Ackley, Hinton and Sejnowski (1985), section 4.2.

Eight units see a random pattern, eight more the same pattern shifted by one to the left, not at all, or by one to the
right, around the ends; three say which. 24 hidden units are connected to all of these, and the three to each other.
Both images are given, so they are clamped, clean, in the free phase too: what is learned is the shift given the images.
"""

from __future__ import annotations

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

EXPERIMENT = "boltzmann_shifter"

N_PIXELS, N_SHIFTS = 8, 3
N_INPUTS, N_VISIBLE = 2 * N_PIXELS, 2 * N_PIXELS + N_SHIFTS
ON_ODDS = 0.3  # that a pixel is on

_PATTERNS = 20  # of a cycle
_TESTS = 2000
_CYCLES_AT_ONCE = 50
_RUN = ("run",)
VARIABLES = {
    **MACHINE_VARIABLES,
    "run": Variable(_RUN, "number of the run"),
    "n_on": Variable(("n_on",), "pixels that are on in the first image"),
    "correct": Variable(_RUN, "share of new patterns whose shift is told, after the last cycle"),
    "correct_by_n_on": Variable(("n_on",), "the same by the number of pixels that are on, over all runs"),
    "n_tests": Variable(("n_on",), "new patterns with so many pixels on, over all runs"),
    "n_cycles": Variable((), "cycles of each run", "cycle"),
}


class BoltzmannShifter(msgspec.Struct, frozen=True, kw_only=True):
    """Configuration of the experiment.

    Attributes
    ----------
    n_runs, n_hidden : int
    n_cycles : int
        Each clamps 20 new patterns.
    """

    seed: int
    n_runs: int = 10
    n_cycles: int = 9000
    n_hidden: int = 24
    threads: int | None = None

    def __post_init__(self) -> None:
        check_seed(self.seed)
        for name in ("n_runs", "n_cycles", "n_hidden"):
            if getattr(self, name) < 1:
                raise InputError(name, f"expected at least 1, got {getattr(self, name)}")


def run(configuration: BoltzmannShifter, observer: Observer) -> Records:
    """Learn all runs side by side; an interrupted experiment gives what the cycles so far have come to."""
    keys = stream_keys(configuration.seed, Stream.RUN, range(configuration.n_runs))
    learner = AnnealedLearner(
        shifter_mask(configuration.n_hidden),
        N_VISIBLE,
        keys,
        tuple(value for _, value in SCHEDULE_1985),
        N_INPUTS,
    )
    recipe = AnnealedRecipe(turn_off=0, turn_on=0)
    observer.begin(configuration.n_cycles, "cycle")

    def clamped(first: int, n: int) -> NDArray[np.int8]:
        drawn = [shifted_patterns(key, Stream.MINIBATCH, first * _PATTERNS, n * _PATTERNS) for key in keys]
        return np.array(drawn).reshape(len(keys), n, _PATTERNS, N_VISIBLE)

    def records() -> Records:
        return _records(learner, keys)

    try:
        with using_threads(configuration.threads):
            for first in range(0, configuration.n_cycles, _CYCLES_AT_ONCE):
                n = min(_CYCLES_AT_ONCE, configuration.n_cycles - first)
                learner.learn(recipe, clamped, n, tick=observer.tick)
                observer.advance(n, records)
    except Interrupted:
        if learner.n_cycles == 0:
            raise
    finally:
        observer.end()
    return records()


def shifter_mask(n_hidden: int) -> NDArray[np.bool_]:
    """Couplings of hidden with visible units and among the three that name the shift: bool (n_units, n_units)."""
    mask = np.zeros((N_VISIBLE + n_hidden, N_VISIBLE + n_hidden), np.bool_)
    mask[:N_VISIBLE, N_VISIBLE:] = mask[N_VISIBLE:, :N_VISIBLE] = True
    mask[N_INPUTS:N_VISIBLE, N_INPUTS:N_VISIBLE] = ~np.eye(N_SHIFTS, dtype=np.bool_)
    return mask


def shifted_patterns(key: np.uint64, stream: Stream, first: int, n: int) -> NDArray[np.int8]:
    """Patterns `first` to ``first + n - 1`` of a key: int8 (n, N_VISIBLE), image, shifted image, which shift."""
    words = stream_keys(int(key), stream, np.arange(first * (N_PIXELS + 1), (first + n) * (N_PIXELS + 1)))
    uniform = ((words >> np.uint64(11)).astype(np.float64) * 2.0**-53).reshape(n, N_PIXELS + 1)
    image = (uniform[:, :N_PIXELS] < ON_ODDS).astype(np.int8)
    shift = (uniform[:, N_PIXELS] * N_SHIFTS).astype(np.int64)
    shifted = np.array([np.roll(image, by, axis=1) for by in (-1, 0, 1)])[shift, np.arange(n)]
    return np.concatenate([image, shifted, np.eye(N_SHIFTS, dtype=np.int8)[shift]], axis=1)


def _records(learner: AnnealedLearner, keys: NDArray[np.uint64]) -> Records:
    asked = np.array([shifted_patterns(key, Stream.PROBE, 0, _TESTS) for key in keys])
    ends = learner.complete(SCHEDULE_1985, asked, N_INPUTS)
    correct = (ends == asked).all(axis=2)
    n_on = asked[:, :, :N_PIXELS].sum(axis=2)
    n_tests = np.bincount(n_on.ravel(), minlength=N_PIXELS + 1)
    n_correct = np.bincount(n_on.ravel(), correct.ravel(), minlength=N_PIXELS + 1)
    coldest = float(SCHEDULE_1985[-1][1])
    return Records(
        VARIABLES,
        {
            **machine_arrays(
                learner.runs.couplings[0] / coldest, learner.runs.bias[0] / coldest, "01", N_VISIBLE
            ),
            "run": np.arange(len(keys)),
            "n_on": np.arange(N_PIXELS + 1),
            "correct": correct.mean(axis=1),
            "correct_by_n_on": np.where(n_tests > 0, n_correct / np.maximum(n_tests, 1), np.nan),
            "n_tests": n_tests,
            "n_cycles": learner.n_cycles,
        },
    )
