"""Exact sums over all states: log Z and all moments, against log Z alone by plain Gray code."""

from collections.abc import Callable

import numba
import numpy as np
from numpy.typing import NDArray

from bench.harness import Report, measure, ratio, spread
from hopsim.evaluation.enumeration import enumerate_states
from hopsim.models.boltzmann import BoltzmannModel, boltzmann_model
from hopsim.sampling.threads import using_threads

SEED = 1
LEAST_RATIO = 12.0
_N_CHUNKS_LOG2 = 4


def run(quick: bool) -> Report:
    """Time whole calls at N = 24 and 26, couplings of a spin glass at T = 1."""
    report = Report("enumeration", quick)
    for n_units in (24,) if quick else (24, 26):
        time_sums(report, n_units, 3 if quick else 7)
    return report.finish()


def time_sums(report: Report, n_units: int, n_rounds: int) -> None:
    """One thread and two, each against Gray code on as many."""
    model = spin_glass(n_units)
    n_threads = (1, 2) if report.machine["cpus"] > 1 else (1,)
    contenders: dict[str, Callable[[int], float]] = {}
    for threads in n_threads:
        contenders[_name("hopsim", threads)] = lambda _, threads=threads: log_z(model, threads)
        contenders[_name("plain Gray code", threads)] = lambda _, threads=threads: gray_log_z(model, threads)
    timings = measure(contenders, n_rounds)
    task = f"N = {n_units}: hopsim log Z, means, correlations; Gray code log Z alone"
    for name, timing in timings.items():
        report.add(task, name, spread(timing.seconds * 1e9 / 2**n_units), "ns a state")
    for threads in n_threads:
        ours, plain = timings[_name("hopsim", threads)], timings[_name("plain Gray code", threads)]
        difference = float(np.ptp([*ours.results, *plain.results]))
        name = _name(f"N = {n_units}", threads)
        report.promise(
            f"plain Gray code, {name}", ratio(plain, ours).median, "at least", LEAST_RATIO, "times"
        )
        report.promise(f"the same log Z, {name}", difference, "at most", 1e-8, "apart")


def _name(what: str, threads: int) -> str:
    return f"{what}, {threads} thread{'s' if threads > 1 else ''}"


def spin_glass(n_units: int) -> BoltzmannModel:
    """Sherrington and Kirkpatrick's couplings, ±1 units."""
    couplings = np.triu(np.random.default_rng(SEED).normal(0.0, n_units**-0.5, (n_units, n_units)), 1)
    return boltzmann_model(couplings + couplings.T, encoding="pm1")


def log_z(model: BoltzmannModel, threads: int) -> float:
    """What hopsim gives, moments included."""
    with using_threads(threads):
        return enumerate_states(model).log_partition_function


def gray_log_z(model: BoltzmannModel, threads: int) -> float:
    """The peer: a state a step, its energy from kept fields, the library's exponential."""
    with using_threads(threads):
        shift = float(model.n_units)
        sums = np.empty(1 << _N_CHUNKS_LOG2)
        _gray_sums(model.couplings, shift, sums)
        return float(np.log(sums.sum()) + shift)


@numba.njit(parallel=True, error_model="numpy", cache=False)
def _gray_sums(couplings: NDArray[np.float64], shift: float, sums: NDArray[np.float64]) -> None:
    n_units = couplings.shape[0]
    n_free = n_units - _N_CHUNKS_LOG2
    for chunk in numba.prange(sums.shape[0]):
        spins = -np.ones(n_units)
        for k in range(_N_CHUNKS_LOG2):
            spins[n_free + k] = 1.0 if (chunk >> k) & 1 else -1.0
        fields = couplings @ spins
        exponent = 0.5 * (spins @ fields) - shift
        total = np.exp(exponent)
        for step in range(1, 1 << n_free):
            unit = 0
            while not (step >> unit) & 1:
                unit += 1
            exponent -= 2.0 * spins[unit] * fields[unit]
            spins[unit] = -spins[unit]
            for j in range(n_units):
                fields[j] += 2.0 * spins[unit] * couplings[unit, j]
            total += np.exp(exponent)
        sums[chunk] = total
