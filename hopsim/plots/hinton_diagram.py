"""A Hinton diagram: a matrix as squares, area for size, colour for sign (Hinton, Sejnowski, Ackley 1984)."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PatchCollection
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from hopsim.plots import style

POSITIVE, NEGATIVE = style.VERMILLION, style.BLUE

_LARGEST_SIDE = 0.94  # of a cell
_LARGEST_MATRIX = 400  # rows or columns, beyond which squares are no longer seen


def draw_hinton(axes: Axes, matrix: NDArray[np.float64], largest: float | None = None) -> None:
    """Draw a matrix, first row on top.

    Parameters
    ----------
    axes : Axes
    matrix : float (n_rows, n_columns)
        What is 0 or not finite gets no square.
    largest : float, optional
        The size that fills a cell; by default that of the largest entry. Larger entries fill theirs, too.
    """
    sizes = np.abs(np.where(np.isfinite(matrix), matrix, 0.0))
    largest = float(sizes.max(initial=0.0)) if largest is None else largest
    rows, columns = np.nonzero(sizes)
    if largest > 0.0:
        sides = _LARGEST_SIDE * np.sqrt(np.minimum(sizes[rows, columns] / largest, 1.0))
        squares = [
            Rectangle((column - side / 2, row - side / 2), side, side)
            for row, column, side in zip(rows, columns, sides, strict=True)
        ]
        colors = [
            POSITIVE if matrix[row, column] > 0 else NEGATIVE
            for row, column in zip(rows, columns, strict=True)
        ]
        axes.add_collection(PatchCollection(squares, facecolors=colors, linewidths=0))
    n_rows, n_columns = matrix.shape
    axes.set_xlim(-0.5, n_columns - 0.5)
    axes.set_ylim(n_rows - 0.5, -0.5)
    axes.set_aspect("equal")
    axes.set_facecolor("#f0f0f0")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))


def fits_diagram(matrix: NDArray[np.float64]) -> bool:
    """Whether the squares of a matrix would be large enough to be seen."""
    return max(matrix.shape) <= _LARGEST_MATRIX


def sign_legend(figure: Figure, largest: float, name: str = "W") -> None:
    """Say below the panels what colours mean, and how large the largest entry is."""
    handles = [
        Patch(color=POSITIVE, label=f"${name}$ > 0"),
        Patch(color=NEGATIVE, label=f"${name}$ < 0"),
        Patch(color="none", label=f"a full cell: |${name}$| = {largest:.3g}"),
    ]
    figure.legend(handles=handles, loc="outside lower right", ncols=3, columnspacing=1.0)
