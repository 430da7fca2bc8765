"""The figure of the theory shows the file's points, on curves that pass through them."""

import numpy as np
import pytest
from matplotlib.colors import to_hex

from hopsim.plots.figures import draw_figure, save_figure


def points(axes):
    """Coordinates of all markers without a line, in the order drawn."""
    return [
        line.get_xydata() for line in axes.lines if line.get_marker() != "" and line.get_linestyle() == "None"
    ]


def labels(axes):
    return [text.get_text() for text in axes.get_legend().get_texts()]


def test_the_points_are_those_of_the_records(theory_run):
    run = theory_run()
    overlaps, phases = draw_figure(run).axes
    assert labels(overlaps) == ["$T$ = 0", "$T$ = 0.3"]
    for i, drawn in enumerate(points(overlaps)):
        assert np.array_equal(drawn[:, 0], run.records["load"])
        assert np.array_equal(drawn[:, 1], run.records["overlap"][:, i], equal_nan=True)
    drawn = points(phases)
    for name, line in zip(("spin_glass", "retrieval", "coexistence", "at"), drawn, strict=True):
        assert np.array_equal(line[:, 1], run.records[f"temperature_{name}"], equal_nan=True), name


def test_the_curves_pass_through_the_points(theory_run):
    """To the interpolation error of 300 points of a curve, except near its vertical end."""
    run = theory_run(loads=(0.03, 0.06, 0.1), temperatures=(0.0,))
    overlaps, phases = draw_figure(run).axes
    curve = overlaps.lines[0].get_xydata()
    assert np.interp(run.records["load"], *curve.T) == pytest.approx(run.records["overlap"][:, 0], abs=1e-5)
    at_retrieval = phases.lines[3].get_xydata()[::-1]  # T_M, from T = 1 down
    assert phases.lines[4].get_xydata()[:, 1] == pytest.approx(
        np.interp(run.records["load"], *at_retrieval.T), abs=1e-3
    )


def test_the_phases_are_named(theory_run):
    _, phases = draw_figure(theory_run()).axes
    assert {text.get_text() for text in phases.texts} == {
        "paramagnet",
        "spin glass",
        "retrieval",
        "retrieval,\nmetastable",
    }


def test_a_temperature_without_retrieval_says_so(theory_run):
    overlaps, _ = draw_figure(theory_run(temperatures=(0.0, 1.0, 2.0))).axes
    assert labels(overlaps)[1:] == ["$T$ = 1 (no retrieval)", "$T$ = 2 (no retrieval)"]


def test_many_temperatures_have_a_colour_bar(theory_run):
    figure = draw_figure(theory_run(temperatures=tuple(np.linspace(0.0, 0.9, 10))))
    overlaps, _, bar = figure.axes
    assert overlaps.get_legend() is None
    assert bar.get_ylabel() == "temperature $T$"
    assert len({to_hex(line.get_color()) for line in overlaps.lines}) == 10


@pytest.mark.parametrize("loads", [(0.1,), (0.0,), (0.5, 3.0)])
def test_one_point_and_loads_beyond_retrieval_are_drawn(loads, theory_run, tmp_path):
    save_figure(theory_run(loads=loads, temperatures=(0.0,)), tmp_path / "figure.png", force=False)
