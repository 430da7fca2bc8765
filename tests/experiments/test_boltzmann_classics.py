"""Encoders, shifter and XOR: what they report, and that they come out as published."""

import numba
import numpy as np
import pytest

from hopsim.errors import InputError, Interrupted
from hopsim.experiments import boltzmann_classics, boltzmann_encoder, boltzmann_shifter, boltzmann_xor
from hopsim.experiments.boltzmann_encoder import BoltzmannEncoder
from hopsim.experiments.boltzmann_shifter import N_INPUTS, N_PIXELS, BoltzmannShifter
from hopsim.experiments.boltzmann_xor import BoltzmannXor
from hopsim.experiments.observer import Observer
from hopsim.models.seeds import Stream


def encode(**settings):
    return boltzmann_encoder.run(BoltzmannEncoder(seed=1, **settings), Observer())


def same(first, second):
    """Whether two records hold the same numbers."""
    return all(
        np.array_equal(first[name], second[name], equal_nan=first[name].dtype.kind == "f")
        for name in first.variables
    )


def test_a_run_that_is_solved_has_codes_that_differ_when_it_first_is():
    """With so few cycles some runs are solved and some are not; files hold the machine of the first."""
    records = encode(n_runs=20, n_cycles=100)
    solved, cycles = records["solved"], records["cycles"]
    assert 0 < solved.sum() < 20
    assert (np.isnan(cycles) == ~solved).all()
    assert (cycles[solved] == records["cycles_to_codes"][solved, 4]).all()
    assert (np.diff(records["cycles_to_codes"][solved, 1:], axis=1) >= 0).all()
    assert (records["couplings"] == records["couplings"].T).all()
    within = records["couplings"][:4, 4:8]
    assert not within.any()
    assert records["n_visible"] == 8


@pytest.mark.parametrize("code", ["4-3-4", "40-10-40"])
def test_other_codes_learn_too(code):
    """4-3-4 is solved by codes two bits apart; in its first stage 40-10-40 has no hidden units."""
    records = encode(code=code, n_runs=2, n_cycles=60)
    if code == "4-3-4":
        assert np.array_equal(records["cycles"], records["cycles_spaced"], equal_nan=True)
    else:
        hidden = records["couplings"][80:]
        assert not hidden.any()
        assert records["couplings"][:40, :40].any()


def test_threads_and_the_number_of_runs_change_nothing():
    whole = encode(n_runs=6, n_cycles=60)
    if numba.config.NUMBA_NUM_THREADS > 1:
        assert same(encode(n_runs=6, n_cycles=60, threads=2), whole)
    fewer = encode(n_runs=3, n_cycles=60, threads=1)
    assert np.array_equal(fewer["cycles_to_codes"], whole["cycles_to_codes"][:3], equal_nan=True)
    assert (fewer["code"] == whole["code"][:3]).all()


@pytest.mark.parametrize("code", ["4-2", "4-2-5", "4-0-4", "1-2-1", "a-b-a", "4--4", "200-2-200", ""])
def test_other_words_are_no_codes(code):
    with pytest.raises(InputError, match=r"^code: expected V-H-V"):
        BoltzmannEncoder(seed=1, code=code)


def test_an_interrupted_run_gives_the_cycles_so_far():
    class Impatient(Observer):
        n_cycles = 0

        def advance(self, n_points, records):
            self.n_cycles += n_points

        def tick(self):
            if self.n_cycles >= 100:
                raise Interrupted

    records = boltzmann_encoder.run(BoltzmannEncoder(seed=1, n_runs=20), Impatient())
    assert records["n_cycles"] == 100
    assert same(records, encode(n_runs=20, n_cycles=100))


def test_shifted_patterns_are_shifted():
    """Around the ends, by what the last three units say; each shift about as often; .3 of the pixels on."""
    patterns = boltzmann_shifter.shifted_patterns(np.uint64(5), Stream.PROBE, 0, 3000)
    image, shifted = patterns[:, :N_PIXELS], patterns[:, N_PIXELS:N_INPUTS]
    which = patterns[:, N_INPUTS:].argmax(axis=1)
    for k, by in enumerate((-1, 0, 1)):
        assert (shifted[which == k] == np.roll(image[which == k], by, axis=1)).all()
    assert (patterns[:, N_INPUTS:].sum(axis=1) == 1).all()
    assert abs(np.bincount(which) - 1000).max() < 5 * np.sqrt(3000 * 2 / 9)
    assert abs(image.mean() - 0.3) < 5 * np.sqrt(0.21 / image.size)
    later = boltzmann_shifter.shifted_patterns(np.uint64(5), Stream.PROBE, 1000, 2000)
    assert (later == patterns[1000:]).all()


def test_the_shifter_learns():
    """Far above chance after 400 cycles."""
    records = boltzmann_shifter.run(BoltzmannShifter(seed=1, n_runs=2, n_cycles=400), Observer())
    assert records["correct"].min() > 0.5


def test_xor_is_as_far_as_it_must_be():
    """Without hidden units log 2, as pairs say nothing; with two the restricted bound, which is tight."""
    records = boltzmann_xor.run(BoltzmannXor(seed=1, n_hidden=2, n_starts=2), Observer())
    least = records["divergence_least"]
    assert records["bound"] == pytest.approx([1.38629, 0.69315, 0.34657], abs=1e-5)
    assert least[:, 0] == pytest.approx([np.log(2)] * 2, abs=1e-6)
    assert least[0, 1] < records["bound"][1]
    assert least[0, 2] == pytest.approx(records["bound"][2], abs=1e-3)
    assert least[1, 1] < 0.01


@pytest.mark.slow
def test_3_hidden_units_reach_xor():
    records = boltzmann_xor.run(BoltzmannXor(seed=1), Observer())
    assert records["bound"][3] == 0
    assert records["divergence_least"][:, 3].max() < 1e-3


@pytest.mark.slow
def test_4_2_4_comes_out_as_in_1985():
    """Theirs: 250 of 250, median 110; simulated anew for the reference: 249 of 250, median 118."""
    records = encode(n_runs=250)
    assert records["solved"].sum() >= 245
    assert 80 <= np.median(records["cycles"][records["solved"]]) <= 160


@pytest.mark.slow
def test_all_classics_stand_in_one_table():
    """Shares and medians of encoders with few codes near those published; the shifter at least as good."""
    records = boltzmann_classics.run(boltzmann_classics.BoltzmannClassics(seed=2, n_runs=20), Observer())
    rows = {
        f"{task}: {quantity}": value
        for task, quantity, value in zip(
            records["task"].tolist(), records["quantity"].tolist(), records["value"].tolist(), strict=True
        )
    }
    assert rows["4-2-4: 4 codes, share of runs"] >= 0.9
    assert rows["4-3-4: codes 2 bits apart, share of runs"] >= 0.75
    assert 100 <= rows["4-3-4: codes 2 bits apart, median cycles"] <= 700
    assert rows["8-3-8: 7 codes, share of runs"] >= 0.9
    assert rows["40-10-40: 40 codes, share of runs"] == 1
    assert rows["shifter: told, hardest number of pixels on"] >= 0.5
    assert rows["shifter: told, easiest number of pixels on"] >= 0.89
    assert rows["XOR: divergence, 3 hidden (bound)"] < 1e-3
