"""Running an experiment: its file, its progress, and how it stops."""

import json
import os
import pty
import resource
import shlex
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest
import squares_program
from click.testing import CliRunner

from hopsim.storage.output_lock import output_lock
from hopsim.storage.run_file import open_run
from hopsim_cli import observers

SCRIPT = Path(squares_program.__file__)
ENVIRONMENT = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


def invoke(*arguments):
    return CliRunner().invoke(squares_program.program, ["square", "numbers", *map(str, arguments)])


def start(*arguments, **settings):
    command = [sys.executable, SCRIPT, "square", "numbers", *map(str, arguments)]
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        **{"stderr": subprocess.PIPE, "env": ENVIRONMENT, "text": True} | settings,
    )


def wait_for(process, line):
    while (heard := process.stderr.readline()) != line:
        assert heard, "the process ended"


def test_a_run_is_printed_and_written_with_the_command_that_repeats_it(tmp_path):
    path = tmp_path / "a b.h5"
    result = invoke("--n-points", 4, "--out", path)
    assert (result.exit_code, result.stdout) == (0, "0 1 4 9\n")
    assert result.stderr == f"hopsim: wrote {path}\n"
    run = open_run(path)
    assert run.complete
    assert run.experiment == "squares"
    assert run.configuration["n_points"] == 4
    assert run.records["square"].tolist() == [0, 1, 4, 9]
    assert [entry.name for entry in tmp_path.iterdir()] == ["a b.h5"]

    # the seed was drawn: it is part of the command, and the command gives the same numbers
    words = shlex.split(run.attributes["command"])
    assert words[-2:] == ["--seed", str(run.attributes["seed"])]
    again = CliRunner().invoke(squares_program.program, [*words[1:], "--force"])
    assert again.exit_code == 0
    assert open_run(path).records["noise"].tolist() == run.records["noise"].tolist()
    assert open_run(path).attributes["command"] == shlex.join([*words, "--force"])


def test_without_out_nothing_is_written_and_out_is_null(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = invoke("--json", "--quiet")
    assert json.loads(result.stdout) == {"squares": [0, 1, 4], "out": None}
    assert result.stderr == ""
    assert list(tmp_path.iterdir()) == []


def test_with_json_only_the_object_is_on_stdout(tmp_path):
    result = invoke("--json", "--say", "--out", tmp_path / "run.h5")
    assert json.loads(result.stdout) == {"squares": [0, 1, 4], "out": str(tmp_path / "run.h5")}
    assert "hopsim: point 2 is done\n" in result.stderr


def test_an_existing_file_is_kept_unless_forced(tmp_path):
    path = tmp_path / "run.h5"
    path.write_text("precious")
    result = invoke("--out", path)
    assert result.exit_code == 2
    assert result.stderr == (
        f"Error: --out: {path} exists; overwrite it with --force or choose another name\n"
    )
    assert path.read_text() == "precious"
    assert invoke("--out", path, "--force").exit_code == 0
    assert open_run(path).complete


def test_two_runs_on_one_output_are_kept_apart(tmp_path):
    path = tmp_path / "run.h5"
    with output_lock(path):
        result = invoke("--out", path)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"Error: --out: {path} is being written by process {os.getpid()}")
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_fails_leaves_its_last_checkpoint(tmp_path, monkeypatch):
    monkeypatch.setattr(observers, "SAVE_SECONDS", 0.0)
    monkeypatch.setattr(observers, "SAVE_SHARE", 1e9)
    path = tmp_path / "run.h5"
    result = invoke("--n-points", 5, "--fail-at", 3, "--out", path)
    assert result.exit_code == 1
    assert result.stderr == "Error: square: 3 diverged\n"
    run = open_run(path)
    assert not run.complete
    assert run.records["square"].tolist() == [0, 1, 4]
    assert [entry.name for entry in tmp_path.iterdir()] == ["run.h5"]


def test_checkpoints_come_at_most_every_half_minute(tmp_path):
    path = tmp_path / "run.h5"
    assert invoke("--n-points", 50, "--fail-at", 40, "--out", path).exit_code == 1
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_one_line_and_leaves_nothing(tmp_path):
    """A limit on the size of files stands in for a small disk."""
    limit = 4096  # the lock fits, the file does not
    process = start(
        "--quiet",
        "--out",
        tmp_path / "run.h5",
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
        env=ENVIRONMENT | {"PYTHONDONTWRITEBYTECODE": "1"},
    )
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert output == ""
    assert errors.startswith(f"Error: {tmp_path}/run.h5: ")
    assert errors.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("catch", [[], ["--catch"]], ids=["lets it pass", "catches it"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_saves_what_is_finished(tmp_path, number, catch):
    path = tmp_path / "run.h5"
    process = start("--n-points", 1000, "--seconds", 0.1, "--say", "--out", path, *catch)
    wait_for(process, "hopsim: point 2 is done\n")
    process.send_signal(number)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    n_finished = len(output.split())
    assert n_finished >= 3
    assert errors.endswith(f"hopsim: interrupted: {n_finished} of 1000 (square), saved to {path}\n")
    run = open_run(path)
    assert not run.complete
    assert run.records["square"].tolist() == [i**2 for i in range(n_finished)]
    assert [entry.name for entry in tmp_path.iterdir()] == ["run.h5"]


def test_an_interrupted_run_without_out_says_that_nothing_is_saved(tmp_path):
    process = start("--n-points", 1000, "--seconds", 0.1, "--say", "--json", cwd=tmp_path)
    wait_for(process, "hopsim: point 0 is done\n")
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert json.loads(output)["squares"][0] == 0
    assert errors.endswith("of 1000 (square), nothing saved (no --out)\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("catch", [[], ["--catch"]], ids=["lets it pass", "catches it"])
def test_interrupted_before_anything_is_finished_nothing_is_written(tmp_path, catch):
    path = tmp_path / "run.h5"
    process = start("--seconds", 60, "--n-ticks", 600, "--say", "--out", path, *catch)
    wait_for(process, "hopsim: point 0 begins\n")
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=60)
    assert (process.returncode, output) == (130, "")
    assert errors == "hopsim: interrupted: nothing was finished, nothing saved\n"
    assert list(tmp_path.iterdir()) == []


def test_the_second_signal_stops_at_once(tmp_path):
    """Even where the experiment does not look up for ten minutes."""
    process = start("--seconds", 600, "--say", "--out", tmp_path / "run.h5")
    wait_for(process, "hopsim: point 0 begins\n")
    for _ in range(100):  # signals that come too fast are one
        process.send_signal(signal.SIGINT)
        time.sleep(0.1)
        if process.poll() is not None:
            break
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGINT
    assert not (tmp_path / "run.h5").exists()
    assert invoke("--out", tmp_path / "run.h5").exit_code == 0  # what it left stops nobody


def test_off_a_terminal_progress_is_lines(monkeypatch):
    monkeypatch.setattr(observers, "LINE_SECONDS", 0.0)
    result = invoke("--n-points", 2)
    assert "hopsim: 1 of 2 (square), 00:00 gone, 00:00 left, " in result.stderr
    assert result.stdout == "0 1\n"
    assert invoke("--n-points", 2, "--quiet").stderr == ""


def test_a_short_run_off_a_terminal_prints_no_progress():
    assert invoke().stderr == ""


def test_on_a_terminal_progress_is_a_bar_that_goes_away():
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 80))
    process = start("--n-points", 5, "--seconds", 0.3, "--say", stderr=theirs)
    os.close(theirs)
    output, _ = process.communicate(timeout=60)
    shown = b""
    try:
        while piece := os.read(ours, 4096):
            shown += piece
    except OSError:
        pass  # how Linux says that the other end is closed
    os.close(ours)
    assert output == "0 1 4 9 16\n"
    assert b"3/5 [" in shown
    assert b"hopsim: point 3 is done" in shown
    assert shown.rsplit(b"\r", 1)[-1].strip() == b""


def test_compiling_is_announced_once_on_a_machine(tmp_path):
    command = [sys.executable, SCRIPT, "square", "compiled"]
    environment = ENVIRONMENT | {"NUMBA_CACHE_DIR": str(tmp_path)}
    first = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    second = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    assert first.stderr == "hopsim: compiling kernels for this machine, once: some 15 s\n"
    assert second.stderr == ""
