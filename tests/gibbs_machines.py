"""Boltzmann machines of every kind, their exact distributions, and Gibbs chains summed anew at every step."""

import numba
import numpy as np
import oracles
import pytest
from kernel_chains import DRAWS, count_draws_below, random_states

from hopsim.models.boltzmann import boltzmann_model
from hopsim.models.seeds import Stream, stream_keys
from hopsim.sampling.chains import ORDERS as ORDER_CODES

ORDERS = ("sequential", "random", "replacement")
MACHINES = ("pm1 int16", "pm1 int32", "01 int16", "01 int32")
DRIVERS = ("single", "lanes")

drivers = pytest.mark.parametrize("driver", DRIVERS)
drivers_and_orders = pytest.mark.parametrize(
    ("driver", "order"), [*(("single", order) for order in ORDERS), ("lanes", "sequential")]
)


def make_machine(kind, n_units, seed, biased=True):
    """A machine of an encoding whose chains have couplings of a type; unit strength in ±1 units, real biases."""
    encoding, dtype = kind.split()
    rng = np.random.default_rng(seed)
    if kind == "pm1 int16":
        couplings = oracles.hebbian_couplings(random_states(rng, 5, n_units)) / n_units
    elif kind == "01 int16":
        couplings = np.triu(rng.integers(-2, 3, (n_units, n_units)), 1).astype(float)
        couplings += couplings.T
    else:
        size = {"pm1": 1.0, "01": 4.0}[encoding] / np.sqrt(n_units)
        couplings = np.triu(rng.normal(0, size, (n_units, n_units)), 1)
        couplings += couplings.T
    machine = boltzmann_model(couplings, rng.normal(0, 0.4, n_units) * float(biased), encoding)
    assert machine.spin_network.matrix.dtype == dtype
    return machine


def keys_of(seed, n_chains):
    """The keys of chains 0 to `n_chains` - 1 under a seed."""
    return stream_keys(seed, Stream.CHAIN, range(n_chains))


# -- exactly --


def free_units(n_units, clamped):
    """The units that are not clamped."""
    return np.setdiff1d(np.arange(n_units), clamped)


def states_around(spins, free):
    """All states of the `free` units, the others as in `spins` (n_units,): int8 (2^n_free, n_units)."""
    states = np.repeat(spins[None], 1 << len(free), axis=0)
    states[:, free] = oracles.all_states(len(free))
    return states


def exact_distribution(machine, spins, temperature):
    """Boltzmann's distribution over the states `spins` (±1), from the machine's own couplings and encoding."""
    values = (spins > 0) if machine.encoding == "01" else spins
    energies = oracles.energies(machine.couplings, machine.bias, values)
    weights = np.exp(-(energies - energies.min()) / temperature)
    return weights / weights.sum()


def fields_from_energies(energies):
    """Fields (2^n, n) of ±1 units from the energies of `oracles.all_states`: half of what each flip costs."""
    n_units = len(energies).bit_length() - 1
    grid = energies.reshape((2,) * n_units)
    halves = [-0.5 * np.diff(grid, axis=unit) for unit in range(n_units)]
    return np.stack([np.broadcast_to(half, grid.shape).ravel() for half in halves], axis=1)


@numba.njit(error_model="numpy")
def fill_up_probabilities(fields, temperature, up):
    for c in range(fields.shape[0]):
        for i in range(fields.shape[1]):
            up[c, i] = count_draws_below(fields[c, i], 0.5 * temperature) / DRAWS


def up_probabilities(fields, temperature):
    """P(unit := +1 | state) as the kernels' draws have it, from `fields` (n_states, n_units) of ±1 units."""
    up = np.empty(fields.shape)
    fill_up_probabilities(fields, temperature, up)
    return up


# -- step by step --


def run_twin(network, spins, key, temperatures, *, order, free, biases=None):
    """State and flips of a chain after a sweep at each of `temperatures`, every field summed anew.

    It takes the kernels' own random numbers; `biases` are those of each sweep, the network's if None.
    """
    matrix = network.matrix.astype(float)
    spins = spins.astype(float)
    n_flips = 0
    for sweep, temperature in enumerate(temperatures):
        bias = network.bias if biases is None else biases[sweep]
        visits = oracles.visit_order(ORDER_CODES[order], key, sweep, len(free))
        thresholds = oracles.thresholds(key, sweep, len(free), temperature * (network.scale / 2))
        for unit, threshold in zip(free[visits], thresholds, strict=True):
            excess = matrix[unit] @ spins + bias[unit] * network.scale - threshold
            if excess * spins[unit] < 0:
                spins[unit] = -spins[unit]
                n_flips += 1
    return spins, n_flips
