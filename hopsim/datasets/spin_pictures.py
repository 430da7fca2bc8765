"""Pictures of spins as text for a terminal."""

from collections.abc import Sequence
from itertools import zip_longest

import numpy as np
from numpy.typing import ArrayLike

from hopsim.errors import InputError

_HALF_BLOCKS = np.array([[" ", "▄"], ["▀", "█"]])  # [upper row is +1, lower row is +1]
_ASCII = np.array([".", "#"])


def draw_spins(spins: ArrayLike, image_shape: tuple[int, int], *, ascii_only: bool = False) -> str:
    """Draw a picture of spins, +1 as ink.

    Parameters
    ----------
    spins : array_like of int, rows * columns values in {-1, +1}
        The picture, row by row.
    image_shape : tuple of int
        (rows, columns).
    ascii_only : bool
        Draw one row a line with ``#`` and ``.``, for terminals without Unicode. Otherwise half blocks show
        two rows a line, which makes pixels about square.

    Returns
    -------
    str
        Lines of equal length, without a newline at the end.

    Raises
    ------
    InputError
        If `spins` does not have rows * columns values.

    Examples
    --------
    >>> cross = [-1, 1, -1, 1, 1, 1, -1, 1, -1]
    >>> print(draw_spins(cross, (3, 3), ascii_only=True))
    .#.
    ###
    .#.
    >>> draw_spins(cross, (3, 3)).splitlines()
    ['▄█▄', ' ▀ ']
    """
    rows, columns = image_shape
    ink = np.asarray(spins).ravel() > 0
    if ink.size != rows * columns:
        raise InputError("image_shape", f"{rows} x {columns} pixels do not hold {ink.size} spins")
    ink = ink.reshape(rows, columns).astype(int)
    if ascii_only:
        pixels = _ASCII[ink]
    else:
        ink = np.vstack([ink, np.zeros((rows % 2, columns), int)])
        pixels = _HALF_BLOCKS[ink[0::2], ink[1::2]]
    return "\n".join("".join(line) for line in pixels)


def side_by_side(pictures: Sequence[str], titles: Sequence[str], *, gap: int = 3) -> str:
    r"""Put drawings next to each other under their titles.

    Parameters
    ----------
    pictures : sequence of str
        Drawings, such as `draw_spins` makes; they may differ in size.
    titles : sequence of str
        One line each, as many as pictures.
    gap : int
        Blanks between two columns.

    Returns
    -------
    str
        Lines without blanks or a newline at the end.

    Examples
    --------
    >>> print(side_by_side(["##\n..", "#.\n.#"], ["stored", "probe"]))
    stored   probe
    ##       #.
    ..       .#
    """
    columns = [[title, *picture.splitlines()] for title, picture in zip(titles, pictures, strict=True)]
    widths = [max(map(len, column)) for column in columns]
    lines = [
        (" " * gap).join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
        for cells in zip_longest(*columns, fillvalue="")
    ]
    return "\n".join(lines)
