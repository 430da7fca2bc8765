"""What a recall went through: states and observables after each sweep."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Trajectory:
    """States and observables after 0, 1, 2, ... sweeps.

    A trial that came to rest is continued as its dynamics would be: a fixed point stays, a two-cycle alternates.

    Attributes
    ----------
    states : int8 (n_trials, n_times, n_neurons) or None
        Spins ±1; None where only observables were asked for.
    overlaps : float64 (n_trials, n_times, n_patterns)
    energies : float64 (n_trials, n_times)
    n_flips : int64 (n_trials, n_times)
        Flips in the sweep that ended at this time; 0 at the start.
    """

    states: NDArray[np.int8] | None
    overlaps: NDArray[np.float64]
    energies: NDArray[np.float64]
    n_flips: NDArray[np.int64]

    def continued(self, n_sweeps: NDArray[np.int64], period: NDArray[np.int8], n_times: int) -> "Trajectory":
        """Continue each trial to `n_times` times from where it came to rest, after its `n_sweeps`.

        Parameters
        ----------
        n_sweeps : int64 (n_trials,)
        period : int8 (n_trials,)
            1 for a fixed point, 2 for a two-cycle, 0 for a trial that has all its times.
        n_times : int
        """
        past = np.maximum(np.arange(n_times) - n_sweeps[:, None], 0)
        steps_back = np.where(period[:, None] == 2, past % 2, 0)
        times = np.minimum(np.arange(n_times), n_sweeps[:, None]) - steps_back
        rows = np.arange(len(n_sweeps))[:, None]
        return Trajectory(
            None if self.states is None else self.states[rows, times],
            self.overlaps[rows, times],
            self.energies[rows, times],
            np.where((past > 0) & (period[:, None] == 1), 0, self.n_flips[rows, times]),
        )
