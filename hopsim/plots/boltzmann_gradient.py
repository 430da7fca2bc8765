"""The figure of the gradient study: the bias of CD-k over k, and the sampled gradient from exact states."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hopsim.plots import style
from hopsim.plots.contents import INTEGERS, Expected, check_contents, interrupted_note, require_length
from hopsim.storage.run_file import Run

_K = ("k",)
EXPECTED = {
    "k": Expected(_K, INTEGERS),
    "n_units": Expected(("machine",), INTEGERS),
    "noise": Expected(("machine",)),
    "distance": Expected(("machine", "k")),
    "distance_median": Expected(_K),
    "distance_low": Expected(_K),
    "distance_high": Expected(_K),
    "z": Expected(("machine", "component")),
}


def draw(run: Run) -> Figure:
    """Draw a run of boltzmann_gradient."""
    check_contents(run, EXPECTED)
    n_machines = require_length(run, "machine")
    require_length(run, "k")
    sizes = run.records["n_units"]
    title = f"Gradient from Gibbs chains against the exact one: {n_machines} random Boltzmann machines"
    units = f" of {sizes.min()} to {sizes.max()} units"
    figure = style.new_figure(13.0, 6.0, title + units + interrupted_note(run))
    left, right = figure.subplots(1, 2)
    _draw_bias(left, run)
    _draw_deviations(right, run)
    return figure


def _draw_bias(axes: Axes, run: Run) -> None:
    k, records = run.records["k"], run.records
    axes.plot(k, records["distance"].T, color=style.PALE, linewidth=0.7, zorder=1)
    axes.fill_between(
        k, records["distance_low"], records["distance_high"], color=style.SKY, alpha=0.4, label="quartiles"
    )
    axes.plot(k, records["distance_median"], label="median over machines", **style.series(0))
    axes.axhline(
        float(np.median(records["noise"])), color=style.BLACK, linestyle="--", label="sampling noise alone"
    )
    style.name_panel(axes, "$k$, sweeps from the data", "|CD-$k$ gradient $-$ exact gradient|")
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.legend(loc="upper right")


def _draw_deviations(axes: Axes, run: Run) -> None:
    z = run.records["z"][np.isfinite(run.records["z"])]
    counts, edges = np.histogram(z.clip(-5.0, 5.0), 50, (-5.0, 5.0))
    density = counts / max(z.size, 1) / (edges[1] - edges[0])
    axes.stairs(density, edges, fill=True, color=style.SKY, label=f"{z.size} components")
    x = np.linspace(-5.0, 5.0, 201)
    axes.plot(x, np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi), color=style.BLACK, label="standard normal")
    style.name_panel(axes, "sampled $-$ exact gradient, in standard errors", "density")
    axes.set_title("chains that start from exact states")
    axes.legend(loc="upper right")
