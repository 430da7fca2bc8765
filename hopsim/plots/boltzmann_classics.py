"""The figure of the classic experiments: what was found beside what was published, shares and cycles."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from hopsim.plots import style
from hopsim.plots.contents import TEXT, Expected, check_contents, interrupted_note, require_length
from hopsim.storage.run_file import Run

_ROW = ("row",)
EXPECTED = {
    "task": Expected(_ROW, TEXT),
    "quantity": Expected(_ROW, TEXT),
    "value": Expected(_ROW),
    "published": Expected(_ROW),
}


def draw(run: Run) -> Figure:
    """Draw a run of boltzmann_classics."""
    check_contents(run, EXPECTED)
    n_rows = require_length(run, "row")
    names = np.array(
        [
            f"{style.printable(task)}: {quantity}"
            for task, quantity in zip(run.records["task"], run.records["quantity"], strict=True)
        ]
    )
    in_cycles = np.array(["cycles" in name for name in names])
    title = "The classic experiments, beside what was published"
    figure = style.new_figure(15.0, 2.0 + 0.3 * n_rows, title + interrupted_note(run))
    shares, cycles = figure.subplots(1, 2)
    _draw_rows(shares, run, names, ~in_cycles, "share, or divergence (nats)")
    _draw_rows(cycles, run, names, in_cycles, "learning cycles")
    if in_cycles.any():
        cycles.set_xscale("log")
    return figure


def _draw_rows(axes: Axes, run: Run, names: NDArray, shown: NDArray[np.bool_], label: str) -> None:
    places = np.arange(int(shown.sum()))
    axes.plot(
        run.records["published"][shown], places, "D", color=style.BLACK, fillstyle="none", label="published"
    )
    axes.plot(run.records["value"][shown], places, "o", color=style.BLUE, label="hopsim")
    axes.set_yticks(places, names[shown].tolist())
    axes.set_ylim(max(len(places), 1) - 0.5, -0.5)
    style.name_panel(axes, label, "")
    style.legend_above(axes, axes.get_legend_handles_labels()[0])
