"""The commands `train` and `gradient`: results, resumption after signals and kills, divergence, wrong input."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import training_program
from click.testing import CliRunner
from same_records import assert_same_data

from hopsim.datasets.machine_files import read_boltzmann
from hopsim.storage.run_file import open_run

SCRIPT = Path(training_program.__file__)
ENVIRONMENT = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


@pytest.fixture(autouse=True)
def in_a_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("xor.txt").write_text("000\n011\n101\n110\n")


def invoke(line):
    return CliRunner().invoke(training_program.program, shlex.split(line))


def test_training_is_printed_and_written():
    result = invoke("train xor.txt --n-hidden 2 --phases exact --n-epochs 30 --seed 1 --out m.h5")
    assert result.exit_code == 0
    assert result.stderr.endswith("hopsim: wrote m.h5\n")
    lines = result.stdout.splitlines()
    assert lines[0].split()[:2] == ["epoch", "rate"]
    assert lines[1].split()[0] == "0"
    assert lines[-2].split()[0] == "30"
    assert lines[-1] == "3 visible and 2 hidden units, 30 steps"
    run = open_run(Path("m.h5"))
    assert run.complete
    assert run.experiment == "boltzmann_train"
    assert read_boltzmann("m.h5").n_visible == 3


def test_json_is_one_object():
    result = invoke("train xor.txt --n-hidden 1 --n-epochs 2 --json --quiet")
    found = json.loads(result.stdout)
    assert (found["n_visible"], found["n_hidden"]) == (3, 1)
    assert (found["n_epochs"], found["n_steps"], found["out"]) == (2, 2, None)
    assert found["log_likelihood"] < 0
    assert result.stderr == ""


def test_the_seed_that_was_drawn_gives_the_same_again():
    assert invoke("train xor.txt --n-hidden 1 --n-epochs 3 --out a.h5").exit_code == 0
    words = shlex.split(open_run(Path("a.h5")).attributes["command"])
    again = shlex.join([*words[1:], "--force"])
    first = open_run(Path("a.h5")).records["couplings"]
    assert invoke(again).exit_code == 0
    assert np.array_equal(open_run(Path("a.h5")).records["couplings"], first)


def test_an_existing_file_needs_resume_or_force():
    line = "train xor.txt --n-epochs 2 --seed 1 --out m.h5"
    assert invoke(line).exit_code == 0
    result = invoke(line)
    assert result.exit_code == 2
    assert result.stderr.startswith("Error: --out: m.h5 exists")
    assert invoke(f"{line} --resume").exit_code == 0
    assert invoke(f"{line} --force").exit_code == 0


def test_resume_takes_the_seed_of_the_file_and_refuses_other_options():
    assert invoke("train xor.txt --n-epochs 2 --out m.h5").exit_code == 0
    assert invoke("train xor.txt --n-epochs 2 --out m.h5 --resume").exit_code == 0
    result = invoke("train xor.txt --n-epochs 3 --out m.h5 --resume")
    assert result.exit_code == 2
    assert result.stderr == (
        "Error: --resume: m.h5 was run with n_epochs = 2, not 3; leave it as it was, or name another file\n"
    )
    assert invoke("train xor.txt --resume").stderr == "Error: --resume: needs --out, the file to go on with\n"


def test_divergence_is_one_line_and_the_last_good_checkpoint_is_kept():
    line = "train xor.txt --n-hidden 1 --weight-scale 1 --learning-rate {} --seed 1 --out m.h5 --n-epochs {}"
    result = invoke(line.format("1e6", 5))
    assert (result.exit_code, result.stdout) == (1, "")
    assert re.fullmatch(
        r"Error: \w+: diverged at step 1: the largest reached \S+, and 10000 is the limit; "
        r"lower the learning rate \(1e\+06\)\n",
        result.stderr,
    )
    run = open_run(Path("m.h5"))
    assert not run.complete
    assert int(run.records["step"]) == 0
    assert np.abs(read_boltzmann("m.h5").couplings).max() < 10


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_run_that_was_stopped_goes_on_to_the_same_bits(number):
    """A real process that writes a checkpoint after every step, stopped after some of them."""
    line = "train xor.txt --n-hidden 2 --phases persistent --n-epochs 1000 --batch-size 3 --seed 1 --measure-every 500"
    process = subprocess.Popen(
        [sys.executable, SCRIPT, *line.split(), "--out", "m.h5"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=ENVIRONMENT,
        text=True,
    )
    while not (Path("m.h5").exists() and int(open_run(Path("m.h5")).records["step"]) > 5):
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    stopped = open_run(Path("m.h5"))
    assert not stopped.complete
    assert 5 < int(stopped.records["step"]) < 2000
    if number == signal.SIGINT:
        assert process.returncode == 130
        assert "go on with --resume" in errors
    assert invoke(f"{line} --out m.h5 --resume").exit_code == 0
    assert invoke(f"{line} --out whole.h5").exit_code == 0
    assert open_run(Path("m.h5")).complete
    assert_same_data(Path("m.h5"), Path("whole.h5"))


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("train none.txt", "none.txt: cannot be read"),
        ("train xor.txt --phases annealed", "--phases: "),
        ("train xor.txt --n-hidden -1", "--n-hidden: "),
        ("train xor.txt --n-epochs 0", "--n-epochs: "),
        ("train xor.txt --learning-rate 0", "--learning-rate: expected a number above 0"),
        ("train xor.txt --learning-rate nan", "--learning-rate: "),
        ("train xor.txt --momentum 1", "--momentum: expected a number from 0 to below 1"),
        ("train xor.txt --temperature 0", "--temperature: expected a number above 0"),
        ("train xor.txt --batch-size 0", "--batch-size: "),
        ("train xor.txt --machine none.h5", "none.h5: "),
        ("train xor.txt --machine none.h5 --n-hidden 2", "--n-hidden: leave it out"),
        ("train xor.txt --mask none.npy", "none.npy: "),
        ("train xor.txt --n-hidden 29 --free exact", "couplings: enumeration is for at most 30 units"),
        ("train xor.txt --n-hidden 40 --phases exact", "--n-hidden: hidden units are summed out up to 25"),
        ("gradient --n-units 40", "--n-units: "),
        ("gradient --sweeps 3,1", "--sweeps: expected numbers from 1 on, ascending"),
        ("gradient --temperature 0", "--temperature: "),
    ],
)
def test_wrong_input_is_one_line(line, says):
    result = invoke(f"{line} --out m.h5")
    assert result.exit_code == 2
    assert result.stderr.startswith(f"Error: {says}"), result.stderr
    assert result.stderr.count("\n") == 1
    assert not Path("m.h5").exists()


def test_the_gradient_study_is_printed_and_written():
    line = "gradient --n-units 3,4 --n-machines 2 --n-chains 500 --sweeps 1,5 --seed 1"
    result = invoke(f"{line} --out g.h5")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[0].split() == ["k", "|CD-k", "-", "exact|", "quartiles", "cosine"]
    assert "medians over 4 machines" in result.stdout
    found = json.loads(invoke(f"{line} --json").stdout)
    run = open_run(Path("g.h5"))
    assert found["n_machines"] == 4
    assert found["k"] == [1, 5]
    assert found["median"] == run.records["distance_median"].tolist()
    assert found["out"] is None
