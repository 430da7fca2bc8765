"""What Gibbs chains could do wrong: stand-ins for `GibbsChains`, each with one fault, for tests that must see it.

They take free units and one temperature a chain; some units must be clamped.
"""

import numpy as np

from hopsim.models.hopfield import DenseModel, aligned_copy
from hopsim.sampling.gibbs_chains import GibbsChains


def changed(network, matrix=None, bias=None):
    """The network with other integer couplings or other biases."""
    matrix = network.matrix if matrix is None else aligned_copy(matrix, network.matrix.dtype)
    return DenseModel(matrix, network.bias if bias is None else bias, network.scale)


def wrong_sign(network, *arguments, **settings):
    """Of the couplings."""
    return GibbsChains(changed(network, -network.matrix), *arguments, **settings)


def one_coupling_wrong(network, *arguments, **settings):
    """Its sign, both ways."""
    matrix = network.matrix.copy()
    matrix[3, 4] *= -1
    matrix[4, 3] *= -1
    return GibbsChains(changed(network, matrix), *arguments, **settings)


def missed_updates(network, *arguments, **settings):
    """Of the others' fields, whenever one unit flips."""
    matrix = network.matrix.copy()
    matrix[3] = 0
    return GibbsChains(changed(network, matrix), *arguments, **settings)


def clamped_field_of_the_wrong_sign(*arguments, **settings):
    """The free units' fields take the first clamped unit for its opposite."""

    class Chains(GibbsChains):
        def _fields_of(self, clamped, free):
            self._spins[:, clamped[0]] *= -1
            fields = super()._fields_of(clamped, free)
            self._spins[:, clamped[0]] *= -1
            return fields

    return Chains(*arguments, **settings)


def forgotten_bias(network, *arguments, **settings):
    return GibbsChains(changed(network, bias=0 * network.bias), *arguments, **settings)


def shifted_thresholds(network, *arguments, **settings):
    """As if all random numbers were a little too low."""
    return GibbsChains(changed(network, bias=network.bias + 0.03), *arguments, **settings)


def keys_that_coincide(network, spins, keys, **settings):
    """A hundred chains have each key."""
    return GibbsChains(network, spins, keys[np.arange(len(keys)) // 100 * 100], **settings)


def temperature_of_the_neighbour(*arguments, temperature, **settings):
    chains = GibbsChains(*arguments, temperature=np.roll(temperature, 1), **settings)
    advance = chains.advance
    chains.advance = lambda n_sweeps, schedule=None: advance(
        n_sweeps, None if schedule is None else np.roll(schedule, 1, axis=1)
    )
    return chains


def clamped_one_off(network, *arguments, free, **settings):
    """Each clamped unit's neighbour in its stead."""
    clamped = np.setdiff1d(np.arange(network.n_neurons), free)
    others = np.setdiff1d(np.arange(network.n_neurons), (clamped + 1) % network.n_neurons)
    return GibbsChains(network, *arguments, free=others, **settings)


def one_more_clamped(*arguments, free, **settings):
    return GibbsChains(*arguments, free=free[1:], **settings)


FAULTS = [
    wrong_sign,
    one_coupling_wrong,
    missed_updates,
    clamped_field_of_the_wrong_sign,
    forgotten_bias,
    shifted_thresholds,
    keys_that_coincide,
    temperature_of_the_neighbour,
    clamped_one_off,
    one_more_clamped,
]
