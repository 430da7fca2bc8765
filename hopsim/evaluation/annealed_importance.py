"""Annealed importance sampling of a Boltzmann machine's log Z, and its reverse, the other side of the sandwich.

Chains go from independent units to the machine, or back, along ``p_beta ~ exp(-((1 - beta) E_0 + beta E)/T)``, and
gather the ratios of neighbouring distributions as weights (Neal 2001; Salakhutdinov and Murray 2008). The mean weight
is unbiased, so that its logarithm falls short of log Z on average, and the reverse one's exceeds it (Burda, Grosse and
Salakhutdinov 2015).
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hopsim.errors import InputError
from hopsim.models.boltzmann import BoltzmannModel
from hopsim.models.hopfield import check_bias
from hopsim.models.seeds import Stream, check_seed, stream_keys
from hopsim.sampling.gibbs_chains import GibbsChains

FloatArray = NDArray[np.float64]

_MOST_CERTAIN_MEAN = 0.998  # of a ±1 unit of the base distribution


@dataclass(frozen=True, eq=False)
class AnnealedImportance:
    """An estimate of log Z in the machine's encoding.

    Attributes
    ----------
    log_partition_function : float
        ``log Z_0 + log mean w``; of the reverse ``log Z_0 - log mean w``.
    standard_error : float
        Of the logarithm of the mean weight, by the delta method: the weights' standard error over their mean. Too small
        where few chains carry the weight, which `effective_sample_size` tells.
    effective_sample_size : float
        ``(sum w)^2/sum w^2``, from 1 to the number of chains.
    log_weights : float64 (n_chains,)
    seed : int
        The seed that gives the same chains again.
    """

    log_partition_function: float
    standard_error: float
    effective_sample_size: float
    log_weights: FloatArray
    seed: int


def annealed_importance(
    model: BoltzmannModel,
    n_chains: int = 100,
    n_temperatures: int = 1000,
    *,
    betas: ArrayLike | None = None,
    base_bias: ArrayLike | None = None,
    temperature: float = 1.0,
    seed: int | None = None,
    tick: Callable[[], None] = lambda: None,
) -> AnnealedImportance:
    """Estimate log Z by chains from independent units to the machine; low on average.

    Parameters
    ----------
    model : BoltzmannModel
    n_chains : int
        At least 2.
    n_temperatures : int
        Equal steps of beta from 0 to 1; a chain does one sweep after each but the last.
    betas : array, optional
        The path's own values instead, rising from 0 to 1.
    base_bias : array (n_units,), optional
        Biases of the independent units, in the machine's encoding: `matched_bias`. Zero by default.
    temperature : float
        T > 0 of the machine.
    seed : int, optional
        Drawn from the system if None.
    tick : callable
        Called a few times a second; may raise to stop.

    Raises
    ------
    InputError
        For numbers that are too small, ``betas`` that do not rise from 0 to 1, ``base_bias`` of the wrong length, or a
        ``temperature`` that is not positive.

    Examples
    --------
    >>> from hopsim.models.boltzmann import boltzmann_model
    >>> model = boltzmann_model([[0.0, 1.0], [1.0, 0.0]])
    >>> estimate = annealed_importance(model, 1000, 10, seed=1)
    >>> bool(abs(estimate.log_partition_function - np.log(3 + np.e)) < 4 * estimate.standard_error)
    True
    """
    n_chains = _check_count("n_chains", n_chains, 2)
    path = _path(n_temperatures, betas)
    base = _base_bias(model, base_bias)
    seed = check_seed(seed)
    keys = stream_keys(seed, Stream.START, range(n_chains))
    starts = _independent_spins(model, base, temperature, keys, tick)
    log_weights = _follow(model, starts, path, base, temperature, seed, tick)
    return _estimate(model, base, temperature, log_weights, 1.0, seed)


def reverse_annealed_importance(
    model: BoltzmannModel,
    states: ArrayLike,
    n_temperatures: int = 1000,
    *,
    betas: ArrayLike | None = None,
    base_bias: ArrayLike | None = None,
    temperature: float = 1.0,
    seed: int | None = None,
    tick: Callable[[], None] = lambda: None,
) -> AnnealedImportance:
    """Estimate log Z by chains from states of the machine back to independent units; high on average.

    Only if `states` are independent draws from the machine: chains that have not come to equilibrium spoil the bound.

    Parameters
    ----------
    model : BoltzmannModel
    states : array (n_chains, n_units)
        Draws from the machine, hidden units included, in its encoding; at least 2.
    n_temperatures, betas, base_bias, temperature, seed, tick
        As for `annealed_importance`; the path is gone from 1 to 0.

    Raises
    ------
    InputError
        For ``states`` that are not of the machine, and as `annealed_importance` does.
    """
    starts = model.spins(model.check_states(states))
    if len(starts) < 2:
        raise InputError("states", "expected at least 2 states, got 1")
    path = _path(n_temperatures, betas)[::-1]
    base = _base_bias(model, base_bias)
    seed = check_seed(seed)
    log_weights = _follow(model, starts, path, base, temperature, seed, tick)
    return _estimate(model, base, temperature, log_weights, -1.0, seed)


def matched_bias(model: BoltzmannModel, means: ArrayLike, temperature: float = 1.0) -> FloatArray:
    """Biases (n_units,) with which independent units have the given means, in the machine's encoding.

    Means of data, for hidden units half the range; or of mean-field theory. They are kept from the ends of their range
    by a thousandth of it: a base distribution must reach every state.

    Raises
    ------
    InputError
        For ``means`` of the wrong length or out of range.
    """
    scale = 2.0 if model.encoding == "01" else 1.0
    values = _values_of_units(model, "means", means)
    values = 2.0 * values - 1.0 if model.encoding == "01" else values
    if not (np.abs(values) <= 1.0).all():
        raise InputError("means", f"expected means of units of encoding {model.encoding}")
    limited = np.clip(values, -_MOST_CERTAIN_MEAN, _MOST_CERTAIN_MEAN)
    return scale * temperature * np.arctanh(limited)


def _path(n_temperatures: int, betas: ArrayLike | None) -> FloatArray:
    """Values of beta from 0 to 1."""
    if betas is None:
        return np.linspace(0.0, 1.0, _check_count("n_temperatures", n_temperatures, 1) + 1)
    path = np.asarray(betas, np.float64)
    if path.ndim != 1 or len(path) < 2 or path[0] != 0.0 or path[-1] != 1.0 or not (np.diff(path) > 0).all():
        raise InputError("betas", "expected numbers that rise from 0 to 1")
    return path


def _check_count(subject: str, value: int, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise InputError(subject, f"expected a whole number of at least {least}, got {value!r}")
    return int(value)


def _base_bias(model: BoltzmannModel, base_bias: ArrayLike | None) -> FloatArray:
    """Biases of the independent units as ±1 units."""
    bias = _values_of_units(model, "base_bias", base_bias)
    return bias / 2.0 if model.encoding == "01" else bias


def _values_of_units(model: BoltzmannModel, subject: str, values: ArrayLike | None) -> FloatArray:
    try:
        return check_bias(values, model.n_units)
    except InputError as error:
        raise InputError(subject, error.problem) from None


def _independent_spins(
    model: BoltzmannModel,
    base: FloatArray,
    temperature: float,
    keys: NDArray[np.uint64],
    tick: Callable[[], None],
) -> NDArray[np.int8]:
    """Exact draws (n_chains, n_units) at beta = 0: without couplings, one sweep forgets the start."""
    chains = GibbsChains(
        BoltzmannModel(0.0 * model.couplings, base, "pm1", model.n_visible).spin_network,
        np.ones((len(keys), model.n_units), np.int8),
        keys,
        temperature=temperature,
        tick=tick,
    )
    chains.advance(1)
    return chains.spins


def _follow(
    model: BoltzmannModel,
    starts: NDArray[np.int8],
    path: FloatArray,
    base: FloatArray,
    temperature: float,
    seed: int,
    tick: Callable[[], None],
) -> FloatArray:
    """Log weights (n_chains,) of chains that start from p at ``path[0]`` and go along the path."""
    network = model.spin_network
    keys = stream_keys(seed, Stream.CHAIN, range(len(starts)))
    chains = GibbsChains(network, starts, keys, temperature=temperature, tick=tick)
    log_weights = np.zeros(len(starts))
    tilted = network.bias
    for beta, next_beta in pairwise(path):
        # E - E_0 from the energies that the chains keep, whose biases are tilted
        correction = (chains.spins * (tilted - network.bias + base)).sum(axis=1)
        log_weights -= (next_beta - beta) / temperature * (chains.energies + correction)
        if next_beta != path[-1]:
            tilted = network.bias + (1.0 - next_beta) / next_beta * base
            chains.heat(temperature / next_beta)
            chains.tilt(tilted)
            chains.advance(1)
    return log_weights


def _estimate(
    model: BoltzmannModel,
    base: FloatArray,
    temperature: float,
    log_weights: FloatArray,
    direction: float,
    seed: int,
) -> AnnealedImportance:
    largest = log_weights.max()
    weights = np.exp(log_weights - largest)
    mean = weights.mean()
    log_base = np.logaddexp(base / temperature, -base / temperature).sum()
    log_spins = log_base + direction * (largest + np.log(mean))
    return AnnealedImportance(
        log_partition_function=float(log_spins - model.energy_offset / temperature),
        standard_error=float(weights.std(ddof=1) / np.sqrt(len(weights)) / mean),
        effective_sample_size=float(weights.sum() ** 2 / (weights**2).sum()),
        log_weights=log_weights,
        seed=seed,
    )
