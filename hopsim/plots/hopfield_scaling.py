"""The figure of finite-size scaling: the fall of the retrieved fraction at each size, and where alpha_c(N) goes."""

from typing import Annotated, Any

import msgspec
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from hopsim.errors import InputError
from hopsim.plots import style
from hopsim.plots.contents import (
    FLAGS,
    INTEGERS,
    Expected,
    check_contents,
    interrupted_note,
    read_settings,
    require_length,
)
from hopsim.storage.run_file import Run

FloatArray = NDArray[np.floating[Any]]

_POINT, _SIZE, _FIT = ("n_neurons", "step"), ("n_neurons",), ("exponent",)
EXPECTED = {
    "n_neurons": Expected(_SIZE, INTEGERS),
    "load": Expected(_POINT),
    "retrieval_fraction": Expected(_POINT),
    "retrieval_low": Expected(_POINT),
    "retrieval_high": Expected(_POINT),
    "alpha_c_logistic": Expected(_SIZE),
    "alpha_c_logistic_low": Expected(_SIZE),
    "alpha_c_logistic_high": Expected(_SIZE),
    "logistic_width": Expected(_SIZE),
    "in_fits": Expected(_SIZE, FLAGS),
    "exponent": Expected(_FIT),
    "fit_value": Expected(_FIT),
    "fit_se": Expected(_FIT),
    "fit_amplitude": Expected(_FIT),
    "fit_p": Expected(_FIT),
    "fit_accepted": Expected(_FIT, FLAGS),
    "alpha_c_infinite": Expected(()),
    "alpha_c_infinite_low": Expected(()),
    "alpha_c_infinite_high": Expected(()),
    "alpha_c_theory": Expected(()),
    "alpha_c_rsb": Expected(()),
}
_FIT_LINES = ("-", "--", "-.", ":")
_FIT_COLORS = (style.BLUE, style.GREEN, style.ORANGE, style.VERMILLION)
_FRACTIONS = {1 / 3: "1/3", 1 / 2: "1/2", 2 / 3: "2/3", 1.0: "1"}


class _Settings(msgspec.Struct):
    order: str = "random"
    success: Annotated[float, msgspec.Meta(gt=0.0, lt=1.0)] = 0.9


def draw(run: Run) -> Figure:
    """Draw a run of hopfield_scaling: retrieved fractions over the load, and alpha_c over N^-1/2 with the fits."""
    check_contents(run, EXPECTED)
    settings = read_settings(run, _Settings)
    require_length(run, "n_neurons")
    require_length(run, "step")
    if run.records["n_neurons"].min() < 1:
        raise InputError(str(run.path), "holds a network without neurons")
    title = (
        f"Finite-size scaling of the Hopfield capacity: Hebbian rule, T = 0, {settings.order} updates, "
        f"from the pattern{interrupted_note(run)}"
    )
    rows = max(run.records.sizes["n_neurons"] / 2, 7)
    figure = style.new_figure(14.0, 6.6 + 0.25 * rows, title)
    fall, sizes = figure.subplots(1, 2)
    _draw_fall(fall, run, settings)
    _draw_sizes(sizes, run)
    return figure


def _draw_fall(axes: Axes, run: Run, settings: _Settings) -> None:
    records = run.records
    axes.axhline(0.5, color=style.GREY, linewidth=1.0, linestyle=":")
    for k, i in enumerate(np.argsort(records["n_neurons"]).tolist()):
        look = style.series(k)
        order = np.argsort(records["load"][i])
        load, fraction = records["load"][i, order], records["retrieval_fraction"][i, order]
        low, high = records["retrieval_low"][i, order], records["retrieval_high"][i, order]
        lengths = np.maximum(
            [fraction - low, high - fraction], 0.0
        )  # rounding may make one slightly negative
        label = f"$N$ = {records['n_neurons'][i]:,}"
        axes.errorbar(load, fraction, lengths, linestyle="", elinewidth=1.2, label=label, **look)
        centre, width = records["alpha_c_logistic"][i], records["logistic_width"][i]
        if np.isfinite([centre, width]).all() and width > 0:
            x = np.linspace(load[0], load[-1], 200)
            curve = 0.5 - 0.5 * np.tanh((x - centre) / (2.0 * width))
            axes.plot(x, curve, color=look["color"], linewidth=1.4)
    style.name_panel(axes, r"load $\alpha = P/N$", f"fraction retrieved ($m$ > {settings.success:g})")
    axes.set_ylim(-0.03, 1.04)
    style.legend_below(axes, columns=2, title="curves: logistic fits; bars: 95 % intervals")


def _draw_sizes(axes: Axes, run: Run) -> None:
    records = run.records
    axes.axhline(
        float(records["alpha_c_theory"]),
        color=style.GREY,
        linewidth=2.5,
        label=f"mean field, replica symmetric: {float(records['alpha_c_theory']):.4f}",
    )
    axes.axhline(
        float(records["alpha_c_rsb"]),
        color=style.PURPLE,
        linewidth=1.4,
        label=f"replica symmetry broken: {float(records['alpha_c_rsb']):.4f}",
    )
    _draw_fits(axes, run)
    for used in (True, False):
        chosen = np.flatnonzero((records["in_fits"] == used) & np.isfinite(records["alpha_c_logistic"]))
        if chosen.size:
            _draw_half_heights(axes, run, chosen, used)
    limit = float(records["alpha_c_infinite"])
    if np.isfinite(limit):
        low, high = (float(records[f"alpha_c_infinite_{end}"]) for end in ("low", "high"))
        label = rf"$N \to \infty$: {low:.4f}–{high:.4f}, union of accepted fits"
        look: dict[str, Any] = {"color": style.BLACK, "elinewidth": 5.0, "capsize": 7.0, "linestyle": ""}
        lengths = np.maximum([[limit - low], [high - limit]], 0.0)
        axes.errorbar([0.0], [limit], lengths, label=label, zorder=5, **look)
    style.name_panel(axes, "$N^{-1/2}$", r"critical load $\alpha_c(N)$, logistic half-height")
    axes.set_xlim(-0.03 * _right_end(run), _right_end(run))
    style.legend_below(axes, columns=1)


def _draw_half_heights(axes: Axes, run: Run, chosen: NDArray[np.intp], used: bool) -> None:
    """Draw alpha_c of some sizes, filled where they enter the fits."""
    value, low, high = (run.records[f"alpha_c_logistic{end}"][chosen] for end in ("", "_low", "_high"))
    lengths = np.maximum([value - low, high - value], 0.0)
    axes.errorbar(
        run.records["n_neurons"][chosen] ** -0.5,
        value,
        lengths,
        linestyle="",
        color=style.BLACK,
        marker="o",
        markerfacecolor=style.BLACK if used else "white",
        elinewidth=1.6,
        zorder=4,
        label=f"half-heights {'in' if used else 'not in'} the fits; bars: 95 %",
    )


def _draw_fits(axes: Axes, run: Run) -> None:
    """Draw the accepted fits, out to the smallest size that they were fitted to and thin beyond; name the others."""
    records = run.records
    if not records["in_fits"].any():
        return
    fitted = float(records["n_neurons"][records["in_fits"]].min() ** -0.5)
    for k, exponent in enumerate(records["exponent"].tolist()):
        value, error, amplitude, p = (
            float(records[f"fit_{name}"][k]) for name in ("value", "se", "amplitude", "p")
        )
        if not np.isfinite([value, amplitude]).all():
            continue
        power = _FRACTIONS.get(exponent, f"{exponent:.3g}")
        label = rf"$\alpha_c + b N^{{-{power}}}$: {value:.4f} ± {error:.4f}, $p$ = {p:.2g}"
        if not records["fit_accepted"][k]:
            axes.plot([], [], " ", label=f"{label}: rejected")
            continue
        look: dict[str, Any] = {
            "color": _FIT_COLORS[k % len(_FIT_COLORS)],
            "linestyle": _FIT_LINES[k % len(_FIT_LINES)],
        }
        for start, end, width, name in ((0.0, fitted, 1.8, label), (fitted, _right_end(run), 0.7, None)):
            x = np.linspace(start, end, 200)  # N^-1/2, so N^-x is its power 2x
            axes.plot(x, value + amplitude * x ** (2.0 * exponent), linewidth=width, label=name, **look)


def _right_end(run: Run) -> float:
    """Return where the panel of sizes ends: a little beyond the smallest."""
    return float(1.06 * run.records["n_neurons"].min() ** -0.5)
