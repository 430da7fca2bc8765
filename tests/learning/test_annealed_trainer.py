"""The recipe of 1985 as a trainer: it goes on from a state to the same bits, and minds its mask."""

import numpy as np
import pytest

from hopsim.errors import InputError
from hopsim.learning.annealed_trainer import AnnealedTrainer
from hopsim.learning.learning_options import BoltzmannLearning
from hopsim.models.boltzmann import boltzmann_model

DATA = np.tile(np.eye(3, dtype=int), 2)
OPTIONS = BoltzmannLearning(recipe="1985", n_epochs=12, connections="no-hidden-hidden", seed=5)


def start():
    return boltzmann_model(np.zeros((8, 8)), n_visible=6)


def test_a_trainer_goes_on_from_a_state_to_the_same_bits():
    whole = AnnealedTrainer(start(), DATA, OPTIONS)
    reports = [whole.step() for _ in range(12)]
    first = AnnealedTrainer(start(), DATA, OPTIONS)
    for _ in range(5):
        first.step()
    second = AnnealedTrainer(start(), DATA, OPTIONS, state=first.state)
    assert [second.step() for _ in range(7)][-1].gradient_norm == reports[-1].gradient_norm
    assert second.state.step == whole.n_steps == 12
    for name in ("couplings", "bias", "couplings_velocity", "bias_velocity"):
        assert (getattr(second.state, name) == getattr(whole.state, name)).all()
    assert not whole.model.couplings[6:, 6:].any()
    assert whole.model.couplings[:6, 6:].any()


def test_what_it_cannot_train_is_refused():
    with pytest.raises(InputError, match=r"^encoding: the recipe of 1985"):
        AnnealedTrainer(boltzmann_model(np.zeros((8, 8)), encoding="pm1", n_visible=6), 2 * DATA - 1, OPTIONS)
    with pytest.raises(InputError, match=r"^data: "):
        AnnealedTrainer(start(), DATA[:, :5], OPTIONS)
    with pytest.raises(InputError, match=r"^mask: "):
        AnnealedTrainer(start(), DATA, OPTIONS, mask=np.ones((3, 3), bool))
    with pytest.raises(InputError, match=r"^recipe: expected one of 1985"):
        BoltzmannLearning(recipe="1986")
