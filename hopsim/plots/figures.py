"""The figure of a hopsim file, whichever experiment wrote it."""

import io
from collections.abc import Callable
from pathlib import Path

from matplotlib.backend_bases import FigureCanvasBase
from matplotlib.figure import Figure

from hopsim.errors import InputError
from hopsim.plots import (
    boltzmann_anneal,
    boltzmann_classics,
    boltzmann_encoder,
    boltzmann_gradient,
    boltzmann_ground_states,
    boltzmann_sample,
    boltzmann_shifter,
    boltzmann_temper,
    boltzmann_train,
    boltzmann_xor,
    hopfield_basins,
    hopfield_capacity,
    hopfield_phase,
    hopfield_recall,
    hopfield_scaling,
    hopfield_theory,
    style,
)
from hopsim.storage.atomic_file import replace_file, write_all
from hopsim.storage.run_file import Run, check_output

FIGURES: dict[str, Callable[[Run], Figure]] = {
    "boltzmann_anneal": boltzmann_anneal.draw,
    "boltzmann_classics": boltzmann_classics.draw,
    "boltzmann_encoder": boltzmann_encoder.draw,
    "boltzmann_gradient": boltzmann_gradient.draw,
    "boltzmann_ground_states": boltzmann_ground_states.draw,
    "boltzmann_sample": boltzmann_sample.draw,
    "boltzmann_shifter": boltzmann_shifter.draw,
    "boltzmann_temper": boltzmann_temper.draw,
    "boltzmann_train": boltzmann_train.draw,
    "boltzmann_xor": boltzmann_xor.draw,
    "hopfield_recall": hopfield_recall.draw,
    "hopfield_capacity": hopfield_capacity.draw,
    "hopfield_scaling": hopfield_scaling.draw,
    "hopfield_phase": hopfield_phase.draw,
    "hopfield_basins": hopfield_basins.draw,
    "hopfield_theory": hopfield_theory.draw,
}


def draw_figure(run: Run) -> Figure:
    """Draw the figure of a run.

    Parameters
    ----------
    run : Run
        What `hopsim.open_run` gives.

    Returns
    -------
    matplotlib.figure.Figure
        Known to no window and no pyplot; save it with its `savefig`, or look at it in a notebook.

    Raises
    ------
    InputError
        Naming the file: there is no figure for its experiment, or it does not hold what that one writes.
    """
    if run.experiment not in FIGURES:
        raise InputError(
            str(run.path),
            f"is a run of {run.experiment!r}, which has no figure; expected one of {', '.join(FIGURES)}",
        )
    with style.applied():
        return FIGURES[run.experiment](run)


def save_figure(run: Run, path: Path, force: bool) -> None:
    """Draw the figure of a run into a file, whole or not at all.

    Parameters
    ----------
    run : Run
        What `hopsim.open_run` gives.
    path : Path
        Its ending says the format: .png, .pdf, .svg and others that matplotlib knows.
    force : bool
        Replace an existing file.

    Raises
    ------
    InputError
        If the ending is of no known format, if the file exists and `force` is not given, if it cannot be
        written there, or as `draw_figure`.
    RunError
        If the disk is full or fails.
    """
    formats = FigureCanvasBase.get_supported_filetypes()
    file_format = path.suffix[1:].lower()
    if file_format not in formats:
        raise InputError(
            "out", f"{path} names no format for a figure; expected .{', .'.join(sorted(formats))}"
        )
    check_output(path, force)
    image = io.BytesIO()
    figure = draw_figure(run)
    with style.applied():
        figure.savefig(image, format=file_format)
    with replace_file(path) as file:
        write_all(file, image.getbuffer())
