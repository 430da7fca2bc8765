"""States of a recall as pictures: a row for each trial, from the start to the end."""

import textwrap
from math import isqrt
from typing import Any

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.figure import SubFigure
from matplotlib.patches import Patch
from numpy.typing import NDArray

from hopsim.plots import style
from hopsim.storage.records import PackedSpins, Records

MOST_TRIALS = 6
_MOST_TIMES = 5
_MOST_NEURONS = 4096  # of those that form no picture
_COLUMNS_OF_ONE_TRIAL = 3
_NAME_WIDTH = 15

# The code of a neuron: its spin as 0 or 1, and 2 more if it differs from the start pattern.
_DIFFERS, _EMPTY = 2, 4
_COLORS = ("#e6e6e6", style.BLACK, style.ORANGE, style.VERMILLION, "#ffffff")
_PALETTE = (255 * np.array([to_rgb(color) for color in _COLORS])).round().astype(np.uint8)
_PICTURE_CODES = {
    0: "$s_i = -1$",
    1: "$s_i = +1$",
    2: "$s_i = -1$, stored $+1$",
    3: "$s_i = +1$, stored $-1$",
}
_BLOCK_CODES = {0: "as in the start pattern", 3: "differs"}

Codes = NDArray[np.integer[Any]]


def draw(figure: SubFigure, records: Records, names: list[tuple[str, str]]) -> None:
    """Draw the first trials of a run at a few times.

    Neurons that form a picture are drawn as such, beside the start pattern. Others are drawn as a near square
    block that shows which of them differ from the start pattern: the spins of a random pattern tell the eye
    nothing.

    Parameters
    ----------
    figure : SubFigure
        Where to draw.
    records : Records
        With `state` of one time or more.
    names : list of (str, str)
        What to write beside each trial drawn, and in which colour.
    """
    image_shape, n_neurons = _image_shape(records), records.sizes["neuron"]
    patterns = [_start_pattern(records, trial) for trial in range(len(names))]
    as_block = image_shape is None and any(pattern is not None for pattern in patterns)
    n_shown = n_neurons if image_shape else min(n_neurons, _MOST_NEURONS)
    times = _times(records.sizes["time"])
    titles = [_time_title(records, time) for time in times]
    rows = [
        [_codes(spins[:n_shown], pattern, as_block) for spins in trial]
        for trial, pattern in zip(_states(records, len(names), times), patterns, strict=True)
    ]
    if image_shape and any(pattern is not None for pattern in patterns):
        titles.insert(0, "stored")
        for row, pattern in zip(rows, patterns, strict=True):
            row.insert(0, np.full(n_shown, _EMPTY) if pattern is None else (pattern > 0).astype(int))
    figure.suptitle(_heading(records, len(names), n_shown), fontsize=14)
    _lay_out(figure, rows, titles, image_shape or _near_square(n_shown), names)
    _explain(figure, rows, _BLOCK_CODES if as_block else _PICTURE_CODES)


def _heading(records: Records, n_trials: int, n_neurons: int) -> str:
    neurons = f", first {n_neurons:,} neurons" if n_neurons < records.sizes["neuron"] else ""
    trials = f" of the first {n_trials} trials" if n_trials < records.sizes["trial"] else ""
    return f"States{trials}{neurons}"


def _times(n_times: int) -> list[int]:
    """Return which times to draw: the start, the end, and between them more early ones than late ones."""
    if n_times <= _MOST_TIMES:
        return list(range(n_times))
    return sorted({0, *np.geomspace(1, n_times - 1, _MOST_TIMES - 1).round().astype(int).tolist()})


def _time_title(records: Records, time: int) -> str:
    if time == 0:
        return "start"
    return "end" if time == records.sizes["time"] - 1 else f"$t$ = {records['time'][time]:g}"


def _states(records: Records, n_trials: int, times: list[int]) -> NDArray[np.int8]:
    """Return the states of the first trials at some times, shape (n_trials, n_times, n_neurons)."""
    return _spins(records, "state", np.ix_(range(n_trials), times))


def _start_pattern(records: Records, trial: int) -> NDArray[np.int8] | None:
    start = int(records["start_pattern"][trial])
    return _spins(records, "pattern_state", start) if start >= 0 and "pattern_state" in records else None


def _spins(records: Records, name: str, chosen: Any) -> NDArray[np.int8]:
    if not records.variables[name].packed:
        return records[name][chosen]
    packed = records.packed(name)  # all of it unpacked may not fit the memory
    return PackedSpins(packed.bits[chosen], packed.n_neurons).unpack()


def _image_shape(records: Records) -> tuple[int, int] | None:
    if "image_rows" not in records or "image_columns" not in records:
        return None
    rows, columns = int(records["image_rows"]), int(records["image_columns"])
    return (rows, columns) if rows > 0 and rows * columns == records.sizes["neuron"] else None


def _near_square(n_neurons: int) -> tuple[int, int]:
    rows = isqrt(n_neurons)
    return rows, -(-n_neurons // rows)


def _codes(spins: NDArray[np.int8], pattern: NDArray[np.int8] | None, as_block: bool) -> Codes:
    codes = (spins > 0).astype(int)
    if pattern is None:
        return np.full(spins.size, _EMPTY) if as_block else codes
    differs = spins != pattern[: spins.size]
    return np.where(differs, _DIFFERS + 1, 0) if as_block else codes + _DIFFERS * differs


def _lay_out(
    figure: SubFigure,
    rows: list[list[Codes]],
    titles: list[str],
    shape: tuple[int, int],
    names: list[tuple[str, str]],
) -> None:
    """Show the pictures, a row a trial; those of a single trial take as many rows as they need."""
    alone = len(rows) == 1
    n_columns = _COLUMNS_OF_ONE_TRIAL if alone else len(titles)
    n_rows = -(-len(titles) // n_columns) if alone else len(rows)
    panels = figure.subplots(n_rows, n_columns, squeeze=False)
    for axes in panels.flat:
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set_visible(False)
    for i, (axes, codes) in enumerate(
        zip(panels.flat, (codes for row in rows for codes in row), strict=False)
    ):
        picture = np.full(shape, _EMPTY)
        picture.flat[: codes.size] = codes
        axes.imshow(_PALETTE[picture])
        if i < len(titles):
            axes.set_title(titles[i])
    for axes, (name, color) in zip(panels[:, 0], names, strict=False):
        text = "\n".join(textwrap.wrap(name, _NAME_WIDTH))
        axes.set_ylabel(text, rotation=0, ha="right", va="center", color=color, weight="bold", fontsize=12)


def _explain(figure: SubFigure, rows: list[list[Codes]], meanings: dict[int, str]) -> None:
    """Name the colours that occur."""
    occurring = {code for code in meanings if any((codes == code).any() for row in rows for codes in row)}
    patches = [
        Patch(facecolor=_COLORS[code], edgecolor=style.GREY, label=meanings[code])
        for code in sorted(occurring)
    ]
    figure.legend(handles=patches, loc="outside lower center", ncols=2)
