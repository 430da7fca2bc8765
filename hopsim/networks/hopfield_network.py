"""The Hopfield network as users meet it: store, recall, energy."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hopsim.errors import InputError
from hopsim.learning.storage_rules import RULES, check_rule
from hopsim.models import hopfield_energy
from hopsim.models.hopfield import HebbianModel, Model, check_bias, check_states, dense_model
from hopsim.models.memory import require_memory
from hopsim.models.seeds import Stream, check_seed, stream_keys
from hopsim.sampling.chains import HopfieldChains, check_order, check_temperature
from hopsim.sampling.threads import using_threads
from hopsim.sampling.trajectory import Trajectory


@dataclass(frozen=True, eq=False)
class Recall:
    """What a recall ended in.

    Attributes
    ----------
    states : int8 (n_trials, n_neurons)
        Final spins, ±1.
    overlaps : float64 (n_trials, n_patterns)
        ``m^mu = (1/N) sum_i xi_i^mu s_i`` of the final states.
    energies : float64 (n_trials,)
    n_sweeps : int64 (n_trials,)
        Sweeps done, the proving one included.
    n_flips : int64 (n_trials,)
    converged : bool (n_trials,)
        True where a fixed point was proven: every neuron was seen since the last flip. Always False at T > 0.
    period : int8 (n_trials,)
        1 for a proven fixed point, 2 for a two-cycle of synchronous updates, 0 for neither.
    seed : int
        The seed that gives the same recall again.
    trajectory : Trajectory or None
    """

    states: NDArray[np.int8]
    overlaps: NDArray[np.float64]
    energies: NDArray[np.float64]
    n_sweeps: NDArray[np.int64]
    n_flips: NDArray[np.int64]
    converged: NDArray[np.bool_]
    period: NDArray[np.int8]
    seed: int
    trajectory: Trajectory | None


class HopfieldNetwork:
    """A network of ±1 units with symmetric couplings W, zero diagonal, and biases b.

    Parameters
    ----------
    couplings : float array (n_neurons, n_neurons)
        W, symmetric with zero diagonal. Where N W is an integer matrix that fits int16, the dynamics is exact.
    bias : float array (n_neurons,), optional
        b; zero by default.

    Raises
    ------
    InputError
        For couplings that are not a finite symmetric square matrix with zero diagonal, or a wrong bias.

    Examples
    --------
    >>> import hopsim
    >>> net = hopsim.HopfieldNetwork.store([[1, 1, 1, 1, -1, -1, -1, -1], [1, -1, 1, -1, 1, -1, 1, -1]])
    >>> recall = net.recall([1, 1, 1, -1, -1, -1, -1, -1], seed=1)
    >>> recall.states
    array([[ 1,  1,  1,  1, -1, -1, -1, -1]], dtype=int8)
    >>> recall.overlaps
    array([[1., 0.]])
    """

    def __init__(self, couplings: ArrayLike, bias: ArrayLike | None = None) -> None:
        self.model: Model = dense_model(couplings, bias)
        self._reference_patterns = np.empty((0, self.n_neurons), np.int8)

    @classmethod
    def store(
        cls, patterns: ArrayLike, rule: str = "hebbian", bias: ArrayLike | None = None
    ) -> "HopfieldNetwork":
        """Store patterns.

        Parameters
        ----------
        patterns : array (n_patterns, n_neurons)
            Values ±1.
        rule : {"hebbian", "pseudo_inverse", "storkey"}
            The Hebbian rule keeps the patterns as bits and no matrix: N P / 8 bytes.
        bias : float array (n_neurons,), optional

        Raises
        ------
        InputError
            For patterns that are empty, of unequal length or not ±1; for an unknown rule; for a wrong bias.
        """
        values = _as_patterns(patterns)
        model = RULES[check_rule(rule)](values, check_bias(bias, values.shape[1]))
        return cls.from_model(model, values)

    @classmethod
    def from_model(cls, model: Model, patterns: NDArray[np.int8] | None = None) -> "HopfieldNetwork":
        """Wrap a model; `patterns` are those that overlaps are taken with (a Hebbian model has its own)."""
        network = cls.__new__(cls)
        network.model = model
        if patterns is None or isinstance(model, HebbianModel):
            patterns = np.empty((0, model.n_neurons), np.int8)
        network._reference_patterns = patterns
        return network

    @property
    def n_neurons(self) -> int:
        """Number of neurons N."""
        return self.model.n_neurons

    @property
    def n_patterns(self) -> int:
        """Number of patterns known to the network; 0 for given couplings."""
        if isinstance(self.model, HebbianModel):
            return self.model.n_patterns
        return len(self._reference_patterns)

    @property
    def patterns(self) -> NDArray[np.int8]:
        """The patterns, int8 (n_patterns, n_neurons) of ±1."""
        return self.patterns_between(0, self.n_patterns)

    def patterns_between(self, first: int, last: int) -> NDArray[np.int8]:
        """Patterns `first` to `last` - 1, int8 (last - first, n_neurons) of ±1; only these are unpacked."""
        if isinstance(self.model, HebbianModel):
            return self.model.patterns(first, last)
        return self._reference_patterns[first:last]

    @property
    def bias(self) -> NDArray[np.float64]:
        """The biases b, float64 (n_neurons,)."""
        return self.model.bias

    @property
    def couplings(self) -> NDArray:
        """The matrix W (n_neurons, n_neurons); built when asked for where the network does without."""
        return self.model.couplings()

    def energy(self, states: ArrayLike) -> NDArray[np.float64]:
        """Energies ``-1/2 sum_ij W_ij s_i s_j - sum_i b_i s_i``, from the definition.

        Parameters
        ----------
        states : array (n_states, n_neurons) or (n_neurons,)
            Values ±1.

        Returns
        -------
        float64 (n_states,)
        """
        return hopfield_energy.energies(self.model, check_states(states, self.n_neurons))

    def local_fields(self, states: ArrayLike) -> NDArray[np.float64]:
        """Local fields ``h_i = sum_j W_ij s_j + b_i`` of each state: float64 (n_states, n_neurons)."""
        return hopfield_energy.local_fields(self.model, check_states(states, self.n_neurons))

    def overlaps(self, states: ArrayLike) -> NDArray[np.float64]:
        """Overlaps ``(1/N) sum_i xi_i^mu s_i`` with each pattern: float64 (n_states, n_patterns)."""
        spins = check_states(states, self.n_neurons)
        if isinstance(self.model, HebbianModel):
            return 1.0 - 2.0 * hopfield_energy.pattern_distances(self.model, spins) / self.n_neurons
        return hopfield_energy.pattern_overlaps(self._reference_patterns, spins)

    def recall(
        self,
        states: ArrayLike,
        temperature: float = 0.0,
        order: str = "random",
        max_sweeps: int = 1000,
        seed: int | None = None,
        *,
        first_trial: int = 0,
        threads: int | None = None,
        trajectory: bool | str = False,
        tick: Callable[[], None] = lambda: None,
    ) -> Recall:
        """Run the dynamics from each state: to a fixed point at T = 0, for `max_sweeps` sweeps at T > 0.

        At T = 0 a unit takes the sign of its local field and keeps its state on a tie; at T > 0 it becomes +1 with
        probability ``1/(1 + exp(-2 h/T))`` (Glauber 1963).

        Parameters
        ----------
        states : array (n_trials, n_neurons) or (n_neurons,)
            Where each trial starts, ±1.
        temperature : float
            T, with k_B = 1.
        order : {"random", "replacement", "sequential", "synchronous"}
            A fresh permutation each sweep; a neuron drawn at each step (Hopfield 1982); 0 to N - 1; all at once (Little
            1974). A sweep is N updates in all of them.
        max_sweeps : int
            Where to stop at the latest.
        seed : int, optional
            The same seed gives the same bits for any number of threads and trials. Drawn from the system if None.
        first_trial : int
            Number of the first trial: a batch of many trials' recall has the bits of the whole.
        threads : int, optional
            All that the machine has if None.
        trajectory : bool or "observables"
            Keep states and observables after each sweep, or the observables alone.
        tick : callable, optional
            Called a few times a second; may raise to stop.

        Raises
        ------
        InputError
            For states of another length or with values other than ±1, a negative temperature, an unknown order.
        """
        spins = check_states(states, self.n_neurons)
        check_order(order)
        temperature = check_temperature(temperature)
        if not isinstance(max_sweeps, int | np.integer) or max_sweeps < 1:
            raise InputError("max_sweeps", f"expected a whole number of at least 1, got {max_sweeps}")
        if first_trial < 0:
            raise InputError("first_trial", f"expected at least 0, got {first_trial}")
        seed = check_seed(seed)
        keys = stream_keys(seed, Stream.CHAIN, range(first_trial, first_trial + len(spins)))
        with using_threads(threads):
            chains = HopfieldChains(self.model, spins, keys, temperature=temperature, order=order, tick=tick)
            kept = self._record(chains, max_sweeps, trajectory != "observables") if trajectory else None
            chains.advance(max_sweeps)
            energies, overlaps = chains.observables(self._reference_patterns)
        return Recall(
            states=chains.spins,
            overlaps=overlaps,
            energies=energies,
            n_sweeps=chains.n_sweeps,
            n_flips=chains.n_flips,
            converged=chains.period == 1,
            period=chains.period,
            seed=seed,
            trajectory=kept,
        )

    def _record(self, chains: HopfieldChains, max_sweeps: int, with_states: bool) -> Trajectory:
        states, overlaps, energies, n_flips = [], [], [], []
        flips_before = chains.n_flips
        row_bytes = len(flips_before) * (self.n_neurons * with_states + 8 * self.n_patterns)
        for sweep in range(max_sweeps + 1):
            if sweep > 0:
                chains.advance(sweep)
            require_memory(2 * row_bytes * (sweep + 1), "n_trials", f"trajectories of {sweep + 1} sweeps")
            if with_states:
                states.append(chains.spins.copy())
            energy, overlap = chains.observables(self._reference_patterns)
            energies.append(energy)
            overlaps.append(overlap)
            n_flips.append(chains.n_flips - flips_before)
            flips_before = chains.n_flips
            if (chains.period > 0).all():
                break
        kept = Trajectory(
            np.stack(states, axis=1) if with_states else None,
            np.stack(overlaps, axis=1),
            np.stack(energies, axis=1),
            np.stack(n_flips, axis=1),
        )
        return kept.continued(chains.n_sweeps, chains.period, len(energies))


def _as_patterns(patterns: ArrayLike) -> NDArray[np.int8]:
    try:
        values = np.asarray(patterns)
    except ValueError as error:
        raise InputError("patterns", "expected patterns of equal length") from error
    if values.ndim != 2 or 0 in values.shape:
        raise InputError(
            "patterns", f"expected shape (n_patterns, n_neurons), none of them 0; got {values.shape}"
        )
    return check_states(values, values.shape[1], "patterns")
