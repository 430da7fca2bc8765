"""Chains in lanes have the bits of single chains: at boundaries of their layout, and where float32 cannot decide."""

import numba
import numpy as np
import pytest
from kernel_chains import random_states

from hopsim.kernels.gibbs_lanes import approximate_logit
from hopsim.kernels.heat_bath import logit
from hopsim.models.boltzmann import fixed_point
from hopsim.models.hopfield import DenseModel, aligned_copy
from hopsim.models.seeds import Stream, stream_keys
from hopsim.sampling import lane_chains
from hopsim.sampling.lane_chains import LaneChains
from hopsim.sampling.single_chains import SingleChains

N_SWEEPS = 8
TILES = {"int16": 256, "int32": 128}

compiled_coarse_logit = numba.njit(approximate_logit.py_func)
compiled_logit = numba.njit(logit.py_func)


def no_look():
    pass


def symmetric(values):
    upper = np.triu(values, 1)
    return upper + upper.T


def make_network(dtype, n_units, seed=0):
    """Couplings of unit fields that are whole numbers, or normal ones; real biases."""
    rng = np.random.default_rng(seed)
    if dtype == "int16":
        couplings = symmetric(rng.integers(-2, 3, (n_units, n_units)).astype(float))
    else:
        couplings = symmetric(rng.normal(0, 1, (n_units, n_units)))
    network = fixed_point(couplings, rng.normal(size=n_units))
    assert network.matrix.dtype == dtype or n_units < 3
    return network


def ends(chains, half_temperatures):
    chains.advance(half_temperatures, no_look)
    return chains.spins, chains.n_flips, chains.alignments


def agree(network, n_chains, temperature, fields=None):
    """Whether both drivers end in the same states, after the same flips, with the same fields."""
    spins = random_states(np.random.default_rng(1), n_chains, network.n_neurons)
    keys = stream_keys(3, Stream.CHAIN, range(n_chains))
    half_temperatures = np.full((N_SWEEPS, n_chains), temperature * network.scale / 2)
    single = SingleChains(network, spins, keys, "sequential", fields, no_look)
    lanes = LaneChains(network, spins, keys, fields, no_look)
    pairs = zip(ends(single, half_temperatures), ends(lanes, half_temperatures), strict=True)
    return all((a == b).all() for a, b in pairs)


@pytest.mark.parametrize("dtype", TILES)
@pytest.mark.parametrize("n_chains", [1, 31, 32, 33, 70])
@pytest.mark.parametrize("n_units", [1, 2, 31, 32, 33, 64, 100])
def test_blocks_and_lanes_may_be_ragged(n_units, n_chains, dtype):
    assert agree(make_network(dtype, n_units), n_chains, np.sqrt(n_units))


@pytest.mark.parametrize("excess", [-1, 0, 1, 40])
@pytest.mark.parametrize("dtype", TILES)
def test_tiles_may_be_ragged(dtype, excess):
    """Around one tile and two."""
    for n_tiles in (1, 2):
        n_units = n_tiles * TILES[dtype] + excess
        assert agree(make_network(dtype, n_units), 33, np.sqrt(n_units))


@pytest.mark.parametrize("dtype", TILES)
@pytest.mark.parametrize("temperature", [1e-9, 1e-3, 0.1, 10.0, 1e3, 1e9])
def test_every_temperature_has_the_same_bits(temperature, dtype):
    """From chains that freeze, whose thresholds float32 takes for 0, to such as see no field."""
    assert agree(make_network(dtype, 100), 40, temperature)


def test_decisions_that_float32_cannot_make_are_made_exactly():
    """Biases so large that float32 rounds the fields away: each single decision takes the exact path."""
    network = make_network("int32", 64)
    for scale in (1e3, 1e6, 1e9):
        huge = DenseModel(network.matrix, scale * network.bias, network.scale)
        assert agree(huge, 40, 8.0 * scale)


def test_couplings_whose_double_wraps_around():
    """int16 couplings up to 32,767: twice that is beyond int16, as is each change of a field, but no field is."""
    couplings = np.zeros((64, 64))
    couplings[np.arange(0, 64, 2), np.arange(1, 64, 2)] = np.random.default_rng(0).integers(
        16_384, 32_768, 32
    )
    network = DenseModel(aligned_copy(couplings + couplings.T, np.int16), np.zeros(64), 1.0)
    assert agree(network, 40, 20_000.0)


@pytest.mark.parametrize("largest", [100, 40_000])
def test_clamped_units_fields_add_up_in_the_wider_type_where_they_must(largest):
    """Beyond int16 fields are int32."""
    network = make_network("int16", 70)
    fields = np.random.default_rng(2).integers(-largest, largest + 1, (40, 70)).astype(np.int32)
    assert agree(network, 40, largest / 2, fields)


def test_large_groups_have_the_same_bits(monkeypatch):
    """As chains of a network that is larger than the cache are grouped."""
    monkeypatch.setattr(lane_chains, "_CACHE_BYTES", 0)
    for n_chains in (40, 130, 600):
        assert agree(make_network("int32", 150), n_chains, 12.0)


def test_the_coarse_logit_is_as_near_as_it_says():
    """Random bits of all sizes, both ends included: within 1e-5 of the exact one unless it says that it is not."""
    rng = np.random.default_rng(4)
    bits = rng.integers(0, 2**64, 200_000, dtype=np.uint64)
    bits[::2] >>= rng.integers(0, 40, 100_000, dtype=np.uint64)
    bits[::4] ^= np.uint64(2**64 - 1)
    bits[:4] = [0, 2**64 - 1, 2**63, 2**63 - 1]
    upper = (bits >> np.uint64(32)).astype(np.uint32).view(np.int32)
    coarse, unsure = np.array([compiled_coarse_logit(value) for value in upper]).T
    exact = np.array([compiled_logit(value) for value in bits])
    sure = unsure == 0
    assert np.abs(coarse - exact)[sure].max() < 1e-5
    assert np.abs(coarse[sure]).max() <= 10.5
    assert (~sure[:2]).all()
    assert sure[1::2].mean() > 0.999


def block_off_by_one(groups):
    """Each block's couplings within itself are those of the units one further."""
    groups.blocks[:, :, :] = np.roll(groups.blocks, 1, axis=1)


def boundary_off_by_one(groups):
    """The last unit of a block does not see what flipped before it in the block."""
    groups.blocks[0, -1] = 0


def missed_update(groups):
    """A flip of unit 40 never reaches the fields of the other blocks."""
    groups.rows[:, 40] = 0


def missed_tile(groups):
    """Flips in the first tile do not reach the second."""
    groups.rows[1, :128] = 0


def wrong_unit(groups):
    """Flips of one unit are taken for its neighbour's."""
    groups.rows[:, 8] = groups.rows[:, 9]


def keys_that_coincide(groups):
    """Two chains have one key."""
    groups.keys[0, 1] = groups.keys[0, 0]


@pytest.mark.parametrize(
    "fault",
    [block_off_by_one, boundary_off_by_one, missed_update, missed_tile, wrong_unit, keys_that_coincide],
)
def test_planted_faults_are_seen(fault, monkeypatch):
    """Faults that only this layout can have."""
    network = make_network("int32", 200)
    assert agree(network, 40, 14.0)
    lay_out = lane_chains._lay_out

    def faulty(*arguments):
        groups = lay_out(*arguments)
        fault(groups)
        return groups

    monkeypatch.setattr(lane_chains, "_lay_out", faulty)
    assert not agree(network, 40, 14.0)
