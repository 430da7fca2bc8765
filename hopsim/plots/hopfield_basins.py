"""The figure of a study of basins of attraction: recall against the start overlap, and the basins' edge."""

from typing import Annotated, Any

import msgspec
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from numpy.typing import NDArray

from hopsim.plots import style
from hopsim.plots.contents import (
    INTEGERS,
    Expected,
    check_contents,
    interrupted_note,
    read_settings,
    require_length,
)
from hopsim.plots.hopfield_theory import draw_overlap_curve
from hopsim.storage.run_file import Run
from hopsim.theory.first_step import first_step_overlap

_CURVE, _GRID = ("n_neurons", "load"), ("n_neurons", "load", "start_overlap")
EXPECTED = {
    "n_neurons": Expected(("n_neurons",), INTEGERS),
    "load": Expected(("load",)),
    "start_overlap": Expected(("start_overlap",)),
    "overlap_mean": Expected(_GRID),
    "overlap_se": Expected(_GRID),
    "retrieval_fraction": Expected(_GRID),
    "retrieval_low": Expected(_GRID),
    "retrieval_high": Expected(_GRID),
    "overlap_half": Expected(_CURVE),
    "overlap_half_low": Expected(_CURVE),
    "overlap_half_high": Expected(_CURVE),
    "alpha_c_theory": Expected(()),
}
_START = "overlap $m_0$ at the start"


class _Settings(msgspec.Struct):
    rule: str = "hebbian"
    order: str = "random"
    success: Annotated[float, msgspec.Meta(gt=0.0, lt=1.0)] = 0.9
    max_sweeps: int = 1000


def draw(run: Run) -> Figure:
    """Draw a run of hopfield_basins: the largest size over the start overlap, all sizes over the load.

    A run of a single synchronous sweep shows the first parallel step instead.
    """
    check_contents(run, EXPECTED)
    settings = read_settings(run, _Settings)
    for dim in _GRID:
        require_length(run, dim)
    if settings.order == "synchronous" and settings.max_sweeps == 1:
        figure = style.new_figure(8.2, 6.6, _title("first parallel step", run, settings))
        _draw_first_step(figure.subplots(), run, settings)
        return figure
    n_sizes = run.records.sizes["n_neurons"]
    figure = style.new_figure(13.5, 5.8 + 0.1 * n_sizes, _title("basins of attraction", run, settings))
    left, right = figure.subplots(1, 2)
    _draw_retrieval(left, run, settings)
    _draw_edges(right, run)
    handles, labels = right.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3)
    return figure


def _title(what: str, run: Run, settings: _Settings) -> str:
    rule = style.rule_name(settings.rule)
    return f"Hopfield {what}: {rule}, T = 0, {settings.order} updates{interrupted_note(run)}"


def _shades(axes: Axes, run: Run) -> dict[int, Any]:
    """Return a colour for each load, from small to large, and draw their scale beside the panel."""
    loads = run.records["load"]
    order = np.argsort(loads).tolist()
    span = Normalize(0.0, 1.08 * loads.max())  # the palest colours are too faint for lines
    shades = ScalarMappable(span, "viridis")
    bar = axes.figure.colorbar(shades, ax=axes, label=r"load $\alpha = P/N$", pad=0.02)
    bar.ax.set_ylim(0.0, loads.max())
    return {k: shades.to_rgba(loads[k]) for k in order}


def _largest(run: Run) -> tuple[int, str]:
    i = int(np.argmax(run.records["n_neurons"]))
    return i, _size_text(run, i)


def _size_text(run: Run, i: int) -> str:
    return f"$N$ = {run.records['n_neurons'][i]:,}"


def _bars(value: NDArray, low: NDArray, high: NDArray) -> NDArray:
    return np.maximum([value - low, high - value], 0.0)  # rounding may make one slightly negative


def _draw_retrieval(axes: Axes, run: Run, settings: _Settings) -> None:
    i, size = _largest(run)
    order = np.argsort(run.records["start_overlap"])
    axes.axhline(0.5, color=style.GREY, linewidth=1.0, linestyle=":")
    for k, color in _shades(axes, run).items():
        fraction, low, high = (
            run.records[f"retrieval_{end}"][i, k, order] for end in ("fraction", "low", "high")
        )
        start = run.records["start_overlap"][order]
        axes.plot(start, fraction, color=color, marker="o", markersize=4, linewidth=1.4)
        some = (fraction > 0.0) & (fraction < 1.0)  # the plateaus' bars would hide each other
        bars = _bars(fraction, low, high)[:, some]
        axes.errorbar(start[some], fraction[some], bars, linestyle="", color=color, elinewidth=0.8, capsize=0)
    style.name_panel(axes, _START, f"fraction retrieved (final $m$ > {settings.success:g})")
    axes.set_xlim(0.0, 1.01)
    axes.set_ylim(-0.03, 1.04)
    axes.set_title(f"{size}   (bars: 95 % intervals, where recalls differ)")


def _draw_edges(axes: Axes, run: Run) -> None:
    loads = run.records["load"]
    alpha_c = float(run.records["alpha_c_theory"])
    if np.isfinite(alpha_c):
        draw_overlap_curve(
            axes, 0.0, color=style.GREY, label="retrieval state, mean field, $N \\to \\infty$", width=4.0
        )
    for k, i in enumerate(np.argsort(run.records["n_neurons"]).tolist()):
        value, low, high = (run.records[f"overlap_half{end}"][i] for end in ("", "_low", "_high"))
        order = np.argsort(loads)
        look = {**style.series(k), "elinewidth": 1.8, "linewidth": 1.0}
        axes.errorbar(
            loads[order],
            value[order],
            _bars(value, low, high)[:, order],
            label=f"{_size_text(run, i)}: half of the recalls succeed",
            **look,
        )
        below = np.isnan(value) & (low == 0.0)
        axes.errorbar(
            loads[below], high[below], 0.04, uplims=True, linestyle="", marker="", color=look["color"]
        )
    style.name_panel(axes, r"load $\alpha = P/N$", _START)
    axes.set_xlim(0.0, 1.05 * max(loads.max(), np.nan_to_num(alpha_c)))
    axes.set_ylim(0.0, 1.04)
    axes.set_title("edge of the basin of attraction (bars: 95 % intervals)")
    for place, text in (((0.3, 0.75), "recalled"), ((0.65, 0.12), "lost")):
        axes.text(*place, text, fontsize=14, color=style.GREY, transform=axes.transAxes)


def _draw_first_step(axes: Axes, run: Run, settings: _Settings) -> None:
    i, size = _largest(run)
    starts = np.linspace(0.0, 1.0, 200)
    for k, color in _shades(axes, run).items():
        if settings.rule == "hebbian":
            theory = first_step_overlap(starts, float(run.records["load"][k]))
            axes.plot(starts, theory, color=color, linewidth=1.4)
        mean, error = run.records["overlap_mean"][i, k], run.records["overlap_se"][i, k]
        axes.errorbar(
            run.records["start_overlap"], mean, error, linestyle="", marker="o", markersize=5, color=color
        )
    style.name_panel(axes, _START, "overlap $m_1$ after one step")
    axes.set_xlim(0.0, 1.01)
    axes.set_ylim(-0.03, 1.04)
    axes.set_title(rf"{size}   (lines: $m_1$ = erf$(m_0/\sqrt{{2\alpha}})$, $N \to \infty$)")
