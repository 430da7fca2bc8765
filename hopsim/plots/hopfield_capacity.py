"""The figure of a capacity study: overlap and retrieved fraction over the load, and alpha_c over the size."""

from typing import Annotated, Any

import msgspec
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

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
from hopsim.plots.hopfield_theory import draw_overlap_curve
from hopsim.storage.run_file import Run

FloatArray = NDArray[np.floating[Any]]

_POINT, _SIZE = ("n_neurons", "load"), ("n_neurons",)
EXPECTED = {
    "n_neurons": Expected(_SIZE, INTEGERS),
    "load": Expected(("load",)),
    "n_patterns": Expected(_POINT, INTEGERS),
    "overlap_mean": Expected(_POINT),
    "overlap_se": Expected(_POINT),
    "retrieval_fraction": Expected(_POINT),
    "retrieval_low": Expected(_POINT),
    "retrieval_high": Expected(_POINT),
    "alpha_c": Expected(_SIZE),
    "alpha_c_low": Expected(_SIZE),
    "alpha_c_high": Expected(_SIZE),
    "alpha_c_infinite": Expected(()),
    "alpha_c_infinite_low": Expected(()),
    "alpha_c_infinite_high": Expected(()),
    "alpha_c_theory": Expected(()),
}
_BARS = "bars: 95 % intervals"


class _Settings(msgspec.Struct):
    temperature: Annotated[float, msgspec.Meta(ge=0.0)] = 0.0
    flip: float = 0.0
    rule: str = "hebbian"
    order: str = "random"
    success: float = 0.9
    n_networks: int = 1
    n_trials: int = 1


def draw(run: Run) -> Figure:
    """Draw a run of hopfield_capacity; alpha_c over the size only if it is known for two sizes."""
    check_contents(run, EXPECTED)
    settings = read_settings(run, _Settings)
    require_length(run, "n_neurons")
    require_length(run, "load")
    if run.records["n_neurons"].min() < 1:
        raise InputError(str(run.path), "holds a network without neurons")
    with_sizes = np.isfinite(run.records["alpha_c"]).sum() >= 2
    height = 6.3 + 0.25 * run.records.sizes["n_neurons"]
    figure = style.new_figure(15.0 if with_sizes else 11.0, height, _title(run, settings))
    panels = figure.subplots(1, 3 if with_sizes else 2, width_ratios=(1.0, 1.0, 0.85)[: 2 + with_sizes])
    _draw_overlaps(panels[0], run, settings)
    _draw_retrieval(panels[1], run, settings)
    panels[1].set_xlim(panels[0].get_xlim())
    if with_sizes:
        _draw_sizes(panels[2], run)
    return figure


def _title(run: Run, settings: _Settings) -> str:
    start = f"{settings.flip:.3g} of the neurons flipped" if settings.flip else "from the pattern"
    return (
        f"Hopfield capacity: {style.rule_name(settings.rule)}, T = {settings.temperature:g}, "
        f"{settings.order} updates, {start}{interrupted_note(run)}"
    )


def _sizes(run: Run) -> list[tuple[int, dict[str, Any]]]:
    """Return the index of each size, from small to large, and how its points look."""
    order = np.argsort(run.records["n_neurons"]).tolist()
    return [(i, {**style.series(k), "elinewidth": 1.8}) for k, i in enumerate(order)]


def _loads(run: Run, i: int) -> tuple[NDArray[np.intp], FloatArray]:
    """Return the points of size `i` from small to large load, and these loads, the true P/N."""
    loads = run.records["n_patterns"][i] / run.records["n_neurons"][i]
    order = np.argsort(loads)
    return order, loads[order]


def _with_interval(run: Run, name: str, where: Any) -> tuple[FloatArray, FloatArray]:
    """Return values, shape (n,), and the lengths of their error bars, shape (2, n)."""
    stem = name.removesuffix("_fraction")
    value, low, high = (np.atleast_1d(run.records[n][where]) for n in (name, f"{stem}_low", f"{stem}_high"))
    return value, np.maximum([value - low, high - value], 0.0)  # rounding may make one slightly negative


def _alpha_c_text(run: Run, name: str, where: Any = ()) -> str:
    value, low, high = (float(run.records[name + end][where]) for end in ("", "_low", "_high"))
    if not np.isfinite(value):
        return ""
    interval = f" ({low:.4f}–{high:.4f})" if np.isfinite([low, high]).all() else ""
    return rf": $\alpha_c$ = {value:.4f}{interval}"


def _draw_overlaps(axes: Axes, run: Run, settings: _Settings) -> None:
    theory = float(run.records["alpha_c_theory"])
    ends = [run.records["load"].min(), run.records["load"].max()]
    if np.isfinite(theory):
        label = f"mean field, $N \\to \\infty$, $T$ = {settings.temperature:g}"
        draw_overlap_curve(axes, settings.temperature, color=style.GREY, label=label, width=4.0)
        ends = [min(ends[0], 0.8 * theory), max(ends[1], 1.2 * theory)]
    for i, look in _sizes(run):
        order, loads = _loads(run, i)
        mean, error = run.records["overlap_mean"][i, order], run.records["overlap_se"][i, order]
        axes.errorbar(loads, mean, error, label=_size_text(run, i), linewidth=1.0, **look)
    kind = "final overlap" if settings.temperature == 0.0 else "time-averaged overlap"
    style.name_panel(axes, r"load $\alpha = P/N$", f"{kind} $m$")
    margin = 0.04 * (ends[1] - ends[0]) or 0.1 * ends[1]
    axes.set_xlim(ends[0] - margin, ends[1] + margin)
    axes.set_ylim(min(-0.03, axes.get_ylim()[0]), 1.04)
    style.legend_below(axes, columns=1, title="bars: standard error over networks")


def _size_text(run: Run, i: int) -> str:
    return f"$N$ = {run.records['n_neurons'][i]:,}"


def _draw_retrieval(axes: Axes, run: Run, settings: _Settings) -> None:
    theory = float(run.records["alpha_c_theory"])
    axes.axhline(0.5, color=style.GREY, linewidth=1.0, linestyle=":")
    if np.isfinite(theory):
        label = rf"mean field: $\alpha_c$ = {theory:.4f}"
        axes.axvline(theory, color=style.GREY, linewidth=4.0, label=label)
    for i, look in _sizes(run):
        order, loads = _loads(run, i)
        fraction, interval = _with_interval(run, "retrieval_fraction", (i, order))
        label = _size_text(run, i) + _alpha_c_text(run, "alpha_c", i)
        axes.errorbar(loads, fraction, interval, label=label, linewidth=1.0, **look)
        alpha_c, interval = _with_interval(run, "alpha_c", i)
        mark = {"marker": "|", "markersize": 22, "markeredgewidth": 2.5, "elinewidth": 4.0, "zorder": 4}
        axes.errorbar(alpha_c, [0.5], xerr=interval, **look | mark)
    threshold = f"$m$ > {settings.success:g}" if settings.temperature == 0.0 else "$m$ > mean field / 2"
    style.name_panel(axes, r"load $\alpha = P/N$", f"fraction retrieved ({threshold})")
    axes.set_ylim(-0.03, 1.04)
    style.legend_below(axes, columns=1, title=_BARS)


def _draw_sizes(axes: Axes, run: Run) -> None:
    theory = float(run.records["alpha_c_theory"])
    if np.isfinite(theory):
        axes.axhline(theory, color=style.GREY, linewidth=4.0, label="mean field")
    for i, look in _sizes(run):
        alpha_c, interval = _with_interval(run, "alpha_c", i)
        x = [run.records["n_neurons"][i] ** -0.5]
        axes.errorbar(x, alpha_c, interval, linestyle="", label=_size_text(run, i), **look)
    limit, interval = _with_interval(run, "alpha_c_infinite", ())
    if np.isfinite(limit).all():
        look = {"color": style.BLACK, "marker": "*", "markersize": 13, "elinewidth": 2.5, "linestyle": ""}
        label = r"$N \to \infty$" + _alpha_c_text(run, "alpha_c_infinite")
        axes.errorbar([0.0], limit, interval, label=label, **look)
    style.name_panel(axes, "$N^{-1/2}$", r"critical load $\alpha_c$")
    axes.set_xlim(left=-0.05 * axes.get_xlim()[1])
    style.legend_below(axes, columns=1, title=_BARS)
