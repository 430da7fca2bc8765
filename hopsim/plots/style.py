"""How figures look: colours that the colour-blind can tell apart, type that is readable at half size."""

import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from math import ceil
from typing import Any

import matplotlib
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# Okabe and Ito (2008), without their yellow, which is too faint on white
BLACK, BLUE, VERMILLION, GREEN = "#000000", "#0072B2", "#D55E00", "#009E73"
ORANGE, PURPLE, SKY = "#E69F00", "#CC79A7", "#56B4E9"
GREY, PALE = "#767676", "#c8c8c8"
SERIES = (BLUE, VERMILLION, GREEN, ORANGE, PURPLE, SKY)
_MARKERS = "osD^vPX"  # one more than the colours: a pair of both comes back only after 42 series

_RC: dict[Any, Any] = {
    "text.usetex": False,
    "font.size": 13,
    "axes.labelsize": 15,
    "axes.titlesize": 14,
    "figure.titlesize": 16,
    "xtick.labelsize": 13,
    "ytick.labelsize": 13,
    "legend.fontsize": 12.5,
    "legend.frameon": False,
    "legend.handlelength": 1.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 1.0,
    "lines.linewidth": 1.8,
    "lines.markersize": 6.5,
    "errorbar.capsize": 3.0,
    "figure.constrained_layout.w_pad": 0.08,
    "figure.constrained_layout.h_pad": 0.08,
    "savefig.dpi": 200,
    "pdf.fonttype": 42,  # text stays text
}
_TITLE_LETTERS_PER_INCH = 7.6
_LEGEND_LETTERS = 58  # on a line above a panel of half a figure, handles counted as 5
_LONGEST_NAME = 28


@contextmanager
def applied() -> Iterator[None]:
    """Draw in this style within the block; matplotlib's settings are as they were afterwards."""
    with matplotlib.rc_context(_RC):
        yield


def new_figure(width: float, height: float, title: str) -> Figure:
    """Make an empty figure of the given inches, whose parts make room for each other."""
    figure = Figure(figsize=(width, height), layout="constrained")
    n_lines = ceil(len(title) / (width * _TITLE_LETTERS_PER_INCH))
    unbroken = title.replace(" = ", "\u00a0=\u00a0")  # no line ends within an equation
    lines = textwrap.wrap(unbroken, ceil(len(title) / n_lines) + 8)  # of about equal length
    figure.suptitle("\n".join(lines).replace("\u00a0", " "))
    return figure


def series(k: int) -> dict[str, Any]:
    """Return colour and marker of the k-th series of a panel."""
    return {"color": SERIES[k % len(SERIES)], "marker": _MARKERS[k % len(_MARKERS)]}


def name_panel(axes: Axes, x_label: str, y_label: str) -> None:
    """Name the axes and draw a faint grid behind the data."""
    axes.set_xlabel(x_label)
    axes.set_ylabel(y_label)
    axes.grid(color=PALE, linewidth=0.6, alpha=0.6)
    axes.set_axisbelow(True)


def legend_above(axes: Axes, handles: list[Artist], title: str | None = None) -> None:
    """Put the legend above the panel, where it hides no data, in as many columns as find room."""
    longest = max(len(str(handle.get_label())) for handle in handles)
    axes.legend(
        handles=handles,
        title=title,
        alignment="left",
        loc="lower left",
        bbox_to_anchor=(0.0, 1.0),
        ncols=min(3, max(1, _LEGEND_LETTERS // (longest + 5))),
        borderaxespad=0.2,
    )


def legend_below(axes: Axes, columns: int, title: str | None = None) -> None:
    """Put the legend below the panel, where it hides no data."""
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=columns, title=title)


def printable(name: str) -> str:
    r"""Return a name from a file as it can be drawn: short, on one line, its ``$`` no mathematics.

    Examples
    --------
    >>> print(printable("5 $\n"))
    5 \$?
    """
    line = "".join(letter if letter.isprintable() else "?" for letter in name)
    if len(line) > _LONGEST_NAME:
        line = line[: _LONGEST_NAME - 1] + "…"
    return line.replace("$", r"\$")


def rule_name(rule: str) -> str:
    """Return a storage rule as a title says it.

    Examples
    --------
    >>> rule_name("hebbian"), rule_name("pseudo_inverse")
    ('Hebbian rule', 'pseudo-inverse rule')
    """
    return {"hebbian": "Hebbian", "storkey": "Storkey"}.get(rule, printable(rule.replace("_", "-"))) + " rule"
