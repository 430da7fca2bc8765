"""The figure of a study of basins: its curves and intervals, one synchronous step, and other rules."""

from pathlib import Path

import msgspec
import numpy as np
import pytest
from matplotlib.markers import CARETDOWNBASE

from hopsim.experiments.hopfield_basins import HopfieldBasins
from hopsim.experiments.hopfield_basins import run as run_basins
from hopsim.experiments.observer import Observer
from hopsim.plots.figures import draw_figure, save_figure
from hopsim.storage.run_file import Run


@pytest.fixture
def basins_run():
    """Give what the experiment itself gives."""

    def make(complete=True, **options):
        settings = {
            "n_neurons": (200, 100),
            "loads": (0.1, 0.04),
            "start_overlaps": (0.9, 0.1, 0.5, 0.3, 0.7),
            "n_networks": 10,
            "n_trials": 1,
            "seed": 1,
        }
        configuration = HopfieldBasins(**{**settings, **options})
        records = run_basins(configuration, Observer())
        return Run(
            Path("run.h5"), "hopfield_basins", msgspec.to_builtins(configuration), records, {}, complete
        )

    return make


def curves(axes):
    """Coordinates of the lines with markers."""
    return [line.get_xydata() for line in axes.lines if line.get_marker() == "o" and len(line.get_xdata())]


def test_the_curves_are_those_of_the_largest_size(basins_run):
    """From small to large load, start overlaps in order."""
    run = basins_run()
    left, _, bar = draw_figure(run).axes
    assert bar.get_ylabel() == r"load $\alpha = P/N$"
    assert left.get_title().startswith("$N$ = 200")
    order = [1, 3, 2, 4, 0]
    drawn = [curve for curve in curves(left) if len(curve) == 5]
    for curve, k in zip(drawn, (1, 0), strict=True):
        assert np.array_equal(curve[:, 0], run.records["start_overlap"][order])
        assert np.array_equal(curve[:, 1], run.records["retrieval_fraction"][0, k, order])


def test_the_edges_are_those_of_the_records_for_all_sizes(basins_run):
    run = basins_run()
    _, right, _ = draw_figure(run).axes
    named = [each for each in right.containers if str(each.get_label()).startswith("$N$")]
    assert [each.get_label() for each in named] == [
        "$N$ = 100: half of the recalls succeed",
        "$N$ = 200: half of the recalls succeed",
    ]
    for container, i in zip(named, (1, 0), strict=True):
        points, _, (bars,) = container.lines
        assert np.array_equal(points.get_ydata(), run.records["overlap_half"][i, ::-1])
        ends = np.array([segment[:, 1] for segment in bars.get_segments()])
        assert ends[:, 0] == pytest.approx(run.records["overlap_half_low"][i, ::-1])
        assert ends[:, 1] == pytest.approx(run.records["overlap_half_high"][i, ::-1])


def test_an_edge_below_all_start_overlaps_is_an_arrow(basins_run):
    """All recalls succeed from 0.8 on: what is known is that the edge lies below."""
    run = basins_run(n_neurons=(200,), loads=(0.02,), start_overlaps=(0.8, 0.9))
    _, right, _ = draw_figure(run).axes
    (arrow,) = (line for line in right.lines if line.get_marker() == CARETDOWNBASE)
    assert arrow.get_ydata() == pytest.approx(run.records["overlap_half_high"][0] - 0.04)
    assert run.records["overlap_half_high"].tolist() == [[0.8]]


def test_one_synchronous_sweep_is_drawn_beside_the_error_function(basins_run):
    run = basins_run(order="synchronous", max_sweeps=1)
    axes, _ = draw_figure(run).axes
    assert "first parallel step" in axes.figure.get_suptitle()
    lines = [line.get_xydata() for line in axes.lines if len(line.get_xdata()) == 200]
    for curve, k in zip(lines, (1, 0), strict=True):
        theory = run.records["first_step_theory"][k]
        assert np.interp(run.records["start_overlap"], *curve.T) == pytest.approx(theory, abs=1e-3)
    for points, k in zip(curves(axes), (1, 0), strict=True):
        assert np.array_equal(points[:, 1], run.records["overlap_mean"][0, k])


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        {"n_neurons": (100,), "loads": (0.1,), "start_overlaps": (0.5,), "n_networks": 1},
        {"rule": "pseudo_inverse", "n_neurons": (50,)},
        {"rule": "storkey", "n_neurons": (50,), "order": "synchronous", "max_sweeps": 1},
        {"loads": (0.5, 2.0), "complete": False},
    ],
)
def test_any_study_is_drawn(options, basins_run, tmp_path):
    save_figure(basins_run(**options), tmp_path / "figure.png", force=False)
