"""Lattices and random graphs: their bonds, the law of their couplings, and the names they go by."""

import numpy as np
import pytest
from false_alarms import assert_plausible, chi_square_p, normal_p
from scipy.sparse import triu

from hopsim.errors import InputError
from hopsim.models.lattices import (
    edwards_anderson,
    ising,
    named_couplings,
    sherrington_kirkpatrick,
    viana_bray,
)
from hopsim.models.sparse import check_sparse_couplings


@pytest.mark.parametrize("periodic", [True, False])
@pytest.mark.parametrize("shape", [(5,), (3, 4), (2, 2), (2, 5), (3, 4, 2)])
def test_bonds_join_nearest_neighbours(shape, periodic):
    """Against distances of all pairs of sites, taken around the torus; a side of 2 has its bond twice."""
    sites = np.array(list(np.ndindex(*shape)))
    expected = np.zeros((len(sites), len(sites)))
    for i, site in enumerate(sites):
        for axis, side in enumerate(shape):
            for step in (-1, 1):
                other = site.copy()
                other[axis] += step
                if periodic:
                    other[axis] %= side
                elif not 0 <= other[axis] < side:
                    continue
                expected[i, np.ravel_multi_index(other, shape)] += 1.5
    assert (ising(shape, 1.5, periodic=periodic).toarray() == expected).all()


def test_instances_are_functions_of_their_seed():
    """The same seed gives the same couplings, another one others."""
    for draw in (
        lambda seed: edwards_anderson((6, 6), seed).toarray(),
        lambda seed: edwards_anderson((6, 6), seed, gaussian=True).toarray(),
        lambda seed: sherrington_kirkpatrick(20, seed),
        lambda seed: sherrington_kirkpatrick(20, seed, gaussian=False),
        lambda seed: viana_bray(30, 3.0, seed).toarray(),
    ):
        assert (draw(5) == draw(5)).all()
        assert (draw(5) != draw(6)).any()


def test_couplings_have_their_law():
    """Signs are fair, normal couplings have variance 1 (1/N in SK), symmetric, at p < 1e-6."""
    bonds = triu(edwards_anderson((100, 100), 1)).data
    assert (np.abs(bonds) == 1).all()
    assert_plausible(normal_p(bonds.sum() / np.sqrt(len(bonds))))
    upper = sherrington_kirkpatrick(200, 2)[np.triu_indices(200, 1)] * np.sqrt(200)
    for values in (triu(edwards_anderson((100, 100), 1, gaussian=True)).data, upper):
        assert_plausible(normal_p(values.sum() / np.sqrt(len(values))))
        assert_plausible(normal_p(((values**2).sum() - len(values)) / np.sqrt(2 * len(values))))
    signs = sherrington_kirkpatrick(64, 3, gaussian=False)
    assert (signs == signs.T).all()
    assert set(np.unique(signs)) == {-0.125, 0.0, 0.125}


def test_random_graphs_take_each_pair_alike():
    """Counts of each pair over 4,000 instances, each with probability 3/9; all pairs at the largest degree."""
    counts = np.zeros((10, 10))
    for seed in range(4000):
        graph = viana_bray(10, 3.0, seed)
        check_sparse_couplings(graph)
        counts += graph.toarray() != 0
    pairs = counts[np.triu_indices(10, 1)]
    variance = 4000 / 3 * 2 / 3
    assert_plausible(normal_p((pairs.sum() - 45 * 4000 / 3) / np.sqrt(45 * variance)))
    assert_plausible(chi_square_p(pairs, np.ones(45)))
    assert viana_bray(10, 9.0, 1).nnz == 90
    assert viana_bray(10, 0.0, 1).nnz == 0


def test_names():
    """Each name gives what its function gives."""
    assert (named_couplings("ising:4x6") != ising((4, 6))).nnz == 0
    assert (named_couplings("ising:4x4x4") != ising((4, 4, 4))).nnz == 0
    assert (named_couplings("ea:5x5", 3) != edwards_anderson((5, 5), 3)).nnz == 0
    assert (named_couplings("ea-gaussian:5x5", 3) != edwards_anderson((5, 5), 3, gaussian=True)).nnz == 0
    assert (named_couplings("sk:9", 3) == sherrington_kirkpatrick(9, 3)).all()
    assert (named_couplings("sk-pm:9", 3) == sherrington_kirkpatrick(9, 3, gaussian=False)).all()
    assert (named_couplings("viana-bray:50:2.5", 3) != viana_bray(50, 2.5, 3)).nnz == 0


WRONG_NAMES = """
    potts:8x8 ising ising: ising:8x ising:1x8 ising:8.5x8 ising:99999999x99999999 ea:axb sk:1 sk:1000000 sk:8x8
    viana-bray:10 viana-bray:10:10 viana-bray:10:nan viana-bray:1:0
"""


@pytest.mark.parametrize("name", ["", *WRONG_NAMES.split()])
def test_names_that_mean_nothing_are_refused(name):
    """With the option's name and an example of what is expected."""
    with pytest.raises(InputError) as error:
        named_couplings(name, 1)
    assert error.value.subject == "model"


def test_a_bad_seed_is_called_a_seed():
    with pytest.raises(InputError) as error:
        named_couplings("ea:4x4", -1)
    assert error.value.subject == "seed"
