"""Parallel tempering: replicas of a machine on a ladder of temperatures that change places.

After some sweeps, neighbours on the ladder change places with the odds that keep the joint distribution (Geyer 1991;
Hukushima and Nemoto 1996); even and odd pairs take turns, which carries replicas along the ladder faster than pairs at
random (Okabe et al. 2001; Syed et al. 2022). Temperatures move between chains, states stay where they are.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hopsim.errors import InputError
from hopsim.models.seeds import Stream, stream_keys
from hopsim.sampling.gibbs_chains import GibbsChains, check_temperatures

LADDERS = ("geometric", "adapted")

_COLD, _HOT = 1, 2  # the end of the ladder that a replica was last at


class LadderReport(NamedTuple):
    """What swaps have done since they were last counted anew.

    Attributes
    ----------
    swap_rates : float64 (n_temperatures - 1,)
        Share of the swaps tried between each temperature and the next that were made; NaN if none was tried.
    round_trips : int64 (n_groups, n_temperatures)
        How often each replica went from the coldest temperature to the hottest and back.
    """

    swap_rates: NDArray[np.float64]
    round_trips: NDArray[np.int64]


class TemperedChains:
    """Groups of replicas, each group with one replica at each temperature.

    Parameters
    ----------
    chains : GibbsChains
        ``n_groups * n_temperatures`` chains, group by group.
    ladder : float (n_temperatures,)
        Ascending.
    keys : uint64 (n_groups,)
        The key of each group's swaps.
    swap_every : int
        Sweeps between two rounds of swaps.

    Attributes
    ----------
    rungs : int64 (n_groups, n_temperatures)
        Where on the ladder each replica is.
    lowest_energies : float64 (n_groups,)
        The lowest that any replica of each group was seen at, of the ±1 network.
    lowest_spins : int8 (n_groups, n_units)
    """

    def __init__(
        self, chains: GibbsChains, ladder: ArrayLike, keys: NDArray[np.uint64], swap_every: int = 1
    ) -> None:
        self.chains = chains
        self._keys = keys
        self._swap_every = swap_every
        self.set_ladder(check_ladder(ladder))
        n_groups, n_temperatures = len(keys), len(self.ladder)
        if len(chains.energies) != n_groups * n_temperatures:
            raise InputError(
                "ladder", f"expected {n_groups * n_temperatures} chains for {n_groups} groups of it"
            )
        self.rungs = np.tile(np.arange(n_temperatures), (n_groups, 1))
        self._n_rounds = 0
        self._last_end = np.where(self.rungs == 0, _COLD, 0)
        self.count_anew()
        self.lowest_energies = np.full(n_groups, np.inf)
        self.lowest_spins = chains.spins[::n_temperatures]
        self._energies = self._look()

    def set_ladder(self, ladder: NDArray[np.float64]) -> None:
        """Take other temperatures, as many as before."""
        self.ladder = ladder

    def count_anew(self) -> None:
        """Forget the swaps so far."""
        n_pairs = len(self.ladder) - 1
        self._n_tried, self._n_made = np.zeros(n_pairs, np.int64), np.zeros(n_pairs, np.int64)
        self._round_trips = np.zeros(self.rungs.shape, np.int64)

    def advance(self, n_rounds: int) -> None:
        """Do rounds, each of `swap_every` sweeps of all replicas and then swaps of every other pair."""
        for _ in range(n_rounds):
            self.chains.heat(self.ladder[self.rungs].reshape(-1))
            self.chains.advance(self._swap_every)
            self._energies = self._look()
            self._swap()
            self._n_rounds += 1

    def adapt(self) -> None:
        """Space the ladder so that as many swaps would fail between all neighbours, and count anew.

        Both ends stay. Rejections add up along the ladder to a function of log T, which is cut into equal parts (Syed
        et al. 2022, "Non-reversible parallel tempering", section 5.1). Do it in the burn-in alone: chains on a ladder
        that follows them keep no distribution.
        """
        failed = np.clip(1.0 - np.nan_to_num(self.report().swap_rates, nan=0.5), 1e-3, 1.0)
        total = np.append(0.0, np.cumsum(failed))
        parts = np.linspace(0.0, total[-1], len(total))
        ladder = np.exp(np.interp(parts, total, np.log(self.ladder)))
        ladder[[0, -1]] = self.ladder[[0, -1]]
        self.set_ladder(ladder)
        self.count_anew()

    def report(self) -> LadderReport:
        """Return what swaps have done since they were last counted anew."""
        with np.errstate(invalid="ignore"):
            return LadderReport(self._n_made / self._n_tried, self._round_trips.copy())

    @property
    def energies(self) -> NDArray[np.float64]:
        """Energies (n_groups, n_temperatures) of the ±1 network, by temperature."""
        return np.take_along_axis(self._energies, np.argsort(self.rungs, axis=1), axis=1)

    def spins_at(self, rung: int) -> NDArray[np.int8]:
        """States int8 (n_groups, n_units) of the replicas at one temperature."""
        replicas = np.argmax(self.rungs == rung, axis=1)
        return self.chains.spins[np.arange(len(self.rungs)) * len(self.ladder) + replicas]

    def _look(self) -> NDArray[np.float64]:
        """Energies (n_groups, n_temperatures) by replica; the lowest are kept."""
        n_temperatures = len(self.ladder)
        energies = self.chains.energies.reshape(-1, n_temperatures)
        best = energies.argmin(axis=1)
        groups = np.arange(len(energies))
        lower = energies[groups, best] < self.lowest_energies
        if lower.any():
            self.lowest_energies = np.where(lower, energies[groups, best], self.lowest_energies)
            spins = self.chains.spins
            self.lowest_spins[lower] = spins[(groups * n_temperatures + best)[lower]]
        return energies

    def _swap(self) -> None:
        """Try the pairs of neighbours that have their turn."""
        n_groups, n_temperatures = self.rungs.shape
        lower = np.arange(self._n_rounds % 2, n_temperatures - 1, 2)
        if lower.size == 0:
            return
        replica_at = np.argsort(self.rungs, axis=1)
        cold, hot = replica_at[:, lower], replica_at[:, lower + 1]
        groups = np.arange(n_groups)[:, None]
        made = swap_log_odds(
            self.ladder[lower],
            self.ladder[lower + 1],
            self._energies[groups, cold],
            self._energies[groups, hot],
        ) > np.log(self._uniform(lower))
        self._n_tried[lower] += n_groups
        self._n_made[lower] += made.sum(axis=0)
        self.rungs[groups, cold] += made
        self.rungs[groups, hot] -= made
        at_cold, at_hot = self.rungs == 0, self.rungs == n_temperatures - 1
        self._round_trips += at_cold & (self._last_end == _HOT)
        self._last_end[at_cold] = _COLD
        self._last_end[at_hot & (self._last_end == _COLD)] = _HOT

    def _uniform(self, pairs: NDArray[np.int64]) -> NDArray[np.float64]:
        """Numbers in (0, 1) for each group and pair of this round."""
        indices = self._n_rounds * len(self.ladder) + pairs
        bits = stream_keys(self._keys[:, None], Stream.SWAP, indices[None]).reshape(len(self._keys), -1)
        return ((bits >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53


def swap_log_odds(
    t_cold: ArrayLike, t_hot: ArrayLike, energy_cold: NDArray[np.float64], energy_hot: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Log of the odds that replicas change places: ``(1/T_cold - 1/T_hot)(E_cold - E_hot)``; above 0, surely."""
    return (1.0 / np.asarray(t_cold) - 1.0 / np.asarray(t_hot)) * (energy_cold - energy_hot)


def geometric_ladder(t_min: float, t_max: float, n_temperatures: int) -> NDArray[np.float64]:
    """Return temperatures from `t_min` to `t_max` that grow by one factor.

    Raises
    ------
    InputError
        For temperatures that are not positive or do not grow, or fewer than 2.
    """
    for name, value in (("t_min", t_min), ("t_max", t_max)):
        if not 0 < value < np.inf:
            raise InputError(name, f"expected a number above 0, got {value:g}")
    if t_max <= t_min:
        raise InputError("t_max", f"expected more than the lowest temperature {t_min:g}, got {t_max:g}")
    if n_temperatures < 2:
        raise InputError("n_temperatures", f"expected at least 2, got {n_temperatures}")
    return np.geomspace(t_min, t_max, n_temperatures)


def check_ladder(ladder: ArrayLike) -> NDArray[np.float64]:
    """Return a ladder as float64; `InputError` for ``ladder`` unless it is ascending from above 0."""
    values = np.array(ladder, np.float64)
    if values.ndim != 1 or values.size < 2 or not (np.diff(values) > 0).all():
        raise InputError("ladder", "expected at least two temperatures, ascending")
    check_temperatures(values)
    return values


def adapt_during(tempered: TemperedChains, n_rounds: int, tick: Callable[[], None] = lambda: None) -> None:
    """Do `n_rounds` rounds of burn-in and space the ladder anew after 1/8, 1/4 and 1/2 of them."""
    done = 0
    for share in (0.125, 0.25, 0.5):
        tempered.advance(int(share * n_rounds) - done)
        done = int(share * n_rounds)
        if done:
            tempered.adapt()
        tick()
    tempered.advance(n_rounds - done)
