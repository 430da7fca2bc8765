"""Simulated annealing: Gibbs chains that cool, and come to rest in states of low energy (Kirkpatrick et al. 1983)."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hopsim.errors import InputError
from hopsim.models.hopfield import DenseModel
from hopsim.models.sparse import SparseModel
from hopsim.sampling.gibbs_chains import GibbsChains, check_temperatures

SCHEDULES = ("geometric", "linear")

_COLDEST = 1e-200  # T at which a field of any size is obeyed, and a coin is tossed where there is none
_IDLE_SWEEPS = 10
_MOST_QUENCH_SWEEPS = 10_000


class Look(NamedTuple):
    """The chains at one moment.

    Attributes
    ----------
    n_sweeps : int
        Done so far.
    temperature : float
        Of the last sweep; 0 after the quench.
    energies : float64 (n_chains,)
        Of the ±1 network.
    """

    n_sweeps: int
    temperature: float
    energies: NDArray[np.float64]


def schedule(kind: str, t_start: float, t_end: float, n_sweeps: int) -> NDArray[np.float64]:
    """Return the temperature of each sweep, falling from `t_start` to `t_end`: by equal steps or by equal factors.

    Raises
    ------
    InputError
        For an unknown `kind`, temperatures that are not positive or rise, or no sweep.

    Examples
    --------
    >>> schedule("geometric", 4.0, 1.0, 3).tolist()
    [4.0, 2.0, 1.0]
    """
    if kind not in SCHEDULES:
        raise InputError("schedule", f"expected one of {', '.join(SCHEDULES)} or a file, got {kind!r}")
    for name, value in (("t_start", t_start), ("t_end", t_end)):
        if not 0 < value < np.inf:
            raise InputError(name, f"expected a number above 0, got {value:g}")
    if t_end > t_start:
        raise InputError("t_end", f"expected at most t_start = {t_start:g}, got {t_end:g}")
    if n_sweeps < 1:
        raise InputError("n_sweeps", f"expected at least 1, got {n_sweeps}")
    if kind == "linear":
        return np.linspace(t_start, t_end, n_sweeps)
    return np.geomspace(t_start, t_end, n_sweeps)


def check_schedule(temperatures: ArrayLike) -> NDArray[np.float64]:
    """Return a custom schedule as float64 (n_sweeps,); `InputError` for ``schedule`` that is none."""
    values = np.asarray(temperatures, np.float64)
    if values.ndim != 1 or values.size == 0:
        raise InputError(
            "schedule", f"expected a list of temperatures, one a sweep; got shape {values.shape}"
        )
    try:
        check_temperatures(values)
    except InputError as error:
        raise InputError("schedule", f"a temperature is wrong: {error.problem}") from error
    return values


def usual_range(network: DenseModel | SparseModel) -> tuple[float, float]:
    """Where cooling may start and end: 2 and 0.05 times the root mean square field of random states.

    For the Sherrington-Kirkpatrick model that is twice and a twentieth of its critical temperature.
    """
    couplings = network.couplings()
    squares = np.asarray((couplings**2).sum(axis=1)) + network.bias**2
    field = float(np.sqrt(squares.mean()))
    return (2.0 * field, 0.05 * field) if field > 0 else (1.0, 1.0)


class Annealing:
    """Chains on their way down.

    Parameters
    ----------
    chains : GibbsChains
        At random starts.
    temperatures : float (n_sweeps,)
        Of each sweep, of all chains.

    Attributes
    ----------
    energies : float64 (n_chains,)
        The lowest that each chain was seen at, of the ±1 network.
    spins : int8 (n_chains, n_units)
        The states that had them.
    """

    def __init__(self, chains: GibbsChains, temperatures: NDArray[np.float64]) -> None:
        self._chains = chains
        self._temperatures = temperatures
        self.energies = chains.energies
        self.spins = chains.spins

    def run(self, look_every: int, *, quench: bool = True) -> Iterator[Look]:
        """Cool; look at energies every so many sweeps and at the end, and let the caller look too.

        With `quench` the chains then go downhill at T -> 0 until ten sweeps in a row lower no energy: a unit whose
        field is 0 tosses a coin, which can open a way further down.
        """
        n_chains, n_sweeps = len(self.energies), len(self._temperatures)
        for first in range(0, n_sweeps, look_every):
            last = min(first + look_every, n_sweeps)
            values = np.repeat(self._temperatures[first:last, None], n_chains, axis=1)
            self._chains.advance(last - first, values)
            yield self._look(last, float(self._temperatures[last - 1]))
        if quench:
            self._chains.heat(_COLDEST)
            yield self._look(n_sweeps + self._quench(), 0.0)

    def _quench(self) -> int:
        lowest, n_idle = self._chains.energies, 0
        for n_sweeps in range(1, _MOST_QUENCH_SWEEPS):
            self._chains.advance(1)
            energies = self._chains.energies
            n_idle = 0 if (energies < lowest).any() else n_idle + 1
            if n_idle == _IDLE_SWEEPS:
                return n_sweeps
            lowest = np.minimum(lowest, energies)
        return _MOST_QUENCH_SWEEPS

    def _look(self, n_sweeps: int, temperature: float) -> Look:
        energies = self._chains.energies
        lower = energies < self.energies
        if lower.any():
            self.energies = np.where(lower, energies, self.energies)
            self.spins[lower] = self._chains.spins[lower]
        return Look(n_sweeps, temperature, energies)
