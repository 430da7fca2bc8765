"""The figure of a training run: learning curves, and the couplings and biases that were learned."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hopsim.plots import style
from hopsim.plots.contents import INTEGERS, TEXT, Expected, check_contents, interrupted_note, require_length
from hopsim.plots.hinton_diagram import draw_hinton, fits_diagram, sign_legend
from hopsim.storage.run_file import Run

_EPOCH = ("epoch",)
EXPECTED = {
    "epoch": Expected(_EPOCH, INTEGERS),
    "couplings": Expected(("unit", "unit_2")),
    "bias": Expected(("unit",)),
    "n_visible": Expected((), INTEGERS),
    "encoding": Expected((), TEXT),
    "log_likelihood": Expected(_EPOCH),
    "reconstruction": Expected(_EPOCH),
    "gradient_norm": Expected(_EPOCH),
    "couplings_norm": Expected(_EPOCH),
}


def draw(run: Run) -> Figure:
    """Draw a run of boltzmann_train."""
    check_contents(run, EXPECTED)
    n_units = require_length(run, "unit")
    require_length(run, "epoch")
    n_visible = int(run.records["n_visible"])
    title = f"Boltzmann machine, {n_visible} visible and {n_units - n_visible} hidden units"
    figure = style.new_figure(13.5, 7.2, title + interrupted_note(run))
    grid = figure.add_gridspec(2, 2, width_ratios=(1.0, 1.1))
    likelihood, norms = figure.add_subplot(grid[0, 0]), figure.add_subplot(grid[1, 0])
    _draw_likelihood(likelihood, run)
    _draw_norms(norms, run)
    largest = _draw_machine(figure.add_subplot(grid[:, 1]), run, n_visible)
    sign_legend(figure, largest)
    return figure


def _draw_likelihood(axes: Axes, run: Run) -> None:
    hidden = len(run.records["bias"]) > int(run.records["n_visible"])
    conditional = "$\\Sigma_i$ log $p(v_i|$others$)$" if hidden else "pseudo-log-likelihood"
    for name, label, color, width in (
        ("reconstruction", conditional, style.ORANGE, 1.2),
        ("log_likelihood", "log-likelihood, exact", style.BLUE, 2.4),
    ):
        values = run.records[name]
        measured = np.isfinite(values)
        if measured.any():
            axes.plot(
                run.records["epoch"][measured], values[measured], label=label, color=color, linewidth=width
            )
    style.name_panel(axes, "", "nats a data row")
    if axes.lines:
        axes.legend(loc="lower right")


def _draw_norms(axes: Axes, run: Run) -> None:
    for k, (name, label) in enumerate((("gradient_norm", "|gradient|"), ("couplings_norm", "rms coupling"))):
        values = run.records[name]
        positive = np.isfinite(values) & (values > 0)
        if positive.any():
            axes.plot(
                run.records["epoch"][positive], values[positive], color=style.SERIES[2 + k], label=label
            )
    style.name_panel(axes, "epoch", "norm")
    if axes.lines:
        axes.set_yscale("log")
        axes.legend(loc="best")


def _draw_machine(axes: Axes, run: Run, n_visible: int) -> float:
    """Draw couplings, biases as one more column, lines between visible and hidden units; return the largest size."""
    couplings, bias = run.records["couplings"], run.records["bias"]
    matrix = np.column_stack([couplings, np.full(len(bias), np.nan), bias])
    largest = float(np.abs(np.nan_to_num(matrix)).max())
    if not fits_diagram(matrix):
        axes.set_axis_off()
        axes.text(0.5, 0.5, "too many units\nfor a Hinton diagram", ha="center", transform=axes.transAxes)
        return largest
    draw_hinton(axes, matrix, largest)
    axes.axvspan(len(bias) - 0.5, len(bias) + 0.5, color="white")
    if n_visible < len(bias):
        axes.axhline(n_visible - 0.5, color=style.GREY, linewidth=1.0)
        axes.plot([n_visible - 0.5] * 2, [-0.5, len(bias) - 0.5], color=style.GREY, linewidth=1.0)
    ticks = [tick for tick in axes.get_xticks() if 0 <= tick < len(bias)]
    axes.set_xticks([*ticks, len(bias) + 1], [*(f"{tick:.0f}" for tick in ticks), "bias"])
    axes.set_xlabel("unit")
    axes.set_ylabel("unit")
    return largest
