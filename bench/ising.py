"""The two-dimensional Ising model, checkerboard heat bath: updates a second, beside the peers, and on two threads."""

from collections.abc import Callable
from importlib import import_module
from importlib.metadata import version

import numba
import numpy as np
from numpy.typing import NDArray

from bench.harness import Report, Timing, measure, ratio, spread
from hopsim.models.lattices import ising
from hopsim.models.sparse import sparse_model
from hopsim.sampling.gibbs_chains import GibbsChains
from hopsim.sampling.threads import using_threads
from hopsim.theory.ising import torus

SIDE, BETA, SEED = 512, 0.4, 1
N_UNITS = SIDE * SIDE
DWAVE = "dwave-samplers"


def run(quick: bool) -> Report:
    """Run the whole bench."""
    report = Report("ising", quick)
    n_rounds, n_sweeps = (4, 200) if quick else (10, 400)
    contenders: dict[str, Callable[[int], float]] = {
        "hopsim, 1 thread": hopsim_chain(n_sweeps, 1),
        "naive numba": naive_chain(n_sweeps),
    }
    if report.machine["cpus"] >= 2:
        contenders["hopsim, 2 threads"] = hopsim_chain(n_sweeps, 2)
    task = f"Ising {SIDE} x {SIDE}, beta = {BETA}, one chain"
    samplings: list[float] = []  # seconds of dwave's calls without what surrounds the sampling
    try:
        contenders[f"{DWAVE} {version(DWAVE)}"] = dwave_chain(n_sweeps, samplings)
    except ImportError as error:
        report.add_missing(task, DWAVE, f"not measured: pip install {DWAVE} ({error})")
    timings = measure(contenders, n_rounds)
    for name, timing in timings.items():
        if name.startswith(DWAVE):
            timings[name] = Timing(np.array(samplings[1:])[:, None], timing.results)
    ours = timings["hopsim, 1 thread"]
    exact = torus(SIDE, SIDE, 1 / BETA)
    error = np.sqrt(exact.specific_heat / N_UNITS / n_rounds) / BETA
    for name, timing in timings.items():
        deviation = (np.mean(timing.results) - exact.energy) / error
        times = "" if timing is ours else f"; {ratio(timing, ours).median:.3g} times hopsim's time"
        report.add(
            task,
            name,
            spread(n_sweeps * N_UNITS / timing.seconds / 1e6),
            "million updates/s",
            f"energy {np.mean(timing.results):.5f}{times}",
        )
        report.promise(f"energy, {name}, against Kaufman's", abs(deviation), "at most", 4, "standard errors")
    updates = n_sweeps * N_UNITS / float(np.median(ours.seconds)) / 1e6
    report.promise("updates, 1 thread", updates, "at least", 250, "million/s (on AVX-512)")
    for name, timing in timings.items():
        if name.startswith(DWAVE):
            report.promise(f"{DWAVE}, 1 thread", ratio(timing, ours).median, "at least", 7, "times")
    if "hopsim, 2 threads" in timings:
        speedup = ratio(ours, timings["hopsim, 2 threads"])
        report.add(task, "two threads against one", speedup, "times")
        report.promise("two threads against one", speedup.median, "at least", 1.8, "times")
    return report.finish()


def random_spins() -> NDArray[np.int8]:
    """A random state, int8 (SIDE, SIDE)."""
    return np.random.default_rng(SEED).choice(np.array([-1, 1], np.int8), (SIDE, SIDE))


def hopsim_chain(n_sweeps: int, n_threads: int) -> Callable[[int], float]:
    """A chain that each call takes on by `n_sweeps`; returns the energy a unit."""
    chains = GibbsChains(
        sparse_model(ising((SIDE, SIDE))),
        random_spins().reshape(1, -1),
        np.array([SEED], np.uint64),
        temperature=1 / BETA,
        order="coloured",
    )
    with using_threads(n_threads):
        chains.advance(n_sweeps)

    def call(k: int) -> float:
        with using_threads(n_threads):
            chains.advance(n_sweeps)
        return float(chains.energies[0]) / N_UNITS

    return call


@numba.njit(cache=False)
def _naive_sweeps(spins: NDArray[np.int8], n_sweeps: int, beta: float) -> None:
    side = spins.shape[0]
    for _ in range(n_sweeps):
        for colour in range(2):
            for i in range(side):
                for j in range((i + colour) % 2, side, 2):
                    field = (
                        spins[(i - 1) % side, j]
                        + spins[(i + 1) % side, j]
                        + spins[i, (j - 1) % side]
                        + spins[i, (j + 1) % side]
                    )
                    up = 1.0 / (1.0 + np.exp(-2.0 * beta * field))
                    spins[i, j] = 1 if np.random.random() < up else -1  # noqa: NPY002 (what a script has)


def naive_chain(n_sweeps: int) -> Callable[[int], float]:
    """A chain as a script has it: two nested loops, an exponential and numba's random numbers."""
    spins = random_spins()

    def call(k: int) -> float:
        _naive_sweeps(spins, n_sweeps, BETA)
        wide = spins.astype(np.int64)
        return -float((wide * (np.roll(wide, 1, 0) + np.roll(wide, 1, 1))).sum()) / N_UNITS

    return call


def dwave_chain(n_sweeps: int, samplings: list[float]) -> Callable[[int], float]:
    """dwave-samplers' heat bath, from a random state in each call; notes the seconds of the sampling itself."""
    sampler = import_module("dwave.samplers").SimulatedAnnealingSampler()
    couplings = ising((SIDE, SIDE)).tocoo()
    once = couplings.row < couplings.col
    model = import_module("dimod").BinaryQuadraticModel.from_numpy_vectors(
        np.zeros(N_UNITS), (couplings.row[once], couplings.col[once], -couplings.data[once]), 0.0, "SPIN"
    )

    def call(k: int) -> float:
        answer = sampler.sample(
            model,
            beta_range=[BETA, BETA],
            num_reads=1,
            num_sweeps=n_sweeps,
            seed=SEED + k,
            proposal_acceptance_criteria="Gibbs",
        )
        samplings.append(answer.info["timing"]["sampling_ns"] * 1e-9)
        return float(answer.record.energy[0]) / N_UNITS

    return call
