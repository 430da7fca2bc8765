"""Terminal drawings: every pixel in its place."""

import numpy as np
import pytest

from hopsim.datasets.glyphs import glyphs
from hopsim.datasets.spin_pictures import draw_spins, side_by_side
from hopsim.errors import InputError

ROWS_OF = {" ": (-1, -1), "▀": (1, -1), "▄": (-1, 1), "█": (1, 1)}


@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (5, 4), (12, 12)])
def test_half_blocks_read_back_give_the_spins(shape):
    """Two rows a line; an odd last row has paper below it."""
    spins = np.random.default_rng(4).choice([-1, 1], size=shape)
    rows = []
    for line in draw_spins(spins, shape).split("\n"):
        upper, lower = zip(*(ROWS_OF[character] for character in line), strict=True)
        rows += [upper, lower]
    np.testing.assert_array_equal(rows[: shape[0]], spins)
    assert all(spin == -1 for row in rows[shape[0] :] for spin in row)


def test_ascii_drawing_of_a_glyph_is_the_glyph():
    letter = glyphs("L")
    drawing = draw_spins(letter.spins[0], (12, 12), ascii_only=True)
    assert drawing == "\n".join(["####........"] * 9 + ["############"] * 3)
    assert drawing.isascii()


def test_spins_that_do_not_fill_the_picture_are_refused():
    with pytest.raises(InputError, match="2 x 2 pixels do not hold 5 spins"):
        draw_spins(np.ones(5), (2, 2))


def test_pictures_of_unequal_size_stay_in_their_columns():
    text = side_by_side(["##\n##\n##", "#", "..\n##"], ["a", "a long title", "b"], gap=2)
    assert text.split("\n") == [
        "a   a long title  b",
        "##  #             ..",
        "##                ##",
        "##",
    ]


def test_titles_and_pictures_must_be_as_many():
    with pytest.raises(ValueError, match="zip"):
        side_by_side(["#"], ["one", "two"])
