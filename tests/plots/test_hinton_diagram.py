"""A Hinton diagram's squares have areas and colours of the matrix's entries."""

import numpy as np
import pytest
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure

from hopsim.plots.hinton_diagram import NEGATIVE, POSITIVE, draw_hinton, fits_diagram


def squares(matrix, **options):
    axes = Figure().subplots()
    draw_hinton(axes, np.array(matrix, float), **options)
    if not axes.collections:
        return {}
    (collection,) = axes.collections
    found = {}
    for path, color in zip(collection.get_paths(), collection.get_facecolors(), strict=True):
        box = path.get_extents()
        centre = round((box.y0 + box.y1) / 2), round((box.x0 + box.x1) / 2)
        found[centre] = box.width, box.height, tuple(color)
    return found


def test_areas_are_sizes_and_colours_signs():
    found = squares([[0.0, 4.0], [-1.0, np.nan], [2.0, 0.0]])
    assert set(found) == {(0, 1), (1, 0), (2, 0)}
    largest = found[0, 1][0] ** 2
    for place, size, color in (((0, 1), 4.0, POSITIVE), ((1, 0), 1.0, NEGATIVE), ((2, 0), 2.0, POSITIVE)):
        width, height, drawn = found[place]
        assert width == pytest.approx(height)
        assert width * height / largest == pytest.approx(size / 4.0)
        assert drawn == to_rgba(color)
    assert found[0, 1][0] < 1.0  # within its cell


def test_the_largest_size_can_be_given():
    assert squares([[1.0]], largest=4.0)[0, 0][0] == pytest.approx(squares([[4.0]])[0, 0][0] / 2)
    assert squares([[9.0]], largest=4.0)[0, 0][0] == pytest.approx(squares([[4.0]])[0, 0][0])


def test_a_matrix_of_zeros_has_no_squares():
    assert squares(np.zeros((3, 3))) == {}


def test_very_large_matrices_are_not_for_it():
    assert fits_diagram(np.zeros((100, 101)))
    assert not fits_diagram(np.zeros((2, 1000)))
