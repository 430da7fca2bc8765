"""Gibbs sampling on dense couplings, the Sherrington-Kirkpatrick model: updates a second beside peers and the bound."""

import time
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from bench import gibbs_peers as peers
from bench.gibbs_peers import N_CHAINS, Sampler, Stretch
from bench.harness import Report, Spread, spread
from hopsim.kernels.gibbs_lanes import BLOCK, TILE_BYTES
from hopsim.kernels.lane_vectors import add_rows
from hopsim.models.boltzmann import boltzmann_model
from hopsim.models.lattices import sherrington_kirkpatrick
from hopsim.models.memory import aligned_zeros
from hopsim.models.seeds import Stream, stream_keys
from hopsim.sampling.gibbs_chains import GibbsChains
from hopsim.sampling.threads import using_threads

SEED = 1
PEERS = {
    "dwave-samplers": peers.dwave,
    "openjij": peers.openjij,
    "numpy blocks": peers.numpy_blocks,
    "naive numba": peers.naive_numba,
}
TARGETS = {
    100: {"dwave-samplers": 12, "openjij": 7, "numpy blocks": 9},
    1000: {"dwave-samplers": 20, "openjij": 7, "numpy blocks": 6},
    4000: {"dwave-samplers": 25, "openjij": 25, "numpy blocks": 4.5},
}
# millions of updates of a call: some tenths of a second each
_UPDATES = {
    "in lanes": {100: 80, 1000: 40, 4000: 12},
    "one chain": {100: 10, 1000: 8, 4000: 2},
    "dwave-samplers": {100: 6, 1000: 1, 4000: 0.3},
    "openjij": {100: 10, 1000: 3, 4000: 0.3},
    "numpy blocks": {100: 8, 1000: 4, 4000: 2},
    "naive numba": {100: 6, 1000: 2, 4000: 0.3},
}
_ADDITIONS = 20_000  # calls that the bound is measured with


def run(quick: bool) -> Report:
    """Run the whole bench."""
    report = Report("gibbs", quick)
    n_rounds = 3 if quick else 9
    for n_units in (100, 1000) if quick else (100, 1000, 4000):
        compare(report, n_units, n_rounds)
    return report.finish()


def compare(report: Report, n_units: int, n_rounds: int) -> None:
    """All contenders on one network."""
    task = f"SK, N = {n_units:,}, beta = 1"
    gaussian = sherrington_kirkpatrick(n_units, SEED)
    signs = sherrington_kirkpatrick(n_units, SEED, gaussian=False)
    contenders: dict[str, Sampler] = {
        "hopsim": hopsim_chains(gaussian, N_CHAINS, 1),
        "hopsim, couplings ±1 (int16)": hopsim_chains(signs, N_CHAINS, 1),
        "hopsim, one chain": hopsim_chains(gaussian, 1, 1),
    }
    if report.machine["cpus"] >= 2:
        contenders["hopsim, 2 threads"] = hopsim_chains(gaussian, N_CHAINS, 2)
    for name, start in PEERS.items():
        try:
            contenders[name] = start(gaussian, _sweeps(name, n_units, N_CHAINS if "numpy" in name else 1))
        except ImportError:
            report.add_missing(task, name, f"not measured: pip install {name}")
    bounds = []
    stretches = _take_turns(contenders, n_rounds, bounds)
    rates = {name: _rates(calls) for name, calls in stretches.items()}
    for name, calls in stretches.items():
        times = (
            "" if name == "hopsim" else f"; hopsim {_ratio(rates['hopsim'], rates[name]).median:.3g} times"
        )
        energy = np.mean([call.energy for call in calls])
        report.add(
            task,
            _with_version(name),
            spread(rates[name]),
            "million updates/s",
            f"energy a unit {energy:.3f}{times}",
        )
    flips = flip_rate(gaussian)
    bound = spread(1e3 * np.array(bounds) / (flips * n_units))
    report.add(
        task, "bound: additions from the first cache", bound, "million updates/s", f"flip rate {flips:.3f}"
    )
    report.add(
        task, "hopsim of the bound", _ratio(rates["hopsim"], 1e3 * np.array(bounds) / (flips * n_units)), ""
    )
    for name, least in TARGETS[n_units].items():
        if name in rates:
            report.promise(
                f"N = {n_units:,}, {name}",
                _ratio(rates["hopsim"], rates[name]).median,
                "at least",
                least,
                "times",
            )
    if "hopsim, 2 threads" in rates:
        speedup = _ratio(rates["hopsim, 2 threads"], rates["hopsim"]).median
        report.promise(f"N = {n_units:,}, two threads against one", speedup, "at least", 1.8, "times")


def hopsim_chains(couplings: NDArray[np.float64], n_chains: int, n_threads: int) -> Sampler:
    """Chains that each call takes on."""
    n_units = len(couplings)
    n_sweeps = _sweeps("in lanes" if n_chains > 1 else "one chain", n_units, n_chains)
    with using_threads(n_threads):
        chains = _started(couplings, n_chains)

    def call(k: int) -> Stretch:
        with using_threads(n_threads):
            start = time.perf_counter()
            chains.advance(n_sweeps)
            seconds = time.perf_counter() - start
        return Stretch(n_sweeps * n_units * n_chains, seconds, float(chains.energies.mean()) / n_units)

    return call


def flip_rate(couplings: NDArray[np.float64]) -> float:
    """Flips per update in equilibrium."""
    chains = _started(couplings, 64)
    chains.advance(100)
    before = chains.n_flips.sum()
    chains.advance(50)
    return float(chains.n_flips.sum() - before) / (50 * 64 * len(couplings))


def additions_per_nanosecond() -> float:
    """Elements of int32 rows in the first cache that are added to fields in registers, a nanosecond, one thread."""
    width = TILE_BYTES // 4
    fields, rows = aligned_zeros((width,), np.int32), aligned_zeros((BLOCK, width), np.int32)
    start = time.perf_counter()
    _add_often(fields, rows, _ADDITIONS)
    return _ADDITIONS * BLOCK * width / (time.perf_counter() - start) * 1e-9


@numba.njit(cache=False)
def _add_often(fields: Any, rows: Any, n_calls: Any) -> None:
    for _ in range(n_calls):
        add_rows(fields, rows, np.int64(0xFFFFFFFF), np.int64(0x5A5A5A5A))


def _started(couplings: NDArray[np.float64], n_chains: int) -> GibbsChains:
    network = boltzmann_model(couplings, encoding="pm1").spin_network
    spins = np.random.default_rng(SEED).choice(np.array([-1, 1], np.int8), (n_chains, len(couplings)))
    return GibbsChains(network, spins, stream_keys(SEED, Stream.CHAIN, range(n_chains)))


def _sweeps(kind: str, n_units: int, n_chains: int) -> int:
    return max(1, round(_UPDATES[kind][n_units] * 1e6 / n_units / n_chains))


def _take_turns(
    contenders: Mapping[str, Sampler], n_rounds: int, bounds: list[float]
) -> dict[str, list[Stretch]]:
    """Each in each round, after two calls that warm it up; the bound is measured in each round too."""
    stretches: dict[str, list[Stretch]] = {name: [] for name in contenders}
    additions_per_nanosecond()
    for call in contenders.values():
        call(0)
        call(1)
    for r in range(n_rounds):
        bounds.append(additions_per_nanosecond())
        for name, call in contenders.items():
            stretches[name].append(call(r + 2))
    return stretches


def _rates(calls: list[Stretch]) -> NDArray[np.float64]:
    """Million updates a second of each call."""
    return np.array([call.n_updates / call.seconds / 1e6 for call in calls])


def _ratio(first: NDArray[np.float64], second: NDArray[np.float64]) -> Spread:
    """Of rates, round by round."""
    return spread(first / second)


def _with_version(name: str) -> str:
    try:
        return f"{name} {version(name)}" if name in ("dwave-samplers", "openjij") else name
    except PackageNotFoundError:
        return name
