"""The figure of a capacity study: its points and intervals, unfinished ones, one size, one load."""

import numpy as np
import pytest
from matplotlib.container import ErrorbarContainer

from hopsim.errors import InputError
from hopsim.plots.figures import draw_figure, save_figure
from hopsim.theory.hopfield import retrieval_overlap


def bars(axes):
    """Points and both ends of their vertical error bars, for each series with a label."""
    for container in axes.containers:
        assert isinstance(container, ErrorbarContainer)
        if container.get_label() and not container.get_label().startswith("_"):
            ends = np.array([segment[:, 1] for segment in container.lines[2][0].get_segments()])
            yield container.lines[0].get_xydata(), ends


def labels(axes):
    return [text.get_text() for text in axes.get_legend().get_texts()]


def test_points_and_bars_are_those_of_the_records(capacity_run):
    run = capacity_run(loads=(0.20, 0.101, 0.16))  # neither in order nor whole numbers of patterns
    overlaps, retrieval, sizes = draw_figure(run).axes
    records = run.records
    for i, ((mean, mean_ends), (fraction, interval)) in enumerate(
        zip(bars(overlaps), bars(retrieval), strict=True)
    ):
        order = [1, 2, 0]
        load = records["n_patterns"][i, order] / records["n_neurons"][i]
        assert np.array_equal(mean[:, 0], load)
        assert np.array_equal(fraction[:, 0], load)
        assert np.array_equal(mean[:, 1], records["overlap_mean"][i, order])
        assert np.array_equal(fraction[:, 1], records["retrieval_fraction"][i, order])
        half = np.diff(mean_ends, axis=1)[:, 0] / 2
        assert half == pytest.approx(records["overlap_se"][i, order], abs=1e-12)
        assert interval[:, 0] == pytest.approx(records["retrieval_low"][i, order], abs=1e-12)
        assert interval[:, 1] == pytest.approx(records["retrieval_high"][i, order], abs=1e-12)
    drawn = list(bars(sizes))
    assert np.vstack([points for points, _ in drawn])[:, 0] == pytest.approx([500**-0.5, 1000**-0.5, 0.0])
    assert np.vstack([ends for _, ends in drawn])[-1] == pytest.approx([0.137, 0.143])


def test_legends_name_sizes_and_critical_loads(capacity_run):
    overlaps, retrieval, sizes = draw_figure(capacity_run()).axes
    assert labels(overlaps) == [r"mean field, $N \to \infty$, $T$ = 0", "$N$ = 500", "$N$ = 1,000"]
    assert labels(retrieval)[0] == r"mean field: $\alpha_c$ = 0.1379"
    assert labels(retrieval)[2] == r"$N$ = 1,000: $\alpha_c$ = 0.1621 (0.1611–0.1641)"
    assert labels(sizes)[-1] == r"$N \to \infty$: $\alpha_c$ = 0.1400 (0.1370–0.1430)"


def test_the_theory_is_drawn_at_the_temperature_of_the_run(capacity_run):
    """Its curve is that of T = 0.2, and success is told from the theory, not from `success`."""
    run = capacity_run(configuration={"temperature": 0.2}, alpha_c_theory=np.float64(0.12255886))
    overlaps, retrieval, _ = draw_figure(run).axes
    load, overlap = overlaps.lines[0].get_data()
    assert overlap == pytest.approx(retrieval_overlap(load, 0.2), abs=1e-12)
    assert overlaps.get_ylabel() == "time-averaged overlap $m$"
    assert "mean field" in retrieval.get_ylabel()


def test_without_theory_there_is_no_curve(capacity_run):
    """The pseudo-inverse rule has none in the file."""
    run = capacity_run(configuration={"rule": "pseudo_inverse"}, alpha_c_theory=np.float64(np.nan))
    figure = draw_figure(run)
    assert "pseudo-inverse rule" in figure.get_suptitle()
    for axes in figure.axes:
        assert not any("mean field" in label for label in labels(axes))


def test_unfinished_points_and_unknown_critical_loads_are_left_out(capacity_run, tmp_path):
    nan = np.nan
    unfinished = np.array([[1.0, 0.9, 0.4, 0.0], [1.0, nan, nan, nan]])
    changed = {
        name: unfinished for name in ("overlap_mean", "retrieval_fraction", "retrieval_low", "retrieval_high")
    }
    for name in ("alpha_c", "alpha_c_low", "alpha_c_high"):
        changed[name] = np.array([0.16, nan])
    for name in ("alpha_c_infinite", "alpha_c_infinite_low", "alpha_c_infinite_high"):
        changed[name] = np.float64(nan)
    run = capacity_run(complete=False, overlap_se=np.full((2, 4), nan), **changed)
    save_figure(run, tmp_path / "figure.png", force=False)
    figure = draw_figure(run)
    assert len(figure.axes) == 2  # one critical load makes no panel over the size
    assert labels(figure.axes[1])[-1] == "$N$ = 1,000"


def test_nothing_finished_is_drawn_empty(capacity_run, tmp_path):
    names = ("overlap_mean", "overlap_se", "retrieval_fraction", "retrieval_low", "retrieval_high")
    nothing = {name: np.full((1, 2), np.nan) for name in names}
    for name in ("alpha_c", "alpha_c_low", "alpha_c_high"):
        nothing[name] = np.full(1, np.nan)
    run = capacity_run(n_neurons=(500,), loads=(0.1, 0.2), complete=False, **nothing)
    save_figure(run, tmp_path / "figure.png", force=False)


def test_one_size_and_one_load_are_drawn(capacity_run, tmp_path):
    run = capacity_run(n_neurons=(500,), loads=(0.1,))
    save_figure(run, tmp_path / "figure.png", force=False)
    assert len(draw_figure(run).axes) == 2


def test_many_sizes_each_look_different(capacity_run):
    run = capacity_run(n_neurons=tuple(range(100, 1000, 100)))
    lines = [container.lines[0] for container in draw_figure(run).axes[0].containers]
    assert len({(line.get_color(), line.get_marker()) for line in lines}) == 9


def test_an_interval_that_rounding_put_beyond_its_value_is_drawn(capacity_run):
    """Matplotlib refuses error bars of negative length."""
    fraction = np.full((1, 1), 0.3)
    run = capacity_run(
        n_neurons=(500,), loads=(0.1,), retrieval_fraction=fraction, retrieval_low=np.nextafter(fraction, 1)
    )
    draw_figure(run)


def test_a_network_without_neurons_is_refused(capacity_run):
    run = capacity_run(n_neurons=(500, 1000))
    run.records["n_neurons"][0] = 0
    with pytest.raises(InputError, match=r"^run.h5: holds a network without neurons"):
        draw_figure(run)
