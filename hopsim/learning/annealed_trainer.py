"""The recipe of 1985 as a way to train any machine of 0/1 units: a step is a cycle over all of the data."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hopsim.errors import InputError
from hopsim.learning.annealed_recipe import AnnealedLearner, AnnealedRecipe
from hopsim.learning.boltzmann_learning import LearningState, StepReport
from hopsim.learning.connections import connection_mask
from hopsim.learning.learning_options import BoltzmannLearning
from hopsim.models.boltzmann import BoltzmannModel
from hopsim.models.seeds import Stream, stream_keys

RECIPE = AnnealedRecipe()
TEMPERATURE = float(RECIPE.schedule[-1][1])  # a machine's parameters are the recipe's integers over it


class AnnealedTrainer:
    """A `hopsim.learning.boltzmann_learning.Trainer`; parameters as `BoltzmannTrainer`.

    Of the configuration only the seed, `n_epochs` (cycles) and `connections` count: all else is the recipe's.

    Raises
    ------
    InputError
        ``encoding`` of a machine of ±1 units, ``data`` that do not fit, or a wrong ``mask``.
    """

    def __init__(
        self,
        model: BoltzmannModel,
        data: ArrayLike,
        configuration: BoltzmannLearning,
        mask: NDArray[np.bool_] | None = None,
        state: LearningState | None = None,
        tick: Callable[[], None] = lambda: None,
    ) -> None:
        if model.encoding != "01":
            raise InputError("encoding", "the recipe of 1985 is for units of 0 and 1")
        self._patterns = model.check_states(data, "data", model.n_visible)[None, None]
        self._start, self._tick = model, tick
        self.n_steps_per_epoch = 1
        self.n_steps = configuration.n_epochs
        mask = connection_mask(configuration.connections, model) if mask is None else mask
        if mask.shape != model.couplings.shape:
            raise InputError("mask", f"expected a symmetric matrix of {model.n_units} rows")
        keys = stream_keys(configuration.seed, Stream.RUN, range(1))
        temperatures = tuple(value for _, value in RECIPE.schedule)
        self._learner = AnnealedLearner(mask, model.n_visible, keys, temperatures)
        couplings, bias = (model.couplings, model.bias) if state is None else (state.couplings, state.bias)
        self._learner.runs.couplings[0] = np.rint(couplings * TEMPERATURE)
        self._learner.runs.bias[0] = np.rint(bias * TEMPERATURE)
        self._learner.n_cycles = 0 if state is None else state.step
        self.state = self._state_from(couplings, bias)

    @property
    def model(self) -> BoltzmannModel:
        """The machine as it is now, at T = 1."""
        return BoltzmannModel(self.state.couplings, self.state.bias, "01", self._start.n_visible)

    def step(self) -> StepReport:
        """Do a cycle; the gradient reported is the difference of the cycle's co-occurrence rates."""
        before = self.state
        self._learner.learn(RECIPE, lambda first, n: self._patterns, 1, tick=self._tick)
        runs = self._learner.runs
        self.state = self._state_from(before.couplings, before.bias)
        counts = (runs.clamped_counts[0] - runs.free_counts[0]).astype(np.float64)
        n_counted = RECIPE.n_clamped * RECIPE.statistics_time * self._patterns.shape[2]
        return StepReport(float(np.sqrt((np.triu(counts / n_counted) ** 2).sum())), np.nan)

    def _state_from(self, couplings: NDArray[np.float64], bias: NDArray[np.float64]) -> LearningState:
        """The learner's integers over the temperature; velocities are the changes from what was before."""
        runs = self._learner.runs
        now, bias_now = runs.couplings[0] / TEMPERATURE, runs.bias[0] / TEMPERATURE
        none = np.zeros((0, 0), np.int8)
        return LearningState(
            step=self._learner.n_cycles,
            couplings=now,
            bias=bias_now,
            couplings_velocity=now - couplings,
            bias_velocity=bias_now - bias,
            free_spins=none,
            clamped_spins=none,
        )
