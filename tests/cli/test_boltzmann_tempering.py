"""`hopsim boltzmann temper|ground-states` through real files."""

import json

import pytest
import xarray as xr
from click.testing import CliRunner

from hopsim.storage.run_file import open_run
from hopsim_cli.main import program


@pytest.fixture(autouse=True)
def in_a_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def invoke(line):
    return CliRunner().invoke(program, ["boltzmann", *line.split()])


def test_tempering_prints_writes_and_is_drawn():
    line = "temper --model sk:10 --temperature 0.5 --n-temperatures 4 --n-sweeps 60 --ladder adapted --seed 1"
    result = invoke(f"{line} --json --quiet --out run.h5")
    assert result.exit_code == 0, result.output
    printed = json.loads(result.stdout)
    records = open_run("run.h5").records
    assert printed["n_draws"] == 60
    assert len(printed["temperatures"]) == 4
    assert printed["temperatures"][0] == 0.5
    assert len(printed["swap_rate"]) == 3
    assert printed["round_trips"] == records["round_trips"].sum()
    assert printed["energy_mean"] == records["energy"].mean()
    with xr.open_dataset("run.h5", group="posterior") as posterior:
        assert posterior["state"].dims == ("chain", "draw", "unit")
    drawn = CliRunner().invoke(program, ["plot", "run.h5"])
    assert drawn.exit_code == 0, drawn.output
    assert "round trips of the ladder" in invoke(line).stdout


def test_ground_states_are_printed_written_and_drawn():
    line = "ground-states --models sk:8,sk:26 --n-instances 1 --n-groups 3 --n-sweeps 20 --seed 1"
    result = invoke(f"{line} --json --quiet --out run.h5")
    assert result.exit_code == 0, result.output
    rows = json.loads(result.stdout)["rows"]
    assert [row["known_by"] for row in rows] == ["enumeration", "lowest found"]
    assert rows[0]["tempering"] == 1
    assert CliRunner().invoke(program, ["plot", "run.h5"]).exit_code == 0
    assert invoke(line).stdout.splitlines()[2].split()[:2] == ["sk:8", "enumeration"]


@pytest.mark.parametrize(
    ("line", "option"),
    [
        ("temper --model sk:10 --temperature 0", "--temperature"),
        ("temper --model sk:10 --t-max 0.5", "--t-max"),
        ("temper --model sk:10 --n-temperatures 1", "--n-temperatures"),
        ("temper --model sk:10 --ladder rope", "--ladder"),
        ("temper --model sk:10 --order coloured", "--order"),
        ("ground-states --models ising:4x4", "--models"),
        ("ground-states --models sk:x", "--models"),
        ("ground-states --n-groups 0", "--n-groups"),
    ],
)
def test_wrong_input_is_one_line(line, option):
    result = invoke(f"{line} --quiet")
    assert result.exit_code == 2, result.output
    assert result.stderr.count("\n") == 1
    assert option in result.stderr
