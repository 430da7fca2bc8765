"""The figure of samples: energies of all chains and of each, their autocorrelation, the units' means and states."""

from pathlib import Path

import numpy as np
import pytest

from hopsim.errors import InputError
from hopsim.experiments.boltzmann_sample import VARIABLES
from hopsim.plots.figures import draw_figure, save_figure
from hopsim.storage.records import Records
from hopsim.storage.run_file import Run

N_CHAINS, N_DRAWS, N_UNITS, N_LAGS = 3, 400, 12, 20


def sample_run(without=(), complete=True, **changed):
    generator = np.random.default_rng(1)
    states = generator.integers(0, 2, (N_CHAINS, N_DRAWS, N_UNITS)).astype(np.int8)
    arrays = {
        "state": states,
        "energy": generator.normal(-3.0, 1.0, (N_CHAINS, N_DRAWS)),
        "temperature": 0.5,
        "unit": np.arange(N_UNITS),
        "mean": states.mean(axis=(0, 1)),
        "autocorrelation": 0.5 ** np.arange(N_LAGS),
        "integrated_autocorrelation_time": 3.0,
    }
    kept = {name: array for name, array in (arrays | changed).items() if name not in without}
    settings = {"order": "random", "thin": 5}
    return Run(Path("run.h5"), "boltzmann_sample", settings, Records(VARIABLES, kept), {}, complete)


def panel(figure, name):
    (found,) = (axes for axes in figure.axes if axes.get_ylabel() == name)
    return found


def test_the_panels_show_the_records():
    run = sample_run()
    figure = draw_figure(run)
    correlation, time = panel(figure, "autocorrelation").lines[1:]
    assert np.array_equal(correlation.get_xdata(), np.arange(N_LAGS))
    assert np.array_equal(correlation.get_ydata(), run.records["autocorrelation"])
    assert time.get_xdata()[0] == 3.0
    (means,) = panel(figure, "mean state").lines
    assert np.array_equal(means.get_ydata(), run.records["mean"])
    (picture,) = panel(figure, "draw").images
    assert np.array_equal(picture.get_array(), run.records["state"][0, -300:] > 0)
    assert panel(figure, "draw").get_ylim() == (399.5, 99.5)


def test_all_chains_and_each_have_a_histogram():
    """As densities, so that they can be compared: each holds an area of 1."""
    figure = draw_figure(sample_run())
    outlines = panel(figure, "probability density").patches
    assert len(outlines) == N_CHAINS + 1
    for outline in outlines:
        density, edges, _ = outline.get_data()
        assert density @ np.diff(edges) == pytest.approx(1.0, abs=1e-12)


def test_the_title_says_what_was_sampled():
    title = draw_figure(sample_run(complete=False)).get_suptitle().replace("\n", " ")
    assert title.startswith("Boltzmann machine: N = 12, T = 0.5, 3 chains of 400 draws, one in 5 sweeps")
    assert "random updates" in title
    assert title.endswith("(interrupted: finished points only)")


@pytest.mark.parametrize(
    "run",
    [
        sample_run(without=["state"]),
        sample_run(mean=np.linspace(-1, 1, N_UNITS)),
        sample_run(integrated_autocorrelation_time=np.nan, autocorrelation=np.full(N_LAGS, np.nan)),
        sample_run(energy=np.full((N_CHAINS, N_DRAWS), -2.0)),
    ],
    ids=["no states", "units of ±1", "nothing known of correlations", "one energy"],
)
def test_less_or_other_contents_are_drawn_too(run, tmp_path):
    save_figure(run, tmp_path / "sample.png", force=False)
    n_panels = len(draw_figure(run).axes)
    assert n_panels == 3 + ("state" in run.records)


@pytest.mark.parametrize(
    ("run", "problem"),
    [
        (sample_run(without=["energy"]), "holds no energy"),
        (sample_run(energy=np.full((N_CHAINS, N_DRAWS), np.nan)), "an energy is not finite"),
        (sample_run(energy=np.zeros((N_CHAINS, 0)), without=["state"]), "holds no draw"),
        (sample_run(unit=[f"unit {i}" for i in range(N_UNITS)]), "unit holds"),
    ],
    ids=["no energies", "NaN", "no draws", "names of units"],
)
def test_files_that_hold_something_else_are_refused(run, problem):
    with pytest.raises(InputError, match=problem):
        draw_figure(run)
