"""The bench harness: what it runs and what it makes of the numbers. Nothing here asserts a time."""

import json
import subprocess
import sys

import numpy as np
import pytest

from bench import ceilings, peers
from bench.harness import Report, Spread, Target, Timing, measure, ratio, spread
from bench.hopfield import flipped, overlap, random_patterns
from hopsim.networks.hopfield_network import HopfieldNetwork


def test_contenders_take_turns_and_meet_the_same_trials():
    """Each is warmed up with call 0; then, round by round, each has its calls in one turn."""
    calls = []
    contenders = {name: lambda k, name=name: calls.append((name, k)) or k for name in ("peer", "hopsim")}
    timings = measure(contenders, n_rounds=2, n_calls=2)
    warm_up = [("peer", 0), ("hopsim", 0)]
    first_round = [("peer", 0), ("peer", 1), ("hopsim", 0), ("hopsim", 1)]
    second_round = [("peer", 2), ("peer", 3), ("hopsim", 2), ("hopsim", 3)]
    assert calls == warm_up + first_round + second_round
    assert timings["peer"].results == [0, 1, 2, 3]
    assert timings["peer"].seconds.shape == (2, 2)
    assert (timings["peer"].seconds >= 0).all()


def test_ratio_is_taken_within_rounds():
    """A machine that slows down tenfold between two rounds leaves the ratio as it is."""
    fast = Timing(np.array([[1.0, 1.0], [10.0, 10.0]]), [])
    slow = Timing(np.array([[3.0, 1.0], [20.0, 20.0]]), [])
    assert ratio(slow, fast) == Spread(2.0, 2.0, 2.0)


def test_spread_is_median_and_quartiles():
    assert spread([[5.0, 1.0], [2.0, 4.0], [3.0, 3.0]]) == Spread(3.0, 2.25, 3.75)


@pytest.mark.parametrize(
    ("sense", "value", "reached"),
    [("at most", 25.0, True), ("at most", 25.1, False), ("at least", 25.0, True), ("at least", 24.9, False)],
)
def test_target_is_reached_or_not(sense, value, reached):
    assert Target("an update", value, sense, 25.0, "ns").reached is reached


def test_table_and_json_hold_every_figure_and_own_up_to_misses(tmp_path):
    report = Report("hopfield", quick=True)
    report.add("recall", "hopsim", Spread(1.5, 1.25, 2.0), "ms")
    report.add_missing("recall", "some package", "not measured: it is not installed")
    report.promise("numpy, recall alone", 5.9, "at least", 6, "times")
    table = report.finish().table()
    assert "1.5 ms" in table
    assert "(1.25 to 2)" in table
    assert "not measured: it is not installed" in table
    assert "MISSED" in table
    report.write_json(tmp_path / "figures.json")
    content = json.loads((tmp_path / "figures.json").read_text())
    assert [figure["value"] for figure in content["figures"]] == [1.5, None]
    assert content["targets"][0]["reached"] is False
    assert content["machine"]["cpus"] >= 1
    assert len(content["load_average"]) == 2


def test_contenders_recall_a_pattern():
    """All of them, the packages by their own training and by a given matrix, at a load with hardly an error."""
    patterns = random_patterns(200, 4)
    start = flipped(patterns[:1])[0]
    installed, _ = peers.packages()
    trained = [peers.HOPSIM, peers.NUMPY, peers.NAIVE, *(package.contender for package in installed)]
    networks = [(contender, contender.store(patterns)) for contender in trained]
    couplings = peers.hebbian_couplings(patterns).astype(np.float64)
    networks += [(package.contender, package.adopt(couplings)) for package in installed]
    for contender, network in networks:
        assert overlap(contender.recall(network, start), patterns[0]) == 1.0, contender.name
        assert contender.n_bytes(network) > 0


def test_memory_counts_the_large_arrays():
    """Packed rows are 64 bytes a neuron for 4 patterns (one block of 512); a float32 matrix is 4 N^2."""
    patterns = random_patterns(200, 4)
    assert 200 * 64 < peers.HOPSIM.n_bytes(peers.HOPSIM.store(patterns)) < 4 * 200 * 64
    assert 0 <= peers.NUMPY.n_bytes(peers.NUMPY.store(patterns)) - 4 * 200**2 <= 8 * 200


def test_flipped_states_differ_in_five_percent():
    patterns = random_patterns(200, 3)
    assert ((patterns != flipped(patterns)).sum(axis=1) == 10).all()


def test_resident_field_sums_the_distances_that_a_recall_sums():
    """Its counters, summed over rows, are (D - N/2 + 2^(B-1)) summed over the patterns with a 1 there."""
    patterns = random_patterns(200, 20)
    network = HopfieldNetwork.store(patterns)
    state = random_patterns(200, 21)[20]
    field = ceilings.resident_field(network.model, state)
    distances = (patterns != state).sum(axis=1) - 100 + (1 << (field.n_planes - 1))
    n_calls, n_rows = ceilings.FIELD_CALLS, len(field.rows)
    per_row = [distances[patterns[:, i] == 1].sum() for i in range(n_rows)]
    assert field.evaluate() == n_calls // n_rows * sum(per_row)


def test_unknown_bench_and_missing_directory_are_refused(tmp_path):
    """Before anything is measured."""
    for arguments in (["nothing"], ["hopfield", "--json", str(tmp_path / "missing" / "figures.json")]):
        outcome = subprocess.run(
            [sys.executable, "-m", "bench", *arguments], capture_output=True, text=True, check=False
        )
        assert outcome.returncode == 2
        assert "error: argument" in outcome.stderr
