"""Trajectories after rest: fixed points stay, two-cycles alternate, others are left as they are."""

import numpy as np

from hopsim.sampling.trajectory import Trajectory


def test_each_trial_is_continued_as_its_dynamics_would_be():
    """Three trials recorded for five times: a fixed point after 2 sweeps, a two-cycle known after 3, one that runs."""
    times = np.arange(5)
    kept = Trajectory(
        states=np.stack([times, times + 10, times + 20])[:, :, None],
        overlaps=np.stack([times, times + 10, times + 20])[:, :, None] / 100,
        energies=np.stack([times, times + 10, times + 20]) * 1.0,
        n_flips=np.stack([times, times + 10, times + 20]),
    )
    continued = kept.continued(np.array([2, 3, 4]), np.array([1, 2, 0], np.int8), 5)
    source = [[0, 1, 2, 2, 2], [10, 11, 12, 13, 12], [20, 21, 22, 23, 24]]
    assert continued.states[:, :, 0].tolist() == source
    assert (continued.overlaps[:, :, 0] * 100).round().astype(int).tolist() == source
    assert continued.energies.tolist() == source
    assert continued.n_flips.tolist() == [[0, 1, 2, 0, 0], *source[1:]]


def test_continued_beyond_what_was_recorded():
    """More times than any trial needed, and without states."""
    times = np.arange(3)
    kept = Trajectory(None, np.zeros((2, 3, 0)), np.stack([times, times]) * 1.0, np.stack([times, times]))
    continued = kept.continued(np.array([1, 2]), np.array([1, 2], np.int8), 7)
    assert continued.states is None
    assert continued.overlaps.shape == (2, 7, 0)
    assert continued.energies.tolist() == [[0, 1, 1, 1, 1, 1, 1], [0, 1, 2, 1, 2, 1, 2]]
    assert continued.n_flips.tolist() == [[0, 1, 0, 0, 0, 0, 0], [0, 1, 2, 1, 2, 1, 2]]
