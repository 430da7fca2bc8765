"""The capacity study: its records, what each number depends on, interruption, and bad options."""

import numpy as np
import pytest
from same_records import assert_same_records

from hopsim.errors import InputError, Interrupted
from hopsim.experiments import point_batches
from hopsim.experiments.hopfield_capacity import VARIABLES, HopfieldCapacity, patterns_at, run
from hopsim.experiments.observer import Observer

SMALL = {
    "n_neurons": (60, 120),
    "loads": (0.1, 0.2, 0.3),
    "n_networks": 4,
    "n_trials": 2,
    "flip": 0.05,
    "seed": 1,
}
TRIALS = ("overlap", "n_sweeps", "converged", "retrieved")


def study(observer=None, **options):
    return run(HopfieldCapacity(**{**SMALL, **options}), observer or Observer())


@pytest.fixture(scope="module")
def small():
    return study()


def test_records_of_a_small_study(small):
    """Every variable with its dimensions; summaries are those of the trials."""
    assert set(small.variables) == set(VARIABLES)
    for name, variable in VARIABLES.items():
        assert small.variables[name].dims == variable.dims
    sizes = {"n_neurons": 2, "load": 3, "network": 4, "trial": 2}
    assert small.sizes == sizes
    assert small["n_patterns"].tolist() == [[6, 12, 18], [12, 24, 36]]
    assert small["finished"].all()
    assert (small["retrieved"] == (small["overlap"] > 0.9)).all()
    assert (small["success_threshold"] == 0.9).all()
    assert small["converged"].all()
    assert (small["n_sweeps"] >= 1).all()
    network_means = small["overlap"].mean(axis=3)
    # rounding of a mean of eight numbers of order 1
    assert np.abs(small["overlap_mean"] - network_means.mean(axis=2)).max() < 1e-14
    assert np.abs(small["overlap_se"] - network_means.std(axis=2, ddof=1) / 2).max() < 1e-14
    assert (small["retrieval_fraction"] == small["retrieved"].mean(axis=(2, 3))).all()
    assert (small["retrieval_low"] <= small["retrieval_fraction"]).all()
    assert (small["retrieval_fraction"] <= small["retrieval_high"]).all()
    assert small["overlap_theory"][0] == pytest.approx(0.9979992663)
    assert np.isnan(small["overlap_theory"][1:]).all()  # above the capacity
    assert float(small["alpha_c_theory"]) == pytest.approx(0.137905566494932)
    assert float(small["m_c_theory"]) == pytest.approx(0.967417116)


@pytest.mark.parametrize(
    "options", [{}, {"temperature": 0.3, "burn_in": 5, "n_sweeps": 5}, {"order": "replacement"}]
)
def test_the_same_bits_for_any_threads_and_batches(options, monkeypatch):
    """1 thread, 2 threads, and one network at a time instead of all together."""
    one = study(threads=1, **options)
    assert_same_records(one, study(threads=2, **options))
    monkeypatch.setattr(point_batches, "BATCH_SECONDS", 0.0)
    assert_same_records(one, study(threads=2, **options))


def test_a_point_is_the_same_in_any_study(small):
    """Alone, in another order, with more networks beside it: N, P and the numbers of network and trial decide."""
    alone = study(n_neurons=(120,), loads=(0.2,), n_networks=2)
    turned = study(n_neurons=(120, 60), loads=(0.3, 0.2, 0.1))
    for name in TRIALS:
        assert (alone[name][0, 0] == small[name][1, 1, :2]).all()
        assert (turned[name] == small[name][::-1, ::-1]).all()
    fewer = study(n_neurons=(120,), loads=(0.2,), n_trials=1)
    assert (fewer["overlap"][0, 0, :, 0] == small["overlap"][1, 1, :, 0]).all()
    other = study(n_neurons=(120,), loads=(0.2,), n_networks=2, seed=2)
    assert (other["overlap"] != alone["overlap"]).any()


class StopAfter(Observer):
    """Interrupts at the first look after `n_networks` are finished."""

    def __init__(self, n_networks):
        self.left = n_networks
        self.seen, self.announced, self.ended = [], None, False

    def begin(self, n_points, unit, n_finished=0):
        self.announced = (n_points, unit)

    def tick(self):
        if self.left <= 0:
            raise Interrupted

    def advance(self, n_points, records):
        self.left -= n_points
        self.seen.append(records()["finished"].sum())

    def end(self):
        self.ended = True


@pytest.mark.parametrize("n_finished", [0, 1, 6, 11])
def test_an_interrupted_study_keeps_what_was_finished(n_finished, small, monkeypatch):
    """24 networks one by one, points in order: the first few as in the whole study, nothing of the others."""
    monkeypatch.setattr(point_batches, "BATCH_SECONDS", 0.0)
    observer = StopAfter(n_finished)
    records = study(observer)
    finished = np.arange(24).reshape(2, 3, 4) < n_finished
    assert observer.announced == (24, "network")
    assert observer.ended
    assert observer.seen == list(range(1, n_finished + 1))
    assert (records["finished"] == finished).all()
    for name in TRIALS:
        assert (records[name][finished] == small[name][finished]).all()
    assert np.isnan(records["overlap"][~finished]).all()
    assert not records["retrieved"][~finished].any()
    started = finished.any(axis=2)
    assert np.isfinite(records["overlap_mean"][started]).all()
    assert np.isnan(records["overlap_mean"][~started]).all()
    assert np.isnan(records["retrieval_fraction"][~started]).all()


@pytest.mark.parametrize("rule", ["pseudo_inverse", "storkey"])
def test_dense_rules(rule):
    """No theory stands beside them; the pseudo-inverse holds every pattern at these loads."""
    records = study(rule=rule, flip=0.0, temperature=0.0)
    assert records["finished"].all()
    assert np.isnan(records["alpha_c_theory"])
    assert np.isnan(records["overlap_theory"]).all()
    if rule == "pseudo_inverse":
        assert (records["overlap"] == 1.0).all()
        assert (records["n_sweeps"] == 1).all()
    hot = study(rule=rule, temperature=0.1, burn_in=2, n_sweeps=2)
    assert (hot["success_threshold"] == 0.9).all()


@pytest.mark.parametrize("order", ["random", "replacement", "sequential", "synchronous"])
def test_every_order_retrieves_at_a_small_load(order):
    records = study(n_neurons=(400,), loads=(0.02,), order=order)
    assert records["retrieved"].all()


def test_more_trials_than_patterns_start_from_patterns_again():
    """One pattern, three trials with probes of their own: all retrieve it."""
    records = study(n_neurons=(100,), loads=(0.01,), n_trials=3, flip=0.2)
    assert records["n_patterns"].tolist() == [[1]]
    assert (records["overlap"] == 1.0).all()


@pytest.mark.parametrize(
    ("n_neurons", "load", "n_patterns"),
    [
        (1000, 0.145, 145),
        (1000, 0.1455, 146),
        (100, 0.285, 29),
        (10, 0.35, 4),
        (1000, 0.0005, 1),
        (1000, 0.00049, 0),
        (10**6, 0.138, 138_000),
        (7, 0.1, 1),
        (3, 0.15, 0),
        (1000, 0.05 + 19 * 0.005, 145),
    ],
)
def test_patterns_at_a_load_are_what_the_decimals_mean(n_neurons, load, n_patterns):
    """P = floor(alpha N + 1/2), also where alpha N in binary falls short of the decimal (0.285 * 100 = 28.49...)."""
    assert patterns_at(n_neurons, load) == n_patterns


NAN = float("nan")


@pytest.mark.parametrize(
    ("subject", "options"),
    [
        ("n_neurons", {"n_neurons": (0,)}),
        ("n_neurons", {"n_neurons": (100, -5)}),
        ("n_neurons", {"n_neurons": ()}),
        ("n_neurons", {"n_neurons": (60, 60)}),
        ("loads", {"loads": ()}),
        ("loads", {"loads": (0.1, 0.0)}),
        ("loads", {"loads": (-0.1,)}),
        ("loads", {"loads": (NAN,)}),
        ("loads", {"loads": (float("inf"),)}),
        ("loads", {"loads": (0.1, 0.1)}),
        ("loads", {"loads": (0.1, 0.001)}),  # rounds to no pattern
        ("n_networks", {"n_networks": 0}),
        ("n_trials", {"n_trials": 0}),
        ("max_sweeps", {"max_sweeps": 0}),
        ("n_sweeps", {"n_sweeps": 0}),
        ("burn_in", {"burn_in": -1}),
        ("flip", {"flip": 1.1}),
        ("flip", {"flip": NAN}),
        ("temperature", {"temperature": -0.1}),
        ("temperature", {"temperature": NAN}),
        ("success", {"success": 1.0}),
        ("success", {"success": NAN}),
        ("rule", {"rule": "hebb"}),
        ("order", {"order": "parallel"}),
        ("seed", {"seed": -1}),
        ("seed", {"seed": 2**64}),
        ("threads", {"threads": 0}),
        ("threads", {"threads": 100_000}),
        ("n_neurons", {"n_neurons": (10**8,)}),  # 10^14 bytes, refused before they are asked for
        ("n_neurons", {"n_neurons": (10**7,), "loads": (1e-6,), "rule": "storkey"}),
    ],
)
def test_bad_options_are_refused_by_name(subject, options):
    """Before anything runs, in one line."""
    with pytest.raises(InputError, match=f"^{subject}: ") as caught:
        study(**options)
    assert caught.value.subject == subject
    assert "\n" not in str(caught.value)


def test_loads_that_come_to_one_number_of_patterns_count_once():
    """They are the same networks: a load given in two ways must not narrow the interval of alpha_c."""
    once = study(n_neurons=(100,), loads=(0.1, 0.16, 0.2, 0.3), n_networks=8, flip=0.0)
    twice = study(n_neurons=(100,), loads=(0.1, 0.16, 0.162, 0.2, 0.202, 0.3), n_networks=8, flip=0.0)
    for name in ("alpha_c", "alpha_c_low", "alpha_c_high"):
        assert np.isfinite(once[name]).all()
        assert (once[name] == twice[name]).all()
