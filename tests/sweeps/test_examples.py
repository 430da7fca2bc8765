"""The examples of specifications that come with hopsim: one for every study, and each can be run as it is."""

from pathlib import Path

import pytest

from hopsim.datasets.shipped import shipped_file
from hopsim.sweeps.specification import read_specification
from hopsim.sweeps.studies import STUDIES, StudiesByName, study

EXAMPLES = Path(__file__).parents[2] / "data" / "sweeps"


def test_every_study_has_its_example():
    assert {path.name for path in EXAMPLES.iterdir()} == {f"{name}.toml" for name in STUDIES}


@pytest.mark.parametrize("name", STUDIES)
def test_an_example_is_the_specification_of_its_study(name):
    """Read from where an installed hopsim finds it; its cells fit the memory of a small machine."""
    specification = read_specification(shipped_file(f"sweeps/{name}.toml"), StudiesByName())
    configuration = specification.configuration
    assert name == specification.study.NAME
    cells = specification.study.cells(configuration)
    assert len(cells) > 10
    assert max(cell.point_bytes() for cell in cells) < 2**30


@pytest.mark.parametrize("name", STUDIES)
def test_an_example_names_every_axis_of_its_study(name):
    """It is where users look for what an axis is called."""
    text = shipped_file(f"sweeps/{name}.toml").read_text(encoding="utf-8")
    assert all(f"\n{axis} = " in text for axis in study(name).AXES)


@pytest.mark.parametrize("name", STUDIES)
def test_an_example_runs_under_the_name_of_its_file(name):
    """The commands in its comments are those that run it."""
    text = shipped_file(f"sweeps/{name}.toml").read_text(encoding="utf-8")
    assert f"hopsim sweep run {name}.toml --out {name}.h5" in text
