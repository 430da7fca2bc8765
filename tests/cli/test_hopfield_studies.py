"""`hopsim hopfield capacity`, `phase`, `basins` and `scaling`: what their options are, print and refuse."""

import json

import click
import pytest
import xarray
from click.testing import CliRunner
from same_records import assert_same_records

from hopsim.plots.figures import draw_figure
from hopsim.storage.run_file import open_run
from hopsim.sweeps.studies import STUDIES, study
from hopsim_cli.main import program

REQUIRED = {
    "capacity": {"n_neurons": (100,), "loads": (0.1,)}
}  # fields that only the command has a default for
SMALL = {
    "capacity": "--n-neurons 60,90 --loads 0.1,0.2,0.3 --n-networks 3 --n-trials 2",
    "phase": "--n-neurons 60,90 --loads 0.05,0.1 --temperatures 0:1.2:0.3 --n-networks 3 --burn-in 5 --n-sweeps 5",
    "basins": "--n-neurons 60,90 --loads 0.05,0.1 --start-overlaps 0.1:1:0.3 --n-networks 3 --n-trials 2",
    "scaling": "--n-neurons 200,300,400 --n-loads 5 --n-networks 8",
}
RESULTS = {
    "capacity": {"points", "alpha_c", "alpha_c_infinite", "theory"},
    "phase": {"points", "boundary", "theory"},
    "basins": {"points", "basins", "theory"},
    "scaling": {"points", "alpha_c", "alpha_c_infinite", "fits", "theory"},
}


def hopfield(*words):
    return CliRunner().invoke(program, ["hopfield", *map(str, words)], catch_exceptions=False)


@pytest.mark.parametrize("name", STUDIES)
def test_defaults_are_those_of_the_configuration(name):
    """The command and Python run the same study."""
    command = program.get_command(None, "hopfield").commands[name]
    context = click.Context(command)
    expected = study(name).CONFIGURATION(seed=1, **REQUIRED.get(name, {}))
    fields = set(expected.__struct_fields__) - {"seed", "threads"} - REQUIRED.get(name, {}).keys()
    options = {parameter.name: parameter for parameter in command.params}
    assert fields <= options.keys()
    for field in fields:
        default = options[field].type_cast_value(context, options[field].get_default(context))
        assert default == getattr(expected, field), field


@pytest.mark.parametrize("name", STUDIES)
def test_a_study_from_the_command_to_the_figure(name, tmp_path):
    """Its result as text and JSON, its file in xarray, its figure; resumed with nothing to do it stays as it is."""
    path = tmp_path / "run.h5"
    line = [name, *SMALL[name].split(), "--seed", 3]
    result = hopfield(*line, "--quiet")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "N" in result.stdout
    result = hopfield(*line, "--json", "--out", path)
    assert result.exit_code == 0
    printed = json.loads(result.stdout)
    assert RESULTS[name] <= printed.keys()
    assert printed["out"] == str(path)
    events = [json.loads(line)["event"] for line in result.stderr.splitlines() if line.startswith("{")]
    assert (events[0], events[-1]) == ("begin", "end")
    run = open_run(path)
    assert run.complete
    with xarray.open_dataset(path) as data:
        assert data.overlap.dims == (*study(name).GRID, "network", "trial")
        assert data.sizes["network"] == data.finished.sum(axis=-1).max()
    draw_figure(run)
    result = hopfield(*line[:-2], "--resume", "--json", "--out", path)
    again = open_run(path)
    assert again.configuration["seed"] == 3
    assert '"n_finished":' in result.stderr
    assert_same_records(run.records, again.records)


@pytest.mark.parametrize("name", STUDIES)
def test_shares_of_a_study_need_a_seed(name, tmp_path):
    result = hopfield(name, *SMALL[name].split(), "--shard", "0/2", "--out", tmp_path / "run.h5")
    assert result.exit_code == 2
    assert result.stderr == "Error: --seed: missing; all shares of a sweep need the same\n"


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("phase --temperatures 0.1,-1", "--temperatures: expected a number, 0 or larger"),
        ("phase --loads 1e-9", "--loads: load 1e-09 of 500 neurons rounds to no pattern"),
        ("phase --burn-in -1", "--burn-in: expected a whole number, 0 or larger"),
        ("basins --start-overlaps 0.5,1.5", "--start-overlaps: expected a number from 0 to 1"),
        ("basins --success 0", "--success: expected an overlap between 0 and 1, got 0.0"),
        ("basins --n-neurons 100000000 --loads 0.1", "--n-neurons: "),
        ("scaling --n-loads 1", "--n-loads: expected a whole number, 2 or larger"),
        ("scaling --n-loads 1e12", "--n-loads: expected 2 to 1000, got 1000000000000"),
        (
            "scaling --n-neurons 10",
            "--n-neurons: 10 neurons are too few for 9 different loads around alpha_c",
        ),
        ("scaling --n-neurons 500,500", "--n-neurons: 500 is given twice"),
    ],
)
def test_what_cannot_be_run_is_one_line(line, problem, tmp_path):
    result = hopfield(*line.split(), "--out", tmp_path / "run.h5", "--quiet")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith(f"Error: {problem}")
    assert result.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())
