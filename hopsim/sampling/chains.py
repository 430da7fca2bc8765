"""Chains of ±1 units on a Hopfield model, advanced in compiled calls that are short enough to look up between."""

import time
from collections.abc import Callable

import numba
import numpy as np
from numpy.typing import NDArray

from hopsim.errors import InputError
from hopsim.kernels import dynamics
from hopsim.kernels.dense import DenseSystem, add_fields
from hopsim.kernels.giant_chain import advance_giant_chain
from hopsim.kernels.heat_bath import BLOCK
from hopsim.kernels.hebbian import (
    MAX_CONDENSED,
    N_COUNTERS,
    HebbianSystem,
    count_distances,
    plane_words,
    start_counters,
)
from hopsim.models.hopfield import DenseModel, HebbianModel, Model, row_slices
from hopsim.models.hopfield_energy import pattern_overlaps
from hopsim.models.memory import aligned_zeros, require_memory

ORDERS = {
    "random": dynamics.RANDOM,
    "replacement": dynamics.REPLACEMENT,
    "sequential": dynamics.SEQUENTIAL,
    "synchronous": dynamics.SYNCHRONOUS,
}

_CALL_SECONDS = 0.1  # aim of a compiled call: Python must look up four times a second
_FIRST_ITEMS = 20_000  # of the first call, when the speed is not known yet
_GROWTH = 4
_GIANT_BYTES = 1 << 26  # of packed patterns, from which a chain is worth all threads
_TRIAL_SECONDS = 0.005  # of the usual driver's work, which the other one is tried on
_FEWEST_CALLS_TO_RETRY, _MOST_CALLS_TO_RETRY = 2, 32


def check_order(order: str) -> int:
    """Return the kernels' number of an update order; `InputError` for an unknown one."""
    if order not in ORDERS:
        raise InputError("order", f"expected one of {', '.join(ORDERS)}; got {order!r}")
    return ORDERS[order]


def check_temperature(temperature: float) -> float:
    """Return the temperature; `InputError` unless it is a finite number that is not negative."""
    if not (np.isfinite(temperature) and temperature >= 0):
        raise InputError("temperature", f"expected a number of at least 0, got {temperature}")
    return float(temperature)


def chain_bytes(n_neurons: int, n_patterns: int, order: str) -> int:
    """Bytes that one chain on a Hebbian network takes beside the network."""
    words = plane_words(n_neurons, -(-n_patterns // 512) * 8)
    extra = {"synchronous": 2, "replacement": 4}.get(order, 0)
    return n_neurons * (5 + extra) + 8 * words + 4 * n_patterns


class Pace:
    """How fast a driver advances chains here and now, and how many items of each chain a call of it takes."""

    def __init__(self, items: float, speed: float = np.inf) -> None:
        self.items = items
        self.speed = speed  # items of all chains a second; infinite until measured

    def note(self, n_items: int, seconds: float, n_chains: int) -> None:
        """Take note of a call that advanced `n_chains` chains by `n_items` items in all."""
        self.speed = n_items / max(seconds, 1e-9)
        self.items = min(max(self.speed * _CALL_SECONDS / n_chains, 1.0), _GROWTH * self.items)


class HopfieldChains:
    """Chains on one model, each a function of its start and its key alone.

    Parameters
    ----------
    model : HebbianModel or DenseModel
    states : int8 (n_chains, n_neurons)
        Starts, ±1; copied.
    keys : uint64 (n_chains,)
        The key of each chain's random numbers.
    temperature : float or (n_chains,)
        T, not negative.
    order : {"random", "replacement", "sequential", "synchronous"}
    network : int64 (n_chains,), optional
        For a model of several networks: which one each chain lives on.
    tick : callable, optional
        Called between compiled calls; may raise to stop.
    """

    def __init__(
        self,
        model: Model,
        states: NDArray[np.int8],
        keys: NDArray[np.uint64],
        *,
        temperature: float | NDArray[np.float64] = 0.0,
        order: str = "random",
        network: NDArray[np.int64] | None = None,
        tick: Callable[[], None] = lambda: None,
    ) -> None:
        n_chains, n_neurons = states.shape
        self.model = model
        self._tick = tick
        code = check_order(order)
        synchronous = n_neurons if order == "synchronous" else 0
        replacement = n_neurons if order == "replacement" else 0
        self._chains = dynamics.Chains(
            spins=states.copy(),
            visits=np.zeros((n_chains, n_neurons), np.int32),
            pending=np.zeros((n_chains, synchronous), np.int8),
            before=np.zeros((n_chains, synchronous), np.int8),
            seen=np.zeros((n_chains, replacement), np.int32),
            registers=np.zeros((n_chains, dynamics.N_REGISTERS), np.int64),
            keys=keys,
            scaled_bias=model.bias * model.scale,
            half_temperature=np.broadcast_to(np.asarray(temperature, np.float64), n_chains)
            * (model.scale / 2),
            thresholds=np.zeros((n_chains, BLOCK)),
            order=code,
        )
        self._chains.registers[:, dynamics.N_UNSEEN] = n_neurons
        self._system: DenseSystem | HebbianSystem = (
            self._start_dense(model) if isinstance(model, DenseModel) else self._start_hebbian(model, network)
        )
        self._pace = Pace(_FIRST_ITEMS / n_chains)
        self._giant_pace = Pace(0.0, speed=0.0)
        self._calls_since_retry, self._calls_to_retry = 0, _FEWEST_CALLS_TO_RETRY

    def _start_dense(self, model: DenseModel) -> DenseSystem:
        integers = model.matrix.dtype.kind == "i"
        system = DenseSystem(
            model.matrix, aligned_zeros(self.spins.shape, np.int32 if integers else np.float64)
        )
        for first, last in row_slices(model.n_neurons, 8 * self.spins.size):
            add_fields(system, self.spins, first, last)
            self._tick()
        return system

    def _start_hebbian(self, model: HebbianModel, network: NDArray[np.int64] | None) -> HebbianSystem:
        n_chains, n_neurons = self.spins.shape
        n_words = model.rows.shape[2]
        planes = plane_words(n_neurons, n_words)
        require_memory(n_chains * 8 * planes, "n_trials", f"counters of {n_chains} chains")
        system = HebbianSystem(
            rows=model.rows,
            ones=model.ones,
            n_patterns=model.n_patterns,
            network=np.zeros(n_chains, np.int64) if network is None else network,
            planes=aligned_zeros((n_chains, planes), np.uint64),
            condensed=np.zeros((n_chains, MAX_CONDENSED), np.int32),
            condensed_overlaps=np.zeros((n_chains, MAX_CONDENSED), np.int64),
            counters=np.zeros((n_chains, N_COUNTERS), np.int64),
            distances=np.zeros((n_chains, model.n_patterns), np.int32),
        )
        n_parts = max(1, numba.get_num_threads() // n_chains)
        for first, last in row_slices(n_neurons, n_chains * n_words * 8):
            count_distances(system, self.spins, first, last, n_parts)
            self._tick()
        start_counters(system)
        return system

    @property
    def spins(self) -> NDArray[np.int8]:
        """The states as they are now, int8 (n_chains, n_neurons)."""
        return self._chains.spins

    @property
    def n_sweeps(self) -> NDArray[np.int64]:
        """Sweeps done or begun by each chain."""
        return self._chains.registers[:, dynamics.SWEEP].copy()

    @property
    def n_flips(self) -> NDArray[np.int64]:
        """Flips of each chain so far."""
        return self._chains.registers[:, dynamics.N_FLIPS].copy()

    @property
    def period(self) -> NDArray[np.int8]:
        """What is proven of each chain at T = 0: 1 a fixed point, 2 a two-cycle, 0 nothing yet."""
        return self._chains.registers[:, dynamics.STATUS].astype(np.int8)

    def advance(self, sweep_limit: int) -> None:
        """Run every chain to rest, or until it has done `sweep_limit` sweeps."""
        registers = self._chains.registers
        while True:
            running = (registers[:, dynamics.STATUS] == dynamics.RUNNING) & (
                registers[:, dynamics.SWEEP] < sweep_limit
            )
            active = np.flatnonzero(running)
            if active.size == 0:
                return
            giant = self._gives_chains_all_threads(active.size)
            pace = self._giant_pace if giant else self._pace
            if pace.speed == np.inf:
                self._call(active, giant, 0, sweep_limit)  # compiles, which says nothing about speed
            before = self._items_done(active)
            start = time.perf_counter()
            self._call(active, giant, int(pace.items) + 1, sweep_limit)
            seconds = time.perf_counter() - start
            pace.note(self._items_done(active) - before, seconds, active.size)
            self._tick()

    def _gives_chains_all_threads(self, n_active: int) -> bool:
        """Whether the chains should take all threads in turn, rather than a thread each.

        That can pay on networks that are large, and while threads would be idle. It then does unless units flip often,
        or other programs keep some of the processors, so that threads wait for each other: the faster driver is used,
        the other one tried again, ever less often. The bits are the same.
        """
        if not isinstance(self.model, HebbianModel) or n_active >= numba.get_num_threads():
            return False
        if self.model.rows[0].nbytes < _GIANT_BYTES:
            return False
        if self._giant_pace.speed > self._pace.speed:
            return True
        self._calls_since_retry += 1
        if self._calls_since_retry == self._calls_to_retry:
            self._calls_since_retry = 0
            self._calls_to_retry = min(2 * self._calls_to_retry, _MOST_CALLS_TO_RETRY)
            self._giant_pace = Pace(self._pace.speed * _TRIAL_SECONDS / n_active)
            return True
        return False

    def _call(self, active: NDArray[np.int64], giant: bool, n_items: int, sweep_limit: int) -> None:
        if not giant:
            dynamics.advance_chains(self._system, self._chains, active, n_items, sweep_limit)
            return
        n_threads = numba.get_num_threads()
        for c in active:
            advance_giant_chain(self._system, self._chains, c, n_items, sweep_limit, n_threads)

    def observables(
        self, patterns: NDArray[np.int8] | None = None
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Energies (n_chains,) and overlaps with all patterns (n_chains, n_patterns), as kept along the way.

        A Hebbian chain knows its overlaps; for dense couplings they are taken with `patterns`, int8 (n_patterns,
        n_neurons), if there are any.
        """
        energies = np.empty(len(self.spins))
        dynamics.measure_energies(self._system, self._chains, np.arange(len(self.spins)), energies)
        if isinstance(self._system, HebbianSystem):
            overlaps = 1.0 - 2.0 * self._system.distances / self.spins.shape[1]
        else:
            overlaps = pattern_overlaps(self.spins[:0] if patterns is None else patterns, self.spins)
        return energies / self.model.scale, overlaps

    def _items_done(self, active: NDArray[np.int64]) -> int:
        registers = self._chains.registers[active]
        per_sweep = self.spins.shape[1] * (2 if self._chains.order == dynamics.SYNCHRONOUS else 1)
        return int((registers[:, dynamics.SWEEP] * per_sweep + registers[:, dynamics.ITEM]).sum())
