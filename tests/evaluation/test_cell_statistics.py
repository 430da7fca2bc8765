"""Statistics of streaming points against those of all points at once."""

import numpy as np
import pytest
from scipy.stats import binomtest

from hopsim.evaluation.cell_statistics import CellStatistics

THRESHOLDS = np.array([0.9, 0.5, 0.9])


@pytest.fixture
def overlap():
    """Of 50 networks, 4 trials each."""
    return np.random.default_rng(51).uniform(-1.0, 1.0, (50, 4))


def test_streaming_gives_what_all_points_at_once_give(overlap):
    """Blocks of 1 to 30 points, cells in turn: mean, standard error, histogram and fraction of each cell."""
    statistics = CellStatistics.empty(THRESHOLDS, n_trials=4)
    for first, last in ((0, 1), (1, 2), (2, 20), (20, 50)):
        statistics.add(0, overlap[first:last])
        statistics.add(1, overlap[first:last])
    means = overlap.mean(axis=1)
    n_retrieved = (overlap > THRESHOLDS[:2, None, None]).sum(axis=2)
    assert statistics.n_networks.tolist() == [50, 50, 0]
    # rounding of sums of 50 numbers of order 1
    assert statistics.overlap_mean[:2] == pytest.approx(means.mean(), abs=1e-14)
    assert statistics.overlap_se()[:2] == pytest.approx(means.std(ddof=1) / np.sqrt(50), rel=1e-13)
    for cell in range(2):
        assert statistics.histograms[cell].tolist() == np.bincount(n_retrieved[cell], minlength=5).tolist()
    fraction, low, high = statistics.retrieval()
    for cell in range(2):
        exact = binomtest(int(n_retrieved[cell].sum()), 200).proportion_ci()
        assert fraction[cell] == n_retrieved[cell].sum() / 200
        assert (low[cell], high[cell]) == (pytest.approx(exact.low), pytest.approx(exact.high))


def test_a_cell_without_points_is_nan(overlap):
    statistics = CellStatistics.empty(THRESHOLDS, n_trials=4)
    statistics.add(0, overlap[:1])
    assert np.isnan(statistics.overlap_mean[1:]).all()
    assert np.isnan(statistics.overlap_se()).all()  # one network tells no scatter
    for values in statistics.retrieval():
        assert np.isfinite(values[0])
        assert np.isnan(values[1:]).all()
    assert statistics.histograms[1:].sum() == 0


def test_the_same_blocks_give_the_same_bits(overlap):
    first, second = (CellStatistics.empty(THRESHOLDS, n_trials=4) for _ in range(2))
    for statistics in (first, second):
        statistics.add(2, overlap[:17])
        statistics.add(2, overlap[17:])
    assert first.overlap_mean[2] == second.overlap_mean[2]
    assert first.squares[2] == second.squares[2]


def test_a_small_scatter_about_a_large_mean_is_not_lost_to_rounding():
    """Overlaps 1 - 1e-9 k in single points: the textbook's sum of squares would keep no digit of their scatter."""
    overlap = 1.0 - 1e-9 * np.arange(100.0)[:, None]
    statistics = CellStatistics.empty(np.array([0.9]), n_trials=1)
    for row in overlap:
        statistics.add(0, row[None])
    expected = overlap.std(ddof=1) / 10
    assert statistics.overlap_se()[0] == pytest.approx(expected, rel=1e-6)


def test_an_overlap_at_the_threshold_is_not_retrieved():
    statistics = CellStatistics.empty(np.array([0.9]), n_trials=2)
    statistics.add(0, np.array([[0.9, np.nextafter(0.9, 1.0)]]))
    assert statistics.histograms.tolist() == [[0, 1, 0]]
    assert statistics.n_trials == 2
