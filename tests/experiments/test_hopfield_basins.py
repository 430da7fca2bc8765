"""The study of basins: its records, the half-height over the start overlap, and bad options."""

import numpy as np
import pytest

from hopsim.errors import InputError, Interrupted
from hopsim.evaluation.capacity_threshold import critical_load
from hopsim.evaluation.cell_statistics import CellStatistics
from hopsim.experiments import hopfield_basins, hopfield_capacity
from hopsim.experiments.hopfield_basins import VARIABLES, HopfieldBasins, find_half, run
from hopsim.experiments.observer import Observer

SMALL = {
    "n_neurons": (100, 200),
    "loads": (0.04, 0.1),
    "start_overlaps": (0.9, 0.1, 0.5),
    "n_networks": 5,
    "n_trials": 2,
    "seed": 1,
}
ALL, NONE = (0, 0, 8), (8, 0, 0)  # histograms of eight networks with two trials each


def study(observer=None, **options):
    return run(HopfieldBasins(**{**SMALL, **options}), observer or Observer())


@pytest.fixture(scope="module")
def small():
    return study()


def test_records_of_a_small_study(small):
    """Every variable with its dimensions; summaries are those of the trials."""
    assert set(small.variables) == set(VARIABLES)
    for name, variable in VARIABLES.items():
        assert small.variables[name].dims == variable.dims
    assert small.sizes == {"n_neurons": 2, "load": 2, "start_overlap": 3, "network": 5, "trial": 2}
    assert small["n_patterns"].tolist() == [[4, 10], [8, 20]]
    assert small["n_flipped"].tolist() == [[5, 45, 25], [10, 90, 50]]
    assert (small["n_finished"] == 5).all()
    assert (small["retrieved"] == (small["overlap"] > 0.9)).all()
    assert (small["retrieval_fraction"] == small["retrieved"].mean(axis=(3, 4))).all()
    assert np.allclose(small["overlap_mean"], small["overlap"].mean(axis=(3, 4)), rtol=0, atol=1e-14)
    assert np.array_equal(small["basin_radius"], 1 - small["overlap_half"], equal_nan=True)
    # erf(0.9/sqrt(0.08)) = erf(3.18) and erf(0.1/sqrt(0.2)) = erf(0.2236)
    assert small["first_step_theory"][0, 0] == pytest.approx(0.9999932, abs=1e-7)
    assert small["first_step_theory"][1, 1] == pytest.approx(0.2481704, abs=1e-7)
    assert small["overlap_theory"][1] == pytest.approx(0.9979992663)
    assert float(small["alpha_c_theory"]) == pytest.approx(0.137905566494932)


def test_a_point_is_that_of_a_capacity_study_with_as_many_flips(small):
    """What a point is decides its random numbers, not the study that asks for it."""
    capacity = hopfield_capacity.run(
        hopfield_capacity.HopfieldCapacity(
            n_neurons=(200,), loads=(0.1,), n_networks=5, n_trials=2, flip=0.25, seed=1
        ),
        Observer(),
    )
    assert (capacity["overlap"][0, 0] == small["overlap"][1, 1, 2]).all()


def test_networks_at_different_start_overlaps_are_different():
    """At this load a pattern is no fixed point, and how far it drifts differs from network to network: two start
    overlaps that are one neuron apart end uncorrelated over 100 networks (standard error 0.1).
    """
    records = study(n_neurons=(200,), loads=(0.5,), start_overlaps=(1.0, 0.99), n_networks=100, n_trials=1)
    ends = records["overlap"][0, 0, :, :, 0]
    assert ends.std(axis=1).min() > 0.01
    assert abs(np.corrcoef(ends)[0, 1]) < 0.5


def test_the_half_is_the_half_height_of_a_falling_curve_mirrored():
    starts = np.array([0.4, 0.1, 0.3, 0.2])
    histograms = np.array([(0, 1, 7), NONE, (1, 3, 4), (6, 2, 0)])
    value, low, high = find_half(starts, histograms, seed=3)
    mirrored = critical_load(1 - starts, histograms, seed=3)
    # fractions 0, 1/8, 11/16, 15/16: half of the way from 0.2 to 0.3, times 6/9 of it
    assert value == pytest.approx(0.2 + 0.1 * (0.5 - 0.125) / (0.6875 - 0.125))
    assert (value, low, high) == pytest.approx((1 - mirrored.value, 1 - mirrored.high, 1 - mirrored.low))
    assert low < value < high


def test_half_below_or_above_all_start_overlaps():
    """Below: from 0 to the smallest, if that many successes there would be rare at 1/2. Above: nothing is known."""
    starts = np.array([0.3, 0.1, 0.2])
    value, *ends = find_half(starts, np.array([ALL, ALL, ALL]), seed=1)
    assert np.isnan(value)
    assert ends == [0.0, 0.1]
    assert np.isnan(find_half(starts[:2], np.array([(0, 0, 1), (0, 0, 1)]), seed=1)).all()
    assert np.isnan(find_half(starts, np.array([NONE, NONE, NONE]), seed=1)).all()
    assert np.isnan(find_half(starts, np.zeros((3, 3), np.int64), seed=1)).all()


def test_start_overlaps_of_the_same_flips_count_once():
    """With 100 neurons 0.50 and 0.505 both flip 25: the estimate is that without the second."""
    options = {"n_neurons": (100,), "loads": (0.1,), "n_networks": 30}
    once = study(start_overlaps=(0.1, 0.3, 0.5, 0.7), **options)
    twice = study(start_overlaps=(0.1, 0.3, 0.5, 0.505, 0.7), **options)
    assert twice["n_flipped"].tolist() == [[45, 35, 25, 25, 15]]
    assert np.isfinite(once["overlap_half"]).all()
    for name in ("overlap_half", "overlap_half_low", "overlap_half_high"):
        assert twice[name] == once[name]


@pytest.mark.parametrize("rule", ["pseudo_inverse", "storkey"])
def test_no_theory_stands_beside_other_rules(rule):
    records = study(n_neurons=(50,), loads=(0.1,), rule=rule, n_networks=1)
    assert (records["n_finished"] == 1).all()
    for name in ("first_step_theory", "overlap_theory", "alpha_c_theory"):
        assert np.isnan(records[name]).all()


class StopAtOnce(Observer):
    def tick(self):
        raise Interrupted


def test_a_study_interrupted_at_once_knows_nothing():
    records = study(StopAtOnce())
    assert (records["n_finished"] == 0).all()
    for name in ("overlap_half", "overlap_half_low", "overlap_half_high", "retrieval_fraction"):
        assert np.isnan(records[name]).all()


def test_the_headline_says_where_half_are_recalled():
    """Nothing at first; then the half-height of all sizes and loads that bracket 1/2."""
    configuration = HopfieldBasins(**SMALL)
    statistics = CellStatistics.empty(hopfield_basins.thresholds(configuration), configuration.n_trials)
    assert hopfield_basins.headline(configuration, statistics) == ""
    for cell, overlap in ((3, 1.0), (4, 0.2), (5, 0.2)):  # N = 100, load 0.1, from 0.9, 0.1, 0.5
        statistics.add(cell, np.full((5, 2), overlap))
    said = hopfield_basins.headline(configuration, statistics)
    assert said == "N = 100: half recalled from m0 (load) = 0.700 (0.1)"


NAN = float("nan")


@pytest.mark.parametrize(
    ("subject", "options"),
    [
        ("n_neurons", {"n_neurons": ()}),
        ("n_neurons", {"n_neurons": (0,)}),
        ("n_neurons", {"n_neurons": (100, 100)}),
        ("loads", {"loads": ()}),
        ("loads", {"loads": (0.1, -0.1)}),
        ("loads", {"loads": (NAN,)}),
        ("loads", {"loads": (0.1, 0.1)}),
        ("loads", {"loads": (0.001,)}),  # rounds to no pattern
        ("start_overlaps", {"start_overlaps": ()}),
        ("start_overlaps", {"start_overlaps": (1.1,)}),
        ("start_overlaps", {"start_overlaps": (-0.1,)}),
        ("start_overlaps", {"start_overlaps": (NAN,)}),
        ("start_overlaps", {"start_overlaps": (0.5, 0.5)}),
        ("n_networks", {"n_networks": 0}),
        ("n_trials", {"n_trials": 0}),
        ("max_sweeps", {"max_sweeps": 0}),
        ("success", {"success": 1.0}),
        ("success", {"success": NAN}),
        ("rule", {"rule": "hebb"}),
        ("order", {"order": "parallel"}),
        ("seed", {"seed": -1}),
        ("seed", {"seed": 2**64}),
        ("threads", {"threads": 0}),
        ("n_neurons", {"n_neurons": (10**8,)}),  # 10^14 bytes, refused before they are asked for
    ],
)
def test_bad_options_are_refused_by_name(subject, options):
    """Before anything runs, in one line."""
    with pytest.raises(InputError, match=f"^{subject}: ") as caught:
        study(**options)
    assert caught.value.subject == subject
    assert "\n" not in str(caught.value)
