"""What `hopsim hopfield scaling` prints: every choice of the analysis, and an object for machines."""

import json

import numpy as np
import pytest

from hopsim.experiments import hopfield_scaling
from hopsim.experiments.hopfield_scaling import HopfieldScaling, run
from hopsim.experiments.observer import Observer
from hopsim_cli.printing import as_json
from hopsim_cli.scaling_printing import scaling_as_json, scaling_as_text


@pytest.fixture(scope="module")
def records():
    configuration = HopfieldScaling(
        n_neurons=(100, 160, 240, 80), n_loads=5, n_networks=40, n_trials=2, success=0.85, seed=1
    )
    return run(configuration, Observer())


def test_the_object_holds_points_sizes_fits_and_limit(records):
    result = json.loads(as_json(scaling_as_json(records)))
    assert set(result) == {"points", "alpha_c", "fits", "alpha_c_infinite", "theory"}
    assert len(result["points"]) == 20
    point = result["points"][6]
    assert point["load"] == point["n_patterns"] / point["n_neurons"] == records["load"][1, 1]
    assert (point["n_networks"], point["n_trials"]) == (40, 2)
    assert point["retrieval_low"] <= point["retrieval_fraction"] <= point["retrieval_high"]
    assert [size["n_neurons"] for size in result["alpha_c"]] == [100, 160, 240, 80]
    assert [size["in_fits"] for size in result["alpha_c"]] == [True, True, True, False]
    for i, size in enumerate(result["alpha_c"]):
        assert size["value"] == records["alpha_c"][i]
        assert size["low"] < size["value"] < size["high"]
        assert size["logistic"]["width"] == records["logistic_width"][i]
    assert [fit["exponent"] for fit in result["fits"]] == [1 / 3, 1 / 2, 2 / 3, 1.0]
    for k, fit in enumerate(result["fits"]):
        assert set(fit) == {"exponent", "value", "se", "p", "accepted"}
        assert (fit["value"], fit["se"]) == (records["fit_value"][k], records["fit_se"][k])
    limit = result["alpha_c_infinite"]
    assert limit["low"] < limit["value"] < limit["high"]
    assert result["theory"] == {"alpha_c": pytest.approx(0.137905566), "alpha_c_rsb": 0.138186}


def test_the_text_says_every_choice(records):
    text = scaling_as_text(records)
    for choice in (
        "5 whole numbers of patterns in equal steps over 0.1409 + 0.65 N^-1/2 + 3/N ± 1.2 N^-1/2",
        "40",  # networks a load
        "2 trials each",
        "an overlap above 0.85",
        "isotonic",
        "maximum likelihood",
        "bootstrap over networks, not trials: 1000 times n - 1 of n",
        "the three largest: 100, 160, 240",
        "whatever p, as sizes below 8000 enter",
        "union of the 95 % intervals",
        "The exponent decides",
        "0.1379 replica symmetric, 0.1382 with replica symmetry broken",
    ):
        assert choice in text
    lines = text.splitlines()
    for exponent in ("1/3", "1/2", "2/3", "  1"):
        assert any(line.startswith(exponent) and line.endswith("accepted") for line in lines)
    assert max(map(len, lines)) <= 130


def test_rejected_fits_and_missing_ones_are_said(records):
    changed = {name: records[name] for name in records.variables}
    changed["n_neurons"] = np.array([8_000, 16_000, 32_000, 4_000])
    changed["fit_p"] = np.array([0.5, 0.001, np.nan, 0.02])
    changed["fit_accepted"] = np.array([True, False, False, True])
    for end in ("", "_low", "_high"):
        changed[f"alpha_c_infinite{end}"] = np.float64(np.nan)
    text = scaling_as_text(type(records)(hopfield_scaling.VARIABLES, changed))
    assert [
        line.rsplit(maxsplit=1)[-1] for line in text.splitlines() if line.startswith(("1/", "2/", "  1"))
    ] == [
        "accepted",
        "rejected",
        "fit",
        "accepted",
    ]
    assert "accepted are those with p > 0.01" in text
    assert "not to be had from these points" in text
