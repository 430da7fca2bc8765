"""The figure of the load-temperature plane: its cells, lines and points, and runs that lack some of them."""

from pathlib import Path

import msgspec
import numpy as np
import pytest
from matplotlib.collections import QuadMesh

from hopsim.errors import InputError
from hopsim.experiments.hopfield_phase import HopfieldPhase
from hopsim.experiments.hopfield_phase import run as run_phase
from hopsim.experiments.observer import Observer
from hopsim.plots.figures import draw_figure, save_figure
from hopsim.storage.run_file import Run
from hopsim.theory.hopfield_phases import retrieval_temperature, spin_glass_temperature


@pytest.fixture
def phase_run():
    """Give what the experiment itself gives."""

    def make(complete=True, **options):
        settings = {
            "n_neurons": (200, 100),
            "loads": (0.1, 0.02, 0.05),
            "temperatures": (0.9, 0.1, 1.4),
            "n_networks": 2,
            "burn_in": 5,
            "n_sweeps": 5,
            "seed": 1,
        }
        configuration = HopfieldPhase(**{**settings, **options})
        records = run_phase(configuration, Observer())
        return Run(
            Path("run.h5"), "hopfield_phase", msgspec.to_builtins(configuration), records, {}, complete
        )

    return make


def mesh_of(axes):
    (mesh,) = (each for each in axes.collections if isinstance(each, QuadMesh))
    return mesh


def line(axes, start):
    (found,) = (each for each in axes.lines if str(each.get_label()).startswith(start))
    return found.get_xydata()


def test_each_size_has_a_panel_with_its_overlaps(phase_run):
    """From small to large size, loads and temperatures in order, whatever their order in the file."""
    run = phase_run()
    small, large, bar = draw_figure(run).axes
    assert [axes.get_title() for axes in (small, large)] == ["$N$ = 100", "$N$ = 200"]
    assert bar.get_ylabel() == "time-averaged overlap $m$"
    for axes, i in ((small, 1), (large, 0)):
        mesh = mesh_of(axes)
        sorted_cells = run.records["overlap_mean"][i][np.ix_([1, 2, 0], [1, 0, 2])]
        assert np.array_equal(np.asarray(mesh.get_array()), sorted_cells.T)
        edges = np.asarray(mesh.get_coordinates())
        assert edges[0, :, 0] == pytest.approx([0.005, 0.035, 0.075, 0.125])
        assert edges[:, 0, 1] == pytest.approx([0.0, 0.5, 1.15, 1.65])  # none below 0


def test_the_lines_are_those_of_theory(phase_run):
    axes = draw_figure(phase_run()).axes[0]
    load, temperature = line(axes, "$T_M$")[5:-1:15].T  # not the ends, where it is steep
    above = load < 0.137  # below its tip the line bends back
    assert retrieval_temperature(load[above]) == pytest.approx(temperature[above], abs=1e-9)
    load, temperature = line(axes, "$T_g$").T
    assert spin_glass_temperature(load) == pytest.approx(temperature)
    assert load[-1] == axes.get_xlim()[1]
    assert [text.get_text() for text in axes.texts] == ["retrieval", "metastable", "spin glass", "paramagnet"]


def test_the_points_are_the_boundaries_of_the_records(phase_run):
    run = phase_run()
    for axes, i in zip(draw_figure(run).axes, (1, 0), strict=False):
        (container,) = axes.containers
        points, _, (bars,) = container.lines
        assert np.array_equal(points.get_ydata(), run.records["boundary"][i], equal_nan=True)
        assert np.isfinite(points.get_ydata()).any()
        ends = np.array([segment[:, 1] for segment in bars.get_segments() if len(segment)])
        known = np.isfinite(run.records["boundary"][i])
        assert ends[:, 0] == pytest.approx(run.records["boundary_low"][i][known])
        assert ends[:, 1] == pytest.approx(run.records["boundary_high"][i][known])


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        {"n_neurons": (100,), "loads": (0.05,), "temperatures": (0.5,)},
        {"n_neurons": (100, 120, 140, 160), "temperatures": (0.0,)},
        {"loads": (0.5, 1.0), "temperatures": (2.0, 3.0)},  # far from all lines
    ],
)
def test_any_grid_is_drawn(options, phase_run, tmp_path):
    run = phase_run(**options)
    save_figure(run, tmp_path / "figure.png", force=False)
    assert len(draw_figure(run).axes) == len(run.records["n_neurons"]) + 1


def test_an_interrupted_run_is_drawn_without_the_cells_that_are_missing(phase_run):
    run = phase_run(complete=False)
    run.records["overlap_mean"][0] = np.nan
    run.records["boundary"][:] = np.nan
    figure = draw_figure(run)
    assert "interrupted" in figure.get_suptitle()
    assert mesh_of(figure.axes[1]).get_array().mask.all()


def test_a_file_without_the_overlaps_is_refused(phase_run):
    run = phase_run()
    del run.records.variables["overlap_mean"], run.records._arrays["overlap_mean"]
    with pytest.raises(InputError, match=r"^run.h5: holds no overlap_mean"):
        draw_figure(run)
