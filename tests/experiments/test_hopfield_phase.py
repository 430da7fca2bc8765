"""The study of the load-temperature plane: its records, the boundary and its interval, and bad options."""

import numpy as np
import pytest

from hopsim.errors import InputError, Interrupted
from hopsim.evaluation.cell_statistics import CellStatistics
from hopsim.experiments import hopfield_phase
from hopsim.experiments.hopfield_phase import VARIABLES, HopfieldPhase, find_boundary, run
from hopsim.experiments.observer import Observer
from hopsim.theory.hopfield import retrieval_overlap

SMALL = {
    "n_neurons": (100, 200),
    "loads": (0.05, 0.2),
    "temperatures": (0.0, 1.5, 0.2),
    "n_networks": 3,
    "n_trials": 2,
    "burn_in": 10,
    "n_sweeps": 10,
    "seed": 1,
}
NAN = float("nan")


def study(observer=None, **options):
    return run(HopfieldPhase(**{**SMALL, **options}), observer or Observer())


@pytest.fixture(scope="module")
def small():
    return study()


def test_records_of_a_small_study(small):
    """Every variable with its dimensions; summaries are those of the trials; theory is that of the reference tables."""
    assert set(small.variables) == set(VARIABLES)
    for name, variable in VARIABLES.items():
        assert small.variables[name].dims == variable.dims
    assert small.sizes == {"n_neurons": 2, "load": 2, "temperature": 3, "network": 3, "trial": 2}
    assert small["n_patterns"].tolist() == [[5, 20], [10, 40]]
    assert (small["n_finished"] == 3).all()
    assert np.allclose(small["overlap_mean"], small["overlap"].mean(axis=(3, 4)), rtol=0, atol=1e-14)
    assert small["converged"][:, :, 0].all()  # T = 0: to rest
    assert (small["n_sweeps"][:, :, 1:] == 20).all()
    assert (
        small["retrieved"] == (small["overlap"] > small["success_threshold"][..., None, None, None])
    ).all()
    assert small["t_m"] == pytest.approx([0.542255, NAN], abs=5e-7, nan_ok=True)
    assert small["t_c"] == pytest.approx([0.216383, NAN], abs=5e-7, nan_ok=True)
    assert small["t_g"] == pytest.approx(1 + np.sqrt([0.05, 0.2]))
    assert np.isfinite(small["overlap_theory"][0]).tolist() == [True, False, True]
    assert np.isnan(small["overlap_theory"][1]).all()
    assert np.allclose(
        small["boundary_distance"], small["boundary"] - small["t_m"], rtol=0, atol=1e-12, equal_nan=True
    )


def test_the_threshold_is_half_of_the_overlap_just_inside(small):
    """m falls to m_M as a square root: at (1 - 1e-10) T_M it is within some 1e-5 of it. Beyond the tip of the line it
    is that of the tip, close to the overlap 0.9674 at alpha_c and T = 0. It does not depend on N.
    """
    just_inside = retrieval_overlap(0.05, small["t_m"][0] * (1 - 1e-10)) / 2
    assert small["success_threshold"][:, 0] == pytest.approx(just_inside, abs=1e-4)
    assert small["success_threshold"][:, 1] == pytest.approx(0.9674 / 2, abs=0.005)


def test_a_point_is_the_same_in_any_study(small):
    alone = study(n_neurons=(200,), loads=(0.2,), temperatures=(0.2,))
    assert (alone["overlap"][0, 0, 0] == small["overlap"][1, 1, 2]).all()


def test_networks_are_the_same_at_every_temperature():
    """Which of 100 networks lose their pattern is nearly the same at two low temperatures (standard error 0.1)."""
    records = study(
        n_neurons=(200,), loads=(0.16,), temperatures=(0.0, 0.02), n_networks=100, n_trials=1, n_sweeps=50
    )
    assert np.corrcoef(records["overlap"][0, 0, :, :, 0])[0, 1] > 0.5


def test_the_boundary_is_where_the_overlap_crosses_the_threshold():
    """In any order, without the temperatures that are not known."""
    temperatures, overlaps = [0.4, 0.1, 0.3, 0.2, 0.25], [0.1, 0.9, 0.3, 0.8, NAN]
    value, low, high = find_boundary(temperatures, overlaps, [0.01] * 5, 0.4)
    assert value == pytest.approx(0.2 + 0.1 * (0.8 - 0.4) / 0.5)
    assert value - low == pytest.approx(high - value)


def test_an_overlap_that_rises_again_makes_no_second_crossing():
    """0.3 and 0.5 are pooled to 0.4, which is below the threshold."""
    value, *_ = find_boundary([0.1, 0.2, 0.3, 0.4], [0.9, 0.3, 0.5, 0.1], [0.0] * 4, 0.45)
    assert value == pytest.approx(0.1 + 0.1 * (0.9 - 0.45) / 0.5)


def test_the_interval_is_that_of_fully_correlated_networks():
    """Curves of slope -2 that differ by a shift of standard error 0.01 cross 0.005 apart, wherever within the gap; what
    the jump adds, d^2 gaps with d = 0.02/0.51 at most, stays below a hundredth of that.
    """
    temperatures = np.linspace(0.2, 0.3, 11)
    for threshold in (0.5, 0.503, 0.51):
        overlaps = 0.5 - 2 * (temperatures - 0.25)
        value, low, high = find_boundary(temperatures, overlaps, np.full(11, 0.01), threshold)
        assert value == pytest.approx(0.25 - (threshold - 0.5) / 2)
        assert high - low == pytest.approx(2 * 1.96 * 0.005, rel=1e-3)


def test_a_jump_within_a_gap_is_uncertain_by_the_gap():
    """From 0.9 to 0, all networks the same: a uniform error over the gap, standard deviation 0.1/sqrt(12)."""
    value, low, high = find_boundary([0.3, 0.4], [0.9, 0.0], [0.0, 0.0], 0.45)
    assert (value, high - low) == pytest.approx((0.35, 2 * 1.96 * 0.1 / np.sqrt(12)), rel=1e-4)


@pytest.mark.parametrize(
    ("temperatures", "overlaps"),
    [([0.1, 0.2], [0.9, 0.8]), ([0.1, 0.2], [0.3, 0.1]), ([0.1, 0.2], [NAN, 0.1]), ([0.1], [0.9])],
)
def test_without_a_bracket_there_is_no_boundary(temperatures, overlaps):
    assert np.isnan(find_boundary(temperatures, overlaps, [0.01] * len(overlaps), 0.45)).all()


def test_one_network_gives_a_boundary_without_an_interval():
    value, *ends = find_boundary([0.1, 0.2], [0.9, 0.1], [NAN, NAN], 0.5)
    assert value == pytest.approx(0.15)
    assert np.isnan(ends).all()


class StopAtOnce(Observer):
    def tick(self):
        raise Interrupted


def test_a_study_interrupted_at_once_knows_only_theory():
    records = study(StopAtOnce())
    assert (records["n_finished"] == 0).all()
    assert np.isnan(records["boundary"]).all()
    assert np.isfinite(records["t_m"][0])


def test_the_headline_says_how_far_from_t_m():
    """Nothing at first; the boundary between T = 0.2 and 1.5 once both are known, of loads that have a T_M."""
    configuration = HopfieldPhase(**SMALL)
    statistics = CellStatistics.empty(hopfield_phase.thresholds(configuration), configuration.n_trials)
    assert hopfield_phase.headline(configuration, statistics) == ""
    for load in (0, 1):
        for temperature, overlap in ((1, 0.0), (2, 0.9)):
            statistics.add(6 + 3 * load + temperature, np.full((3, 2), overlap))
    half = statistics.thresholds[6]
    distance = 0.2 + 1.3 * (0.9 - half) / 0.9 - 0.542255
    assert hopfield_phase.headline(configuration, statistics) == f"N = 200: {distance:.3f} from T_M (1 load)"


@pytest.mark.parametrize(
    ("subject", "options"),
    [
        ("n_neurons", {"n_neurons": ()}),
        ("n_neurons", {"n_neurons": (0,)}),
        ("n_neurons", {"n_neurons": (100, 100)}),
        ("loads", {"loads": ()}),
        ("loads", {"loads": (0.1, 0.0)}),
        ("loads", {"loads": (NAN,)}),
        ("loads", {"loads": (0.1, 0.1)}),
        ("loads", {"loads": (0.001,)}),  # rounds to no pattern
        ("temperatures", {"temperatures": ()}),
        ("temperatures", {"temperatures": (-0.1,)}),
        ("temperatures", {"temperatures": (NAN,)}),
        ("temperatures", {"temperatures": (float("inf"),)}),
        ("temperatures", {"temperatures": (0.1, 0.1)}),
        ("n_networks", {"n_networks": 0}),
        ("n_trials", {"n_trials": 0}),
        ("n_sweeps", {"n_sweeps": 0}),
        ("max_sweeps", {"max_sweeps": 0}),
        ("burn_in", {"burn_in": -1}),
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
