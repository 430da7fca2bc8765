"""The figure of XOR: how near machines come to it, from every start, over the number of hidden units."""

import numpy as np
from matplotlib.figure import Figure

from hopsim.plots import style
from hopsim.plots.contents import INTEGERS, TEXT, Expected, check_contents, interrupted_note, require_length
from hopsim.storage.run_file import Run

EXPECTED = {
    "connections": Expected(("connections",), TEXT),
    "n_hidden": Expected(("n_hidden",), INTEGERS),
    "divergence": Expected(("connections", "n_hidden", "start")),
    "divergence_least": Expected(("connections", "n_hidden")),
    "bound": Expected(("n_hidden",)),
}


def draw(run: Run) -> Figure:
    """Draw a run of boltzmann_xor."""
    check_contents(run, EXPECTED)
    n_starts = require_length(run, "start")
    title = f"XOR: divergence after exact minimisation from {n_starts} starts"
    figure = style.new_figure(8.6, 6.0, title + interrupted_note(run))
    axes = figure.subplots()
    n_hidden = run.records["n_hidden"]
    for k, connections in enumerate(run.records["connections"].tolist()):
        name = style.printable(connections)
        shift = 0.06 * (k - 0.5)
        places = np.repeat(n_hidden[:, None] + shift, n_starts, axis=1)
        color = style.SERIES[k % len(style.SERIES)]
        axes.plot(places, run.records["divergence"][k], ".", color=color, alpha=0.5)
        axes.plot(
            n_hidden + shift, run.records["divergence_least"][k], label=f"least, {name}", **style.series(k)
        )
    axes.plot(n_hidden, run.records["bound"], "k--", label="bound of restricted machines")
    axes.set_xticks(n_hidden)
    style.name_panel(axes, "hidden units", "Kullback-Leibler divergence (nats)")
    axes.legend(loc="upper right")
    return figure
