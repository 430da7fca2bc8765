"""Other ways to Gibbs chains on dense couplings: dwave-samplers, OpenJij, numpy in blocks, naive numba.

Each is a `Sampler`: called, it goes on by some updates at beta = 1 and says how many, and how many seconds they took.
"""

import math
import time
from collections.abc import Callable
from importlib import import_module
from typing import Any, NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

Couplings = NDArray[np.float64]
N_CHAINS = 256  # of those that run many
_BLOCK = 32


class Stretch(NamedTuple):
    """What a call did."""

    n_updates: int
    seconds: float
    energy: float  # mean over chains, a unit


Sampler = Callable[[int], Stretch]


def mean_energy(couplings: Couplings, spins: NDArray) -> float:
    """Energy a unit, mean over states (n_states, n_units)."""
    values = spins.astype(np.float64)
    return float(-0.5 * np.einsum("ci,ci->c", values, values @ couplings).mean() / len(couplings))


def dwave(couplings: Couplings, n_sweeps: int) -> Sampler:
    """One chain, heat bath; each call starts anew, so a long run less a short one is timed: set-up falls out."""
    sampler = import_module("dwave.samplers").SimulatedAnnealingSampler()
    n_units = len(couplings)
    model = import_module("dimod").BinaryQuadraticModel(np.zeros(n_units), -np.triu(couplings), "SPIN")

    def run(n: int, seed: int) -> Any:
        return sampler.sample(
            model,
            beta_range=[1, 1],
            num_reads=1,
            num_sweeps=n,
            seed=seed,
            proposal_acceptance_criteria="Gibbs",
        )

    def call(k: int) -> Stretch:
        short, long = run(n_sweeps, k), run(4 * n_sweeps, k)
        times = [answer.info["timing"]["sampling_ns"] * 1e-9 for answer in (short, long)]
        return Stretch(3 * n_sweeps * n_units, times[1] - times[0], float(long.record.energy[0]) / n_units)

    return call


def openjij(couplings: Couplings, n_sweeps: int) -> Sampler:
    """One chain, Metropolis (it has no heat bath), by its compiled core."""
    core = import_module("openjij.cxxjij")
    n_units = len(couplings)
    matrix = np.zeros((n_units + 1, n_units + 1))
    matrix[:n_units, :n_units] = -couplings
    matrix[n_units, n_units] = 1
    graph = core.graph.Dense(n_units)
    graph.set_interaction_matrix(matrix)
    system = core.system.make_classical_ising(graph.gen_spin(1), graph)
    schedule = core.utility.ClassicalSchedule()
    schedule.one_mc_step = n_sweeps
    schedule.updater_parameter.beta = 1.0

    def call(k: int) -> Stretch:
        start = time.perf_counter()
        core.algorithm.Algorithm_SingleSpinFlip_run(system, k + 1, [schedule])
        seconds = time.perf_counter() - start
        spins = np.array(core.result.get_solution(system))[None, :n_units]
        return Stretch(n_sweeps * n_units, seconds, mean_energy(couplings, spins))

    return call


def numpy_blocks(couplings: Couplings, n_sweeps: int) -> Sampler:
    """Blocks of 32 units, kept fields, BLAS for what flipped: exact, and the best that plain numpy can do."""
    weights = couplings.astype(np.float32)
    n_units = len(weights)
    rng = np.random.default_rng(0)
    spins = rng.choice(np.array([-1, 1], np.float32), (n_units, N_CHAINS))
    fields = weights @ spins
    one = np.float32(1)

    def call(k: int) -> Stretch:
        start = time.perf_counter()
        for _ in range(n_sweeps):
            uniform = rng.random((n_units, N_CHAINS), dtype=np.float32)
            with np.errstate(divide="ignore"):  # a draw of 0 is a threshold of minus infinity
                thresholds = np.log(uniform / (one - uniform)) * np.float32(0.5)
            for first in range(0, n_units, _BLOCK):
                last = min(first + _BLOCK, n_units)
                changes = np.zeros((last - first, N_CHAINS), np.float32)
                for i in range(first, last):
                    field = fields[i] + weights[i, first:last] @ changes
                    new = np.where(field > thresholds[i], one, -one)
                    changes[i - first] = new - spins[i]
                    spins[i] = new
                np.add(fields, weights[:, first:last] @ changes, out=fields)
        seconds = time.perf_counter() - start
        return Stretch(n_sweeps * n_units * N_CHAINS, seconds, mean_energy(couplings, spins.T))

    return call


@numba.njit(fastmath=True, error_model="numpy", cache=False)
def _naive_sweeps(weights: Any, spins: Any, n_sweeps: Any) -> None:
    for _ in range(n_sweeps):
        for i in range(weights.shape[0]):
            field = np.float32(0.0)
            for j in range(weights.shape[0]):
                field += weights[i, j] * spins[j]
            up = 1.0 / (1.0 + math.exp(-2.0 * field))
            spins[i] = 1.0 if np.random.random() < up else -1.0  # noqa: NPY002 (what a script has)


def naive_numba(couplings: Couplings, n_sweeps: int) -> Sampler:
    """One chain as a script has it: a dot product an update, float32, fast-math."""
    weights = couplings.astype(np.float32)
    spins = np.random.default_rng(0).choice(np.array([-1, 1], np.float32), len(weights))

    def call(k: int) -> Stretch:
        start = time.perf_counter()
        _naive_sweeps(weights, spins, n_sweeps)
        seconds = time.perf_counter() - start
        return Stretch(n_sweeps * len(weights), seconds, mean_energy(couplings, spins[None]))

    return call
