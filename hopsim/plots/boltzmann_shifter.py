"""The figure of the shifter: how often the shift is told, and the couplings of one run."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hopsim.plots import style
from hopsim.plots.contents import INTEGERS, Expected, check_contents, interrupted_note, require_length
from hopsim.plots.hinton_diagram import draw_hinton, fits_diagram, sign_legend
from hopsim.storage.run_file import Run

PUBLISHED = (0.50, 0.89)  # Ackley, Hinton, Sejnowski 1985: over the numbers of pixels that are on
EXPECTED = {
    "correct": Expected(("run",)),
    "n_on": Expected(("n_on",), INTEGERS),
    "correct_by_n_on": Expected(("n_on",)),
    "n_tests": Expected(("n_on",), INTEGERS),
    "couplings": Expected(("unit", "unit_2")),
    "n_visible": Expected((), INTEGERS),
}


def draw(run: Run) -> Figure:
    """Draw a run of boltzmann_shifter."""
    check_contents(run, EXPECTED)
    n_runs = require_length(run, "run")
    n_hidden = require_length(run, "unit") - int(run.records["n_visible"])
    title = f"Shifter, {n_hidden} hidden units: {n_runs} runs by the recipe of 1985"
    figure = style.new_figure(13.0, 6.6, title + interrupted_note(run))
    shares, machine = figure.subplots(1, 2, width_ratios=(1.1, 1.0))
    _draw_shares(shares, run)
    couplings = run.records["couplings"]
    if fits_diagram(couplings):
        draw_hinton(machine, couplings)
        style.name_panel(machine, "unit", "unit")
        machine.set_title("couplings of run 0, at T = 1")
    sign_legend(figure, float(np.abs(couplings).max(initial=0.0)))
    return figure


def _draw_shares(axes: Axes, run: Run) -> None:
    n_on, share, n_tests = (run.records[name] for name in ("n_on", "correct_by_n_on", "n_tests"))
    tested = n_tests > 0
    error = np.sqrt(share * (1.0 - share) / np.maximum(n_tests, 1))
    axes.axhspan(*PUBLISHED, color=style.PALE, alpha=0.5, label="published, 0.50 to 0.89")
    axes.axhline(1 / 3, color=style.BLACK, linestyle="--", label="by chance")
    axes.errorbar(n_on[tested], share[tested], error[tested], label="hopsim", **style.series(0))
    axes.set_ylim(0.0, 1.02)
    style.name_panel(axes, "pixels on in the first image", "share of shifts told")
    axes.legend(loc="lower right")
