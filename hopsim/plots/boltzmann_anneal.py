"""The figure of an annealing: energies while the temperature falls, and where the chains came to rest."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hopsim.errors import InputError
from hopsim.plots import style
from hopsim.plots.contents import INTEGERS, Expected, check_contents, interrupted_note, require_length
from hopsim.storage.run_file import Run

_MOST_CHAINS = 50  # drawn one by one
EXPECTED = {
    "n_sweeps": Expected(("look",), INTEGERS),
    "temperature": Expected(("look",)),
    "energy": Expected(("chain", "look")),
    "energy_lowest": Expected(("chain",)),
    "n_best": Expected((), INTEGERS),
}


def draw(run: Run) -> Figure:
    """Draw a run of boltzmann_anneal."""
    check_contents(run, EXPECTED)
    n_chains = require_length(run, "chain")
    require_length(run, "look")
    if not np.isfinite(run.records["energy"]).all():
        raise InputError(str(run.path), "an energy is not finite")
    title = f"Annealing: {n_chains:,} chains, {int(run.records['n_best']):,} at the lowest energy found"
    figure = style.new_figure(13.0, 6.2, title + interrupted_note(run))
    energies, lowest = figure.subplots(1, 2, width_ratios=(1.5, 1.0), sharey=False)
    _draw_energies(energies, run)
    _draw_lowest(lowest, run)
    return figure


def _draw_energies(axes: Axes, run: Run) -> None:
    n_sweeps, energy = run.records["n_sweeps"], run.records["energy"]
    axes.plot(n_sweeps, energy[:_MOST_CHAINS].T, color=style.PALE, linewidth=0.7, zorder=1)
    axes.plot(n_sweeps, energy.mean(axis=0), color=style.BLUE, label="mean energy")
    axes.plot(n_sweeps, energy.min(axis=0), color=style.GREEN, label="lowest energy")
    style.name_panel(axes, "sweeps", "energy $E$")
    temperatures = axes.twinx()
    temperatures.plot(
        n_sweeps, run.records["temperature"], color=style.VERMILLION, linestyle="--", label="temperature"
    )
    temperatures.set_ylabel("temperature $T$")
    temperatures.spines["right"].set_visible(True)
    handles = [*axes.get_legend_handles_labels()[0], *temperatures.get_legend_handles_labels()[0]]
    style.legend_above(axes, handles)


def _draw_lowest(axes: Axes, run: Run) -> None:
    lowest = run.records["energy_lowest"]
    axes.hist(lowest, bins=min(40, max(5, len(lowest) // 2)), color=style.SKY)
    axes.axvline(float(lowest.min()), color=style.VERMILLION, linestyle="--", label="lowest")
    style.name_panel(axes, "lowest energy of each chain", "chains")
    axes.legend(loc="upper right")
