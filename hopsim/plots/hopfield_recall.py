"""The figure of a recall: energy and overlap against time, with the states as pictures."""

from collections import Counter
from typing import Annotated, Any, NamedTuple

import msgspec
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from hopsim.errors import InputError
from hopsim.plots import recall_pictures, style
from hopsim.plots.contents import (
    INTEGERS,
    TEXT,
    Expected,
    check_contents,
    interrupted_note,
    read_settings,
    require_length,
)
from hopsim.storage.run_file import Run

FloatArray = NDArray[np.floating[Any]]

_TRIAL, _COURSE = ("trial",), ("trial", "time")
EXPECTED = {
    "trial": Expected(_TRIAL),
    "time": Expected(("time",), required=False),
    "energy": Expected(_COURSE, required=False),
    "overlap": Expected((*_COURSE, "pattern"), required=False),
    "energy_final": Expected(_TRIAL),
    "overlap_initial": Expected(_TRIAL),
    "overlap_final": Expected(_TRIAL),
    "start_pattern": Expected(_TRIAL, INTEGERS),
    "end_state": Expected(_TRIAL, TEXT),
    "pattern_name": Expected(("pattern",), TEXT, required=False),
    "pattern_state": Expected(("pattern", "neuron"), INTEGERS, required=False),
    "state": Expected((*_COURSE, "neuron"), INTEGERS, required=False),
    "image_rows": Expected((), INTEGERS, required=False),
    "image_columns": Expected((), INTEGERS, required=False),
}
_MOST_NAMED = 6  # trials that each have a colour of their own
_MOST_MARKED = 30  # times that each have a marker
_MOST_LINES = 200  # overlaps with other patterns drawn one by one; the range of more
_KINDS = (  # how the text of an end state starts, the kind of it, the colour of trials that end so
    ("stored pattern", "stored pattern", style.BLUE),
    ("mixture", "mixture", style.GREEN),
    ("inverse of the mixture", "mixture", style.GREEN),
    ("inverse", "inverse", style.PURPLE),
    ("pattern", "other pattern", style.ORANGE),
    ("uniform", "uniform", style.SKY),
    ("spurious", "spurious", style.VERMILLION),
    ("", "unknown", style.GREY),
)


class _Settings(msgspec.Struct):
    temperature: Annotated[float, msgspec.Meta(ge=0.0)] = 0.0
    rule: str = "hebbian"
    order: str = "random"
    couplings: str | None = None
    n_neurons: int | None = None


class _Trials(NamedTuple):
    """How trials are drawn: the colour of each, and what the legend says of them."""

    few: bool
    colors: list[str]
    handles: list[Artist]


def draw(run: Run) -> Figure:
    """Draw a run of hopfield_recall: its course in time if that was recorded, else its starts and ends."""
    check_contents(run, EXPECTED)
    settings = read_settings(run, _Settings)
    require_length(run, "trial")
    _check_starts(run)
    trials = _trials(run)
    with_pictures = "state" in run.records and all(run.records.sizes[dim] for dim in ("time", "neuron"))
    figure = style.new_figure(14.5 if with_pictures else 10.5, 7.6, _title(run, settings))
    curves: Figure | SubFigure = figure
    if with_pictures:
        grid = figure.add_gridspec(1, 2, width_ratios=(1.0, 1.15))
        curves, pictures = figure.add_subfigure(grid[0]), figure.add_subfigure(grid[1])
        shown = trials.colors[: recall_pictures.MOST_TRIALS]
        names = [(_start_and_end(run, trial), color) for trial, color in enumerate(shown)]
        recall_pictures.draw(pictures, run.records, names)
    upper, lower = curves.subplots(2, 1, sharex=True)
    lower.xaxis.set_major_locator(MaxNLocator(integer=True))
    if "energy" in run.records and run.records["energy"].size:
        _draw_energies(upper, run, settings, trials)
        _draw_overlaps(lower, run, trials)
    else:
        _draw_ends(upper, lower, run, settings, trials)
    return figure


def _check_starts(run: Run) -> None:
    starts, n_patterns = run.records["start_pattern"], run.records.sizes.get("pattern", 0)
    if not ((starts >= -1) & (starts < n_patterns)).all():
        raise InputError(str(run.path), f"a start_pattern is not among its {n_patterns} patterns")


def _title(run: Run, settings: _Settings) -> str:
    n_neurons, n_patterns = _n_neurons(run, settings), run.records.sizes.get("pattern", 0)
    parts = [f"N = {n_neurons:,}"] if n_neurons else []
    if n_patterns:
        parts.append(f"P = {n_patterns:,}")
    if n_neurons and n_patterns:
        parts.append(f"α = {n_patterns / n_neurons:.3g}")
    parts.append(f"T = {settings.temperature:g}")
    parts.append(style.rule_name(settings.rule) if settings.couplings is None else "given couplings")
    parts.append(f"{style.printable(settings.order)} updates")
    return f"Hopfield recall: {', '.join(parts)}{interrupted_note(run)}"


def _n_neurons(run: Run, settings: _Settings) -> int | None:
    return run.records.sizes.get("neuron", settings.n_neurons)


def _per_neuron(run: Run, settings: _Settings, energy: FloatArray) -> tuple[FloatArray, str]:
    """Return energies and what to call them: those per neuron where the file tells N."""
    n_neurons = _n_neurons(run, settings)
    return (energy / n_neurons, "energy per neuron $E/N$") if n_neurons else (energy, "energy $E$")


def _start_and_end(run: Run, trial: int) -> str:
    start = int(run.records["start_pattern"][trial])
    name = "probe" if start < 0 else str(start)
    if start >= 0 and "pattern_name" in run.records:
        name = style.printable(str(run.records["pattern_name"][start]))
    return f"{name} → {style.printable(str(run.records['end_state'][trial]))}"


def _trials(run: Run) -> _Trials:
    """Give few trials a colour and an entry of the legend each, and many one for each kind of end state."""
    texts = [str(text) for text in run.records["end_state"]]
    if len(texts) <= _MOST_NAMED:
        colors = list(style.SERIES[: len(texts)])
        entries = [(color, _start_and_end(run, trial)) for trial, color in enumerate(colors)]
    else:
        ends = [
            next((kind, color) for start, kind, color in _KINDS if text.startswith(start)) for text in texts
        ]
        colors = [color for _, color in ends]
        entries = [(color, f"{kind} ({n:,})") for (kind, color), n in Counter(ends).most_common()]
    handles: list[Artist] = [Line2D([], [], color=color, label=label) for color, label in entries]
    return _Trials(len(texts) <= _MOST_NAMED, colors, handles)


def _name_trials(axes: Axes, trials: _Trials) -> None:
    title = "trials: start → end" if trials.few else "trials by end state"
    style.legend_above(axes, trials.handles, title)


def _draw_energies(axes: Axes, run: Run, settings: _Settings, trials: _Trials) -> None:
    energy, label = _per_neuron(run, settings, run.records["energy"])
    _draw_courses(axes, run.records["time"], energy, trials)
    style.name_panel(axes, "", label)
    _name_trials(axes, trials)


def _draw_overlaps(axes: Axes, run: Run, trials: _Trials) -> None:
    time = run.records["time"]
    style.name_panel(axes, "time $t$ (sweeps)", "overlap $m$")
    if "overlap" not in run.records or not run.records["overlap"].size:
        axes.set(xlim=(time[0], max(time[-1], time[0] + 1)), yticks=[])
        axes.text(0.5, 0.5, "no patterns", transform=axes.transAxes, ha="center")
        return
    overlap, starts = run.records["overlap"], run.records["start_pattern"]
    every = np.arange(len(overlap))
    nearest = np.abs(np.nan_to_num(overlap[:, -1])).argmax(axis=-1)
    followed = np.where(starts >= 0, starts, nearest)
    handles = _draw_courses(axes, time, overlap[every, :, followed], trials)
    handles[0].set_label("start pattern" if (starts >= 0).all() else "start or nearest")
    if overlap.shape[2] > 1:
        other = np.ones((len(overlap), overlap.shape[2]), bool)
        other[every, followed] = False
        handles.append(_draw_background(axes, time, overlap, other))
    axes.set_ylim(np.clip(np.nan_to_num(overlap).min() - 0.05, -1.05, -0.25), 1.05)
    style.legend_above(axes, handles)


def _draw_background(axes: Axes, time: FloatArray, overlap: FloatArray, other: NDArray[np.bool_]) -> Artist:
    """Draw overlaps (trial, time, pattern) thin and grey, those with the `other` (trial, pattern)."""
    if other.sum() <= _MOST_LINES:
        lines = [np.column_stack([time, course]) for course in overlap.transpose(0, 2, 1)[other]]
        look: dict[str, Any] = {"colors": style.PALE, "linewidths": 0.8, "zorder": 1.0}
        return axes.add_collection(LineCollection(lines, label="other patterns", **look))
    where = other[:, np.newaxis, :]
    low = overlap.min(axis=(0, 2), where=where, initial=1.0)
    high = overlap.max(axis=(0, 2), where=where, initial=-1.0)
    return axes.fill_between(
        time, low, high, color=style.PALE, alpha=0.6, linewidth=0, zorder=1.0, label="other patterns"
    )


def _draw_courses(axes: Axes, time: FloatArray, values: FloatArray, trials: _Trials) -> list[Artist]:
    """Draw values (trial, time) as one thin line a trial, and their mean; return what names them."""
    marker = "o" if len(time) <= _MOST_MARKED else ""
    width = 1.5 if trials.few else 0.9
    if trials.few:
        for course, color in zip(values, trials.colors, strict=True):
            axes.plot(time, course, color=color, linewidth=width, marker=marker, markersize=4.0)
    else:
        lines = [np.column_stack([time, course]) for course in values]
        axes.add_collection(LineCollection(lines, colors=trials.colors, linewidths=width, alpha=0.6))
    handles: list[Artist] = [Line2D([], [], color=style.BLACK, linewidth=width)]
    if len(values) > 1:
        mean = np.ma.masked_invalid(values).mean(axis=0).filled(np.nan)
        dashes = "--" if trials.few else "-"
        look: dict[str, Any] = {"color": style.BLACK, "linewidth": 2.8, "label": "mean"}
        handles += axes.plot(time, mean, linestyle=dashes, marker="" if trials.few else marker, **look)
    return handles


def _draw_ends(upper: Axes, lower: Axes, run: Run, settings: _Settings, trials: _Trials) -> None:
    """Draw what is left of trials whose course was not recorded: start and end of each."""
    trial = run.records["trial"]
    energy, label = _per_neuron(run, settings, run.records["energy_final"])
    upper.scatter(trial, energy, color=trials.colors)
    style.name_panel(upper, "", f"final {label}")
    _name_trials(upper, trials)
    start, end = run.records["overlap_initial"], run.records["overlap_final"]
    lower.vlines(trial, start, end, color=style.PALE)
    hollow = lower.scatter(trial, start, facecolor="white", edgecolor=style.GREY, label="start", zorder=3)
    filled = lower.scatter(trial, end, color=trials.colors, label="end", zorder=3)
    style.name_panel(lower, "trial", "overlap $m$, start pattern")
    style.legend_above(lower, [hollow, filled])
