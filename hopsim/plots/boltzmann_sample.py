"""The figure of samples from a Boltzmann machine: energies, how soon they are forgotten, and what the units do."""

import msgspec
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from hopsim.errors import InputError
from hopsim.plots import style
from hopsim.plots.contents import (
    INTEGERS,
    Expected,
    check_contents,
    interrupted_note,
    read_settings,
    require_length,
)
from hopsim.storage.run_file import Run

EXPECTED = {
    "energy": Expected(("chain", "draw")),
    "temperature": Expected(()),
    "autocorrelation": Expected(("lag",)),
    "integrated_autocorrelation_time": Expected(()),
    "mean": Expected(("unit",)),
    "unit": Expected(("unit",)),
    "lag": Expected(("lag",)),
    "state": Expected(("chain", "draw", "unit"), INTEGERS, required=False),
}
_MOST_BINS = 60
_MOST_CHAINS = 50  # whose energies are drawn one by one
_MOST_DRAWS, _MOST_UNITS = 300, 300  # that a picture of states shows


class _Settings(msgspec.Struct):
    order: str = "sequential"
    thin: int = 1


def draw(run: Run) -> Figure:
    """Draw a run of boltzmann_sample; without its states if they were not recorded."""
    check_contents(run, EXPECTED)
    settings = read_settings(run, _Settings)
    for dim in ("chain", "draw", "unit"):
        require_length(run, dim)
    if not np.isfinite(run.records["energy"]).all():
        raise InputError(str(run.path), "an energy is not finite")
    with_states = "state" in run.records
    figure = style.new_figure(13.0, 8.6, _title(run, settings))
    panels = figure.subplot_mosaic(
        [["energy", "autocorrelation"], ["mean", "state" if with_states else "mean"]]
    )
    _draw_energies(panels["energy"], run)
    _draw_autocorrelation(panels["autocorrelation"], run)
    _draw_means(panels["mean"], run)
    if with_states:
        _draw_states(panels["state"], run)
    return figure


def _title(run: Run, settings: _Settings) -> str:
    sizes = run.records.sizes
    parts = [
        f"N = {sizes['unit']:,}",
        f"T = {float(run.records['temperature']):g}",
        f"{sizes['chain']:,} chains of {sizes['draw']:,} draws",
        f"{style.printable(settings.order)} updates",
    ]
    if settings.thin != 1:
        parts.insert(3, f"one in {settings.thin} sweeps")
    return f"Boltzmann machine: {', '.join(parts)}{interrupted_note(run)}"


def _draw_energies(axes: Axes, run: Run) -> None:
    """Draw histograms of the energies of all chains and, faint, of each."""
    energy = run.records["energy"]
    n_bins = min(_MOST_BINS, max(8, int(np.sqrt(energy.size))))
    edges = np.histogram_bin_edges(energy, n_bins)
    for chain in energy[:_MOST_CHAINS]:
        axes.stairs(np.histogram(chain, edges, density=True)[0], edges, color=style.PALE, linewidth=0.8)
    axes.stairs(np.histogram(energy, edges, density=True)[0], edges, color=style.BLUE, linewidth=2.2)
    style.name_panel(axes, "energy $E$", "probability density")
    handles: list[Artist] = [
        Line2D([], [], color=style.BLUE, linewidth=2.2, label="all chains"),
        Line2D([], [], color=style.PALE, label="each chain"),
    ]
    style.legend_above(axes, handles)


def _draw_autocorrelation(axes: Axes, run: Run) -> None:
    time = float(run.records["integrated_autocorrelation_time"])
    lag, correlation = run.records["lag"], run.records["autocorrelation"]
    axes.axhline(0.0, color=style.GREY, linewidth=1.0)
    handles: list[Artist] = [*axes.plot(lag, correlation, color=style.BLUE, label="energy")]
    if np.isfinite(time):
        handles.append(axes.axvline(time, color=style.VERMILLION, linestyle="--"))
        handles[-1].set_label(f"integrated time $τ$ = {time:.3g}")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    style.name_panel(axes, "lag (draws)", "autocorrelation")
    style.legend_above(axes, handles)


def _draw_means(axes: Axes, run: Run) -> None:
    mean = run.records["mean"]
    low = -1.0 if mean.min() < 0 else 0.0  # units of ±1, or of 0 and 1
    axes.vlines(run.records["unit"], low, mean, color=style.PALE, linewidth=1.0)
    (marks,) = axes.plot(
        run.records["unit"], mean, "o", color=style.BLUE, markersize=4.0, label="mean over all chains"
    )
    axes.set_ylim(low - 0.04, 1.04)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    style.name_panel(axes, "unit", "mean state")
    style.legend_above(axes, [marks])


def _draw_states(axes: Axes, run: Run) -> None:
    """Draw the last draws of the first chain as a picture, a row a draw."""
    states = run.records["state"][0, -_MOST_DRAWS:, :_MOST_UNITS]
    first = run.records.sizes["draw"] - len(states)
    extent = (-0.5, states.shape[1] - 0.5, first + len(states) - 0.5, first - 0.5)
    axes.imshow(states > 0, cmap="gray_r", aspect="auto", interpolation="nearest", extent=extent)
    axes.set_title("states of the first chain, black = 1")
    style.name_panel(axes, "unit", "draw")
    axes.grid(visible=False)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
