"""Boltzmann learning: steps as a few lines of numpy, masks, schedules, the same bits again, and divergence."""

import itertools

import numpy as np
import pytest

from hopsim.errors import InputError, Interrupted, RunError
from hopsim.evaluation.likelihood import log_likelihood_gradient, log_likelihoods
from hopsim.learning.boltzmann_learning import LARGEST, BoltzmannTrainer
from hopsim.learning.connections import CONNECTIONS, connection_mask, random_machine
from hopsim.learning.learning_options import PHASES, BoltzmannLearning
from hopsim.learning.trainers import fit
from hopsim.models.boltzmann import boltzmann_model
from hopsim.sampling.threads import using_threads

XOR = np.array([[0, 0, 0], [0, 1, 1], [1, 0, 1], [1, 1, 0]])
BARS = np.array([[1, 1, 0, 0], [0, 0, 1, 1], [1, 0, 1, 0], [0, 1, 0, 1]])  # of 2 x 2 pixels


def options(**changed):
    return BoltzmannLearning(**{"seed": 4, "n_epochs": 6, "n_chains": 8} | changed)


def same(a, b):
    """Whether two states are bit for bit the same."""
    return a.step == b.step and all(
        np.array_equal(getattr(a, name), getattr(b, name))
        for name in (
            "couplings",
            "bias",
            "couplings_velocity",
            "bias_velocity",
            "free_spins",
            "clamped_spins",
        )
    )


def all_steps(trainer):
    while trainer.state.step < trainer.n_steps:
        trainer.step()
    return trainer.state


@pytest.mark.parametrize("encoding", ["01", "pm1"])
def test_momentum_decay_and_schedule_are_a_few_lines_of_numpy(encoding):
    """To 1e-12: the same sums of six steps, the gradient from another function."""
    model = random_machine(3, 2, encoding, weight_scale=0.5, bias_scale=0.5, seed=1)
    data = model.states((2 * XOR - 1).astype(np.int8))
    configuration = options(
        phases="exact", learning_rate=0.2, schedule="linear", momentum=0.7, weight_decay=0.05, temperature=1.4
    )
    learned = fit(model, data, configuration)
    couplings, bias = model.couplings, model.bias
    velocity, bias_velocity = 0.0, 0.0
    for step in range(6):
        now = boltzmann_model(couplings, bias, encoding, 3)
        gradient = log_likelihood_gradient(now, data, 1.4)
        rate = 0.2 * (1 - step / 6)
        velocity = 0.7 * velocity + rate * (gradient.couplings - 0.05 * couplings)
        bias_velocity = 0.7 * bias_velocity + rate * gradient.bias
        couplings, bias = couplings + velocity, bias + bias_velocity
    assert learned.couplings == pytest.approx(couplings, abs=1e-12)
    assert learned.bias == pytest.approx(bias, abs=1e-12)


def test_schedules():
    assert [options().rate(step, 2) for step in (0, 11)] == [0.1, 0.1]
    linear = [options(schedule="linear").rate(step, 2) for step in range(12)]
    assert linear == pytest.approx(0.1 * (1 - np.arange(12) / 12))
    inverse = [options(schedule="inverse", rate_epochs=2.0).rate(step, 2) for step in range(12)]
    assert inverse == pytest.approx([0.1 / (1 + (step // 2) / 2) for step in range(12)])
    listed = [options(learning_rates=(0.3, 0.2)).rate(step, 2) for step in range(6)]
    assert listed == [0.3, 0.3, 0.2, 0.2, 0.2, 0.2]


@pytest.mark.parametrize("connections", CONNECTIONS)
def test_masks_are_kept(connections):
    """Couplings outside stay as they were, to the bit, and the others move; momentum and decay included."""
    model = random_machine(3, 3, weight_scale=0.5, seed=1)
    mask = connection_mask(connections, model)
    learned = fit(
        model, XOR, options(connections=connections, phases="exact", momentum=0.5, weight_decay=0.1)
    )
    moved = learned.couplings != model.couplings
    assert np.array_equal(moved, mask)
    assert mask[0, 1] == (connections in ("full", "no-hidden-hidden"))
    assert mask[3, 4] == (connections in ("full", "no-visible-visible"))
    assert mask[0, 3]


def test_a_mask_of_ones_own():
    model = random_machine(3, 1, weight_scale=0.5, seed=1)
    mask = np.zeros((4, 4), bool)
    mask[0, 3] = mask[3, 0] = True
    learned = fit(model, XOR, options(phases="persistent"), mask)
    assert np.array_equal(learned.couplings != model.couplings, mask)


@pytest.mark.parametrize("phases", ["exact", "gibbs", "persistent"])
@pytest.mark.parametrize("data", [BARS, XOR], ids=["bars", "xor"])
def test_learning_raises_the_exact_likelihood(data, phases):
    """From near the best without hidden units (bars: 4 ln 2, XOR: 3 ln 2 nats) to halfway to the data's entropy."""
    start = random_machine(data.shape[1], 3, weight_scale=1.0, seed=6)
    configuration = options(
        phases=phases, n_epochs=500, learning_rate=0.7, momentum=0.5, burn_in=3, n_sweeps=5, n_chains=100
    )
    learned = fit(start, data, configuration)
    entropy, uniform = np.log(4), data.shape[1] * np.log(2)
    assert log_likelihoods(learned, data).mean() > -(entropy + uniform) / 2


def test_exact_learning_without_hidden_units_ends_where_the_moments_are_the_datas():
    """The likelihood is concave then, and its maximum matches means and correlations; interior for these data."""
    data = np.array([[0, 0], [0, 0], [1, 1], [1, 1], [1, 1], [0, 1], [1, 0]])
    learned = fit(
        boltzmann_model(np.zeros((2, 2))), data, options(phases="exact", n_epochs=400, learning_rate=2.0)
    )
    gradient = log_likelihood_gradient(learned, data)
    assert np.abs(gradient.couplings).max() < 1e-9
    assert np.abs(gradient.bias).max() < 1e-9


@pytest.mark.parametrize(("clamped", "free"), list(itertools.product(PHASES, PHASES)))
def test_a_checkpoint_goes_on_to_the_same_bits(clamped, free):
    """From any step, mini-batches and momentum included, whatever the phases."""
    model = random_machine(3, 2, weight_scale=0.5, seed=1)
    configuration = options(
        clamped=clamped, free=free, n_epochs=2, batch_size=3, burn_in=1, n_sweeps=2, momentum=0.5
    )
    whole = BoltzmannTrainer(model, XOR, configuration)
    states = [whole.state]
    while whole.state.step < whole.n_steps:
        whole.step()
        states.append(whole.state)
    assert len(states) == 5
    for state in states:
        again = BoltzmannTrainer(model, XOR, configuration, state=state)
        assert same(all_steps(again), whole.state)


def test_an_interrupted_step_leaves_the_state_as_it_was():
    def stop():
        if ticking:
            raise Interrupted

    ticking = False
    trainer = BoltzmannTrainer(random_machine(3, 2, seed=1), XOR, options(phases="persistent"), tick=stop)
    trainer.step()
    before, ticking = trainer.state, True
    with pytest.raises(Interrupted):
        trainer.step()
    assert trainer.state is before
    ticking = False
    whole = BoltzmannTrainer(random_machine(3, 2, seed=1), XOR, options(phases="persistent"))
    assert same(all_steps(trainer), all_steps(whole))


def test_the_same_bits_for_any_number_of_threads():
    data = np.random.default_rng(1).integers(0, 2, (40, 30))
    learned = []
    for n_threads in (1, None):
        with using_threads(n_threads):
            configuration = options(phases="persistent", batch_size=20, n_chains=50, n_epochs=3)
            learned.append(fit(random_machine(30, 20, seed=1), data, configuration))
    assert np.array_equal(learned[0].couplings, learned[1].couplings)


@pytest.mark.parametrize("phases", PHASES)
def test_divergence_names_the_step_and_the_cause(phases):
    """And the state is that of the last good step."""
    configuration = options(phases=phases, learning_rates=(0.1, 1e6), momentum=0.5)
    trainer = BoltzmannTrainer(random_machine(3, 1, weight_scale=0.3, seed=1), XOR[:3], configuration)
    trainer.step()
    before = trainer.state
    with pytest.raises(RunError, match=r"diverged at step 2: the largest reached .* lower the learning rate"):
        trainer.step()
    assert trainer.state is before
    assert np.abs(before.couplings).max() < LARGEST


def test_an_infinite_step_is_divergence_too():
    configuration = options(phases="exact", learning_rate=1e308, momentum=0.5, weight_decay=1e300)
    with pytest.raises(RunError, match=r"couplings: diverged at step 1"):
        fit(random_machine(3, 1, weight_scale=1.0, seed=1), XOR, configuration)


@pytest.mark.parametrize(
    ("subject", "changed"),
    [
        ("phases", {"phases": "annealed"}),
        ("free", {"free": "no"}),
        ("start", {"start": "here"}),
        ("schedule", {"schedule": "cosine"}),
        ("n_sweeps", {"n_sweeps": 0}),
        ("burn_in", {"burn_in": -1}),
        ("batch_size", {"batch_size": 0}),
        ("learning_rate", {"learning_rate": 0.0}),
        ("learning_rate", {"learning_rate": np.nan}),
        ("learning_rates", {"learning_rates": ()}),
        ("learning_rates", {"learning_rates": (0.1, -0.1)}),
        ("momentum", {"momentum": 1.0}),
        ("weight_decay", {"weight_decay": -0.1}),
        ("temperature", {"temperature": 0.0}),
        ("order", {"order": "synchronous"}),
        ("connections", {"connections": "none"}),
        ("seed", {"seed": -1}),
    ],
)
def test_wrong_options_are_named(subject, changed):
    with pytest.raises(InputError) as caught:
        options(**changed)
    assert caught.value.subject == subject


@pytest.mark.parametrize("data", [XOR[:, :2], 2 * XOR, 2 * XOR - 1, np.zeros((0, 3)), XOR + 0.5])
def test_wrong_data_are_named(data):
    with pytest.raises(InputError) as caught:
        fit(random_machine(3, 1, seed=1), data, options())
    assert caught.value.subject == "data"


def test_random_machines_have_the_spread_asked_for():
    """40,000 couplings: their variance lies within 6 of its own standard deviations of sqrt(2/n)."""
    model = random_machine(200, 83, weight_scale=0.5, bias_scale=0.0, seed=3)
    couplings = model.couplings[np.triu_indices(283, 1)]
    assert np.var(couplings) / 0.25 == pytest.approx(1.0, abs=6 * np.sqrt(2 / couplings.size))
    assert np.array_equal(model.couplings, model.couplings.T)
    assert not model.bias.any()
    other = random_machine(200, 83, weight_scale=0.5, seed=4)
    assert not np.array_equal(other.couplings, model.couplings)
