"""The recipe of 1985: bits of a slow twin, Boltzmann's distribution after annealing, planted faults seen."""

import numba
import numpy as np
import oracles
import pytest
from false_alarms import assert_detected, assert_plausible, chi_square_p

from hopsim.kernels.annealed_learning import CYCLE_STREAM
from hopsim.kernels.randomness import derive_key, random_bits
from hopsim.learning.annealed_recipe import AnnealedLearner, AnnealedRecipe
from hopsim.models.seeds import Stream, stream_keys
from hopsim.sampling import chains as chains_module
from hopsim.sampling.threads import using_threads

PATTERNS = np.tile(np.eye(3, dtype=np.int8), 2)
N_VISIBLE, N_HIDDEN = 6, 2
RECIPE = AnnealedRecipe(schedule=((1, 20), (2, 10)), statistics_time=3, turn_off=0.3, turn_on=0.2)


def full_mask(n_units):
    return ~np.eye(n_units, dtype=bool)


def learner_of(n_runs=4, n_inputs=0, seed=1):
    keys = stream_keys(seed, Stream.RUN, range(n_runs))
    return AnnealedLearner(full_mask(N_VISIBLE + N_HIDDEN), N_VISIBLE, keys, (20, 10), n_inputs)


def clamped(learner):
    return lambda first, n: np.tile(PATTERNS, (len(learner.runs.keys), n, 1, 1))


class Twin:
    """A run as its definition says, in plain numpy, with the kernels' random numbers."""

    def __init__(self, key, n_inputs, n_active):
        self.key, self.n_inputs, self.n_active = key, n_inputs, n_active
        n_units = N_VISIBLE + N_HIDDEN
        self.couplings, self.bias = np.zeros((n_units, n_units)), np.zeros(n_units)

    def bits(self):
        self.counter += 1
        return int(random_bits(self.cycle_key, np.uint64(self.counter - 1)))

    def start(self, pattern, n_clamped):
        state = []
        for i in range(len(self.bias)):
            low = self.bits() & 0xFFFFFFFF
            if i < n_clamped:
                odds = RECIPE.turn_off if pattern[i] else RECIPE.turn_on
                state.append(pattern[i] ^ (low < round(odds * 2**32)))
            else:
                state.append(low >> 31 if i < self.n_active else 0)
        return np.array(state)

    def probe(self, state, first, temperature):
        bits = self.bits()
        i = first + ((bits >> 32) * (self.n_active - first) >> 32)
        field = self.couplings[i] @ state + self.bias[i]
        state[i] = (bits & 0xFFFFFFFF) < np.rint(2.0**32 / (1.0 + np.exp(-field / temperature)))

    def counts(self, n_clamped):
        total = np.zeros((len(self.bias),) * 2)
        for pattern in PATTERNS:
            for _ in range(RECIPE.n_clamped):
                state = self.start(pattern, n_clamped)
                n_free = self.n_active - n_clamped
                for duration, temperature in RECIPE.schedule:
                    for _ in range(duration * n_free):
                        self.probe(state, n_clamped, temperature)
                for _ in range(RECIPE.statistics_time):
                    for _ in range(n_free):
                        self.probe(state, n_clamped, RECIPE.schedule[-1][1])
                    total += np.outer(state, state)
        return total

    def learn(self, number):
        self.cycle_key, self.counter = np.uint64(derive_key(self.key, CYCLE_STREAM, np.uint64(number))), 0
        signs = np.sign(self.counts(N_VISIBLE) - self.counts(self.n_inputs))
        self.bias += RECIPE.step * np.diag(signs)
        np.fill_diagonal(signs, 0)
        self.couplings += RECIPE.step * signs


@pytest.mark.parametrize("n_inputs", [0, 3])
@pytest.mark.parametrize("n_active", [6, 8])
def test_cycles_have_the_bits_of_a_slow_twin(n_inputs, n_active):
    """With and without hidden units, with and without units that are clamped in both phases."""
    learner = learner_of(2, n_inputs)
    learner.learn(RECIPE, clamped(learner), 4, n_active=n_active)
    for r in range(2):
        twin = Twin(learner.runs.keys[r], n_inputs, n_active)
        for number in range(4):
            twin.learn(number)
        assert (learner.runs.couplings[r] == twin.couplings).all()
        assert (learner.runs.bias[r] == twin.bias).all()
        assert twin.couplings.any()


def test_threads_calls_and_other_runs_change_nothing(monkeypatch):
    def result(n_runs=5, cuts=(6,)):
        learner = learner_of(n_runs)
        for n in cuts:
            learner.learn(RECIPE, clamped(learner), n)
        return learner.runs.couplings[:3], learner.runs.bias[:3]

    whole = result()
    for n_threads in range(1, min(2, numba.config.NUMBA_NUM_THREADS) + 1):
        with using_threads(n_threads):
            assert all((a == b).all() for a, b in zip(result(), whole, strict=True))
    assert all((a == b).all() for a, b in zip(result(3, (1, 2, 3)), whole, strict=True))
    monkeypatch.setattr(chains_module, "_CALL_SECONDS", 0.0)
    assert all((a == b).all() for a, b in zip(result(), whole, strict=True))


def test_runs_that_no_longer_learn_stay_as_they_are():
    learner = learner_of()
    learner.learn(RECIPE, clamped(learner), 3)
    before = learner.runs.couplings.copy()
    learner.learn(RECIPE, clamped(learner), 3, learns=np.array([True, False, True, False]))
    changed = (learner.runs.couplings != before).any(axis=(1, 2))
    assert changed.tolist() == [True, False, True, False]


def test_codes_are_the_most_probable_hidden_states():
    learner = learner_of()
    learner.runs.mask[N_VISIBLE:, N_VISIBLE:] = 0
    codes = learner.learn(RECIPE, clamped(learner), 5, n_codes=3)
    for r in range(4):
        fields = (
            learner.runs.couplings[r, N_VISIBLE:, :N_VISIBLE] @ PATTERNS.T
            + learner.runs.bias[r, N_VISIBLE:, None]
        )
        assert (codes[r, -1] == (fields > 0).T @ [1, 2]).all()


def annealed_p(change=lambda runs: None):
    """p of the states that 20,000 annealings of 5 units come to, against Boltzmann's distribution."""
    rng = np.random.default_rng(3)
    learner = AnnealedLearner(full_mask(5), 5, stream_keys(2, Stream.RUN, range(20)), (20, 10))
    upper = np.triu(rng.integers(-12, 13, (5, 5)), 1)
    learner.runs.couplings[:] = upper + upper.T
    learner.runs.bias[:] = rng.integers(-8, 9, 5)
    exact_states = (oracles.all_states(5) > 0).astype(int)
    energies = oracles.energies(learner.runs.couplings[0], learner.runs.bias[0], exact_states)
    weights = np.exp(-energies / 10)
    change(learner.runs)
    ends = learner.complete(((5, 20), (30, 10)), np.zeros((20, 1000, 5), np.int8), 0)
    counts = np.bincount(oracles.state_index(2 * ends.reshape(-1, 5) - 1), minlength=32)
    return chi_square_p(counts, weights / weights.sum())


def test_annealing_ends_in_boltzmanns_distribution():
    """30 units of time at T = 10, where no coupling is above 12: false alarms once in a million."""
    assert_plausible(annealed_p())


def test_planted_faults_are_seen():
    """Odds of the other temperature, of a field one larger, a bias forgotten, a coupling's sign."""

    def hotter(runs):
        runs.odds[:] = runs.odds[::-1]

    def shifted(runs):
        runs.odds[:, :-1] = runs.odds[:, 1:]

    def no_bias(runs):
        runs.bias[:] = 0

    def wrong_sign(runs):
        runs.couplings[:, 1, 2] *= -1
        runs.couplings[:, 2, 1] *= -1

    for fault in (hotter, shifted, no_bias, wrong_sign):
        assert_detected(annealed_p(fault), fault.__name__)
