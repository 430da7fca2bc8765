"""Recalls of whole networks in one call: the bits of the chains that are drawn, started and advanced step by step."""

import numba
import numpy as np
import pytest
from kernel_chains import ORDER_NAMES, ORDERS

from hopsim.datasets.probes import make_probes
from hopsim.kernels import dynamics as dyn
from hopsim.kernels.recall_jobs import RecallJobs, recall_jobs
from hopsim.models.hopfield import draw_hebbian
from hopsim.models.seeds import Stream, stream_keys
from hopsim.sampling.chains import HopfieldChains

SEED = 20250607


def points(*, temperature=0.0, flip=0.1, sweep_limit=50, burn_in=2, n_sweeps=3, n_trials=3):
    """Networks of all kinds: five neurons, one pattern, fewer than trials, whole blocks of patterns, more of them."""
    sizes = [(5, 1), (6, 2), (37, 2), (64, 9), (200, 28), (301, 60), (512, 64), (600, 513), (90, 1100)]
    return [
        {
            "n_neurons": n_neurons,
            "n_patterns": n_patterns,
            "key": stream_keys(SEED, Stream.NETWORK, k),
            "flip": flip,
            "temperature": temperature,
            "sweep_limit": sweep_limit,
            "burn_in": burn_in,
            "n_sweeps": n_sweeps,
            "n_trials": n_trials,
        }
        for k, (n_neurons, n_patterns) in enumerate(sizes)
    ]


def trial_keys(point, stream):
    return stream_keys(point["key"], stream, range(point["n_trials"]))


def make_jobs(points, order, trials_per_job):
    """The jobs of all points in turn, each point's trials in ranges of at most `trials_per_job`."""
    entries, n_outputs = [], 0
    for point in points:
        for first in range(0, point["n_trials"], trials_per_job):
            n_trials = min(trials_per_job, point["n_trials"] - first)
            entries.append((point, first, n_outputs + first, n_trials))
        n_outputs += point["n_trials"]

    def column(name, dtype=np.int64):
        return np.array([point[name] for point, *_ in entries], dtype)

    return RecallJobs(
        n_neurons=column("n_neurons"),
        n_patterns=column("n_patterns"),
        pattern_keys=np.concatenate([stream_keys(p["key"], Stream.PATTERNS, 0) for p, *_ in entries]),
        n_flipped=np.floor(column("flip", float) * column("n_neurons") + 0.5).astype(np.int64),
        temperature=column("temperature", float),
        sweep_limit=column("sweep_limit"),
        burn_in=column("burn_in"),
        n_sweeps=column("n_sweeps"),
        first_trial=np.array([first for _, first, _, _ in entries]),
        first_output=np.array([output for _, _, output, _ in entries]),
        n_trials=np.array([n_trials for *_, n_trials in entries]),
        order=order,
    )


def run_jobs(points, order=dyn.RANDOM, trials_per_job=100):
    """Overlap, sweeps and convergence of all trials of all points."""
    probe_keys = np.concatenate([trial_keys(point, Stream.PROBE) for point in points])
    chain_keys = np.concatenate([trial_keys(point, Stream.CHAIN) for point in points])
    overlap = np.full(len(probe_keys), np.nan)
    n_sweeps = np.full(len(probe_keys), -1)
    converged = np.zeros(len(probe_keys), bool)
    jobs = make_jobs(points, order, trials_per_job)
    recall_jobs(jobs, probe_keys, chain_keys, overlap, n_sweeps, converged)
    return overlap, n_sweeps, converged


def own_overlaps(chains, patterns):
    return (patterns.shape[1] - 2.0 * (chains.spins != patterns).sum(axis=1)) / patterns.shape[1]


def run_chains(point, order):
    """The same of one point through the models, probes and chains that users have."""
    model = draw_hebbian(
        stream_keys(point["key"], Stream.PATTERNS, 0), point["n_neurons"], point["n_patterns"]
    )
    patterns = model.patterns()[np.arange(point["n_trials"]) % point["n_patterns"]]
    probes = make_probes(patterns, trial_keys(point, Stream.PROBE), flip=point["flip"])
    chains = HopfieldChains(
        model,
        probes,
        trial_keys(point, Stream.CHAIN),
        temperature=point["temperature"],
        order=ORDER_NAMES[order],
    )
    if point["temperature"] == 0.0:
        chains.advance(point["sweep_limit"])
        overlap = own_overlaps(chains, patterns)
    else:
        chains.advance(point["burn_in"])
        overlap = np.zeros(len(patterns))
        for sweep in range(point["burn_in"] + 1, point["burn_in"] + point["n_sweeps"] + 1):
            chains.advance(sweep)
            overlap += own_overlaps(chains, patterns)
        overlap /= point["n_sweeps"]
    return overlap, chains.n_sweeps, chains.period == 1


def expected(points, order=dyn.RANDOM):
    return [np.concatenate(column) for column in zip(*(run_chains(p, order) for p in points), strict=True)]


def assert_same(found, wanted):
    for one, other in zip(found, wanted, strict=True):
        assert np.array_equal(one, other)


@pytest.mark.parametrize("order", ORDERS, ids=ORDER_NAMES)
def test_recalls_to_rest_give_the_bits_of_chains(order):
    """T = 0, several flips and limits, networks of all sizes in one call; some come to rest and some do not."""
    mixed = [
        *points(flip=0.0),
        *points(flip=0.2),
        *points(flip=1.0, n_trials=1),
        *points(flip=0.4, sweep_limit=2),
    ]
    found = run_jobs(mixed, order)
    assert_same(found, expected(mixed, order))
    assert 0.1 < found[2].mean() < 0.95
    assert len(np.unique(found[1])) > 3


@pytest.mark.parametrize("order", ORDERS, ids=ORDER_NAMES)
def test_time_averages_give_the_bits_of_chains(order):
    """T > 0 beside T = 0 in one call, with and without sweeps left out."""
    mixed = [
        *points(temperature=0.4),
        *points(temperature=0.05, flip=0.0, burn_in=0, n_sweeps=7),
        *points(n_trials=1),
        *points(temperature=2.0, n_sweeps=1, n_trials=1),
    ]
    found = run_jobs(mixed, order)
    assert_same(found, expected(mixed, order))


def test_a_sweep_limit_of_zero_leaves_the_start():
    """Exactly the flips asked for, no sweep, nothing proven."""
    (point,) = (p for p in points(flip=0.25, sweep_limit=0) if p["n_neurons"] == 64)
    overlap, n_sweeps, converged = run_jobs([point])
    assert (overlap == 1.0 - 2 * 16 / 64).all()
    assert not n_sweeps.any()
    assert not converged.any()


@pytest.mark.parametrize("temperature", [0.0, 0.5])
def test_trials_may_be_split_over_jobs(temperature):
    """One trial a job, or two, or all: a trial is the same whatever its network was used for before."""
    mixed = points(temperature=temperature, n_trials=5)
    wanted = run_jobs(mixed)
    for trials_per_job in (1, 2):
        assert_same(run_jobs(mixed, trials_per_job=trials_per_job), wanted)


def test_threads_change_nothing():
    """1 or 2 threads."""
    mixed = points(temperature=0.3) + points()
    before = numba.get_num_threads()
    results = []
    for n_threads in (1, min(2, numba.config.NUMBA_NUM_THREADS)):
        numba.set_num_threads(n_threads)
        results.append(run_jobs(mixed))
    numba.set_num_threads(before)
    assert_same(*results)
