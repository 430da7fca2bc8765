"""The figure of the ground-state study: success rates of tempering and of single temperatures, model by model."""

import numpy as np
from matplotlib.figure import Figure

from hopsim.plots import style
from hopsim.plots.contents import TEXT, Expected, check_contents, interrupted_note, require_length
from hopsim.storage.run_file import Run

_RATE = ("model", "method")
EXPECTED = {
    "model": Expected(("model",), TEXT),
    "method": Expected(("method",), TEXT),
    "success_rate": Expected(_RATE),
    "success_low": Expected(_RATE),
    "success_high": Expected(_RATE),
}


def draw(run: Run) -> Figure:
    """Draw a run of boltzmann_ground_states."""
    check_contents(run, EXPECTED)
    n_models = require_length(run, "model")
    title = "Ground states found at equal numbers of updates"
    figure = style.new_figure(4.0 + 1.3 * n_models, 6.0, title + interrupted_note(run))
    axes = figure.subplots()
    places = np.arange(n_models)
    for k, method in enumerate(run.records["method"].tolist()):
        rate, low, high = (run.records[f"success_{name}"][:, k] for name in ("rate", "low", "high"))
        axes.errorbar(
            places + 0.12 * (k - 0.5),
            rate,
            [rate - low, high - rate],
            linestyle="none",
            label=style.printable(method),
            **style.series(k),
        )
    axes.set_xticks(places, [style.printable(name) for name in run.records["model"].tolist()])
    axes.set_xlim(-0.5, n_models - 0.5)
    axes.set_ylim(-0.02, 1.04)
    style.name_panel(axes, "model", "share of tries (95 % interval)")
    style.legend_above(axes, axes.get_legend_handles_labels()[0])
    return figure
