"""The learning recipe of 1985 (Ackley, Hinton, Sejnowski, section 3): many runs of one task, side by side.

Each cycle clamps every pattern twice, with noise, lets the network come to equilibrium by annealing, counts which units
are on together, does the same as often with nothing clamped, and moves each coupling and threshold by a fixed step
along the sign of the difference.
"""

import time
from collections.abc import Callable

import msgspec
import numpy as np
from numpy.typing import NDArray

from hopsim.errors import InputError
from hopsim.kernels.annealed_learning import AnnealedRuns, Cycle, complete_patterns, learn_runs
from hopsim.models.memory import aligned_zeros, require_memory
from hopsim.sampling.chains import Pace

SCHEDULE_1985 = ((2, 20), (2, 15), (2, 12), (4, 10))

_LARGEST_EXPONENT = 24  # of field/T, beyond which 32-bit odds are 0 or 1


class AnnealedRecipe(msgspec.Struct, frozen=True, kw_only=True):
    """How a cycle goes; the defaults are those of 1985.

    Attributes
    ----------
    schedule : tuple of (time, temperature)
        A unit of time is as many random probes as there are free units.
    statistics_time : int
        Units of time at the last temperature, after each of which co-occurrences are counted.
    n_clamped : int
        Equilibria of each pattern in either phase.
    turn_off, turn_on : float
        Odds that a clamped unit that should be on is off, and the other way.
    step : int
    """

    schedule: tuple[tuple[int, int], ...] = SCHEDULE_1985
    statistics_time: int = 10
    n_clamped: int = 2
    turn_off: float = 0.15
    turn_on: float = 0.05
    step: int = 2


class AnnealedLearner:
    """Runs of one task, each from couplings 0.

    Couplings and biases are integers at the schedule's temperatures: a machine's at T = 1 are these over the last one.

    Parameters
    ----------
    mask : bool (n_units, n_units)
        Which couplings learn: symmetric, no unit with itself.
    n_visible : int
    keys : uint64 (n_runs,)
        The key of each run's random numbers; a run depends on nothing else.
    temperatures : sequence of int
        All that schedules will name.
    n_inputs : int
        The first so many visible units are clamped in the free phase too.
    """

    def __init__(
        self,
        mask: NDArray[np.bool_],
        n_visible: int,
        keys: NDArray[np.uint64],
        temperatures: tuple[int, ...],
        n_inputs: int = 0,
    ) -> None:
        n_units, n_runs = len(mask), len(keys)
        if not np.array_equal(mask, mask.T) or mask.diagonal().any():
            raise InputError("mask", "expected a symmetric matrix with nothing on its diagonal")
        require_memory(12 * n_runs * n_units**2, "n_runs", f"couplings of {n_runs} runs")
        self.n_visible, self.n_inputs, self.n_units = n_visible, n_inputs, n_units
        self._temperatures = tuple(sorted(set(temperatures)))
        of_pairs = (n_runs, n_units, n_units)
        self.runs = AnnealedRuns(
            couplings=aligned_zeros(of_pairs, np.int32),
            bias=aligned_zeros((n_runs, n_units), np.int32),
            keys=keys,
            mask=mask.astype(np.int32),
            odds=_odds(self._temperatures),
            states=aligned_zeros((n_runs, n_units), np.int32),
            fields=aligned_zeros((n_runs, n_units), np.int32),
            clamped_counts=aligned_zeros(of_pairs, np.int32),
            free_counts=aligned_zeros(of_pairs, np.int32),
        )
        self.n_cycles = 0
        self._n_tests = 0
        self._pace = Pace(1.0)

    def learn(
        self,
        recipe: AnnealedRecipe,
        patterns: Callable[[int, int], NDArray[np.int8]],
        n_cycles: int,
        *,
        n_active: int | None = None,
        n_codes: int = 0,
        learns: NDArray[np.bool_] | None = None,
        tick: Callable[[], None] = lambda: None,
    ) -> NDArray[np.int64]:
        """Do `n_cycles` cycles.

        Parameters
        ----------
        recipe : AnnealedRecipe
        patterns : callable
            ``patterns(first, n)``: what `n` cycles from number `first` on clamp, int8 (n_runs, n, n_patterns,
            n_visible).
        n_cycles : int
        n_active : int, optional
            Units from this number on are held at 0 and learn nothing; all take part if None.
        n_codes : int
            Of so many of the first patterns the hidden code is kept; hidden units must not be connected then.
        learns : bool (n_runs,), optional
            The other runs stay as they are; their codes come out as 0.
        tick : callable
            Called between compiled calls, a few times a second; if it raises, runs are as they were before.

        Returns
        -------
        int64 (n_runs, n_cycles, n_codes)
            After each cycle the most probable hidden state, unit h as bit h, while the pattern is clamped clean.
        """
        n_runs = len(self.runs.keys)
        cycle = self._cycle(recipe, self.n_units if n_active is None else n_active)
        codes = np.zeros((n_runs, n_cycles, n_codes), np.int64)
        learns = np.ones(n_runs, np.bool_) if learns is None else learns
        before = self.runs.couplings.copy(), self.runs.bias.copy(), self.n_cycles
        try:
            self._learn(cycle, patterns, learns, codes, tick)
        except BaseException:
            self.runs.couplings[...], self.runs.bias[...], self.n_cycles = before
            raise
        return codes

    def _learn(
        self,
        cycle: Cycle,
        patterns: Callable[[int, int], NDArray[np.int8]],
        learns: NDArray[np.bool_],
        codes: NDArray[np.int64],
        tick: Callable[[], None],
    ) -> None:
        n_runs, n_cycles, n_codes = codes.shape
        done = 0
        while done < n_cycles:
            n = min(max(1, int(self._pace.items)), n_cycles - done)
            start = time.perf_counter()
            part = np.zeros((n_runs, n, n_codes), np.int64)
            learn_runs(self.runs, learns, self.n_cycles, n, patterns(self.n_cycles, n), cycle, part)
            self._pace.note(n, time.perf_counter() - start, 1)
            codes[:, done : done + n] = part
            done += n
            self.n_cycles += n
            tick()

    def complete(
        self,
        schedule: tuple[tuple[int, int], ...],
        patterns: NDArray[np.int8],
        n_inputs: int,
        tick: Callable[[], None] = lambda: None,
    ) -> NDArray[np.int8]:
        """Clamp the first `n_inputs` units of patterns (n_runs, n_tests, n_visible), clean, and anneal the others.

        Returns the visible units' states, int8, as `patterns`.
        """
        cycle = self._cycle(AnnealedRecipe(schedule=schedule, turn_off=0, turn_on=0), self.n_units)
        ends = np.zeros_like(patterns)
        complete_patterns(self.runs, self._n_tests, patterns, n_inputs, cycle.schedule, cycle, ends)
        self._n_tests += 1
        tick()
        return ends

    def _cycle(self, recipe: AnnealedRecipe, n_active: int) -> Cycle:
        rows = [[duration, self._temperatures.index(value)] for duration, value in recipe.schedule]
        return Cycle(
            schedule=np.array(rows, np.int64),
            statistics_time=recipe.statistics_time,
            n_clamped=recipe.n_clamped,
            n_inputs=self.n_inputs,
            n_visible=self.n_visible,
            n_active=n_active,
            turn_off=np.uint64(round(recipe.turn_off * 2**32)),
            turn_on=np.uint64(round(recipe.turn_on * 2**32)),
            step=recipe.step,
        )


def _odds(temperatures: tuple[int, ...]) -> NDArray[np.uint64]:
    """2^32 P(on) for fields from -F to F: uint64 (n_temperatures, 2 F + 1)."""
    largest = _LARGEST_EXPONENT * max(temperatures)
    fields = np.arange(-largest, largest + 1)
    return np.array([np.rint(2.0**32 / (1.0 + np.exp(-fields / value))) for value in temperatures]).astype(
        np.uint64
    )
