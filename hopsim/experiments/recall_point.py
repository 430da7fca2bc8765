"""One point of a study of recall: recalls on one network of random patterns, and many such points at once."""

from collections.abc import Callable, Sequence
from itertools import groupby

import msgspec
import numba
import numpy as np
from numpy.typing import NDArray

from hopsim.datasets.probes import make_probes
from hopsim.experiments.finished_points import FinishedPart, Part
from hopsim.kernels.recall_jobs import RecallJobs, recall_jobs
from hopsim.learning.storage_rules import RULES
from hopsim.models.hopfield import HebbianModel, Model, draw_hebbian, packed_bytes
from hopsim.models.memory import available_memory, require_memory
from hopsim.models.seeds import Stream, stream_keys
from hopsim.sampling.chains import ORDERS, HopfieldChains, chain_bytes
from hopsim.storage.records import Variable

COLUMNS = {
    "overlap": Variable(("trial",), "overlap with the start pattern: final, or at T > 0 averaged over time"),
    "n_sweeps": Variable(("trial",), "sweeps done", "sweep"),
    "converged": Variable(("trial",), "ended in a proven fixed point"),
}

# fields of a study's configuration that its cells share
RECALL_SETTINGS = ("n_trials", "flip", "temperature", "rule", "order", "max_sweeps", "burn_in", "n_sweeps")

_BATCH_BYTES = 1 << 26  # of large networks and chains recalled in one go: what an interruption may lose
_SMALL_SIZE = 2e7  # N P up to which a whole recall stays far below a quarter of a second
_SMALL_SECONDS = 0.1  # the same at T > 0, where its length is known
_WHOLE_NETWORKS = 8  # for each thread, from which on a job is a network with all its trials, else one trial
_UPDATE_SECONDS = (8e-9, 1.5e-11)  # of one update: at least, and more for each pattern


class RecallCell(msgspec.Struct, frozen=True):
    """What a point of a study is, but for the number of its network. Settings that do not matter are 0.

    Attributes
    ----------
    n_neurons, n_patterns : int
    n_trials : int
        Recalls a network; trial t starts from pattern t (modulo P).
    n_flipped : int
        Neurons flipped at the start.
    temperature : float
    rule, order : str
    max_sweeps : int
        Limit of a recall at T = 0.
    burn_in, n_sweeps : int
        At T > 0: sweeps before and during the time average.
    """

    n_neurons: int
    n_patterns: int
    n_trials: int
    n_flipped: int
    temperature: float
    rule: str
    order: str
    max_sweeps: int
    burn_in: int
    n_sweeps: int

    @classmethod
    def at(
        cls,
        n_neurons: int,
        n_patterns: int,
        *,
        n_trials: int,
        flip: float,
        temperature: float,
        rule: str,
        order: str,
        max_sweeps: int,
        burn_in: int,
        n_sweeps: int,
    ) -> "RecallCell":
        """Return the cell of these settings; `flip` is the fraction of neurons flipped."""
        at_rest = temperature == 0.0
        return cls(
            n_neurons,
            n_patterns,
            n_trials,
            int(np.floor(flip * n_neurons + 0.5)),
            temperature,
            rule,
            order,
            max_sweeps if at_rest else 0,
            0 if at_rest else burn_in,
            0 if at_rest else n_sweeps,
        )

    def point_bytes(self) -> int:
        """Return the memory that one point takes."""
        # a trial's start, pattern and probe stand beside its chain
        trial = chain_bytes(self.n_neurons, self.n_patterns, self.order) + 4 * self.n_neurons
        dense = 0 if self.rule == "hebbian" else 4 * 8 * self.n_neurons**2
        return packed_bytes(self.n_neurons, self.n_patterns) + self.n_trials * trial + dense

    def require_memory(self) -> None:
        """Raise `InputError` if one point does not fit the memory there is."""
        what = f"{self.n_patterns} patterns of {self.n_neurons} neurons and {self.n_trials} trials"
        require_memory(self.point_bytes(), "n_neurons", what)

    def seconds(self) -> float:
        """Guess the time that one point takes on one thread: right to an order of magnitude, for a start."""
        n_sweeps = self.burn_in + self.n_sweeps if self.temperature > 0.0 else 10
        least, each = _UPDATE_SECONDS
        return self.n_trials * n_sweeps * self.n_neurons * (least + each * self.n_patterns)

    def is_small(self) -> bool:
        """Whether recalls on such networks are run whole, many in one compiled call."""
        if self.rule != "hebbian" or self.n_neurons * self.n_patterns > _SMALL_SIZE:
            return False
        return self.temperature == 0.0 or self.seconds() <= _SMALL_SECONDS * self.n_trials

    def most_together(self) -> int:
        """Return how many points to run in one go at most: a network a thread if memory allows, small ones more."""
        if self.rule != "hebbian":
            return 1
        n_bytes = self.point_bytes()
        fit = available_memory() // (2 * n_bytes)
        return max(1, _BATCH_BYTES // n_bytes, min(numba.get_num_threads(), fit))


def recall_parts(
    seed: int, cells: Sequence[RecallCell], parts: Sequence[Part], tick: Callable[[], None]
) -> list[FinishedPart]:
    """Run some parts: small networks all together, large ones part by part.

    Every network, probe and chain has a key that derives from the seed, N, P, the number of flipped neurons if there
    are any, and its own number; so a network is the same at every temperature, and a point the same in any batch.

    Parameters
    ----------
    seed : int
    cells : sequence of RecallCell
    parts : sequence of Part
        Of these cells.
    tick : callable
        Called between compiled blocks; may raise to stop.

    Returns
    -------
    list of FinishedPart
        With `COLUMNS`, in the order of `parts`.
    """
    finished: list[FinishedPart] = []
    for kind, group in groupby(parts, key=lambda part: (cells[part.cell].is_small(), cells[part.cell].order)):
        if kind[0]:
            finished += _recall_small(seed, cells, list(group))
        else:
            finished += [
                FinishedPart(part, _recall_large(seed, cells[part.cell], part, tick)) for part in group
            ]
    return finished


def _network_keys(seed: int, cell: RecallCell, part: Part) -> NDArray[np.uint64]:
    key = stream_keys(stream_keys(seed, Stream.N_NEURONS, cell.n_neurons), Stream.N_PATTERNS, cell.n_patterns)
    if cell.n_flipped:
        key = stream_keys(key, Stream.N_FLIPPED, cell.n_flipped)
    return stream_keys(key, Stream.NETWORK, np.arange(part.first, part.last))


def _recall_small(seed: int, cells: Sequence[RecallCell], parts: Sequence[Part]) -> list[FinishedPart]:
    """Run parts of small cells, all of one order, in one compiled call."""
    network_keys = np.concatenate([_network_keys(seed, cells[part.cell], part) for part in parts])
    n_networks = np.array([part.last - part.first for part in parts])
    n_trials = np.repeat([cells[part.cell].n_trials for part in parts], n_networks)
    ends = n_trials.cumsum()
    network = np.repeat(np.arange(len(n_trials)), n_trials)
    trials = np.arange(ends[-1]) - (ends - n_trials)[network]
    pattern_keys = stream_keys(network_keys, Stream.PATTERNS, 0)
    probe_keys = stream_keys(network_keys[network], Stream.PROBE, trials)
    chain_keys = stream_keys(network_keys[network], Stream.CHAIN, trials)
    whole = len(n_trials) >= _WHOLE_NETWORKS * numba.get_num_threads()
    job_network = np.arange(len(n_trials)) if whole else network

    def of_cells(name: str, dtype: type = np.int64) -> NDArray:
        values: NDArray = np.array([getattr(cells[part.cell], name) for part in parts], dtype)
        return np.repeat(values, n_networks)[job_network]

    jobs = RecallJobs(
        n_neurons=of_cells("n_neurons"),
        n_patterns=of_cells("n_patterns"),
        pattern_keys=pattern_keys[job_network],
        n_flipped=of_cells("n_flipped"),
        temperature=of_cells("temperature", np.float64),
        sweep_limit=of_cells("max_sweeps"),
        burn_in=of_cells("burn_in"),
        n_sweeps=of_cells("n_sweeps"),
        first_trial=np.zeros(len(n_trials), np.int64) if whole else trials,
        first_output=ends - n_trials if whole else np.arange(len(trials)),
        n_trials=n_trials if whole else np.ones(len(trials), np.int64),
        order=ORDERS[cells[parts[0].cell].order],
    )
    overlap, n_sweeps = np.empty(len(trials)), np.empty(len(trials), np.int64)
    converged = np.empty(len(trials), bool)
    recall_jobs(jobs, probe_keys, chain_keys, overlap, n_sweeps, converged)
    columns: dict[str, NDArray] = {
        "overlap": overlap,
        "n_sweeps": n_sweeps.astype(np.int32),
        "converged": converged,
    }
    finished: list[FinishedPart] = []
    first = 0
    for part in parts:
        shape = (part.last - part.first, cells[part.cell].n_trials)
        rows = slice(first, first + shape[0] * shape[1])
        of_part = {name: column[rows].reshape(shape) for name, column in columns.items()}
        finished.append(FinishedPart(part, of_part))
        first = rows.stop
    return finished


def _recall_large(seed: int, cell: RecallCell, part: Part, tick: Callable[[], None]) -> dict[str, NDArray]:
    n_networks = part.last - part.first
    network_keys = _network_keys(seed, cell, part)
    pattern_keys = stream_keys(network_keys, Stream.PATTERNS, 0)
    drawn = draw_hebbian(pattern_keys, cell.n_neurons, cell.n_patterns, tick)
    patterns = _start_patterns(drawn, n_networks, cell.n_trials)
    network = np.repeat(np.arange(n_networks), cell.n_trials)
    trials = np.tile(np.arange(cell.n_trials), n_networks)
    probe_keys = stream_keys(network_keys[network], Stream.PROBE, trials)
    model: Model = drawn if cell.rule == "hebbian" else RULES[cell.rule](drawn.patterns(), drawn.bias)
    chains = HopfieldChains(
        model,
        make_probes(patterns, probe_keys, flip=cell.n_flipped / cell.n_neurons),
        stream_keys(network_keys[network], Stream.CHAIN, trials),
        temperature=cell.temperature,
        order=cell.order,
        network=network,
        tick=tick,
    )
    overlap = _recall(chains, patterns, cell)
    columns = {
        "overlap": overlap,
        "n_sweeps": chains.n_sweeps.astype(np.int32),
        "converged": chains.period == 1,
    }
    return {name: column.reshape(n_networks, cell.n_trials) for name, column in columns.items()}


def _recall(chains: HopfieldChains, patterns: NDArray[np.int8], cell: RecallCell) -> NDArray[np.float64]:
    if cell.temperature == 0.0:
        chains.advance(cell.max_sweeps)
        return _own_overlaps(chains, patterns)
    chains.advance(cell.burn_in)
    total = np.zeros(len(patterns))
    for sweep in range(cell.burn_in + 1, cell.burn_in + cell.n_sweeps + 1):
        chains.advance(sweep)
        total += _own_overlaps(chains, patterns)
    return total / cell.n_sweeps


def _own_overlaps(chains: HopfieldChains, patterns: NDArray[np.int8]) -> NDArray[np.float64]:
    n_neurons = patterns.shape[1]
    return (n_neurons - 2.0 * np.count_nonzero(chains.spins != patterns, axis=1)) / n_neurons


def _start_patterns(model: HebbianModel, n_networks: int, n_trials: int) -> NDArray[np.int8]:
    n_different = min(n_trials, model.n_patterns)
    chosen = np.arange(n_trials) % n_different
    return np.concatenate([model.patterns(0, n_different, network=k)[chosen] for k in range(n_networks)])
