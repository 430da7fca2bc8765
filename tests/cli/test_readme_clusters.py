"""README's scripts for Slurm, as far as one machine goes: its array script, and dask-jobqueue with jobs run here."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from hopsim.storage.run_file import open_run
from hopsim_cli.main import program

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
STUDY = """
experiment = "capacity"
seed = 3
[axes]
n_neurons = 80
load = [0.1, 0.2]
[fixed]
n_networks = 5
n_trials = 1
"""
HOPSIM = f'#!/bin/sh\nexec "{sys.executable}" -m hopsim_cli.main "$@"\n'


def script(language):
    """The only block of README in a language that speaks of Slurm."""
    blocks = re.findall(rf"^```{language}\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
    [block] = [block for block in blocks if "SLURM" in block]
    return block


@pytest.fixture
def environment(tmp_path):
    """A directory with the study, and `hopsim` on the path."""
    (tmp_path / "study.toml").write_text(STUDY)
    command = tmp_path / "bin" / "hopsim"
    command.parent.mkdir()
    command.write_text(HOPSIM)
    command.chmod(0o755)
    return os.environ | {
        "PATH": f"{command.parent}:{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
    }


@pytest.fixture
def expected(tmp_path):
    path = tmp_path / "expected.h5"
    (tmp_path / "expected.toml").write_text(STUDY)
    words = ["sweep", "run", str(tmp_path / "expected.toml"), "--out", str(path), "--quiet"]
    assert CliRunner().invoke(program, words).exit_code == 0
    return open_run(path).records["point_overlap"]


def test_the_array_script(environment, expected, tmp_path):
    """Run by hand as Slurm would, with two jobs; the signal it asks for reaches hopsim, since the shell is replaced."""
    text = script("bash")
    assert "#SBATCH --signal=B:USR1@" in text
    assert text.splitlines()[-1].startswith("exec hopsim sweep run study.toml --out study.h5")
    (tmp_path / "array.sh").write_text(text)
    for number in range(2):
        of_job = {"SLURM_ARRAY_TASK_ID": str(number), "SLURM_ARRAY_TASK_COUNT": "2"}
        subprocess.run(["bash", "array.sh"], cwd=tmp_path, env=environment | of_job, check=True)
    subprocess.run(["hopsim", "sweep", "merge", "study.h5"], cwd=tmp_path, env=environment, check=True)
    assert np.array_equal(open_run(tmp_path / "study.h5").records["point_overlap"], expected)


@pytest.mark.slow
def test_the_dask_script_with_jobs_that_run_here(environment, expected, tmp_path):
    """dask-jobqueue writes the script of each job as for Slurm; its own local cluster runs them as processes."""
    text = script("python")
    assert "SLURMCluster(cores=1, processes=1" in text
    text = text.replace(
        "import SLURMCluster", "import SLURMCluster\nfrom dask_jobqueue.local import LocalCluster"
    )
    text = text.replace("cluster = SLURMCluster(", "cluster = LocalCluster(").replace("jobs=50", "jobs=2")
    text = text.replace(', walltime="04:00:00"', "")
    (tmp_path / "cluster.py").write_text(text)
    subprocess.run([sys.executable, "cluster.py"], cwd=tmp_path, env=environment, check=True, timeout=300)
    assert np.array_equal(open_run(tmp_path / "study.h5").records["point_overlap"], expected)
