"""Learning of Boltzmann machines: steps along clamped minus free statistics (Ackley, Hinton, Sejnowski 1985).

Everything random is a function of the seed, the purpose, the epoch and the step, so a `LearningState` is all that is
needed to go on to the same bits.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hopsim.datasets.probes import make_probes
from hopsim.errors import InputError, RunError
from hopsim.kernels.randomness import shuffle
from hopsim.learning import mean_field
from hopsim.learning.boltzmann_phases import (
    Gradient,
    Statistics,
    exact_clamped_statistics,
    exact_free_statistics,
    gradient,
    sampled_statistics,
    state_statistics,
)
from hopsim.learning.connections import connection_mask
from hopsim.learning.learning_options import BoltzmannLearning
from hopsim.models.boltzmann import BoltzmannModel
from hopsim.models.seeds import Stream, stream_keys
from hopsim.sampling.gibbs_chains import GibbsChains

LARGEST = 1e4  # |W|/T and |b|/T: far beyond it no unit ever flips against them

_CLAMPED, _FREE = 0, 1


@dataclass(frozen=True, eq=False)
class LearningState:
    """All that learning goes on from.

    Attributes
    ----------
    step : int
        Steps done.
    couplings, couplings_velocity : float64 (n_units, n_units)
    bias, bias_velocity : float64 (n_units,)
    free_spins : int8 (n_chains, n_units)
        Persistent chains of the free phase, ±1; no chain if they are not persistent.
    clamped_spins : int8 (n_data * n_replicas, n_hidden)
        The hidden units' persistent chains, `n_replicas` for each data row; none if they are not persistent.
    """

    step: int
    couplings: NDArray[np.float64]
    bias: NDArray[np.float64]
    couplings_velocity: NDArray[np.float64]
    bias_velocity: NDArray[np.float64]
    free_spins: NDArray[np.int8]
    clamped_spins: NDArray[np.int8]


class StepReport(NamedTuple):
    """What is known of a step.

    Attributes
    ----------
    gradient_norm : float
        Each coupling counted once.
    converged : float
        Share of mean-field fixed points that the iteration came to; NaN without any.
    """

    gradient_norm: float
    converged: float


class Trainer(Protocol):
    """What learns, a step at a time; `BoltzmannTrainer`, or another rule in its place."""

    n_steps: int
    n_steps_per_epoch: int
    state: LearningState

    @property
    def model(self) -> BoltzmannModel:
        """The machine as it is now."""

    def step(self) -> StepReport:
        """Do a step; if it raises, the state is as it was."""


class BoltzmannTrainer:
    """Learns a step at a time.

    Parameters
    ----------
    model : BoltzmannModel
        Where learning starts. Hidden units that start alike stay alike where phases are exact: see
        `hopsim.learning.connections.random_machine`.
    data : array (n_data, n_visible)
        In the model's encoding.
    configuration : BoltzmannLearning
    mask : bool (n_units, n_units), optional
        Which couplings learn, symmetric, in place of ``configuration.connections``.
    state : LearningState, optional
        To go on from.
    tick : callable, optional
        Called between compiled calls; may raise to stop.

    Raises
    ------
    InputError
        ``data`` of the wrong width or with values that are not of the encoding, a wrong ``mask``, or a ``state`` of
        another machine, other data or other options.
    """

    def __init__(
        self,
        model: BoltzmannModel,
        data: ArrayLike,
        configuration: BoltzmannLearning,
        mask: NDArray[np.bool_] | None = None,
        state: LearningState | None = None,
        tick: Callable[[], None] = lambda: None,
    ) -> None:
        self.data = model.check_states(data, "data", model.n_visible)
        self.configuration = configuration
        self._start = model
        self._mask = connection_mask(configuration.connections, model) if mask is None else mask
        if self._mask.shape != model.couplings.shape or not np.array_equal(self._mask, self._mask.T):
            raise InputError("mask", f"expected a symmetric matrix of {model.n_units} rows")
        self._tick = tick
        self._batch_size = min(configuration.batch_size or len(self.data), len(self.data))
        self._n_replicas = -(-configuration.n_chains // self._batch_size)  # of each data row, as chains
        self.n_steps_per_epoch = -(-len(self.data) // self._batch_size)
        self.n_steps = configuration.n_epochs * self.n_steps_per_epoch
        self._converged: list[NDArray[np.bool_]] = []  # of this step's mean-field fixed points
        self.state = self._first_state()
        if state is not None:
            _check_alike(state, self.state)
            self.state = state

    @property
    def model(self) -> BoltzmannModel:
        """The machine as it is now."""
        return replace(self._start, couplings=self.state.couplings, bias=self.state.bias)

    def step(self) -> StepReport:
        """Do a step.

        Raises
        ------
        RunError
            If a coupling or a bias is no longer finite, or beyond `LARGEST` temperatures; the state is as it was.
        """
        rows = self._rows()
        self._converged = []
        clamped, states = self._clamped(rows)
        free, free_spins = self._free(rows, states)
        found = gradient(clamped, free, self.configuration.temperature)
        clamped_spins = self.state.clamped_spins
        if self.configuration.clamped_phase == "persistent":
            clamped_spins = clamped_spins.copy()
            clamped_spins[self._replicas(rows)] = states[:, self._start.n_visible :]
        moved = self._moved(found)
        self._check_divergence(moved)
        self.state = replace(moved, free_spins=free_spins, clamped_spins=clamped_spins)
        pairs = 0.5 * (found.couplings[self._mask] ** 2).sum()
        converged = float(np.concatenate(self._converged).mean()) if self._converged else np.nan
        return StepReport(float(np.sqrt(pairs + (found.bias**2).sum())), converged)

    def _moved(self, found: Gradient) -> LearningState:
        configuration, state = self.configuration, self.state
        rate = configuration.rate(state.step, self.n_steps_per_epoch)
        pull = configuration.weight_decay * state.couplings
        with np.errstate(over="ignore", invalid="ignore"):  # `_check_divergence` tells
            couplings_velocity = configuration.momentum * state.couplings_velocity + rate * (
                found.couplings - pull
            )
            couplings_velocity[~self._mask] = 0.0
            bias_velocity = configuration.momentum * state.bias_velocity + rate * found.bias
            return replace(
                state,
                step=state.step + 1,
                couplings=state.couplings + couplings_velocity,
                bias=state.bias + bias_velocity,
                couplings_velocity=couplings_velocity,
                bias_velocity=bias_velocity,
            )

    def _check_divergence(self, moved: LearningState) -> None:
        limit = LARGEST * self.configuration.temperature
        for name, values in (("couplings", moved.couplings), ("bias", moved.bias)):
            largest = np.abs(values).max()
            if not largest <= limit:  # NaN too
                raise RunError(
                    name,
                    f"diverged at step {moved.step}: the largest reached {largest:.3g}, and {limit:g} is the limit; "
                    f"lower the learning rate ({self.configuration.rate(moved.step - 1, self.n_steps_per_epoch):g})",
                )

    def _rows(self) -> NDArray[np.int64]:
        """The data rows of the step's batch, in the epoch's own order."""
        epoch, batch = divmod(self.state.step, self.n_steps_per_epoch)
        order = np.arange(len(self.data))
        if self.n_steps_per_epoch > 1:
            shuffle(stream_keys(self.configuration.seed, Stream.MINIBATCH, epoch)[0], order)
        return order[batch * self._batch_size : (batch + 1) * self._batch_size]

    def _replicas(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """The numbers of the chains of these data rows, all those of a row together."""
        return (rows[:, None] * self._n_replicas + np.arange(self._n_replicas)).ravel()

    def _clamped(self, rows: NDArray[np.int64]) -> tuple[Statistics, NDArray]:
        """Statistics of the clamped phase, and the units as it left them: spins (n_chains, n_units), or means."""
        model, configuration, data = self.model, self.configuration, self.data[rows]
        if configuration.clamped_phase == "mean-field":
            hidden = mean_field.independent_means(model, configuration.temperature)[model.n_visible :]
            starts = np.concatenate([data, np.broadcast_to(hidden, (len(data), len(hidden)))], axis=1)
            means = self._fixed_points(model, starts, model.n_visible)
            return mean_field.mean_statistics(means, model.encoding), means
        key, replicas = self._key(_CLAMPED), self._replicas(rows)
        spins = self._with_data(rows, self._hidden_spins(key, replicas))
        if model.n_hidden == 0:
            return state_statistics(data), spins
        if configuration.clamped_phase == "exact":
            return exact_clamped_statistics(model, data, configuration.temperature, self._tick), spins
        chains = self._chains(model, spins, stream_keys(key, Stream.CHAIN, replicas), model.n_visible)
        return self._sampled(chains, model), chains.spins

    def _free(self, rows: NDArray[np.int64], states: NDArray) -> tuple[Statistics, NDArray[np.int8]]:
        """Statistics of the free phase, and its persistent chains."""
        model, configuration = self.model, self.configuration
        if configuration.free_phase == "exact":
            return exact_free_statistics(model, configuration.temperature, self._tick), self.state.free_spins
        key = self._key(_FREE)
        if configuration.free_phase == "mean-field":
            starts = states if configuration.start == "data" else self._random_spins(key)
            if starts.dtype == np.int8:
                starts = model.states(starts)
            means = self._fixed_points(model, starts.astype(np.float64), 0)
            return mean_field.mean_statistics(means, model.encoding), self.state.free_spins
        if configuration.free_phase == "persistent":
            spins = self.state.free_spins
        elif configuration.start == "random":
            spins = self._random_spins(key)
        elif states.dtype == np.int8:
            spins = states
        else:  # of hidden units the clamped phase has means only
            spins = self._with_data(rows, _random_spins(key, self._replicas(rows), model.n_hidden))
        chains = self._chains(model, spins, stream_keys(key, Stream.CHAIN, range(len(spins))), 0)
        statistics = self._sampled(chains, model)
        is_persistent = configuration.free_phase == "persistent"
        return statistics, chains.spins if is_persistent else self.state.free_spins

    def _with_data(self, rows: NDArray[np.int64], hidden_spins: NDArray[np.int8]) -> NDArray[np.int8]:
        """Spins of all units, the visible ones at these data rows."""
        visible = np.repeat(self._start.spins(self.data[rows]), self._n_replicas, axis=0)
        return np.concatenate([visible, hidden_spins], axis=1)

    def _chains(
        self, model: BoltzmannModel, spins: NDArray[np.int8], keys: NDArray[np.uint64], n_clamped: int
    ) -> GibbsChains:
        return GibbsChains(
            model.spin_network,
            spins,
            keys,
            temperature=self.configuration.temperature,
            order=self.configuration.order,
            free=np.arange(n_clamped, model.n_units),
            tick=self._tick,
        )

    def _sampled(self, chains: GibbsChains, model: BoltzmannModel) -> Statistics:
        return sampled_statistics(chains, model, self.configuration.burn_in, self.configuration.n_sweeps)

    def _fixed_points(
        self, model: BoltzmannModel, starts: NDArray[np.float64], n_clamped: int
    ) -> NDArray[np.float64]:
        temperature = self.configuration.temperature
        found = mean_field.fixed_points(model, starts, n_clamped, temperature, tick=self._tick)
        self._converged.append(found.converged)
        return found.means

    def _key(self, phase: int) -> int:
        """The key of a phase of this step."""
        return int(stream_keys(self.configuration.seed, Stream.GRADIENT, 2 * self.state.step + phase)[0])

    def _hidden_spins(self, key: int, replicas: NDArray[np.int64]) -> NDArray[np.int8]:
        if self.configuration.clamped_phase == "persistent":
            return self.state.clamped_spins[replicas]
        return _random_spins(key, replicas, self._start.n_hidden)

    def _random_spins(self, key: int) -> NDArray[np.int8]:
        return _random_spins(key, np.arange(self.configuration.n_chains), self._start.n_units)

    def _first_state(self) -> LearningState:
        model, seed = self._start, self.configuration.seed
        keys = stream_keys(seed, Stream.START, range(2)).tolist()
        free_spins = np.zeros((0, model.n_units), np.int8)
        clamped_spins = np.zeros((0, model.n_hidden), np.int8)
        if self.configuration.free_phase == "persistent":
            free_spins = self._random_spins(keys[_FREE])
        if self.configuration.clamped_phase == "persistent":
            n_chains = len(self.data) * self._n_replicas
            clamped_spins = _random_spins(keys[_CLAMPED], np.arange(n_chains), model.n_hidden)
        return LearningState(
            step=0,
            couplings=model.couplings,
            bias=model.bias,
            couplings_velocity=np.zeros_like(model.couplings),
            bias_velocity=np.zeros_like(model.bias),
            free_spins=free_spins,
            clamped_spins=clamped_spins,
        )


def _check_alike(state: LearningState, first: LearningState) -> None:
    """Raise `InputError` unless the arrays of a state are as those that learning starts with."""
    for field in fields(LearningState):
        value, expected = np.asarray(getattr(state, field.name)), np.asarray(getattr(first, field.name))
        if value.shape != expected.shape or value.dtype != expected.dtype:
            raise InputError(
                "state",
                f"{field.name} is {value.dtype} {value.shape}; expected {expected.dtype} {expected.shape}",
            )


def _random_spins(key: int, indices: NDArray[np.int64], n_units: int) -> NDArray[np.int8]:
    """Fair coins of ±1 (n_indices, n_units), a function of the key and each index."""
    keys = stream_keys(key, Stream.START, indices)[: len(indices)]
    return make_probes(np.ones((len(indices), n_units), np.int8), keys, mask=1.0)
