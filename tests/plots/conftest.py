"""Small runs of the shapes that the experiments write."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hopsim.experiments import hopfield_capacity, hopfield_recall
from hopsim.experiments.hopfield_theory import HopfieldTheory
from hopsim.experiments.hopfield_theory import run as run_theory
from hopsim.experiments.observer import Observer
from hopsim.storage.records import Records
from hopsim.storage.run_file import Run

PATH = Path("run.h5")


def a_run(experiment: str, records: Records, configuration: dict[str, Any], complete: bool = True) -> Run:
    return Run(PATH, experiment, configuration, records, {}, complete)


@pytest.fixture
def theory_run() -> Callable[..., Run]:
    """Give what the experiment itself gives."""

    def make(
        loads: tuple[float, ...] = (0.03, 0.1, 0.2), temperatures: tuple[float, ...] = (0.0, 0.3)
    ) -> Run:
        configuration = HopfieldTheory(loads=loads, temperatures=temperatures)
        return a_run("hopfield_theory", run_theory(configuration, Observer()), {})

    return make


@pytest.fixture
def capacity_run() -> Callable[..., Run]:
    """Give a study whose retrieved fraction falls from 1 to 0 around load 0.16."""

    def make(
        *,
        n_neurons: tuple[int, ...] = (500, 1000),
        loads: tuple[float, ...] = (0.10, 0.14, 0.16, 0.20),
        complete: bool = True,
        configuration: dict[str, Any] | None = None,
        **changed: Any,
    ) -> Run:
        sizes, alpha = np.array(n_neurons), np.array(loads)
        n_patterns = np.floor(alpha * sizes[:, None] + 0.5).astype(np.int64)
        fraction = 1 / (1 + np.exp(200 * (n_patterns / sizes[:, None] - 0.16)))
        alpha_c = 0.14 + 0.7 * sizes**-0.5
        arrays = {
            "n_neurons": sizes,
            "load": alpha,
            "n_patterns": n_patterns,
            "overlap_mean": 0.35 + 0.63 * fraction,
            "overlap_se": 0.1 * fraction * (1 - fraction),
            "retrieval_fraction": fraction,
            "retrieval_low": 0.9 * fraction,
            "retrieval_high": 0.9 * fraction + 0.1,
            "alpha_c": alpha_c,
            "alpha_c_low": alpha_c - 0.001,
            "alpha_c_high": alpha_c + 0.002,
            "alpha_c_infinite": np.float64(0.14),
            "alpha_c_infinite_low": np.float64(0.137),
            "alpha_c_infinite_high": np.float64(0.143),
            "alpha_c_theory": np.float64(0.137905566),
            **changed,
        }
        records = Records(hopfield_capacity.VARIABLES, arrays)
        return a_run("hopfield_capacity", records, configuration or {"temperature": 0.0}, complete)

    return make


@pytest.fixture
def recall_run() -> Callable[..., Run]:
    """Give trials that go from a noisy pattern to the pattern in three sweeps, the last one elsewhere."""

    def make(
        *,
        n_trials: int = 3,
        n_patterns: int = 4,
        shape: tuple[int, int] | None = (6, 5),
        n_neurons: int = 30,
        n_times: int = 4,
        without: tuple[str, ...] = (),
        configuration: dict[str, Any] | None = None,
        **changed: Any,
    ) -> Run:
        generator = np.random.default_rng(5)
        patterns = generator.choice(np.array([-1, 1], np.int8), (n_patterns, n_neurons))
        starts = np.arange(n_trials) % n_patterns
        noise = generator.random((n_trials, n_neurons)) < 0.3
        state = np.repeat(patterns[starts][:, None, :], n_times, axis=1)
        state[:, 0][noise] *= -1
        state[-1, -1] = generator.choice(np.array([-1, 1], np.int8), n_neurons)
        overlap = state.astype(float) @ patterns.T / n_neurons
        energy = -n_neurons / 2 * (overlap**2).sum(axis=2)
        followed = overlap[np.arange(n_trials), :, starts]
        arrays = {
            "trial": np.arange(n_trials),
            "time": np.arange(n_times),
            "state": state,
            "overlap": overlap,
            "energy": energy,
            "start_pattern": starts,
            "overlap_initial": followed[:, 0],
            "overlap_final": followed[:, -1],
            "energy_final": energy[:, -1],
            "end_state": ["stored pattern"] * (n_trials - 1) + ["spurious"],
            "pattern_name": [f"P{mu}" for mu in range(n_patterns)],
            "pattern_state": patterns,
        }
        if shape:
            arrays |= {"image_rows": np.int64(shape[0]), "image_columns": np.int64(shape[1])}
        arrays |= changed
        kept = {name: array for name, array in arrays.items() if name not in without}
        settings = {"temperature": 0.0, "rule": "hebbian", "order": "random"} | (configuration or {})
        return a_run("hopfield_recall", Records(hopfield_recall.VARIABLES, kept), settings)

    return make
