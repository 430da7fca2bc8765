"""The figure of a recall: its courses, its states as pictures, and files that hold less of both."""

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from hopsim.errors import InputError
from hopsim.plots import style
from hopsim.plots.figures import draw_figure, save_figure
from hopsim.storage.records import PackedSpins, Records, Variable
from hopsim.storage.run_file import Run

LIGHT = to_rgb("#e6e6e6")


def curves(figure):
    """The panels with named axes: energy above, overlap below."""
    return [axes for axes in figure.axes if axes.get_ylabel() and not axes.images]


def pictures(figure):
    """What each picture shows, as colours of 0 to 1, shape (rows, columns, 3), with its title."""
    return [(axes.get_title(), axes.images[0].get_array() / 255) for axes in figure.axes if axes.images]


def labels(axes):
    return [text.get_text() for text in axes.get_legend().get_texts()]


def colored(picture, color):
    return np.isclose(picture, to_rgb(color), atol=0.005).all(axis=-1)


def test_the_courses_are_those_of_the_records(recall_run):
    run = recall_run()
    energy, overlap = curves(draw_figure(run))
    for trial in range(3):
        assert np.array_equal(energy.lines[trial].get_ydata(), run.records["energy"][trial] / 30)
        assert np.array_equal(overlap.lines[trial].get_ydata(), run.records["overlap"][trial, :, trial])
        assert np.array_equal(energy.lines[trial].get_xdata(), run.records["time"])
    assert energy.lines[3].get_ydata() == pytest.approx(run.records["energy"].mean(axis=0) / 30, abs=1e-12)
    others = np.array([segment[:, 1] for segment in overlap.collections[0].get_segments()])
    expected = [run.records["overlap"][trial, :, mu] for trial in range(3) for mu in range(4) if mu != trial]
    assert np.array_equal(others, expected)
    assert energy.get_ylabel() == "energy per neuron $E/N$"
    assert overlap.get_xlabel() == "time $t$ (sweeps)"


def test_the_end_states_are_named(recall_run):
    energy, overlap = curves(draw_figure(recall_run()))
    assert labels(energy) == ["P0 → stored pattern", "P1 → stored pattern", "P2 → spurious"]
    assert labels(overlap) == ["start pattern", "mean", "other patterns"]


def test_many_trials_are_coloured_by_what_they_fell_into(recall_run):
    ends = ["stored pattern"] * 5 + [
        "mixture of +P0 +P1 -P2",
        "inverse of the mixture of all 12",
        "inverse of P3",
    ]
    ends += ["pattern P1", "uniform +1", "spurious", "unknown"]
    run = recall_run(n_trials=12, end_state=ends)
    energy, _ = curves(draw_figure(run))
    assert labels(energy) == [
        "stored pattern (5)",
        "mixture (2)",
        "inverse (1)",
        "other pattern (1)",
        "uniform (1)",
        "spurious (1)",
        "unknown (1)",
    ]
    lines = energy.collections[0]
    assert np.array_equal([line[:, 1] for line in lines.get_segments()], run.records["energy"] / 30)
    assert [tuple(color[:3]) for color in lines.get_colors()[:6]] == [to_rgb(style.BLUE)] * 5 + [
        to_rgb(style.GREEN)
    ]


def test_the_title_says_what_was_run(recall_run):
    title = draw_figure(recall_run(configuration={"rule": "storkey", "order": "sequential"})).get_suptitle()
    for part in ("N = 30", "P = 4", "α = 0.133", "T = 0", "Storkey rule", "sequential updates"):
        assert part in title


def test_pictures_show_the_states_and_where_they_differ_from_the_pattern(recall_run):
    run = recall_run(n_trials=2)
    shown = pictures(draw_figure(run))
    assert [title for title, _ in shown[:5]] == ["stored", "start", "$t$ = 1", "$t$ = 2", "end"]
    state, patterns = run.records["state"], run.records["pattern_state"]
    for trial in range(2):
        for time in range(4):
            picture = shown[5 * trial + 1 + time][1]
            assert picture.shape == (6, 5, 3)
            spins, wrong = (
                x.reshape(6, 5) for x in (state[trial, time], state[trial, time] != patterns[trial])
            )
            assert np.array_equal(colored(picture, style.BLACK), (spins > 0) & ~wrong)
            assert np.array_equal(colored(picture, LIGHT), (spins < 0) & ~wrong)
            assert np.array_equal(colored(picture, style.VERMILLION), (spins > 0) & wrong)
            assert np.array_equal(colored(picture, style.ORANGE), (spins < 0) & wrong)


def test_neurons_that_form_no_picture_show_where_they_differ(recall_run):
    run = recall_run(shape=None, n_neurons=28)
    shown = pictures(draw_figure(run))
    assert [title for title, _ in shown[:4]] == ["start", "$t$ = 1", "$t$ = 2", "end"]
    picture = shown[0][1]
    assert picture.shape == (5, 6, 3)
    wrong = run.records["state"][0, 0] != run.records["pattern_state"][0]
    assert np.array_equal(colored(picture, style.VERMILLION).ravel()[:28], wrong)
    assert colored(picture, "white").ravel()[28:].all()


def test_of_many_neurons_times_and_trials_some_are_shown(recall_run):
    run = recall_run(n_trials=9, shape=None, n_neurons=5000, n_times=80)
    figure = draw_figure(run)
    shown = pictures(figure)
    assert len(shown) == 6 * 5
    assert [title for title, _ in shown[:5]] == ["start", "$t$ = 1", "$t$ = 4", "$t$ = 18", "end"]
    assert shown[0][1].shape == (64, 64, 3)
    headings = [part.get_suptitle() for part in figure.subfigs]
    assert headings[1] == "States of the first 6 trials, first 4,096 neurons"


def test_packed_states_give_the_same_pictures(recall_run):
    run = recall_run()
    schema = dict(run.records.variables)
    schema["state"] = Variable(schema["state"].dims, "spins", packed=True)
    arrays = {name: run.records[name] for name in run.records}
    arrays["state"] = PackedSpins.pack(arrays["state"])
    packed = Run(run.path, run.experiment, run.configuration, Records(schema, arrays), {}, True)
    for (title, a), (_, b) in zip(pictures(draw_figure(run)), pictures(draw_figure(packed)), strict=True):
        assert np.array_equal(a, b), title


def test_an_image_of_another_size_than_the_neurons_is_no_picture(recall_run):
    shown = pictures(draw_figure(recall_run(image_rows=np.int64(7))))
    assert shown[0][0] == "start"


LESS = {
    "no states": ("state",),
    "no patterns to compare with": ("pattern_state",),
    "no names": ("pattern_name", "pattern_state"),
    "no courses": ("state", "time", "overlap", "energy"),
    "no patterns": ("overlap", "pattern_name", "pattern_state"),
    "only ends": ("state", "time", "overlap", "energy", "pattern_state", "image_rows", "image_columns"),
}


@pytest.mark.parametrize("n_trials", [1, 8])
@pytest.mark.parametrize("without", LESS.values(), ids=LESS.keys())
def test_files_that_hold_less_are_drawn(without, n_trials, recall_run, tmp_path):
    starts = np.full(n_trials, -1) if "overlap" in without else np.arange(n_trials) % 4
    run = recall_run(n_trials=n_trials, without=without, start_pattern=starts)
    save_figure(run, tmp_path / "figure.png", force=False)
    figure = draw_figure(run)
    assert curves(figure)
    assert bool(pictures(figure)) == ("state" not in without)


def test_without_courses_start_and_end_of_each_trial_are_drawn(recall_run):
    run = recall_run(without=("state", "time", "overlap", "energy"))
    energy, overlap = curves(draw_figure(run))
    assert np.array_equal(energy.collections[0].get_offsets()[:, 1], run.records["energy_final"] / 30)
    start, end = overlap.collections[1:]
    assert np.array_equal(start.get_offsets()[:, 1], run.records["overlap_initial"])
    assert np.array_equal(end.get_offsets()[:, 1], run.records["overlap_final"])
    assert overlap.get_xlabel() == "trial"


def test_a_trial_without_a_start_pattern_follows_the_nearest(recall_run):
    """Its overlap shown is that with the pattern it is nearest to in the end, in absolute value."""
    run = recall_run(n_trials=2, start_pattern=np.array([0, -1]))
    figure = draw_figure(run)
    energy, overlap = curves(figure)
    nearest = np.abs(run.records["overlap"][1, -1]).argmax()
    assert np.array_equal(overlap.lines[1].get_ydata(), run.records["overlap"][1, :, nearest])
    assert labels(overlap)[0] == "start or nearest"
    assert labels(energy)[1] == "probe → spurious"
    stored = pictures(figure)[5][1]
    assert colored(stored, "white").all()  # the second row has no stored pattern to show


def test_the_overlaps_with_very_many_patterns_are_a_band(recall_run):
    run = recall_run(n_trials=2, n_patterns=150)
    _, overlap = curves(draw_figure(run))
    band = overlap.collections[0].get_paths()[0].vertices
    others = [np.delete(run.records["overlap"][trial], trial, axis=1) for trial in range(2)]
    assert band[:, 1].max() == np.max(others)
    assert band[:, 1].min() == np.min(others)


def test_one_pattern_has_no_others(recall_run):
    _, overlap = curves(draw_figure(recall_run(n_trials=1, n_patterns=1)))
    assert labels(overlap) == ["start pattern"]


def test_missing_numbers_are_gaps(recall_run, tmp_path):
    run = recall_run()
    run.records["overlap"][0, 2:] = np.nan
    run.records["energy"][:, 3] = np.nan
    save_figure(run, tmp_path / "figure.png", force=False)


def test_names_from_the_file_are_drawn_as_they_are(recall_run, tmp_path):
    r"""Dollars are no mathematics, an odd one no error; long names and line breaks are cut."""
    names = ["$\\frac{", "two\nlines", "long " * 20, ""]
    run = recall_run(pattern_name=names, end_state=["$", "mixture of +$x^ -$y", "spurious"])
    save_figure(run, tmp_path / "figure.png", force=False)
    energy, _ = curves(draw_figure(run))
    assert labels(energy)[1] == r"two?lines → mixture of +\$x^ -\$y"


@pytest.mark.parametrize("start", [-2, 4])
def test_a_start_pattern_that_is_none_is_refused(start, recall_run):
    with pytest.raises(InputError, match=r"^run.h5: a start_pattern is not among its 4 patterns"):
        draw_figure(recall_run(start_pattern=np.array([0, 1, start])))


def test_a_run_without_a_trial_is_refused(recall_run):
    run = recall_run()
    arrays = {
        name: run.records[name] for name in run.records if "trial" not in run.records.variables[name].dims
    }
    for name, variable in run.records.variables.items():
        if "trial" in variable.dims:
            arrays[name] = run.records[name][:0]
    empty = Run(run.path, run.experiment, {}, Records(run.records.variables, arrays), {}, False)
    with pytest.raises(InputError, match=r"^run.h5: holds no trial, so there is nothing to draw"):
        draw_figure(empty)
