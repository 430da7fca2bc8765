"""`hopsim boltzmann encoder|shifter|xor|classics` and `train --recipe 1985` through real files."""

import json

import numpy as np
import pytest
import xarray as xr
from click.testing import CliRunner

import hopsim
from hopsim.storage.run_file import open_run
from hopsim_cli.main import program


def invoke(line):
    return CliRunner().invoke(program, ["boltzmann", *line.split()])


@pytest.fixture(autouse=True)
def in_a_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_the_encoder_prints_writes_and_is_drawn():
    result = invoke("encoder 4-2-4 --n-runs 20 --n-cycles 150 --seed 1 --json --quiet --out run.h5")
    assert result.exit_code == 0, result.output
    printed = json.loads(result.stdout)
    records = open_run("run.h5").records
    assert printed["n_runs"] == 20
    assert printed["n_solved"] == records["solved"].sum() > 0
    assert printed["median_cycles"] == np.median(records["cycles"][records["solved"]])
    assert printed["max_cycles"] == np.nanmax(records["cycles"])
    assert printed["out"] == "run.h5"
    with xr.open_dataset("run.h5") as dataset:
        assert dataset["code"].dims == ("run", "pattern", "hidden_unit")
    assert CliRunner().invoke(program, ["plot", "run.h5"]).exit_code == 0
    assert "runs solved within 150 cycles" in invoke("encoder --n-runs 20 --n-cycles 150 --seed 1").stdout


@pytest.mark.slow
def test_shifter_and_xor_print_write_and_are_drawn():
    for line in (
        "shifter --n-runs 2 --n-cycles 100 --seed 1 --out shifter.h5",
        "xor --n-hidden 1 --n-starts 1 --seed 1 --out xor.h5",
    ):
        result = invoke(line)
        assert result.exit_code == 0, result.output
        as_json = invoke(f"{line} --force --json --quiet")
        assert json.loads(as_json.stdout)["out"] == line.split()[-1]
        assert CliRunner().invoke(program, ["plot", line.split()[-1]]).exit_code == 0


def test_the_table_holds_what_was_published(monkeypatch):
    """With the tasks that take no time; a figure of it."""
    from hopsim.experiments import boltzmann_classics

    monkeypatch.setattr(boltzmann_classics, "_RUNS", {"xor": 1})
    result = invoke("classics --seed 1 --out table.h5 --quiet")
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[0].split() == ["task", "quantity", "hopsim", "published"]
    assert result.stdout.splitlines()[3].split()[-2:] == ["0.347", "0.347"]
    rows = json.loads(invoke("classics --seed 1 --json --quiet").stdout)["rows"]
    assert [row["published"] for row in rows] == pytest.approx([2 * np.log(2), np.log(2), np.log(2) / 2, 0])
    assert CliRunner().invoke(program, ["plot", "table.h5"]).exit_code == 0


@pytest.mark.slow
def test_the_recipe_of_1985_trains_a_machine():
    """Steps of 2 at T = 10 are tenths at T = 1; the class learns by it too; it is for 0/1 units."""
    patterns = np.tile(np.eye(4, dtype=int), 2)
    np.savetxt("encoder.txt", patterns, fmt="%d", delimiter="")
    line = "train encoder.txt --n-hidden 2 --recipe 1985 --connections no-hidden-hidden --seed 3 --quiet"
    whole = invoke(f"{line} --n-epochs 30 --out whole.h5")
    assert whole.exit_code == 0, whole.output
    records = open_run("whole.h5").records
    tenths = records["couplings"] * 10
    assert np.abs(tenths - np.rint(tenths)).max() < 1e-12
    assert not (np.rint(tenths) % 2).any()
    fitted = hopsim.BoltzmannMachine(np.zeros((10, 10)), n_visible=8).fit(
        patterns, recipe="1985", connections="no-hidden-hidden", n_epochs=30, seed=3
    )
    assert fitted.couplings.any()
    assert invoke(f"{line} --n-epochs 30 --encoding pm1 --out other.h5").exit_code == 2


@pytest.mark.parametrize(
    ("line", "option"),
    [
        ("encoder 4-2-5", "CODE"),
        ("encoder --n-runs 0", "--n-runs"),
        ("encoder --n-cycles 1.5", "--n-cycles"),
        ("shifter --n-hidden 0", "--n-hidden"),
        ("xor --n-hidden 9", "--n-hidden"),
        ("xor --n-starts 0", "--n-starts"),
        ("classics --n-runs 0", "--n-runs"),
    ],
)
def test_wrong_input_is_one_line(line, option):
    result = invoke(line)
    assert result.exit_code == 2
    assert result.stderr.count("\n") == 1
    assert option.lower() in result.stderr.lower()
