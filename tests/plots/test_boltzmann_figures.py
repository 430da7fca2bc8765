"""The figures of a training run and of the gradient study show the file's records."""

from pathlib import Path

import numpy as np
import pytest

from hopsim.errors import InputError
from hopsim.experiments import boltzmann_gradient, boltzmann_train
from hopsim.plots.figures import draw_figure, save_figure
from hopsim.storage.machine_records import machine_arrays
from hopsim.storage.records import Records
from hopsim.storage.run_file import Run


def training_run(n_units=5, n_visible=3, n_epochs=4, without=(), complete=True, **changed):
    generator = np.random.default_rng(1)
    couplings = generator.normal(size=(n_units, n_units))
    couplings += couplings.T
    np.fill_diagonal(couplings, 0.0)
    arrays = machine_arrays(couplings, generator.normal(size=n_units), "01", n_visible) | {
        "epoch": np.arange(n_epochs),
        "log_likelihood": -4.0 + np.arange(n_epochs, dtype=float),
        "reconstruction": -3.0 + np.arange(n_epochs, dtype=float),
        "gradient_norm": np.array([np.nan, *0.5 ** np.arange(n_epochs - 1)]),
        "couplings_norm": np.arange(n_epochs, dtype=float),
    }
    kept = {name: array for name, array in (arrays | changed).items() if name not in without}
    return Run(Path("run.h5"), "boltzmann_train", {}, Records(boltzmann_train.VARIABLES, kept), {}, complete)


def gradient_run(without=(), **changed):
    generator = np.random.default_rng(1)
    distance = generator.exponential(size=(6, 3))
    z = generator.normal(size=(6, 10))
    z[:3, 6:] = np.nan
    arrays = {
        "machine": np.arange(6),
        "k": np.array([1, 2, 10]),
        "n_units": np.array([3, 3, 3, 4, 4, 4]),
        "noise": np.full(6, 0.01),
        "distance": distance,
        "distance_median": np.median(distance, axis=0),
        "distance_low": np.quantile(distance, 0.25, axis=0),
        "distance_high": np.quantile(distance, 0.75, axis=0),
        "z": z,
    }
    kept = {name: array for name, array in (arrays | changed).items() if name not in without}
    records = Records(boltzmann_gradient.VARIABLES, kept)
    return Run(Path("run.h5"), "boltzmann_gradient", {}, records, {}, True)


def line(axes, label):
    (found,) = (each for each in axes.lines if each.get_label() == label)
    return found.get_xydata()


def test_learning_curves_are_those_of_the_records():
    run = training_run()
    likelihood, norms, machine = draw_figure(run).axes
    drawn = line(likelihood, "log-likelihood, exact")
    assert np.array_equal(drawn, np.column_stack([run.records["epoch"], run.records["log_likelihood"]]))
    assert np.array_equal(line(norms, "|gradient|")[:, 1], run.records["gradient_norm"][1:])
    n_squares = len(machine.collections[0].get_paths())
    assert n_squares == 5 * 4 + 5  # couplings both ways, and biases


def test_without_hidden_units_the_curve_is_the_pseudo_log_likelihood():
    likelihood, *_ = draw_figure(training_run(n_visible=5)).axes
    assert "pseudo-log-likelihood" in [text.get_text() for text in likelihood.get_legend().get_texts()]


@pytest.mark.parametrize(
    "run",
    [
        training_run(n_epochs=1, log_likelihood=np.array([np.nan])),
        training_run(n_units=1, n_visible=1),
        training_run(n_units=500, n_visible=400),
        training_run(complete=False, couplings=np.zeros((5, 5)), bias=np.zeros(5)),
        gradient_run(),
        gradient_run(z=np.full((6, 10), np.nan)),
    ],
    ids=["one epoch", "one unit", "many units", "zeros", "gradient", "no z"],
)
def test_every_run_is_drawn(run, tmp_path):
    save_figure(run, tmp_path / "figure.png", force=False)


def test_the_bias_of_cd_is_that_of_the_records():
    run = gradient_run()
    left, right = draw_figure(run).axes
    drawn = line(left, "median over machines")
    assert np.array_equal(drawn, np.column_stack([run.records["k"], run.records["distance_median"]]))
    assert "48 components" in [text.get_text() for text in right.get_legend().get_texts()]


@pytest.mark.parametrize(
    ("run", "problem"),
    [
        (training_run(without=["bias"]), "holds no bias"),
        (training_run(n_epochs=4, encoding=1), "encoding holds"),
        (gradient_run(without=["z"]), "holds no z"),
    ],
)
def test_other_contents_are_refused(run, problem):
    with pytest.raises(InputError, match=problem):
        draw_figure(run)
