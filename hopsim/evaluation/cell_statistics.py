"""What a study needs to know of its points, cell by cell, while they stream past: memory does not grow with them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hopsim.evaluation.proportions import binomial_interval

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class CellStatistics:
    """Overlaps and retrievals of a study's cells; a cell is one combination of parameters, its points are networks.

    Attributes
    ----------
    thresholds : float64 (n_cells,)
        Overlap above which a trial counts as retrieved.
    n_networks : int64 (n_cells,)
        Networks seen so far.
    overlap_mean : float64 (n_cells,)
        Mean overlap over networks; NaN without any.
    squares : float64 (n_cells,)
        Sum of the squared deviations of the networks' mean overlaps from `overlap_mean`.
    histograms : int64 (n_cells, n_trials + 1)
        Number of networks in which 0, 1, ... n_trials of the trials were retrieved.
    """

    thresholds: FloatArray
    n_networks: NDArray[np.int64]
    overlap_mean: FloatArray
    squares: FloatArray
    histograms: NDArray[np.int64]

    @classmethod
    def empty(cls, thresholds: FloatArray, n_trials: int) -> "CellStatistics":
        """Return the statistics before any point."""
        n_cells = len(thresholds)
        return cls(
            thresholds,
            np.zeros(n_cells, np.int64),
            np.full(n_cells, np.nan),
            np.zeros(n_cells),
            np.zeros((n_cells, n_trials + 1), np.int64),
        )

    @property
    def n_trials(self) -> int:
        """Trials a network."""
        return self.histograms.shape[1] - 1

    def add(self, cell: int, overlap: FloatArray) -> None:
        """Add networks of one cell: overlaps (n_networks, n_trials).

        Means and squares are merged by Chan, Golub and LeVeque (1983, eq. 2.1): the same bits for the same blocks.
        """
        means = overlap.mean(axis=1)
        n_new, mean = len(means), means.mean()
        squares = ((means - mean) ** 2).sum()
        n_old = self.n_networks[cell]
        if n_old:
            difference = mean - self.overlap_mean[cell]
            squares += difference**2 * n_old * n_new / (n_old + n_new)
            mean = self.overlap_mean[cell] + difference * n_new / (n_old + n_new)
        self.n_networks[cell] += n_new
        self.overlap_mean[cell] = mean
        self.squares[cell] += squares
        n_retrieved = (overlap > self.thresholds[cell]).sum(axis=1)
        self.histograms[cell] += np.bincount(n_retrieved, minlength=self.n_trials + 1)

    def overlap_se(self) -> FloatArray:
        """Return the standard error of the mean overlap, over networks; NaN with fewer than two."""
        n_networks = self.n_networks
        with np.errstate(divide="ignore", invalid="ignore"):
            errors = np.sqrt(self.squares / ((n_networks - 1.0) * n_networks))
        return np.where(n_networks > 1, errors, np.nan)

    def retrieval(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return the fraction of trials retrieved and the ends of its 95 % binomial interval; NaN without trials."""
        n_retrieved = self.histograms @ np.arange(self.n_trials + 1)
        n_total = self.n_networks * self.n_trials
        with np.errstate(invalid="ignore"):
            fraction = n_retrieved / n_total
        return fraction, *binomial_interval(n_retrieved, n_total)
