"""The gradient study: exact phases are exact, exact starts give no bias, and the bias of CD-k falls with k."""

import numpy as np
import pytest
from false_alarms import assert_plausible

from hopsim.errors import InputError, Interrupted
from hopsim.evaluation.likelihood import log_likelihood_gradient
from hopsim.experiments.boltzmann_gradient import BoltzmannGradient, exact_phases, run
from hopsim.experiments.observer import Observer
from hopsim.learning.boltzmann_phases import Statistics, gradient
from hopsim.learning.connections import random_machine


@pytest.mark.parametrize("encoding", ["01", "pm1"])
def test_exact_phases_give_the_exact_gradient(encoding):
    """To 1e-12, sums of 128 terms of order 1."""
    model = random_machine(4, 3, encoding, weight_scale=1.0, bias_scale=1.0, seed=3)
    data = model.states(np.random.default_rng(1).choice(np.array([-1, 1], np.int8), (5, 4)))
    phases = exact_phases(model, data, 1.2)
    values = phases.states.astype(float)
    clamped, free = (
        Statistics(weights @ values, values.T @ (weights[:, None] * values))
        for weights in (phases.clamped, phases.free)
    )
    found, expected = gradient(clamped, free, 1.2), log_likelihood_gradient(model, data, 1.2)
    assert found.couplings == pytest.approx(expected.couplings, abs=1e-12)
    assert found.bias == pytest.approx(expected.bias, abs=1e-12)


@pytest.mark.parametrize(("encoding", "order"), [("01", "sequential"), ("pm1", "random")])
def test_exact_starts_are_unbiased_and_the_bias_of_k_steps_falls(encoding, order):
    """Of ten machines of 3 to 9 units; at k = 50 only noise is left, of which the median is at most twice its norm."""
    scale = 2.0 if encoding == "01" else 0.5
    configuration = BoltzmannGradient(
        seed=2,
        n_units=(3, 5, 7, 9),
        n_machines=3,
        n_chains=4000,
        sweeps=(1, 3, 50),
        weight_scale=scale,
        encoding=encoding,
        order=order,
    )
    records = run(configuration, Observer())
    assert_plausible(float(records["z_p"]), "largest deviation from exact states")
    first, third, last = records["distance_median"]
    assert first > 3 * third > 3 * last / 1.5
    assert last < 2 * np.median(records["noise"])
    assert (records["cosine"][:, -1] > 0.9).all()
    assert records["n_hidden"].tolist() == [1] * 6 + [2] * 3 + [3] * 3


def test_machines_do_not_depend_on_what_else_is_studied():
    both = run(
        BoltzmannGradient(seed=2, n_units=(3, 4), n_machines=2, n_chains=100, sweeps=(1, 2)), Observer()
    )
    one = run(BoltzmannGradient(seed=2, n_units=(4,), n_machines=2, n_chains=100, sweeps=(1, 2)), Observer())
    assert np.array_equal(both["distance"][2:], one["distance"])


def test_an_interrupted_study_gives_the_machines_that_are_finished():
    class Stop(Observer):
        def __init__(self):
            self.n_finished = 0

        def tick(self):
            if self.n_finished == 2:
                raise Interrupted

        def advance(self, n_points, records):
            self.n_finished += n_points

    records = run(BoltzmannGradient(seed=2, n_units=(3,), n_machines=5, n_chains=100, sweeps=(1,)), Stop())
    assert len(records["machine"]) == 2


@pytest.mark.parametrize(
    ("subject", "changed"),
    [
        ("n_units", {"n_units": (1,)}),
        ("n_units", {"n_units": (17,)}),
        ("n_units", {"n_units": ()}),
        ("n_machines", {"n_machines": 0}),
        ("n_data", {"n_data": 0}),
        ("n_chains", {"n_chains": 1}),
        ("sweeps", {"sweeps": (2, 1)}),
        ("sweeps", {"sweeps": (0, 1)}),
        ("weight_scale", {"weight_scale": 0.0}),
        ("encoding", {"encoding": "0"}),
        ("order", {"order": "none"}),
        ("temperature", {"temperature": -1.0}),
        ("seed", {"seed": -1}),
    ],
)
def test_wrong_options_are_named(subject, changed):
    with pytest.raises(InputError) as caught:
        BoltzmannGradient(**{"seed": 1} | changed)
    assert caught.value.subject == subject
