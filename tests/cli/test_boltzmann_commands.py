"""`hopsim boltzmann exact|sample|evaluate|from-hopfield` through real files."""

import json

import numpy as np
import pytest
import xarray as xr
from click.testing import CliRunner

import hopsim
from hopsim_cli.main import program

N_UNITS = 8


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Couplings, biases and data in files."""
    path = tmp_path_factory.mktemp("machine")
    rng = np.random.default_rng(1)
    upper = np.triu(rng.normal(0, 1, (N_UNITS, N_UNITS)), 1)
    np.save(path / "W.npy", upper + upper.T)
    np.save(path / "b.npy", rng.normal(0, 1, N_UNITS))
    np.save(path / "data.npy", rng.integers(0, 2, (20, N_UNITS)))
    return path


def boltzmann(folder, *words):
    """What a command prints; it must not fail."""
    result = CliRunner().invoke(program, ["boltzmann", *map(str, words)])
    assert result.exit_code == 0, result.output
    return result.stdout


def machine(folder, encoding="01"):
    return hopsim.BoltzmannMachine(np.load(folder / "W.npy"), np.load(folder / "b.npy"), encoding)


def files(folder):
    return ["--couplings", folder / "W.npy", "--bias", folder / "b.npy"]


@pytest.mark.parametrize("encoding", ["01", "pm1"])
def test_exact_prints_what_enumeration_gives(folder, encoding):
    words = [*files(folder), "--encoding", encoding, "--temperature", 1.5]
    printed = json.loads(boltzmann(folder, "exact", *words, "--json"))
    expected = machine(folder, encoding).enumerate(1.5)
    assert list(printed) == ["log_partition_function", "mean", "entropy", "energy_mean", "out"]
    assert printed["log_partition_function"] == expected.log_partition_function
    assert printed["mean"] == expected.means.tolist()
    assert printed["entropy"] == expected.entropy
    assert printed["energy_mean"] == expected.energy_mean
    assert printed["out"] is None
    assert f"{expected.log_partition_function:.6f}" in boltzmann(folder, "exact", *words)


def test_sample_writes_what_the_class_draws(folder, tmp_path):
    """States in ArviZ's group `posterior`, energies in `sample_stats`; the seed gives the same bits."""
    path = tmp_path / "run.h5"
    words = "--n-chains 3 --n-sweeps 40 --burn-in 10 --thin 2 --seed 5 --order random --temperature 2"
    printed = json.loads(boltzmann(folder, "sample", *files(folder), *words.split(), "--json", "--out", path))
    expected = machine(folder).sample(3, 40, burn_in=10, thin=2, temperature=2.0, order="random", seed=5)
    for engine in ("netcdf4", "h5netcdf"):
        with xr.open_dataset(path, group="posterior", engine=engine) as posterior:
            assert posterior["state"].dims == ("chain", "draw", "unit")
            assert (posterior["state"].values == expected.states).all()
        with xr.open_dataset(path, group="sample_stats", engine=engine) as stats:
            assert (stats["energy"].values == expected.energies).all()
    assert printed["energy_mean"] == expected.energies.mean()
    assert np.allclose(printed["mean"], expected.states.mean(axis=(0, 1)), rtol=0, atol=1e-15)
    assert (printed["n_chains"], printed["n_draws"]) == (3, 20)
    for command in ("show", "export"):
        extra = ["-o", str(tmp_path / "out.npz")] if command == "export" else []
        assert CliRunner().invoke(program, [command, str(path), *extra]).exit_code == 0


def test_clamped_units_are_named_on_the_command_line_or_in_a_file(folder, tmp_path):
    values = np.full(N_UNITS, np.nan)
    values[[1, 6]] = 1, 0
    np.save(tmp_path / "clamp.npy", values)
    outputs = []
    for clamp in ("1=1,6=0", tmp_path / "clamp.npy"):
        words = ["sample", *files(folder), "--n-sweeps", 30, "--seed", 2, "--clamp", clamp, "--json"]
        outputs.append(json.loads(boltzmann(folder, *words)))
    assert outputs[0] == outputs[1]
    assert (outputs[0]["mean"][1], outputs[0]["mean"][6]) == (1.0, 0.0)


@pytest.mark.slow
def test_evaluate_agrees_with_enumeration(folder):
    """AIS and its reverse within five standard errors of the exact log Z."""
    words = ["evaluate", *files(folder), "--data", folder / "data.npy", "--seed", 3, "--json", "--method"]
    exact = json.loads(boltzmann(folder, *words, "exact"))
    data = np.load(folder / "data.npy")
    assert exact["log_likelihood_mean"] == pytest.approx(
        machine(folder).log_likelihood(data).mean(), abs=1e-12
    )
    assert (exact["log_partition_function_se"], exact["n_data"]) == (0.0, 20)
    for method in ("ais", "reverse-ais"):
        found = json.loads(boltzmann(folder, *words, method))
        distance = found["log_partition_function"] - exact["log_partition_function"]
        assert abs(distance) < 5 * found["log_partition_function_se"]
        assert found["log_likelihood_mean"] == pytest.approx(
            exact["log_likelihood_mean"] - distance, abs=1e-9
        )
    pseudo = json.loads(boltzmann(folder, *words, "pseudo"))
    assert pseudo["log_partition_function"] is None
    assert pseudo["log_likelihood_mean"] < 0


def test_a_hopfield_network_becomes_a_machine(tmp_path):
    """From the file of a recall; the ±1 machine's couplings are the network's, the 0/1 one's four times as large."""
    recall, pm1, bits = (tmp_path / name for name in ("recall.h5", "pm1.h5", "bits.h5"))
    words = "hopfield recall --n-neurons 30 --n-patterns 3 --seed 4 --quiet --out"
    assert CliRunner().invoke(program, [*words.split(), str(recall)]).exit_code == 0
    boltzmann(None, "from-hopfield", recall, "--out", pm1)
    printed = json.loads(
        boltzmann(None, "from-hopfield", recall, "--encoding", "01", "--json", "--out", bits)
    )
    assert (printed["n_units"], printed["n_visible"], printed["encoding"]) == (30, 30, "01")
    patterns = hopsim.open_run(recall).records["pattern_state"]
    network = hopsim.HopfieldNetwork.store(patterns)
    assert (hopsim.open_run(pm1).records["couplings"] == network.couplings).all()
    assert (hopsim.open_run(bits).records["couplings"] == 4 * network.couplings).all()
    words = ["--n-sweeps", "5", "--burn-in", "0", "--n-chains", "2", "--seed", "1", "--temperature", "0.7"]
    sampled = json.loads(boltzmann(None, "sample", pm1, *words, "--json"))
    expected = hopsim.BoltzmannMachine.from_hopfield(network).sample(2, 5, temperature=0.7, seed=1)
    assert sampled["energy_mean"] == expected.energies.mean()


BAD = [
    ("exact", "say which machine"),
    ("exact W.npy", "HDF5"),
    ("exact --couplings asymmetric.npy", "not symmetric"),
    ("exact --couplings nan.npy", "not a finite number"),
    ("exact --couplings diagonal.npy", "diagonal must be zero"),
    ("exact --couplings missing.npy", "cannot be read"),
    ("exact --couplings W.npy --bias W.npy", "one row of numbers"),
    ("exact --couplings W.npy --bias short.npy", "--bias"),
    ("exact --couplings W.npy --temperature 0", "--temperature"),
    ("exact --couplings W.npy --temperature -1", "--temperature"),
    ("exact --couplings W.npy --temperature nan", "--temperature"),
    ("exact --couplings W.npy --encoding 2", "--encoding"),
    ("exact --couplings large.npy", "at most 30 units"),
    ("exact --couplings W.npy --model sk:10", "one machine only"),
    ("exact --model sk", "--model"),
    ("exact --model sk:10 --bias b.npy", "--bias"),
    ("sample --couplings W.npy --temperature 0", "--temperature"),
    ("sample --couplings W.npy --order synchronous", "--order"),
    ("sample --couplings W.npy --order coloured", "--order"),
    ("sample --couplings W.npy --n-chains 0", "--n-chains"),
    ("sample --couplings W.npy --n-sweeps 10 --thin 11", "--thin"),
    ("sample --couplings W.npy --burn-in -1", "--burn-in"),
    ("sample --couplings W.npy --clamp 0=2", "--clamp"),
    ("sample --couplings W.npy --clamp 99=1", "--clamp"),
    ("sample --couplings W.npy --clamp 0", "--clamp"),
    ("sample --couplings W.npy --clamp 0=1,0=0", "--clamp"),
    ("sample --couplings W.npy --encoding pm1 --clamp 0=0", "--clamp"),
    ("sample --couplings W.npy --n-sweeps 1e15", "--n-sweeps"),
    ("sample --couplings W.npy --threads 100000", "--threads"),
    ("evaluate --couplings W.npy", "--data"),
    ("evaluate --couplings W.npy --data wide.npy", "8 visible units"),
    ("evaluate --couplings W.npy --data numbers.npy", "numbers.npy"),
    ("evaluate --couplings W.npy --data data.npy --method sum", "--method"),
    ("evaluate --couplings W.npy --data data.npy --method ais --n-chains 1", "--n-chains"),
    ("evaluate --couplings large.npy --data data.npy", "visible units"),
    ("from-hopfield missing.h5", "missing.h5"),
    ("from-hopfield sample.h5", "hopsim hopfield recall"),
    ("sample sample.h5", "holds no Boltzmann machine"),
]


@pytest.fixture(scope="module")
def bad_folder(folder):
    """Files with something wrong beside the good ones, and a file that holds samples but no machine."""
    good = np.load(folder / "W.npy")
    for name, change in {"asymmetric": (0, 1, 9.0), "nan": (2, 2, np.nan), "diagonal": (1, 1, 1.0)}.items():
        wrong = good.copy()
        wrong[change[0], change[1]] = change[2]
        np.save(folder / f"{name}.npy", wrong)
    np.save(folder / "short.npy", np.zeros(3))
    np.save(folder / "large.npy", np.zeros((31, 31)))
    np.save(folder / "wide.npy", np.zeros((2, N_UNITS + 1)))
    np.save(folder / "numbers.npy", np.full((2, N_UNITS), 0.5))
    words = "--n-sweeps 4 --seed 1 --quiet --out"
    boltzmann(None, "sample", "--couplings", folder / "W.npy", *words.split(), folder / "sample.h5")
    return folder


@pytest.mark.parametrize(("line", "named"), BAD)
def test_bad_input_is_one_line_and_status_2(bad_folder, monkeypatch, line, named):
    """It names the option or the file, and leaves nothing behind."""
    monkeypatch.chdir(bad_folder)
    result = CliRunner().invoke(program, ["boltzmann", *line.split(), "--out", "new.h5"])
    assert result.exit_code == 2, result.output
    assert result.stderr.count("\n") == 1
    assert result.stderr.startswith("Error: ")
    assert any(part in result.stderr for part in named.split("|")), result.stderr
    assert not (bad_folder / "new.h5").exists()
