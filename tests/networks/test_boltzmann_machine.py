"""The class BoltzmannMachine: starts, clamping, draws, conversions, errors."""

import numpy as np
import pytest

import hopsim
from hopsim.errors import InputError


def machine(n_units=12, seed=0, encoding="01"):
    rng = np.random.default_rng(seed)
    upper = np.triu(rng.normal(0, 1, (n_units, n_units)), 1)
    return hopsim.BoltzmannMachine(upper + upper.T, rng.normal(0, 1, n_units), encoding)


def test_energies_of_samples_are_those_of_their_states():
    """Kept integer fields against the definition in float64; the couplings' rounding is all that differs."""
    for encoding in ("01", "pm1"):
        net = machine(encoding=encoding)
        samples = net.sample(n_chains=3, n_sweeps=20, thin=2, burn_in=5, seed=1)
        assert samples.states.shape == (3, 10, 12)
        assert samples.energies.shape == (3, 10)
        energies = net.energy(samples.states.reshape(30, 12)).reshape(3, 10)
        # 66 couplings, each off by half a unit of 2^-30 of the largest field (some 10) at most
        assert np.abs(energies - samples.energies).max() < 66 * 10 * 2.0**-29


def test_a_batch_of_chains_has_the_bits_of_the_whole():
    net = machine()
    whole = net.sample(n_chains=6, n_sweeps=8, seed=3, order="random")
    parts = [net.sample(n_chains=2, n_sweeps=8, seed=3, order="random", first_chain=c) for c in (0, 2, 4)]
    assert (np.concatenate([part.states for part in parts]) == whole.states).all()


def test_burn_in_and_thinning_skip_sweeps():
    """Draw d is the state after burn_in + (d + 1) thin sweeps."""
    net = machine()
    every = net.sample(n_chains=2, n_sweeps=17, seed=5)
    some = net.sample(n_chains=2, n_sweeps=14, burn_in=3, thin=4, seed=5)
    assert (some.states == every.states[:, [6, 10, 14]]).all()


@pytest.mark.parametrize("encoding", ["01", "pm1"])
def test_clamped_units_stay_and_others_move(encoding):
    net = machine(encoding=encoding)
    low = 0 if encoding == "01" else -1
    samples = net.sample(n_chains=4, n_sweeps=50, clamp={2: 1, 7: low}, seed=2, temperature=3.0)
    assert (samples.states[:, :, 2] == 1).all()
    assert (samples.states[:, :, 7] == low).all()
    moving = samples.states.std(axis=(0, 1)) > 0
    assert moving.sum() == 10
    rows = np.full((4, 12), np.nan)
    rows[:, 2], rows[:, 7] = 1, low
    again = net.sample(n_chains=4, n_sweeps=50, clamp=rows, seed=2, temperature=3.0)
    assert (again.states == samples.states).all()


def test_all_units_clamped_stand_still():
    net = machine(3)
    samples = net.sample(n_chains=2, n_sweeps=2, clamp=[1, 0, 1])
    assert (samples.states == [1, 0, 1]).all()
    assert np.allclose(samples.energies, net.energy([1, 0, 1]), rtol=0, atol=1e-6)


def test_given_starts_are_taken():
    """At a very low temperature a ferromagnet stays where it starts."""
    couplings = np.ones((6, 6)) - np.eye(6)
    net = hopsim.BoltzmannMachine(couplings, encoding="pm1")
    samples = net.sample(n_chains=2, n_sweeps=3, temperature=0.01, states=[[1] * 6, [-1] * 6])
    assert (samples.states == np.array([1, -1])[:, None, None]).all()


def test_hopfield_and_back():
    rng = np.random.default_rng(1)
    network = hopsim.HopfieldNetwork.store(rng.choice([-1, 1], (3, 20)), bias=rng.normal(size=20))
    net = hopsim.BoltzmannMachine.from_hopfield(network)
    assert net.encoding == "pm1"
    assert (net.couplings == network.couplings).all()
    back = net.in_encoding("01").to_hopfield()
    assert np.allclose(back.couplings, network.couplings, rtol=0, atol=1e-15)
    assert np.allclose(back.bias, network.bias, rtol=0, atol=1e-14)


@pytest.mark.parametrize(
    ("change", "subject"),
    [
        ({"n_chains": 0}, "n_chains"),
        ({"n_sweeps": 0}, "n_sweeps"),
        ({"burn_in": -1}, "burn_in"),
        ({"thin": 0}, "thin"),
        ({"thin": 11}, "thin"),
        ({"temperature": 0.0}, "temperature"),
        ({"temperature": -1.0}, "temperature"),
        ({"temperature": np.nan}, "temperature"),
        ({"temperature": [1.0, 2.0, 3.0]}, "temperature"),
        ({"temperature": [1.0, 0.0]}, "temperature"),
        ({"order": "synchronous"}, "order"),
        ({"clamp": {12: 1}}, "clamp"),
        ({"clamp": {0: 2}}, "clamp"),
        ({"clamp": {0: -1}}, "clamp"),
        ({"clamp": [0, 1]}, "clamp"),
        ({"clamp": [[0] * 12, [np.nan] * 12]}, "clamp"),
        ({"clamp": "all"}, "clamp"),
        ({"seed": -1}, "seed"),
        ({"threads": 10**6}, "threads"),
        ({"states": [[0] * 11]}, "states"),
        ({"states": [[0] * 12] * 3}, "states"),
        ({"first_chain": -1}, "first_chain"),
        ({"n_sweeps": 10**15}, "n_sweeps"),
    ],
)
def test_what_cannot_be_sampled_is_refused(change, subject):
    good = {"n_chains": 2, "n_sweeps": 10}
    with pytest.raises(InputError) as error:
        machine().sample(**(good | change))
    assert error.value.subject == subject
