"""Colour by colour: right colourings and runs, exact fields, transition matrices, and the twin's bits."""

import numba
import numpy as np
import oracles
import pytest
from false_alarms import assert_detected, assert_plausible, chi_square_p
from kernel_chains import DRAWS, count_draws_below, random_states
from scipy.sparse import csr_array

from hopsim.kernels import coloured
from hopsim.models.lattices import edwards_anderson, ising, viana_bray
from hopsim.models.sparse import SparseModel, sparse_model
from hopsim.sampling.coloured_chains import coloured_network, colouring

GRAPHS = {
    "square": ising((6, 8)),
    "odd torus": edwards_anderson((5, 7), 1),
    "cube": ising((4, 4, 4)),
    "free, normal": edwards_anderson((5, 6), 2, gaussian=True, periodic=False),
    "ring": ising((40,)),
    "random graph": viana_bray(60, 3.0, 3),
    "complete": viana_bray(7, 6.0, 4),
    "no couplings": csr_array((5, 5)),
}
WIDE = ("free, normal", "normal")  # couplings in int32, for which kernels compile anew


def cases(graphs):
    """The names of graphs; those of wide couplings are left out of the plain test command."""
    return [pytest.param(name, marks=pytest.mark.slow if name in WIDE else ()) for name in graphs]


def by_colour(model, colours):
    """The network with its units numbered by colour, the kernels' form of it, and the units in that order."""
    units = np.argsort(colours, kind="stable")
    matrix = model.matrix[units][:, units]
    matrix.sort_indices()
    renumbered = SparseModel(matrix, model.bias[units], model.scale)
    return renumbered, coloured_network(renumbered, colours[units], lambda: None), units


def coloured_chains(spins, keys=None, outer_fields=None):
    n_chains = len(spins)
    return coloured.ColouredChains(
        spins=spins.copy(),
        outer_fields=np.zeros((n_chains, 0), np.int32) if outer_fields is None else outer_fields,
        keys=np.arange(n_chains, dtype=np.uint64) if keys is None else keys,
        n_flips=np.zeros(n_chains, np.int64),
    )


@numba.njit(error_model="numpy")
def fill_fields(network, chains, first, last, fields):
    for c in range(len(fields)):
        coloured.sum_fields(network, chains, c, first, last, fields[c, first:last])


@pytest.mark.parametrize("name", GRAPHS)
def test_coupled_units_differ_in_colour(name):
    """And no unit has a smaller colour to go to; lattices with even periodic sides are checkerboards."""
    graph = GRAPHS[name]
    colours = colouring(sparse_model(graph))
    coupled = graph.toarray() != 0
    for i, colour in enumerate(colours):
        assert not (colours[coupled[i]] == colour).any()
        assert set(range(colour)) <= set(colours[coupled[i]])
    assert colours.max() + 1 == {"square": 2, "cube": 2, "ring": 2, "complete": 7}.get(
        name, colours.max() + 1
    )


@pytest.mark.parametrize("outer", [False, True])
@pytest.mark.parametrize("name", cases(GRAPHS))
def test_fields_of_runs_are_exact(name, outer):
    """Any range of units, whatever runs it cuts, with and without fields from outside."""
    rng = np.random.default_rng(1)
    model = sparse_model(GRAPHS[name])
    model, network, _ = by_colour(model, colouring(model))
    n_units = model.n_neurons
    spins = random_states(rng, 3, n_units)
    outside = rng.integers(-9, 9, (3, n_units)).astype(np.int32) if outer else None
    expected = spins.astype(int) @ model.matrix.toarray() + (outside if outer else 0)
    for first, last in ((0, n_units), (1, n_units), (0, n_units // 2), (n_units // 3, n_units // 2)):
        fields = np.zeros((3, n_units), np.int32)
        fill_fields(network, coloured_chains(spins, outer_fields=outside), first, last, fields)
        assert (fields[:, first:last] == expected[:, first:last]).all()


def test_lattices_fall_into_few_runs():
    """A row of a checkerboard is a run but for where it meets the seam of the torus."""
    model = sparse_model(ising((64, 64)))
    _, network, _ = by_colour(model, colouring(model))
    assert len(network.run_starts) - 1 <= 4 * 64


@pytest.mark.parametrize("name", cases(GRAPHS))
def test_the_coloured_order_is_the_sequential_order_of_renumbered_units(name):
    """The twin's spins and flips after 7 sweeps, a temperature each chain and sweep, in calls of odd lengths."""
    rng = np.random.default_rng(5)
    bias = rng.normal(size=GRAPHS[name].shape[0])
    model = sparse_model(GRAPHS[name], bias)
    model, network, _ = by_colour(model, colouring(model))
    n_units = model.n_neurons
    spins = random_states(rng, 4, n_units)
    half_temperatures = model.scale * rng.uniform(0.2, 2.0, (7, 4))
    for shared in (False, True):
        chains = coloured_chains(spins)
        item = 0
        while item < 7 * n_units:
            n_items = min(1 + int(rng.integers(2 * n_units)), 7 * n_units - item)
            if shared:
                coloured.share_coloured(network, chains, half_temperatures, 0, item, n_items, 3)
            else:
                coloured.advance_coloured(network, chains, half_temperatures, 0, item, n_items)
            item += n_items
        for c in range(4):
            state = spins[c].astype(float)
            n_flips = 0
            for sweep in range(7):
                threshold = oracles.thresholds(np.uint64(c), sweep, n_units, half_temperatures[sweep, c])
                for i in range(n_units):
                    field = model.matrix[[i]].toarray()[0] @ state + model.scale * model.bias[i]
                    new = 1.0 if field > threshold[i] else -1.0
                    n_flips += new != state[i]
                    state[i] = new
            assert (chains.spins[c] == state).all()
            assert chains.n_flips[c] == n_flips


def colour_matrix(up, first, last):
    """Transition matrix of one colour: all its units at once, each from the old state."""
    states = oracles.all_states(up.shape[1])
    same = np.ones((len(states), len(states)))
    for i in range(up.shape[1]):
        new = states[None, :, i]
        old = states[:, None, i]
        if first <= i < last:
            same *= np.where(new > 0, up[:, None, i], 1 - up[:, None, i])
        else:
            same *= new == old
    return same


def sweep_matrix(network, half_temperature):
    """One sweep's transition matrix, from the kernels' own fields and the exact share of draws that turn up."""
    n_units = len(network.scaled_bias)
    states = oracles.all_states(n_units)
    fields = np.zeros(states.shape, np.int32)
    fill_fields(network, coloured_chains(states), 0, n_units, fields)
    up = np.empty(states.shape)
    for c, i in np.ndindex(*states.shape):
        up[c, i] = count_draws_below(fields[c, i] + network.scaled_bias[i], half_temperature) / DRAWS
    matrix = np.eye(len(states))
    for colour in range(len(network.colour_starts) - 1):
        matrix = matrix @ colour_matrix(up, *network.colour_starts[colour : colour + 2])
    return matrix


SMALL = {
    "square": ising((2, 3)),
    "free": edwards_anderson((2, 3), 1, periodic=False),
    "graph": viana_bray(6, 2.5, 4),
    "normal": edwards_anderson((2, 3), 2, gaussian=True),
}


@pytest.mark.parametrize("name", cases(SMALL))
def test_transition_matrices_keep_boltzmanns_distribution(name):
    """max |pi P - pi| < 2^-40 over a sweep, all units of a colour at once."""
    model = sparse_model(SMALL[name], np.linspace(-0.5, 0.7, 6))
    model, network, _ = by_colour(model, colouring(model))
    distribution = oracles.boltzmann(model.couplings().toarray(), model.bias, 1.3)
    matrix = sweep_matrix(network, 0.65 * model.scale)
    assert np.abs(matrix.sum(axis=1) - 1).max() < 2.0**-45
    assert np.abs(distribution @ matrix - distribution).max() < 2.0**-40


def counts_after(network, distribution, half_temperature, n_sweeps, n_chains):
    """Counts over all states of chains that start exactly from `distribution`."""
    n_units = len(network.scaled_bias)
    start = np.random.default_rng(8).choice(len(distribution), n_chains, p=distribution)
    chains = coloured_chains(oracles.all_states(n_units)[start])
    schedule = np.full((n_sweeps, n_chains), half_temperature)
    coloured.advance_coloured(network, chains, schedule, 0, 0, n_sweeps * n_units)
    return np.bincount(oracles.state_index(chains.spins), minlength=len(distribution))


BIASED = sparse_model(edwards_anderson((2, 4), 3), np.linspace(-0.3, 0.4, 8))


def stationary_p(model, colours, half_temperature=0.6, boundary=0, n_sweeps=1):
    """p that 600,000 chains from pi at T = 1.2 are distributed by pi after `n_sweeps`."""
    renumbered, network, _ = by_colour(model, colours)
    network = network._replace(colour_starts=network.colour_starts + boundary)
    distribution = oracles.boltzmann(renumbered.couplings().toarray(), renumbered.bias, 1.2)
    counts = counts_after(network, distribution, half_temperature * model.scale, n_sweeps, 600_000)
    return chi_square_p(counts, distribution)


@pytest.mark.parametrize("n_sweeps", [1, 4, 16])
def test_stationary_chains_stay_stationary(n_sweeps):
    assert_plausible(stationary_p(BIASED, colouring(BIASED), n_sweeps=n_sweeps))


def test_planted_faults_are_seen():
    """Beta wrong by 3 %, a boundary between colours off by one, one colour for units that act on each other."""
    colours = colouring(BIASED)
    assert_detected(stationary_p(BIASED, colours, half_temperature=0.6 * 1.03), "beta")
    assert_detected(stationary_p(BIASED, colours, boundary=np.array([0, 1, 0])), "boundary")
    assert_detected(stationary_p(BIASED, np.zeros(8, np.int32)), "one colour for all")
