"""Hopfield recall at T = 0: time an update, beside the peers, and on two threads."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench import ceilings, peers
from bench.harness import Report, Timing, measure, ratio, spread
from bench.peers import Contender
from hopsim.models.hopfield import draw_hebbian
from hopsim.models.seeds import Stream, stream_keys
from hopsim.networks.hopfield_network import HopfieldNetwork
from hopsim.sampling.threads import using_threads

SEED = 1
UPDATE_LOAD, PEER_LOAD, FLIP = 0.13, 0.1, 0.05
UPDATE_BOUNDS = {10_000: 25.0, 100_000: 320.0}  # ns, on AVX-512
STARTS = 16  # patterns of each network that recalls start from
TRAINED_SIZE = 2_000  # the packages' own training takes minutes beyond


class Recalls(NamedTuple):
    """How often recall is timed at one size."""

    n_neurons: int
    n_networks: int
    n_rounds: int
    n_calls: int


def run(quick: bool) -> Report:
    """Run the whole bench."""
    report = Report("hopfield", quick)
    read_speed = time_memory(report)
    few, many = (2, 5) if quick else (5, 10)
    for sizes in (Recalls(1_000, 10, many, 10), Recalls(10_000, 4, many, 4), Recalls(100_000, 2, many, 1)):
        if not (quick and sizes.n_neurons > 10_000):
            time_updates(report, sizes, read_speed)
    time_peers(report, 1_000, many, 5, with_packages=True)
    time_peers(report, 10_000, few, 3, with_packages=not quick)
    time_threads(report, 10_000, 16 if quick else 64, many)
    return report.finish()


def time_memory(report: Report) -> float:
    """Memory bandwidth; returns bytes read in a second."""
    timings = measure(ceilings.bandwidth(), 5)
    for name, timing in timings.items():
        report.add("ceilings, 1 thread", name, spread(ceilings.STREAM_BYTES / timing.seconds / 1e9), "GB/s")
    return ceilings.STREAM_BYTES / float(np.median(timings["memory, read"].seconds))


def time_updates(report: Report, sizes: Recalls, read_speed: float) -> None:
    """Whole recalls from stored patterns at load 0.13, random order; an update is one neuron's, N a sweep."""
    n_neurons = sizes.n_neurons
    n_patterns = round(UPDATE_LOAD * n_neurons)
    models = [
        draw_hebbian(stream_keys(SEED, Stream.PATTERNS, range(k, k + 1)), n_neurons, n_patterns)
        for k in range(sizes.n_networks)
    ]
    networks = [HopfieldNetwork.from_model(model) for model in models]
    starts = [model.patterns(0, STARTS) for model in models]
    batch = max(1, min(100, 200_000 // n_neurons))

    def one(k: int) -> int:
        network = k % len(networks)
        start = starts[network][k // len(networks) % STARTS]
        return n_neurons * int(recall_states(networks[network], start, k).n_sweeps.sum())

    def several(k: int) -> int:
        network = k % len(networks)
        states = np.resize(starts[network], (batch, n_neurons))
        return n_neurons * int(recall_states(networks[network], states, k).n_sweeps.sum())

    field = ceilings.resident_field(models[0], starts[0][0])
    contenders: dict[str, Callable[[int], Any]] = {"one": one, "field": field.evaluate}
    if batch > 1:
        contenders["several"] = several
    timings = measure(contenders, sizes.n_rounds, sizes.n_calls)
    one_update = _nanoseconds(timings["one"])
    task = f"recall from a stored pattern, load {UPDATE_LOAD}, N = {n_neurons:,}, 1 thread"
    update = spread(one_update)
    report.add(task, "hopsim, one recall a call", update, "ns an update")
    if batch > 1:
        report.add(
            task, f"hopsim, {batch} recalls a call", spread(_nanoseconds(timings["several"])), "ns an update"
        )
    kernel = timings["field"].seconds * 1e9 / ceilings.FIELD_CALLS
    report.add(
        task, "field kernel alone, all in L1", spread(kernel), "ns a field", f"{field.n_planes} planes"
    )
    report.add(
        task,
        "an update over the kernel alone",
        spread(np.median(one_update, axis=1) / np.median(kernel, axis=1)),
        "times",
    )
    row_speed = 8 * models[0].rows.shape[2] / (update.median * 1e-9)
    report.add_number(task, "rows read, of memory's read speed", 100 * row_speed / read_speed, "%")
    if n_neurons in UPDATE_BOUNDS:
        bound = UPDATE_BOUNDS[n_neurons]
        report.promise(f"an update at N = {n_neurons:,}", update.median, "at most", bound, "ns (on AVX-512)")


def recall_states(network: HopfieldNetwork, states: NDArray[np.int8], seed: int, threads: int = 1) -> Any:
    """Recall with hopsim's threads pinned, what surrounds the chains included."""
    with using_threads(threads):
        return network.recall(states, seed=seed, threads=threads)


def _nanoseconds(timing: Timing) -> NDArray[np.float64]:
    """Nanoseconds an update, call by call, of calls that return their number of updates."""
    updates = np.reshape(timing.results, timing.seconds.shape)
    return timing.seconds * 1e9 / updates


def time_peers(report: Report, n_neurons: int, n_rounds: int, n_calls: int, *, with_packages: bool) -> None:
    """Load 0.1, 5 % flipped, against the peers: recall alone, and from the patterns to the first result."""
    patterns = random_patterns(n_neurons, round(PEER_LOAD * n_neurons))
    starts = flipped(patterns[: n_rounds * n_calls])
    found, absent = peers.packages() if with_packages else ([], {})
    couplings = peers.hebbian_couplings(patterns)
    networks = {
        peers.HOPSIM: peers.HOPSIM.store(patterns),
        peers.NUMPY: couplings,
        peers.NAIVE: couplings,
    }
    if found:
        as_double = couplings.astype(np.float64)
        networks |= {package.contender: package.adopt(as_double) for package in found}

    def recalled(contender: Contender) -> Callable[[int], float]:
        # the overlap costs microseconds beside a recall, and every contender pays it
        return lambda k: overlap(contender.recall(networks[contender], starts[k]), patterns[k])

    timings = measure({contender.name: recalled(contender) for contender in networks}, n_rounds, n_calls)
    task = f"recall, load {PEER_LOAD}, {FLIP:.0%} flipped, N = {n_neurons:,}, 1 thread"
    ours = timings[peers.HOPSIM.name]
    for name, timing in timings.items():
        final = f"overlap {np.mean(timing.results):.4f}"
        remark = final if timing is ours else f"{final}; {ratio(timing, ours).median:.3g} times hopsim's time"
        report.add(task, name, spread(timing.seconds * 1e3), "ms a recall", remark)
    for name, reason in absent.items():
        report.add_missing(task, name, reason)
    for contender, network in networks.items():
        report.add_number(
            f"memory, N = {n_neurons:,}", contender.name, contender.n_bytes(network) / 2**20, "MiB"
        )
    finals = {name: float(np.mean(timing.results)) for name, timing in timings.items()}
    difference = max(abs(final - finals[peers.HOPSIM.name]) for final in finals.values())
    report.promise(f"same overlap, N = {n_neurons:,}", difference, "at most", 0.01, "apart")

    trained = [package.contender for package in found] if n_neurons <= TRAINED_SIZE else []
    whole = time_whole(report, [*list(networks)[:3], *trained], patterns, starts, n_rounds)
    if n_neurons == 10_000:
        numpy_ratio = ratio(timings[peers.NUMPY.name], ours).median
        naive_ratio = ratio(timings[peers.NAIVE.name], ours).median
        whole_ratio = ratio(whole[peers.NUMPY.name], whole[peers.HOPSIM.name]).median
        n_bytes = {contender: contender.n_bytes(network) for contender, network in networks.items()}
        smallest = min(held for contender, held in n_bytes.items() if contender is not peers.HOPSIM)
        at = f"N = {n_neurons:,}"
        report.promise(f"numpy, from patterns to result, {at}", whole_ratio, "at least", 100, "times")
        report.promise(f"numpy, recall alone, {at}", numpy_ratio, "at least", 6, "times")
        report.promise(f"naive numba, recall alone, {at}", naive_ratio, "at least", 20, "times")
        report.promise(
            f"memory of the smallest peer, {at}", smallest / n_bytes[peers.HOPSIM], "at least", 100, "times"
        )


def time_whole(
    report: Report,
    contenders: list[Contender],
    patterns: NDArray[np.int8],
    starts: NDArray[np.int8],
    n_rounds: int,
) -> dict[str, Timing]:
    """From the patterns, ±1 in int8, to the first final state."""

    def stored_and_recalled(contender: Contender) -> Callable[[int], object]:
        return lambda k: contender.recall(contender.store(patterns), starts[k])

    timings = measure({contender.name: stored_and_recalled(contender) for contender in contenders}, n_rounds)
    task = (
        f"from patterns to result, load {PEER_LOAD}, {FLIP:.0%} flipped, N = {patterns.shape[1]:,}, 1 thread"
    )
    ours = timings[peers.HOPSIM.name]
    for name, timing in timings.items():
        remark = "" if timing is ours else f"{ratio(timing, ours).median:.3g} times hopsim's time"
        report.add(task, name, spread(timing.seconds * 1e3), "ms", remark)
    return timings


def time_threads(report: Report, n_neurons: int, n_trials: int, n_rounds: int) -> None:
    """Many trials on one network: two threads against one."""
    patterns = random_patterns(n_neurons, round(PEER_LOAD * n_neurons))
    network = HopfieldNetwork.store(patterns)
    starts = flipped(np.resize(patterns, (n_trials, n_neurons)))
    task = f"{n_trials} trials, load {PEER_LOAD}, {FLIP:.0%} flipped, N = {n_neurons:,}"
    if report.machine["cpus"] < 2:
        report.add_missing(task, "2 threads", "not measured: this machine has one processor")
        return
    timings = measure(
        {
            "1 thread": lambda k: recall_states(network, starts, k, 1),
            "2 threads": lambda k: recall_states(network, starts, k, 2),
        },
        n_rounds,
    )
    for name, timing in timings.items():
        report.add(task, name, spread(timing.seconds * 1e3), "ms")
    speedup = ratio(timings["1 thread"], timings["2 threads"])
    report.add(task, "two threads against one", speedup, "times")
    report.promise(
        f"two threads, {n_trials} trials, N = {n_neurons:,}", speedup.median, "at least", 1.8, "times"
    )


def random_patterns(n_neurons: int, n_patterns: int) -> NDArray[np.int8]:
    """Unbiased random patterns, int8 (n_patterns, n_neurons) of ±1."""
    bits = np.random.default_rng(SEED).integers(0, 2, (n_patterns, n_neurons), dtype=np.int8)
    return 2 * bits - 1


def flipped(states: NDArray[np.int8]) -> NDArray[np.int8]:
    """Each state with 5 % of its neurons flipped."""
    rng = np.random.default_rng(SEED + 1)
    probes = states.copy()
    for probe in probes:
        probe[rng.choice(len(probe), round(FLIP * len(probe)), replace=False)] *= -1
    return probes


def overlap(state: NDArray, pattern: NDArray[np.int8]) -> float:
    """Overlap (1/N) sum_i xi_i s_i of two states."""
    return float(np.dot(state.astype(np.float32), pattern.astype(np.float32))) / len(pattern)
