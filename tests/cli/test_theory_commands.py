"""`hopsim theory hopfield`: as a table, as JSON, as HDF5 and as CSV."""

import csv
import json
import math

import pytest
from click.testing import CliRunner

from hopsim.storage.run_file import open_run
from hopsim_cli.main import program


def theory(*arguments):
    return CliRunner().invoke(program, ["theory", "hopfield", *map(str, arguments)])


def test_the_table_holds_the_published_figures():
    """Overlaps and transition temperatures of two loads, to the digits of the reference table."""
    result = theory("--loads", "0.05,0.1,0.15", "--temperatures", "0")
    assert result.exit_code == 0
    table = [line.split() for line in result.stdout.splitlines()[:4]]
    assert table[0] == ["load", "m(T=0)", "T_M", "T_c", "T_g", "T_AT"]
    assert table[1][:5] == ["0.05", "0.999992", "0.542255", "0.216383", "1.223607"]
    assert table[2][:5] == ["0.1", "0.997999", "0.315432", "-", "1.316228"]
    assert table[3][:4] == ["0.15", "-", "-", "-"]
    assert "alpha_c = 0.137906, m_c = 0.967417" in result.stdout


def test_json_has_points_lines_and_the_critical_point():
    result = json.loads(theory("--loads", "0.05,0.15", "--temperatures", "0,0.3", "--json").stdout)
    assert [(point["load"], point["temperature"]) for point in result["points"]] == [
        (0.05, 0.0),
        (0.05, 0.3),
        (0.15, 0.0),
        (0.15, 0.3),
    ]
    assert result["points"][2]["overlap"] is None
    t_retrieval = result["lines"][0]["temperature_retrieval"]
    assert t_retrieval == pytest.approx(0.542255, abs=5e-7)  # known to six digits
    assert result["alpha_c"] == pytest.approx(0.137905566494932, abs=1e-12)  # converged to rounding
    assert result["out"] is None


def test_the_file_and_the_csv_hold_the_same(tmp_path):
    arguments = ["--loads", "0.05:0.15:0.05", "--temperatures", "0,0.3", "--quiet"]
    assert theory(*arguments, "--out", tmp_path / "theory.h5").exit_code == 0
    result = theory(*arguments, "--out", tmp_path / "theory.csv", "--json")
    assert json.loads(result.stdout)["out"] == str(tmp_path / "theory.csv")
    records = open_run(tmp_path / "theory.h5").records
    with (tmp_path / "theory.csv").open() as file:
        rows = list(csv.DictReader(file))
    overlaps = [float(row["overlap"]) for row in rows]
    expected = records["overlap"].ravel().tolist()
    assert [x for x in overlaps if not math.isnan(x)] == [x for x in expected if not math.isnan(x)]
    assert [float(row["load"]) for row in rows] == [0.05, 0.05, 0.1, 0.1, 0.15, 0.15]
    assert float(rows[3]["temperature_spin_glass"]) == records["temperature_spin_glass"][1]


def test_an_existing_csv_is_kept_unless_forced(tmp_path):
    path = tmp_path / "theory.csv"
    path.write_text("precious")
    result = theory("--loads", "0.05", "--out", path)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"Error: --out: {path} exists")
    assert path.read_text() == "precious"
    assert theory("--loads", "0.05", "--out", path, "--force").exit_code == 0
    assert path.read_text().startswith("load,temperature,overlap,")
