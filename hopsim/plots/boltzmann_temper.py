"""The figure of parallel tempering: energies at each temperature, and how well replicas change places."""

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from hopsim.errors import InputError
from hopsim.plots import style
from hopsim.plots.contents import INTEGERS, Expected, check_contents, interrupted_note, require_length
from hopsim.storage.run_file import Run

_BINS = 60
EXPECTED = {
    "temperature": Expected(("rung",)),
    "energy_by_temperature": Expected(("chain", "draw", "rung")),
    "swap_rate": Expected(("pair",)),
    "round_trips": Expected(("chain", "replica"), INTEGERS),
}


def draw(run: Run) -> Figure:
    """Draw a run of boltzmann_temper."""
    check_contents(run, EXPECTED)
    n_chains, n_draws = require_length(run, "chain"), require_length(run, "draw")
    n_rungs = require_length(run, "rung")
    if not np.isfinite(run.records["energy_by_temperature"]).all():
        raise InputError(str(run.path), "an energy is not finite")
    trips = run.records["round_trips"]
    title = (
        f"Parallel tempering: {n_rungs} temperatures, {n_chains:,} chains of {n_draws:,} draws, "
        f"{int(trips.sum()):,} round trips"
    )
    figure = style.new_figure(13.0, 6.2, title + interrupted_note(run))
    energies, swaps = figure.subplots(1, 2, width_ratios=(1.4, 1.0))
    _draw_energies(energies, run)
    _draw_swaps(swaps, run)
    return figure


def _draw_energies(axes: Axes, run: Run) -> None:
    energies, temperatures = run.records["energy_by_temperature"], run.records["temperature"]
    low, high = float(energies.min()), float(energies.max())
    edges = np.linspace(low, high if high > low else low + 1.0, _BINS)
    colors = colormaps["viridis"](np.linspace(0.0, 0.92, len(temperatures)))
    for rung, temperature in enumerate(temperatures):
        density, _ = np.histogram(energies[:, :, rung], edges, density=True)
        ends = rung in (0, len(temperatures) - 1)
        label = f"T = {temperature:.3g}" if ends else None
        axes.stairs(density, edges, color=colors[rung], linewidth=1.6, label=label)
    style.name_panel(axes, "energy $E$", "probability density")
    axes.legend(loc="upper right")


def _draw_swaps(axes: Axes, run: Run) -> None:
    temperatures, rates = run.records["temperature"], run.records["swap_rate"]
    between = np.sqrt(temperatures[:-1] * temperatures[1:])
    axes.plot(between, rates, **style.series(0))
    axes.plot(
        temperatures, np.zeros(len(temperatures)), "|", color=style.BLACK, markersize=12, label="ladder"
    )
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_ylim(-0.02, 1.02)
    style.name_panel(axes, "temperature $T$", "swaps made with the next temperature")
    axes.legend(loc="upper right")
