"""The program as a whole: what it costs to ask for help, and how every error is one line."""

import json
import os
import resource
import subprocess
import sys

import pytest
from click.testing import CliRunner

from hopsim_cli.groups import Program
from hopsim_cli.main import ENTRIES, program

HEAVY = {"numba", "numpy", "matplotlib", "scipy", "sklearn", "h5py", "dask", "msgspec", "tqdm"}
# the tests run from a checkout or on an installed package: the child finds the same one
ENVIRONMENT = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


def processor_seconds(code):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL, env=ENVIRONMENT)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def imported_by(*arguments):
    code = (
        "import json, sys\n"
        "from hopsim_cli.main import program\n"
        "try:\n"
        f"    program.main({list(arguments)!r})\n"
        "finally:\n"
        "    print(json.dumps(sorted(sys.modules)), file=sys.stderr)\n"
    )
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT, check=False)
    return set(json.loads(result.stderr.splitlines()[-1]))


def test_help_costs_less_than_three_tenths_of_a_second_more_than_python():
    ask = "import sys; sys.argv = ['hopsim', '--help']; from hopsim_cli.main import main; main()"
    cost = min(processor_seconds(ask) for _ in range(3)) - min(processor_seconds("pass") for _ in range(3))
    assert cost < 0.3


@pytest.mark.parametrize("asked", ["--help", "", "theory --help", "theory hopfield --help", "plot --help"])
def test_help_imports_nothing_heavy(asked):
    assert not imported_by(*asked.split()) & HEAVY


def test_theory_and_show_import_no_numba(tmp_path):
    path = tmp_path / "theory.h5"
    assert "numba" not in imported_by("theory", "hopfield", "--loads", "0.05", "--out", str(path))
    assert not imported_by("show", str(path)) & {"numba", "scipy", "matplotlib"}


def test_help_lists_all_commands():
    result = CliRunner().invoke(program, ["--help"])
    assert result.exit_code == 0
    for name, entry in ENTRIES.items():
        assert f"  {name}" in result.output
        assert entry.short_help in result.output


@pytest.mark.parametrize("name", ENTRIES)
def test_every_entry_leads_to_its_command(name):
    result = CliRunner().invoke(program, [name, "--help"])
    assert result.exit_code == 0
    assert result.output.startswith(f"Usage: hopsim {name}")


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["nonsense"], "hopsim: no such command 'nonsense'"),
        (["theory", "hopfeld"], "hopsim theory: no such command 'hopfeld'"),
        (["theory", "hopfield", "--lods", "1"], "hopsim theory hopfield: no such option '--lods'"),
        (["theory", "hopfield", "--loads"], "--loads: requires an argument."),
        (["theory", "hopfield", "--loads", "many"], "--loads: expected a number, 0 or larger"),
        (["theory", "hopfield", "extra"], "hopsim theory hopfield: got unexpected extra argument"),
        (["theory", "hopfield", "--force=1"], "--force: does not take a value"),
        (["show"], "FILE: missing"),
        (["show", "no\nsuch\x1b[31m.h5"], r"no such\x1b[31m.h5: cannot be read"),
        (["theory", "hopfield", "--out", "/nowhere/a.h5"], "--out: /nowhere/a.h5 cannot be written"),
    ],
)
def test_wrong_usage_is_one_line_and_status_two(arguments, error):
    result = CliRunner().invoke(program, arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith(f"Error: {error}")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (MemoryError("Unable to allocate 7 TiB"), "Error: not enough memory: Unable to allocate 7 TiB\n"),
        (MemoryError(), "Error: not enough memory\n"),
        (PermissionError(13, "Permission denied", "a.h5"), "Error: a.h5: Permission denied\n"),
    ],
)
def test_a_failing_machine_is_one_line_and_status_one(error, line):
    def fail():
        raise error

    failing = Program({}, name="hopsim", invoke_without_command=True, callback=fail)
    result = CliRunner().invoke(failing, [])
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", line)


def test_a_reader_that_leaves_early_hears_nothing(tmp_path):
    path = tmp_path / "theory.h5"
    CliRunner().invoke(program, ["theory", "hopfield", "--loads", "0.05", "--out", str(path)])
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "hopsim_cli.main", "show", str(path)]
    result = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, env=ENVIRONMENT, check=False)
    os.close(writing)
    assert result.stderr == b""
    assert result.returncode == 1
