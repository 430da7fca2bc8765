"""The figure of an encoder: how soon codes are found, the codes themselves, and the couplings of one run."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hopsim.plots import style
from hopsim.plots.contents import FLAGS, INTEGERS, Expected, check_contents, interrupted_note, require_length
from hopsim.plots.hinton_diagram import draw_hinton, fits_diagram, sign_legend
from hopsim.storage.run_file import Run

_RUNS_SHOWN = 12
EXPECTED = {
    "solved": Expected(("run",), FLAGS + INTEGERS),
    "cycles_to_codes": Expected(("run", "n_codes")),
    "code": Expected(("run", "pattern", "hidden_unit"), INTEGERS),
    "couplings": Expected(("unit", "unit_2")),
    "n_cycles": Expected((), INTEGERS),
}


def draw(run: Run) -> Figure:
    """Draw a run of boltzmann_encoder."""
    check_contents(run, EXPECTED)
    n_runs = require_length(run, "run")
    n_patterns = require_length(run, "pattern")
    n_hidden = require_length(run, "hidden_unit")
    title = f"Encoder {n_patterns}-{n_hidden}-{n_patterns}: {n_runs} runs by the recipe of 1985"
    figure = style.new_figure(15.0, 6.2, title + interrupted_note(run))
    curves, codes, machine = figure.subplots(1, 3, width_ratios=(1.1, 1.0, 1.1))
    _draw_curves(curves, run)
    _draw_codes(codes, run)
    largest = _draw_machine(machine, run)
    sign_legend(figure, largest)
    return figure


def _draw_curves(axes: Axes, run: Run) -> None:
    """Share of the runs that have found so many codes."""
    cycles = run.records["cycles_to_codes"]
    n_cycles = int(run.records["n_cycles"])
    largest = cycles.shape[1] - 1
    counts = sorted({largest, max(largest - 1, 1), max(largest // 2, 1)}, reverse=True)
    for k, count in enumerate(counts):
        found = np.sort(cycles[:, count][np.isfinite(cycles[:, count])])
        share = np.arange(1, len(found) + 1) / len(cycles)
        axes.step(
            np.append(found, n_cycles),
            np.append(share, share[-1:] if len(found) else 0.0),
            where="post",
            color=style.SERIES[k],
            label=f"{count} codes",
        )
    axes.set_xscale("log")
    axes.set_ylim(0.0, 1.02)
    style.name_panel(axes, "learning cycles", "share of runs")
    axes.legend(loc="lower right")


def _draw_codes(axes: Axes, run: Run) -> None:
    """Hidden states under each pattern, run beside run."""
    shown = np.argsort(~run.records["solved"].astype(bool), kind="stable")[:_RUNS_SHOWN]
    codes = run.records["code"][shown]
    n_runs, n_patterns, n_hidden = codes.shape
    picture = np.full((n_patterns, n_runs * (n_hidden + 1) - 1), np.nan)
    for k, code in enumerate(codes):
        first = k * (n_hidden + 1)
        picture[:, first : first + n_hidden] = code
    axes.imshow(picture, cmap="gray_r", vmin=-0.15, vmax=1.0, interpolation="nearest", aspect="auto")
    axes.set_xticks(np.arange(n_runs) * (n_hidden + 1) + (n_hidden - 1) / 2, [str(i) for i in shown])
    axes.set_xlabel("run")
    axes.set_yticks(np.arange(n_patterns) if n_patterns <= 20 else [0, n_patterns - 1])
    axes.set_ylabel("pattern")
    axes.set_title("codes: hidden units on are black")


def _draw_machine(axes: Axes, run: Run) -> float:
    couplings = run.records["couplings"]
    if not fits_diagram(couplings):
        axes.set_axis_off()
        return 0.0
    draw_hinton(axes, couplings)
    axes.set_xlabel("unit")
    axes.set_ylabel("unit")
    axes.set_title("couplings of run 0, at T = 1")
    return float(np.abs(couplings).max(initial=0.0))
