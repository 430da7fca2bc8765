"""From options to what learns, and learning from beginning to end."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hopsim.learning.annealed_trainer import AnnealedTrainer
from hopsim.learning.boltzmann_learning import BoltzmannTrainer, LearningState, Trainer
from hopsim.learning.learning_options import BoltzmannLearning
from hopsim.models.boltzmann import BoltzmannModel


def start_trainer(
    model: BoltzmannModel,
    data: ArrayLike,
    configuration: BoltzmannLearning,
    mask: NDArray[np.bool_] | None = None,
    state: LearningState | None = None,
    tick: Callable[[], None] = lambda: None,
) -> Trainer:
    """Return the trainer that a configuration names; parameters and errors as `BoltzmannTrainer`."""
    kind = BoltzmannTrainer if configuration.recipe is None else AnnealedTrainer
    return kind(model, data, configuration, mask, state, tick)


def fit(
    model: BoltzmannModel,
    data: ArrayLike,
    configuration: BoltzmannLearning,
    mask: NDArray[np.bool_] | None = None,
    tick: Callable[[], None] = lambda: None,
) -> BoltzmannModel:
    """Return the machine that `model` becomes by learning from `data` (n_data, n_visible).

    Raises
    ------
    InputError
        As `BoltzmannTrainer`.
    RunError
        If learning diverges.

    Examples
    --------
    >>> from hopsim.models.boltzmann import boltzmann_model
    >>> data = [[0, 0], [1, 1], [1, 1], [0, 0], [0, 1]]
    >>> learned = fit(boltzmann_model([[0, 0], [0, 0]]), data, BoltzmannLearning(phases="exact", seed=1))
    >>> bool(learned.couplings[0, 1] > 0.5)
    True
    """
    trainer = start_trainer(model, data, configuration, mask, tick=tick)
    while trainer.state.step < trainer.n_steps:
        trainer.step()
    return trainer.model
