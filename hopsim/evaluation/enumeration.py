"""Exact results of small Boltzmann machines: sums over all their states."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import ArrayLike, NDArray

from hopsim.errors import InputError
from hopsim.kernels.enumeration import MAX_SPREAD, N_LOW, N_MATRICES, SIDE, enumerate_machines
from hopsim.models.boltzmann import BoltzmannModel
from hopsim.models.memory import aligned_zeros
from hopsim.sampling.gibbs_chains import check_temperatures
from hopsim.sampling.threads import using_threads

MAX_UNITS = 30
MAX_LISTED_UNITS = 20  # whose states' probabilities are listed

_MAX_INNER = N_LOW + 10  # units of one compiled machine; the others are clamped in every way
_STATES_A_CALL = 1 << 27  # some 25 ms on one AVX-512 core
_STATES_WORTH_A_THREAD = 1 << 20  # waking it can take as long as these
_MAX_MACHINES = 4096  # a call

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Enumeration:
    """What the sum over all states gives, in the machine's own encoding and in natural logarithms.

    Attributes
    ----------
    log_partition_function : float
        ``log Z = log sum_s exp(-E(s)/T)``.
    means : float64 (n_units,)
        ``<s_i>``.
    correlations : float64 (n_units, n_units)
        ``<s_i s_j>``, with ``<s_i^2>`` on the diagonal: the means of 0/1 units, 1 of ±1 units.
    energy_mean : float
        ``<E>``.
    entropy : float
        ``-sum_s p log p``.
    """

    log_partition_function: float
    means: FloatArray
    correlations: FloatArray
    energy_mean: float
    entropy: float


def enumerate_states(
    model: BoltzmannModel, temperature: float = 1.0, tick: Callable[[], None] = lambda: None
) -> Enumeration:
    """Sum over all states of a machine.

    Parameters
    ----------
    model : BoltzmannModel
        Of at most `MAX_UNITS` units.
    temperature : float
        T > 0.
    tick : callable
        Called between compiled calls; may raise to stop.

    Raises
    ------
    InputError
        For ``couplings`` of too many units, or a ``temperature`` that is not positive or too low for float64.

    Notes
    -----
    Sums are of float64 in a fixed order, the same for any number of threads: log Z errs by some 1e-15 times the largest
    ``|E|/T``, means and correlations by some 1e-14.

    Examples
    --------
    >>> from hopsim.models.boltzmann import boltzmann_model
    >>> exact = enumerate_states(boltzmann_model([[0.0, 1.0], [1.0, 0.0]]))
    >>> print(f"{exact.log_partition_function:.6f} {exact.means[0]:.6f}")  # log(3 + e), (1 + e)/(3 + e)
    1.743668 0.650245
    """
    check_enumerable(model)
    couplings, bias = scaled_spins(model, temperature)
    (moments,) = enumerate_spins(couplings, bias[None], tick)
    means, correlations = moments_in_encoding(moments.means[0], moments.correlations[0], model.encoding)
    log_partition_function = float(moments.logs[0]) - model.energy_offset / temperature
    energy_mean = -0.5 * float((model.couplings * correlations).sum()) - float((model.bias * means).sum())
    entropy = max(log_partition_function + energy_mean / temperature, 0.0)
    return Enumeration(log_partition_function, means, correlations, energy_mean, entropy)


def check_enumerable(model: BoltzmannModel) -> None:
    """Raise `InputError` for a machine whose states are too many to sum over."""
    if model.n_units > MAX_UNITS:
        raise InputError(
            "couplings",
            f"enumeration is for at most {MAX_UNITS} units, got {model.n_units}; estimate log Z by annealed importance "
            "sampling, means and correlations from Gibbs samples",
        )


def scaled_spins(model: BoltzmannModel, temperature: float) -> tuple[FloatArray, FloatArray]:
    """Couplings and biases, divided by T, of the ±1 machine with the same distribution."""
    if np.ndim(temperature):
        raise InputError("temperature", "expected one number")
    check_temperatures(temperature)
    spins = model.in_encoding("pm1").dense()
    with np.errstate(over="ignore"):
        couplings, bias = spins.couplings / temperature, spins.bias / temperature
        largest = np.abs(couplings).sum() + np.abs(bias).sum()
    if not np.isfinite(8.0 * largest):
        raise InputError("temperature", f"expected a temperature at which E/T is finite, got {temperature:g}")
    return couplings, bias


def moments_in_encoding(
    means: FloatArray, correlations: FloatArray, encoding: str
) -> tuple[FloatArray, FloatArray]:
    """Means (n_units,) and correlations (n_units, n_units) of ±1 units, as those of units of an encoding."""
    if encoding == "pm1":
        return means, correlations
    return (1.0 + means) / 2.0, (1.0 + (means[:, None] + means) + correlations) / 4.0


class Moments(NamedTuple):
    """Of several machines of ±1 units."""

    logs: FloatArray  # of the partition functions (n_machines,)
    means: FloatArray  # (n_machines, n_units)
    correlations: FloatArray  # (n_machines, n_units, n_units), 1 on the diagonal


def enumerate_spins(couplings: FloatArray, biases: FloatArray, tick: Callable[[], None]) -> Iterator[Moments]:
    """Sum over all states of machines of ±1 units that share their couplings.

    Parameters
    ----------
    couplings : float64 (n_units, n_units)
        Divided by the temperature, as biases are.
    biases : float64 (n_machines, n_units)

    Yields
    ------
    Moments
        Of some machines after the other, in order.
    """
    n_units = len(couplings)
    n_low = _number_of_low_units(couplings)
    n_inner = min(n_units, _MAX_INNER - N_LOW + n_low)
    n_states = 1 << (N_LOW - n_low + n_inner)
    n_machines = min(max(1, _STATES_A_CALL // n_states), _MAX_MACHINES)
    if n_inner == n_units:
        for first in range(0, len(biases), n_machines):
            yield _call(couplings, biases[first : first + n_machines], N_LOW - n_low)
            tick()
        return
    for bias in biases:
        yield _enumerate_clamped(couplings, bias, n_inner, n_machines, N_LOW - n_low, tick)


def _enumerate_clamped(
    couplings: FloatArray,
    bias: FloatArray,
    n_inner: int,
    n_machines: int,
    n_idle: int,
    tick: Callable[[], None],
) -> Moments:
    """Moments of one machine, the units from `n_inner` on clamped in every way, `n_machines` ways a call."""
    n_outer = len(bias) - n_inner
    whole = None
    for first in range(0, 1 << n_outer, n_machines):
        outer = _spins(first, min(n_machines, (1 << n_outer) - first), n_outer)
        part = _mixture(_clamp_outer(couplings, bias, outer, n_idle))
        whole = part if whole is None else _mixture(_joined(whole, part))
        tick()
    assert whole is not None
    return whole


def _number_of_low_units(couplings: FloatArray) -> int:
    """How many units the kernel may take as its low ones; the fewer, the slower."""
    n_low = min(len(couplings), N_LOW)
    while np.abs(couplings[:n_low, :n_low]).sum() > MAX_SPREAD:
        n_low -= 1
    return n_low


def _call(couplings: FloatArray, biases: FloatArray, n_idle: int) -> Moments:
    """Enumerate machines at once, put after `n_idle` units without couplings and biases, which double every sum."""
    n_machines, n_units = biases.shape
    width = n_idle + n_units
    padded_couplings, padded_biases = np.zeros((width, width)), np.zeros((n_machines, width))
    padded_couplings[n_idle:, n_idle:] = couplings
    padded_biases[:, n_idle:] = biases
    shifts, sums, means = np.empty(n_machines), np.empty(n_machines), np.empty((n_machines, width))
    correlations = np.empty((n_machines, width, width))
    n_threads = numba.get_num_threads() if n_machines << width > _STATES_WORTH_A_THREAD else 1
    n_parts = min(n_machines, 4 * n_threads)
    scratch = aligned_zeros((1 + n_parts, N_MATRICES, SIDE, SIDE), np.float64)
    with using_threads(n_threads):
        enumerate_machines(padded_couplings, padded_biases, scratch, shifts, sums, means, correlations)
    logs = shifts + np.log(np.ldexp(sums, -n_idle))
    return Moments(logs, means[:, n_idle:], correlations[:, n_idle:, n_idle:])


def _spins(first: int, n_states: int, n_units: int) -> FloatArray:
    """Rows (n_states, n_units) of ±1: the binary digits of `first` and the numbers after."""
    numbers = np.arange(first, first + n_states)
    return np.where((numbers[:, None] >> np.arange(n_units)) & 1, 1.0, -1.0)


def _clamp_outer(couplings: FloatArray, bias: FloatArray, outer: FloatArray, n_idle: int) -> Moments:
    """Moments of all units of a machine whose last units are clamped at each row of `outer`."""
    n_inner = len(bias) - outer.shape[1]
    biases = bias[:n_inner] + np.einsum("co,oi->ci", outer, couplings[n_inner:, :n_inner])
    fields = 0.5 * np.einsum("co,op->cp", outer, couplings[n_inner:, n_inner:]) + bias[n_inner:]
    inner = _call(couplings[:n_inner, :n_inner], biases, n_idle)
    means = np.concatenate([inner.means, outer], axis=1)
    correlations = means[:, :, None] * means[:, None, :]
    correlations[:, :n_inner, :n_inner] = inner.correlations
    return Moments(inner.logs + (fields * outer).sum(axis=1), means, correlations)


def _joined(first: Moments, second: Moments) -> Moments:
    return Moments(*(np.concatenate(pair) for pair in zip(first, second, strict=True)))


def _mixture(parts: Moments) -> Moments:
    """Return the moments of one machine, whose states the `parts` share out among them."""
    largest = parts.logs.max()
    weights = np.exp(parts.logs - largest)
    total = weights.sum()
    means = np.einsum("c,ci->i", weights, parts.means) / total
    correlations = np.einsum("c,cij->ij", weights, parts.correlations) / total
    return Moments(np.array([largest + np.log(total)]), means[None], correlations[None])


def state_probabilities(model: BoltzmannModel, temperature: float = 1.0) -> FloatArray:
    """Probabilities of all states, float64 (2^n_units,).

    State k has the binary digits of k as its units, unit 0 the most significant; a digit 0 is the lower value of the
    encoding. So ``p.reshape(2**n_visible, 2**n_hidden)`` is the joint distribution of visible and hidden states.

    Raises
    ------
    InputError
        For ``couplings`` of more than `MAX_LISTED_UNITS` units, or a ``temperature`` that is not positive.

    Examples
    --------
    >>> from hopsim.models.boltzmann import boltzmann_model
    >>> print(state_probabilities(boltzmann_model([[0.0, 1.0], [1.0, 0.0]])).round(4))  # 00, 01, 10, 11
    [0.1749 0.1749 0.1749 0.4754]
    """
    if model.n_units > MAX_LISTED_UNITS:
        raise InputError(
            "couplings", f"states are listed of at most {MAX_LISTED_UNITS} units, got {model.n_units}"
        )
    couplings, bias = scaled_spins(model, temperature)
    values = np.array([-1.0, 1.0])
    exponents = np.zeros(1)
    fields = bias[:, None]  # of the units that are still to come, in each state of those that have
    for i in range(model.n_units):
        exponents = (exponents[:, None] + fields[0, :, None] * values).reshape(-1)
        n_states = len(exponents)
        fields = (fields[1:, :, None] + couplings[i + 1 :, i, None, None] * values).reshape(-1, n_states)
    weights = np.exp(exponents - exponents.max())
    return weights / weights.sum()


def visible_probabilities(model: BoltzmannModel, temperature: float = 1.0) -> FloatArray:
    """Probabilities of all visible states, float64 (2^n_visible,), in the order of `state_probabilities`.

    Raises
    ------
    InputError
        As `state_probabilities` does.
    """
    return state_probabilities(model, temperature).reshape(1 << model.n_visible, -1).sum(axis=1)


def kl_divergence(p: ArrayLike, q: ArrayLike) -> float:
    """Kullback-Leibler divergence ``sum_k p_k log(p_k/q_k)`` of two distributions, in nats; infinite where q lacks p.

    Raises
    ------
    InputError
        Unless both are distributions over as many states.

    Examples
    --------
    >>> print(f"{kl_divergence([0.5, 0.5], [0.25, 0.75]):.6f}")
    0.143841
    """
    first, second = check_distribution("p", p), check_distribution("q", q)
    if first.shape != second.shape:
        raise InputError("q", f"expected as many states as p has, {len(first)}, got {len(second)}")
    held = first > 0.0
    with np.errstate(divide="ignore"):
        return float((first[held] * (np.log(first[held]) - np.log(second[held]))).sum())


def check_distribution(subject: str, probabilities: ArrayLike) -> FloatArray:
    """Return probabilities as float64 (n,); `InputError` unless they are not negative and sum to 1 within 1e-9."""
    values = np.asarray(probabilities, np.float64)
    if values.ndim != 1 or not (values >= 0.0).all() or not abs(values.sum() - 1.0) <= 1e-9:
        raise InputError(subject, "expected probabilities, one a state, that sum to 1")
    return values
