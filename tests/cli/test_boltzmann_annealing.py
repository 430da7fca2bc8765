"""`hopsim boltzmann anneal` through real files."""

import json

import numpy as np
import pytest
import xarray as xr
from click.testing import CliRunner

from hopsim.models.lattices import sherrington_kirkpatrick
from hopsim_cli.main import program


@pytest.fixture(autouse=True)
def in_a_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("W.npy", sherrington_kirkpatrick(10, 1))
    np.save("cool.npy", np.linspace(2, 0.1, 30))
    np.save("wrong.npy", np.array([1.0, np.nan]))


def invoke(line):
    return CliRunner().invoke(program, ["boltzmann", "anneal", *line.split()])


@pytest.mark.parametrize(
    "more", ["", "--schedule linear --n-sweeps 50", "--schedule cool.npy", "--encoding pm1"]
)
def test_the_lowest_energy_is_that_of_enumeration(more):
    """In the machine's own encoding, 0/1 by default; the state printed has the energy."""
    result = invoke(f"--couplings W.npy --n-chains 40 --seed 1 --json --quiet --out run.h5 {more}")
    assert result.exit_code == 0, result.output
    printed = json.loads(result.stdout)
    low = -1 if "pm1" in more else 0
    states = np.where((np.arange(1024)[:, None] >> np.arange(10)) & 1, 1, low)
    couplings = np.load("W.npy")
    assert printed["energy"] == pytest.approx(
        (-0.5 * np.einsum("ci,ij,cj->c", states, couplings, states)).min(), abs=1e-6
    )
    state = np.array(printed["state"])
    assert -0.5 * state @ couplings @ state == pytest.approx(printed["energy"], abs=1e-6)
    assert 1 <= printed["n_best"] <= printed["n_chains"] == 40
    with xr.open_dataset("run.h5") as dataset:
        assert dataset["energy"].dims == ("chain", "look")
    assert CliRunner().invoke(program, ["plot", "run.h5"]).exit_code == 0


def test_lattices_are_annealed_in_colours_and_people_read_the_result():
    result = invoke("--model ising:6x6 --order coloured --seed 1 --n-chains 8 --n-sweeps 200")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("lowest energy  -72.000000")


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ("--t-start 0", "--t-start"),
        ("--t-end -1", "--t-end"),
        ("--t-start 1 --t-end 2", "--t-end"),
        ("--schedule cubic", "--schedule"),
        ("--schedule missing.npy", "missing.npy"),
        ("--schedule wrong.npy", "--schedule"),
        ("--schedule W.npy", "--schedule"),
        ("--schedule cool.npy --n-sweeps 5", "--n-sweeps"),
        ("--n-sweeps 0", "--n-sweeps"),
        ("--n-chains 0", "--n-chains"),
        ("--order coloured", "--order"),
    ],
)
def test_wrong_input_is_one_line(more, named):
    result = invoke(f"--couplings W.npy --seed 1 {more}")
    assert result.exit_code == 2
    assert result.stderr.count("\n") == 1
    assert named in result.stderr
