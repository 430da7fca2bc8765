"""Couplings read from .npy files: what breaks Hopfield's energy argument is refused with its place."""

import numpy as np
import pytest

from hopsim.datasets.coupling_files import read_couplings
from hopsim.errors import InputError

COUPLINGS = np.array([[0.0, 0.5, -1.0], [0.5, 0.0, 2.0], [-1.0, 2.0, 0.0]])


@pytest.mark.parametrize(
    ("stored", "returned"),
    [(np.float64, np.float64), (np.float32, np.float32), (">f4", np.float32), (np.int16, np.float64)],
)
def test_numbers_come_back_as_floats(tmp_path, stored, returned):
    couplings = (2 * COUPLINGS).astype(stored)
    np.save(tmp_path / "w.npy", couplings)
    result = read_couplings(tmp_path / "w.npy")
    assert result.dtype == np.dtype(returned)
    assert result.dtype.isnative
    np.testing.assert_array_equal(result, 2 * COUPLINGS)


def changed(*changes):
    couplings = COUPLINGS.copy()
    for row, column, value in changes:
        couplings[row, column] = value
    return couplings


@pytest.mark.parametrize(
    ("couplings", "said"),
    [
        (np.ones(4), "shape (4,)"),
        (np.ones((2, 3)), "shape (2, 3)"),
        (np.ones((0, 0)), "shape (0, 0)"),
        (changed((1, 2, np.nan), (2, 1, np.nan)), "W[1, 2] = nan is not a finite number"),
        (changed((0, 2, np.inf), (2, 0, np.inf)), "W[0, 2] = inf"),
        (changed((2, 1, 3.0)), "not symmetric: W[1, 2] = 2.0, W[2, 1] = 3.0"),
        (changed((1, 1, 0.25)), "W[1, 1] = 0.25, but the diagonal must be zero"),
        (np.array([["a"]]), "dtype <U1"),
    ],
)
def test_matrices_that_are_no_couplings(tmp_path, couplings, said):
    np.save(tmp_path / "w.npy", couplings)
    with pytest.raises(InputError) as caught:
        read_couplings(tmp_path / "w.npy")
    assert caught.value.subject == str(tmp_path / "w.npy")
    assert said in caught.value.problem


def test_other_endings_and_missing_files(tmp_path):
    with pytest.raises(InputError, match=r"read from a \.npy file"):
        read_couplings(tmp_path / "w.csv")
    with pytest.raises(InputError, match="No such file"):
        read_couplings(tmp_path / "w.npy")
