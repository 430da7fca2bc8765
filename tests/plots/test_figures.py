"""Any hopsim file to its figure, any figure to a file, and files that hold something else."""

import importlib
import subprocess
import sys
from datetime import UTC, datetime

import matplotlib
import numpy as np
import pytest
from PIL import Image

from hopsim.errors import InputError
from hopsim.plots.figures import FIGURES, draw_figure, save_figure
from hopsim.storage.records import Records, Variable
from hopsim.storage.run_file import Run, open_run, write_run


def the_run(name, request):
    return request.getfixturevalue(f"{name}_run")()


@pytest.mark.parametrize("name", ["recall", "capacity", "theory"])
def test_every_experiment_has_a_figure_with_named_axes_and_a_legend(name, request):
    figure = draw_figure(the_run(name, request))
    assert figure.get_suptitle()
    panels = [axes for axes in figure.axes if axes.get_xlabel()]
    assert len(panels) >= 1 + (name != "recall")
    for axes in panels:
        assert axes.get_ylabel()
        assert axes.get_legend().get_texts()


@pytest.mark.parametrize("ending", ["png", "pdf", "svg", "PNG"])
@pytest.mark.parametrize("name", ["recall", "capacity", "theory"])
def test_figures_are_saved_in_the_format_of_the_ending(name, ending, request, tmp_path):
    path = tmp_path / f"figure.{ending}"
    save_figure(the_run(name, request), path, force=False)
    start = {"png": b"\x89PNG", "pdf": b"%PDF", "svg": b"<?xml"}[ending.lower()]
    assert path.read_bytes().startswith(start)
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]
    if ending == "png":
        with Image.open(path) as image:
            assert image.size[0] > 2000  # sharp on a projector


@pytest.mark.parametrize("name", ["recall", "capacity", "theory"])
def test_a_run_read_from_its_file_gives_the_same_picture(name, request, tmp_path):
    """Bit for bit, so nothing is lost on the way through the file."""
    run = the_run(name, request)
    write_run(
        tmp_path / "run.h5",
        run.records,
        experiment=run.experiment,
        configuration=run.configuration,
        seed=1,
        command=None,
        started=datetime.now(UTC),
    )
    save_figure(run, tmp_path / "a.png", force=False)
    save_figure(open_run(tmp_path / "run.h5"), tmp_path / "b.png", force=False)
    with Image.open(tmp_path / "a.png") as a, Image.open(tmp_path / "b.png") as b:
        assert np.array_equal(np.asarray(a), np.asarray(b))


@pytest.mark.parametrize("experiment", FIGURES)
def test_the_figures_expect_what_the_experiments_write(experiment):
    """Every figure is that of an experiment and asks for nothing but what that one writes."""
    figure = importlib.import_module(f"hopsim.plots.{experiment}")
    module = importlib.import_module(f"hopsim.experiments.{experiment}")
    assert experiment == module.EXPERIMENT
    assert FIGURES[experiment] is figure.draw
    assert figure.EXPECTED
    for name, expected in figure.EXPECTED.items():
        assert module.VARIABLES[name].dims == expected.dims, name


def test_drawing_leaves_the_settings_of_matplotlib_alone_and_loads_no_pyplot(theory_run):
    before = dict(matplotlib.rcParams)
    draw_figure(theory_run())
    assert dict(matplotlib.rcParams) == before
    script = "import sys, hopsim.plots.figures; sys.exit('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_an_existing_file_is_kept_unless_forced(theory_run, tmp_path):
    path = tmp_path / "figure.png"
    path.write_text("mine")
    with pytest.raises(InputError, match=r"^out: .*figure.png exists"):
        save_figure(theory_run(), path, force=False)
    assert path.read_text() == "mine"
    save_figure(theory_run(), path, force=True)
    assert path.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("name", ["figure", "figure.h5", "figure.docx"])
def test_an_ending_that_names_no_format_is_refused(name, theory_run, tmp_path):
    with pytest.raises(InputError, match=r"^out: .*names no format for a figure; expected .*\.png"):
        save_figure(theory_run(), tmp_path / name, force=True)
    assert list(tmp_path.iterdir()) == []


def test_a_directory_that_is_missing_is_refused(theory_run, tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        save_figure(theory_run(), tmp_path / "none" / "figure.png", force=False)


def with_records(run: Run, records: Records, configuration: dict | None = None) -> Run:
    return Run(run.path, run.experiment, configuration or run.configuration, records, {}, run.complete)


def changed(run: Run, name: str, variable: Variable | None, array) -> Records:
    """Records of a run with one variable replaced, or left out."""
    arrays = {other: run.records[other] for other in run.records if other != name}
    if variable is None:
        return Records(run.records.variables, arrays)
    return Records({**run.records.variables, name: variable}, arrays | {name: array})


def test_an_experiment_without_a_figure_is_refused(theory_run):
    run = theory_run()
    with pytest.raises(
        InputError, match=r"^run.h5: is a run of 'weather', which has no figure; expected one of"
    ):
        draw_figure(Run(run.path, "weather", {}, run.records, {}, True))


@pytest.mark.parametrize("name", ["recall", "capacity", "theory"])
def test_files_that_hold_something_else_are_refused_by_name(name, request):
    """Each required variable missing, of other dimensions, of another type: the error says which."""
    run = the_run(name, request)
    expected = sys.modules[FIGURES[run.experiment].__module__].EXPECTED
    needed = [name for name, variable in expected.items() if variable.required and variable.dims != (name,)]
    assert len(needed) >= 5
    for variable in needed:
        dims = expected[variable].dims
        with pytest.raises(InputError, match=rf"^run.h5: holds no {variable}; "):
            draw_figure(with_records(run, changed(run, variable, None, None)))
        with pytest.raises(InputError, match=rf"^run.h5: {variable} has dimensions \(other\); expected \("):
            draw_figure(with_records(run, changed(run, variable, Variable(("other",), "x"), [1.0])))
        flags = np.zeros([run.records.sizes[dim] for dim in dims], bool)
        with pytest.raises(InputError, match=rf"^run.h5: {variable} holds bool; expected "):
            draw_figure(with_records(run, changed(run, variable, Variable(dims, "x"), flags)))


@pytest.mark.parametrize("name", ["recall", "capacity"])
@pytest.mark.parametrize("temperature", [-1.0, "cold", None])
def test_a_configuration_that_makes_no_sense_is_refused(name, temperature, request):
    run = the_run(name, request)
    with pytest.raises(InputError, match=r"^run.h5: its configuration cannot be used: .*temperature"):
        draw_figure(with_records(run, run.records, {"temperature": temperature}))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -0.1])
def test_a_coordinate_that_makes_no_sense_is_refused(bad, theory_run):
    run = theory_run()
    loads = Variable(("load",), "load")
    with pytest.raises(InputError, match=r"^run.h5: a load is negative or not finite"):
        draw_figure(with_records(run, changed(run, "load", loads, np.array([0.1, 0.2, bad]))))


def test_an_interrupted_run_says_so(capacity_run):
    assert "interrupted" in draw_figure(capacity_run(complete=False)).get_suptitle()
    assert "interrupted" not in draw_figure(capacity_run()).get_suptitle()
