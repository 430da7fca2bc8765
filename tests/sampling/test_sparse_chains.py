"""Gibbs chains on sparse couplings: dense chains' bits, clamped units, threads and calls, energies, the Ising model."""

import numpy as np
import oracles
import pytest
from false_alarms import assert_detected, assert_plausible, chi_square_p

from hopsim.errors import InputError
from hopsim.models.boltzmann import boltzmann_model
from hopsim.models.hopfield import DenseModel, aligned_copy
from hopsim.models.lattices import edwards_anderson, ising, viana_bray
from hopsim.models.sparse import SparseModel, sparse_model
from hopsim.sampling.coloured_chains import colouring
from hopsim.sampling.gibbs_chains import ORDERS, GibbsChains
from hopsim.sampling.threads import using_threads
from hopsim.theory.ising import torus, yang_magnetisation

FREE = np.delete(np.arange(48), [0, 3, 20, 21, 47])


def random_spins(n_chains, n_units, seed=0):
    return np.random.default_rng(seed).choice(np.array([-1, 1], np.int8), (n_chains, n_units))


def keys(n_chains):
    return np.arange(n_chains, dtype=np.uint64)


def biased_network(seed=1):
    """A 6 x 8 spin glass with biases."""
    return sparse_model(edwards_anderson((6, 8), seed), np.random.default_rng(seed).normal(size=48))


@pytest.mark.parametrize("free", [None, FREE], ids=["all free", "some clamped"])
@pytest.mark.parametrize("order", ["sequential", "random", "replacement"])
def test_sparse_chains_are_dense_chains(order, free):
    """Spins, energies and flips, bit for bit, over a schedule, then at another temperature and other biases."""
    sparse = biased_network()
    dense = DenseModel(aligned_copy(sparse.matrix.toarray(), np.int16), sparse.bias, sparse.scale)
    spins = random_spins(6, 48)
    temperatures = np.random.default_rng(2).uniform(0.3, 3.0, (9, 6))
    both = [GibbsChains(network, spins, keys(6), order=order, free=free) for network in (sparse, dense)]
    for chains in both:
        chains.advance(9, temperatures)
        chains.heat(0.8)
        chains.tilt(sparse.bias / 2)
        chains.advance(4)
    assert (both[0].spins == both[1].spins).all()
    assert (both[0].n_flips == both[1].n_flips).all()
    assert (both[0].energies == both[1].energies).all()


@pytest.mark.parametrize("free", [None, FREE], ids=["all free", "some clamped"])
def test_the_coloured_order_is_the_sequential_order_of_renumbered_units(free):
    """Spins, flips and energies of a dense or sparse network's chains whose units are numbered by colour."""
    network = biased_network()
    spins = random_spins(6, 48)
    chains = GibbsChains(network, spins, keys(6), order="coloured", temperature=1.1, free=free)
    units = np.arange(48) if free is None else free
    conditional = SparseModel(network.matrix[np.ix_(units, units)], network.bias[units], network.scale)
    renumbered = units[np.argsort(colouring(conditional), kind="stable")]
    clamped = np.setdiff1d(np.arange(48), units)
    numbering = np.concatenate([renumbered, clamped])
    matrix = network.matrix[np.ix_(numbering, numbering)]
    matrix.sort_indices()
    twin = GibbsChains(
        SparseModel(matrix, network.bias[numbering], network.scale),
        spins[:, numbering],
        keys(6),
        temperature=1.1,
        free=None if free is None else np.arange(len(units)),
    )
    for bias in (network.bias, network.bias / 3):
        chains.tilt(bias)
        twin.tilt(bias[numbering])
        chains.advance(5)
        twin.advance(5)
    assert (chains.spins[:, numbering] == twin.spins).all()
    assert (chains.spins[:, clamped] == spins[:, clamped]).all()
    assert (chains.n_flips == twin.n_flips).all()
    np.testing.assert_allclose(
        chains.energies, twin.energies, rtol=1e-14, atol=1e-13
    )  # sums with biases, reordered


@pytest.mark.parametrize("order", ORDERS)
def test_energies_are_those_of_the_states(order):
    """From the definition, for lattices and graphs with clamped units, in both encodings."""
    for couplings in (ising((6, 8)), viana_bray(48, 4.0, 2)):
        for encoding in ("01", "pm1"):
            machine = boltzmann_model(couplings, np.linspace(-1, 1, 48), encoding)
            spins = random_spins(5, 48)
            chains = GibbsChains(
                machine.spin_network, spins, keys(5), order=order, temperature=1.5, free=FREE
            )
            chains.advance(7)
            states = machine.states(chains.spins)
            np.testing.assert_allclose(
                chains.energies + machine.energy_offset, machine.energies(states), atol=1e-12
            )


def test_threads_batches_and_calls_change_no_bit():
    """One chain that all threads share, many of a thread each, one by one, in calls of one sweep or all at once."""
    network = sparse_model(edwards_anderson((256, 256), 1))
    spins = random_spins(3, network.n_neurons)
    ends = []
    for n_threads, n_sweeps_a_call in ((1, 6), (2, 6), (2, 1)):
        with using_threads(n_threads):
            single = GibbsChains(network, spins[:1], keys(3)[:1], order="coloured", temperature=0.9)
            many = GibbsChains(network, spins, keys(3), order="coloured", temperature=0.9)
            for _ in range(6 // n_sweeps_a_call):
                single.advance(n_sweeps_a_call)
                many.advance(n_sweeps_a_call)
            assert (single.spins[0] == many.spins[0]).all()
            assert single.n_flips[0] == many.n_flips[0]
            ends.append(many.spins)
    assert (ends[0] == ends[1]).all()
    assert (ends[0] == ends[2]).all()


def test_the_coloured_order_is_for_sparse_couplings():
    network = DenseModel(np.zeros((4, 4), np.int16), np.zeros(4), 1.0)
    with pytest.raises(InputError, match=r"order.*sparse"):
        GibbsChains(network, random_spins(1, 4), keys(1), order="coloured")


def test_compiled_calls_are_interrupted():
    """A tick is called between calls, and may stop the chains."""
    ticks = []

    def tick():
        ticks.append(1)
        if len(ticks) == 6:
            raise KeyboardInterrupt

    network = sparse_model(ising((64, 64)))
    with pytest.raises(KeyboardInterrupt):
        GibbsChains(network, random_spins(1, 4096), keys(1), order="coloured", tick=tick).advance(10**6)


@pytest.mark.parametrize("n_sweeps", [1, 4])
@pytest.mark.parametrize("order", ["sequential", "coloured"])
def test_clamped_chains_stay_stationary_and_a_unit_off_is_seen(order, n_sweeps):
    """300,000 chains drawn exactly from the conditional distribution at p < 1e-6; planted: another unit clamped."""
    network = sparse_model(edwards_anderson((2, 4), 5), np.linspace(-0.4, 0.5, 8))
    states = oracles.all_states(8)
    distribution = oracles.boltzmann(network.couplings().toarray(), network.bias, 1.4)
    distribution = np.where((states[:, 2] == 1) & (states[:, 5] == -1), distribution, 0)
    distribution /= distribution.sum()
    start = np.random.default_rng(n_sweeps).choice(256, 300_000, p=distribution)
    for free, check in (
        (np.array([0, 1, 3, 4, 6, 7]), assert_plausible),
        (np.array([0, 1, 3, 4, 5, 7]), assert_detected),
    ):
        chains = GibbsChains(network, states[start], keys(300_000), order=order, temperature=1.4, free=free)
        chains.advance(n_sweeps)
        counts = np.bincount(oracles.state_index(chains.spins), minlength=256)
        possible = distribution > 0
        p = chi_square_p(counts[possible], distribution[possible]) if counts[~possible].sum() == 0 else 0.0
        check(p)


# -- the two-dimensional Ising model, 64 x 64 --


def means_of_chains(temperature, n_sweeps, ordered):
    """Energy a unit and |m|, averaged over time in each of 32 chains that know nothing of each other."""
    network = sparse_model(ising((64, 64)))
    spins = np.ones((32, 4096), np.int8) if ordered else random_spins(32, 4096)
    chains = GibbsChains(network, spins, keys(32), order="coloured", temperature=temperature)
    chains.advance(n_sweeps // 5)
    energies, magnetisations = [], []
    for _ in range(n_sweeps // 10):
        chains.advance(10)
        energies.append(chains.energies / 4096)
        magnetisations.append(np.abs(chains.spins.mean(axis=1, dtype=np.float64)))
    return np.mean(energies, axis=0), np.mean(magnetisations, axis=0)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("temperature", "n_sweeps"), [(2.0, 20_000), (2.269, 50_000), (2.6, 20_000)], ids=str
)
def test_ising_energies_agree_with_kaufmans_torus(temperature, n_sweeps):
    """Within 4 standard errors, which are below 0.001, of independent chains; and |m| at T = 2.0 with Yang's.

    On a torus of this size |m| differs from Yang's by far less than the errors.
    """
    energies, magnetisations = means_of_chains(temperature, n_sweeps, ordered=temperature == 2.0)
    pairs = [(energies, torus(64, 64, temperature).energy)]
    if temperature == 2.0:
        pairs.append((magnetisations, float(yang_magnetisation(2.0))))
    for means, exact in pairs:
        error = means.std(ddof=1) / np.sqrt(len(means))
        assert error < 1e-3
        assert abs(means.mean() - exact) < 4 * error
