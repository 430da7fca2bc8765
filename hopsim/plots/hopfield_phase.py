"""The figure of a study of the load-temperature plane: measured overlaps, and theory's lines over them."""

import math

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from hopsim.plots import style
from hopsim.plots.contents import INTEGERS, Expected, check_contents, interrupted_note, require_length
from hopsim.storage.run_file import Run
from hopsim.theory.hopfield_phases import coexistence_load, critical_load, spin_glass_temperature

_GRID, _LINE = ("n_neurons", "load", "temperature"), ("n_neurons", "load")
EXPECTED = {
    "n_neurons": Expected(("n_neurons",), INTEGERS),
    "load": Expected(("load",)),
    "temperature": Expected(("temperature",)),
    "overlap_mean": Expected(_GRID),
    "boundary": Expected(_LINE),
    "boundary_low": Expected(_LINE),
    "boundary_high": Expected(_LINE),
}
_MOST_COLUMNS = 3
_EDGE = [withStroke(linewidth=4.0, foreground=style.BLACK)]


def draw(run: Run) -> Figure:
    """Draw a run of hopfield_phase: a heat map of the overlap for each size, from small to large."""
    check_contents(run, EXPECTED)
    n_sizes = require_length(run, "n_neurons")
    require_length(run, "load")
    require_length(run, "temperature")
    n_columns = min(n_sizes, _MOST_COLUMNS)
    n_rows = math.ceil(n_sizes / n_columns)
    title = "Hopfield model: overlap with a stored pattern, started from it" + interrupted_note(run)
    figure = style.new_figure(2.2 + 5.4 * n_columns, 1.9 + 5.0 * n_rows, title)
    panels = figure.subplots(n_rows, n_columns, sharex=True, sharey=True, squeeze=False).ravel()
    for axes, i in zip(panels, np.argsort(run.records["n_neurons"]), strict=False):
        mesh = _draw_overlaps(axes, run, i)
        _draw_lines(axes)
        _draw_boundary(axes, run, i)
        _name_regions(axes)
        axes.set_title(f"$N$ = {run.records['n_neurons'][i]:,}")
    for axes in panels[n_sizes:]:
        axes.remove()
    for axes in panels[max(0, n_sizes - n_columns) : n_sizes]:
        axes.set_xlabel(r"load $\alpha = P/N$")
        axes.tick_params(labelbottom=True)
    for axes in panels[:n_sizes:n_columns]:
        axes.set_ylabel("temperature $T$")
    figure.colorbar(mesh, ax=list(panels[:n_sizes]), label="time-averaged overlap $m$", pad=0.02)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2 if n_columns == 1 else 4)
    return figure


def _draw_overlaps(axes: Axes, run: Run, i: int) -> QuadMesh:
    loads, temperatures = run.records["load"], run.records["temperature"]
    columns, rows = np.argsort(loads), np.argsort(temperatures)
    overlap = np.ma.masked_invalid(run.records["overlap_mean"][i][np.ix_(columns, rows)].T)
    edges = _edges(loads[columns]), _edges(temperatures[rows])
    # what finite networks have below 0 is noise
    mesh = axes.pcolormesh(*edges, overlap, cmap="viridis", vmin=0.0, vmax=1.0, rasterized=True)
    axes.set_facecolor(style.PALE)  # what was not measured
    axes.set_xlim(edges[0][0], edges[0][-1])
    axes.set_ylim(edges[1][0], edges[1][-1])
    return mesh


def _edges(centres: NDArray) -> NDArray:
    """Return the edges of cells around ordered centres: halfway between neighbours, none below 0."""
    if centres.size == 1:
        half = 0.1 * centres[0] or 0.1
        return np.array([centres[0] - half, centres[0] + half]).clip(0.0)
    between = (centres[1:] + centres[:-1]) / 2
    ends = 2 * centres[0] - between[0], 2 * centres[-1] - between[-1]
    return np.concatenate([[max(ends[0], 0.0)], between, [ends[1]]])


def _draw_lines(axes: Axes) -> None:
    """Draw the lines of theory, everywhere and not only at the loads measured."""
    temperatures = np.linspace(0.0, 1.0, 81)
    loads = axes.get_xlim()[1] * np.linspace(0.0, 1.0, 81) ** 2  # T_g rises as a square root
    for load, temperature, dashes, label in (
        (loads, spin_glass_temperature(loads), (0, (1.2, 1.2)), "$T_g$: spins freeze"),
        (critical_load(temperatures), temperatures, "-", "$T_M$: retrieval ends"),
        (coexistence_load(temperatures), temperatures, (0, (4, 1.6)), "$T_c$: retrieval globally stable"),
    ):
        axes.plot(
            load,
            temperature,
            linestyle=dashes,
            color="white",
            linewidth=2.4,
            path_effects=_EDGE,
            label=label,
            scalex=False,
            scaley=False,
        )


def _draw_boundary(axes: Axes, run: Run, i: int) -> None:
    value, low, high = (run.records[f"boundary{end}"][i] for end in ("", "_low", "_high"))
    axes.errorbar(
        run.records["load"],
        value,
        np.maximum([value - low, high - value], 0.0),
        linestyle="",
        marker="o",
        markersize=6.5,
        markeredgecolor="white",
        color=style.VERMILLION,
        ecolor=style.VERMILLION,
        elinewidth=2.0,
        label="measured: recall lost (bars: 95 %)",
    )


def _name_regions(axes: Axes) -> None:
    """Name the phases where they are, as far as they are in the panel."""
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    for name, load, temperature in (
        ("retrieval", 0.022, 0.24),
        ("metastable", 0.082, 0.17),
        ("spin glass", 0.5 * (left + right), 0.82),
        ("paramagnet", 0.5 * (left + right), 1.05 + np.sqrt(0.6 * right)),
    ):
        if left < load < right and bottom < temperature < top:
            axes.text(load, temperature, name, color="white", fontsize=15, ha="center", path_effects=_EDGE)
