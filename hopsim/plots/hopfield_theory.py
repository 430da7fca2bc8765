"""The figure of the mean-field theory: m(alpha) at each temperature, and the phase diagram."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, Normalize, to_hex
from matplotlib.figure import Figure

from hopsim.plots import style
from hopsim.plots.contents import Expected, check_contents, interrupted_note, require_length
from hopsim.storage.run_file import Run
from hopsim.theory.hopfield import retrieval_overlap
from hopsim.theory.hopfield_phases import (
    at_temperature,
    coexistence_load,
    critical_load,
    spin_glass_temperature,
)

_LOAD = ("load",)
EXPECTED = {
    "load": Expected(_LOAD),
    "temperature": Expected(("temperature",)),
    "overlap": Expected(("load", "temperature")),
    "temperature_retrieval": Expected(_LOAD),
    "temperature_coexistence": Expected(_LOAD),
    "temperature_spin_glass": Expected(_LOAD),
    "temperature_at": Expected(_LOAD),
}
_MOST_NAMED = 1 + len(style.SERIES)  # temperatures that each have an entry of the legend
_SHADES = LinearSegmentedColormap.from_list(
    "temperature", [style.BLACK, style.BLUE, style.VERMILLION, style.ORANGE]
)
_SMALLEST_FRAME = 0.2  # largest load of the phase diagram at least, so that all its phases are in it


def draw(run: Run) -> Figure:
    """Draw a run of hopfield_theory: its points, and the continuous curves that they lie on."""
    check_contents(run, EXPECTED)
    require_length(run, "load")
    require_length(run, "temperature")
    title = "Hopfield model, Hebbian rule, replica-symmetric mean-field theory"
    figure = style.new_figure(12.5, 6.6, title + interrupted_note(run))
    left, right = figure.subplots(1, 2)
    _draw_overlaps(left, run)
    _draw_phases(right, run)
    return figure


def draw_overlap_curve(
    axes: Axes, temperature: float, color: str, label: str | None = None, width: float = 1.8
) -> None:
    """Draw m(alpha) up to the load where retrieval ends, and its fall to 0 there; nothing at T >= 1."""
    end = float(critical_load(temperature))
    if end == 0.0:
        return
    load = end * (1.0 - np.linspace(1.0, 1e-3, 300) ** 2)  # m falls as a square root towards the end
    overlap = np.asarray(retrieval_overlap(load, temperature))
    axes.plot(load, overlap, color=color, label=label, linewidth=width)
    axes.plot([end, end], [overlap[-1], 0.0], color=color, linestyle=(0, (2, 2)), linewidth=width)


def _draw_overlaps(axes: Axes, run: Run) -> None:
    loads, temperatures = run.records["load"], run.records["temperature"]
    named = len(temperatures) <= _MOST_NAMED
    shades = ScalarMappable(Normalize(temperatures.min(), temperatures.max()), _SHADES)
    colors = (style.BLACK, *style.SERIES) if named else tuple(map(to_hex, shades.to_rgba(temperatures)))
    for k, i in enumerate(np.argsort(temperatures)):
        temperature, overlap = float(temperatures[i]), run.records["overlap"][:, i]
        color = colors[k] if named else colors[i]
        draw_overlap_curve(axes, temperature, color=color)
        label = f"$T$ = {temperature:g}" + ("" if np.isfinite(overlap).any() else " (no retrieval)")
        marker = style.series(k)["marker"] if named else "o"
        axes.plot(loads, overlap, linestyle="", marker=marker, color=color, label=label, markersize=5)
    style.name_panel(axes, r"load $\alpha = P/N$", "overlap $m$ of the retrieval state")
    axes.set_xlim(left=0.0)
    axes.set_ylim(0.0, 1.04)
    if named:
        style.legend_below(axes, columns=3)
    else:
        axes.figure.colorbar(shades, ax=axes, label="temperature $T$")


def _draw_phases(axes: Axes, run: Run) -> None:
    loads = run.records["load"]
    largest = max(_SMALLEST_FRAME, float(loads.max()))
    frame = largest * np.linspace(0.0, 1.0, 200) ** 2  # T_g rises as a square root
    temperatures = np.linspace(0.0, 1.0, 80)
    retrieval, coexistence = critical_load(temperatures), coexistence_load(temperatures)
    broken = retrieval.max() * np.linspace(0.0, 1.0, 100)
    freezing = spin_glass_temperature(frame)

    axes.fill_between(frame, 0.0, freezing, color=style.PALE, alpha=0.35, linewidth=0)
    axes.fill_betweenx(temperatures, 0.0, retrieval, color="#cfe3f1", linewidth=0)
    axes.fill_betweenx(temperatures, 0.0, coexistence, color="#bfe3d5", linewidth=0)
    for name, x, y, label, look in (
        ("spin_glass", frame, freezing, "$T_g$: spins freeze", {"color": style.BLACK, "marker": "^"}),
        ("retrieval", retrieval, temperatures, "$T_M$: retrieval appears", style.series(0)),
        ("coexistence", coexistence, temperatures, "$T_c$: retrieval globally stable", style.series(2)),
        ("at", broken, at_temperature(broken), "AT: replica symmetry breaks", style.series(1)),
    ):
        look |= {"linestyle": "--" if name == "at" else "-", "markersize": 4.5}
        axes.plot(x, y, **look | {"marker": ""})
        axes.plot(
            loads, run.records[f"temperature_{name}"], **look | {"linestyle": ""}, clip_on=False, zorder=3
        )
        axes.plot([], [], **look, label=label)
    _name_regions(axes)
    axes.set_xlabel(r"load $\alpha = P/N$")
    axes.set_ylabel("temperature $T$")
    axes.set_xlim(0.0, largest)
    axes.set_ylim(0.0, 1.12 * freezing[-1])
    style.legend_below(axes, columns=2)


def _name_regions(axes: Axes) -> None:
    """Name the phases: the large ones in place, those of retrieval with an arrow into them."""
    axes.text(0.03, 0.95, "paramagnet", va="top", fontsize=14, transform=axes.transAxes)
    axes.text(0.96, 0.62, "spin glass", ha="right", va="center", fontsize=14, transform=axes.transAxes)
    for name, point, place in (
        ("retrieval", (0.012, 0.45), (0.36, 0.52)),
        ("retrieval,\nmetastable", (0.085, 0.22), (0.62, 0.36)),
    ):
        arrow = {"arrowstyle": "->", "color": style.BLACK}
        axes.annotate(
            name, point, place, textcoords="axes fraction", va="center", fontsize=14, arrowprops=arrow
        )
