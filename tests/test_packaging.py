"""The wheel: every module and data file of the tree, nothing else, and the command."""

import subprocess
import sys
import zipfile
from configparser import ConfigParser
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    directory = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(directory)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    (path,) = directory.glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        yield archive


def files_of(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_the_wheel_holds_the_modules_and_the_data_of_the_tree(wheel):
    expected = {
        f"{package.name}/{file}"
        for package in (ROOT / "hopsim", ROOT / "cli" / "hopsim_cli")
        for file in files_of(package)
        if "__pycache__" not in file
    }
    figures = {"capacity.png"}  # of README alone
    expected |= {f"hopsim/data/{file}" for file in files_of(ROOT / "data") - figures}
    assert {name for name in wheel.namelist() if ".dist-info/" not in name} == expected


def test_the_wheel_brings_the_command(wheel):
    (name,) = (name for name in wheel.namelist() if name.endswith("/entry_points.txt"))
    entry_points = ConfigParser()
    entry_points.read_string(wheel.read(name).decode())
    assert dict(entry_points["console_scripts"]) == {"hopsim": "hopsim_cli.main:main"}
