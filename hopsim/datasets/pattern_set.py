"""Patterns with their names."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class PatternSet:
    """Patterns to store or to start from.

    Attributes
    ----------
    spins : ndarray of int8, shape (n_patterns, n_neurons)
        The patterns, each value -1 or +1.
    names : list of str
        One name a pattern, for tables and figures.
    image_shape : tuple of int or None
        (rows, columns) if each pattern is a picture read row by row, else None.
    """

    spins: np.ndarray
    names: list[str]
    image_shape: tuple[int, int] | None = None

    @property
    def n_patterns(self) -> int:
        """Number of patterns."""
        return self.spins.shape[0]

    @property
    def n_neurons(self) -> int:
        """Number of neurons, the length of each pattern."""
        return self.spins.shape[1]
