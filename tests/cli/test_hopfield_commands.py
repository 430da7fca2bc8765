"""`hopsim hopfield recall` and `capacity` through real files: what is stored, printed, written and read again."""

import json
from pathlib import Path

import h5py
import numba
import numpy as np
import pytest
import xarray
from click.testing import CliRunner
from PIL import Image

from hopsim.storage.run_file import open_run
from hopsim_cli.main import program

RECALL = ("hopfield", "recall", "--seed", 1, "--quiet")
CAPACITY = ("hopfield", "capacity", "--seed", 1, "--quiet")
SMALL_STUDY = (*CAPACITY, "--n-neurons", "100,200", "--loads", "0.05,0.15,0.3", "--n-networks", 3)
TRIAL_KEYS = [
    "pattern",
    "overlap_initial",
    "overlap_final",
    "energy_final",
    "n_sweeps",
    "n_flips",
    "converged",
    "end_state",
]
POINT_KEYS = [
    "n_neurons",
    "n_patterns",
    "load",
    "n_networks",
    "n_trials",
    "overlap_mean",
    "overlap_se",
    "retrieval_fraction",
    "retrieval_low",
    "retrieval_high",
]
POINT = ("n_neurons", "load")
DIMENSIONS = {
    "hopfield_recall": {
        "state": ("trial", "time", "neuron"),
        "overlap": ("trial", "time", "pattern"),
        "energy": ("trial", "time"),
        "n_flips": ("trial", "time"),
        "pattern_name": ("pattern",),
        "pattern_state": ("pattern", "neuron"),
        "image_rows": (),
        "image_columns": (),
    }
    | dict.fromkeys(
        ["n_sweeps", "n_flips_total", "converged", "period", "start_pattern", "end_state"], ("trial",)
    )
    | dict.fromkeys(["overlap_initial", "overlap_final", "energy_final"], ("trial",)),
    "hopfield_capacity": dict.fromkeys(
        ["overlap", "n_sweeps", "converged", "retrieved"], (*POINT, "network", "trial")
    )
    | {"finished": (*POINT, "network"), "overlap_theory": ("load",)}
    | dict.fromkeys(["n_patterns", "n_finished", "success_threshold", *POINT_KEYS[5:]], POINT)
    | dict.fromkeys(["alpha_c", "alpha_c_low", "alpha_c_high"], ("n_neurons",))
    | dict.fromkeys(["alpha_c_infinite", "alpha_c_infinite_low", "alpha_c_infinite_high"], ())
    | dict.fromkeys(["alpha_c_theory", "m_c_theory"], ()),
}
KINDS = {
    "glyphs": (*RECALL, "--glyphs"),
    "random": (*RECALL, "--n-neurons", 50, "--n-patterns", 3, "--flip", 0.1),
    "packed": (*RECALL, "--n-neurons", 50, "--n-patterns", 3, "--record", "packed"),
    "observables": (*RECALL, "--n-neurons", 50, "--n-patterns", 3, "--record", "observables"),
    "none": (*RECALL, "--n-neurons", 50, "--n-patterns", 3, "--record", "none"),
    "warm": (*RECALL, "--n-neurons", 50, "--load", 0.1, "--temperature", 0.4, "--max-sweeps", 7),
    "capacity": SMALL_STUDY,
    "warm capacity": (*SMALL_STUDY, "--temperature", 0.2, "--burn-in", 3, "--n-sweeps", 4),
}


def invoke(*arguments):
    result = CliRunner().invoke(program, [*map(str, arguments)])
    assert result.exit_code == 0, result.stderr
    return result


def trials_of(*arguments):
    return json.loads(invoke(*RECALL, *arguments, "--json").stdout)["trials"]


def recorded(path, *arguments):
    invoke(*RECALL, *arguments, "--out", path, "--force")
    return open_run(path).records


@pytest.fixture(scope="module", params=KINDS)
def written(request, tmp_path_factory):
    """Every kind of file that the two commands write."""
    path = tmp_path_factory.mktemp("written") / "run.h5"
    invoke(*KINDS[request.param], "--out", path)
    return path


@pytest.fixture
def patterns():
    return np.random.default_rng(3).choice(np.array([-1, 1], np.int8), (5, 1000))


def test_json_of_a_recall_has_the_documented_keys(tmp_path):
    path = tmp_path / "run.h5"
    result = json.loads(invoke(*RECALL, "--glyphs", "--out", path, "--json").stdout)
    assert list(result) == ["trials", "out"]
    assert result["out"] == str(path)
    assert [list(trial) for trial in result["trials"]] == [TRIAL_KEYS] * 6
    assert result["trials"][0]["pattern"] == "A"
    assert result["trials"][0]["converged"] is True


def test_without_out_a_recall_writes_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert json.loads(invoke(*RECALL, "--glyphs", "--json").stdout)["out"] is None
    assert list(tmp_path.iterdir()) == []


def test_glyphs_come_back_and_are_drawn_before_and_after():
    """Each of the six default letters is recalled from 10 % of its pixels flipped."""
    shown = invoke(*RECALL, "--glyphs", "--flip", 0.1).stdout
    assert shown.count("stored pattern") == 12  # once under its picture, once in the table
    assert "█" in shown
    assert [trial["pattern"] for trial in trials_of("--glyphs", "HOP", "--n-trials", 4)] == list("HOPH")


@pytest.mark.parametrize("kind", [".npy", ".csv", ".txt", ".png", ".h5", "run", "packed run"])
def test_patterns_are_stored_from_a_file_of_any_kind(tmp_path, kind):
    """The network holds the patterns of the file: written again by the run, they are the same."""
    spins = np.random.default_rng(1).choice(np.array([-1, 1], np.int8), (3, 120))
    files = [tmp_path / f"input{kind if kind.startswith('.') else '.h5'}"]
    match kind:
        case ".npy":
            np.save(files[0], spins)
        case ".csv":
            np.savetxt(files[0], spins, fmt="%d", delimiter=",")
        case ".txt":
            files[0].write_text("\n".join("".join(map(str, row)) for row in (spins + 1) // 2))
        case ".png":
            files = [tmp_path / f"input{i}.png" for i in range(3)]
            for file, row in zip(files, spins, strict=True):
                Image.fromarray(np.where(row > 0, 0, 255).astype(np.uint8).reshape(10, 12)).save(file)
        case ".h5":
            with h5py.File(files[0], "w") as file:
                file["patterns"] = spins
        case _:
            record = "packed" if kind == "packed run" else "state"
            random = ("--n-neurons", 120, "--n-patterns", 3, "--n-trials", 3)
            source = recorded(files[0], *random, "--record", record)
            spins = source["pattern_state"]
    given = [word for file in files for word in ("--patterns", file)]
    records = recorded(tmp_path / "out.h5", *given)
    np.testing.assert_array_equal(records["pattern_state"], spins)
    assert ("image_rows" in records) == (kind == ".png")
    assert len(set(records["pattern_name"])) == len(spins)


@pytest.mark.parametrize(
    ("size", "n_patterns"), [(("--n-patterns", 7), 7), (("--load", 0.02), 4), (("--load", 0.0225), 5)]
)
def test_random_patterns_by_number_or_by_load(tmp_path, size, n_patterns):
    """P = floor(load N + 1/2)."""
    states = recorded(tmp_path / "run.h5", "--n-neurons", 200, *size)["pattern_state"]
    assert states.shape == (n_patterns, 200)
    assert set(np.unique(states)) == {-1, 1}


def test_activity_is_the_mean_of_the_patterns(tmp_path):
    states = recorded(tmp_path / "run.h5", "--n-neurons", 5000, "--n-patterns", 4, "--activity", 0.5)
    standard_error = np.sqrt((1 - 0.5**2) / 20_000)
    assert abs(states["pattern_state"].mean() - 0.5) < 4 * standard_error


def test_correlated_patterns_fall_into_the_mixture_of_all_or_a_uniform_state():
    """(P - 1) a^3 = 2.4 > 1: crosstalk takes every pattern away; the command says what it became."""
    trials = trials_of("--n-neurons", 1000, "--n-patterns", 20, "--activity", 0.5, "--n-trials", 20)
    assert {trial["end_state"] for trial in trials} <= {"mixture of all 20", "uniform +1"}
    assert max(trial["overlap_final"] for trial in trials) < 0.8


@pytest.mark.parametrize(("flip", "n_flipped"), [(0.1, 15), (0.5, 75), (0.11, 17), (0, 0), (1, 150)])
def test_flip_disturbs_an_exact_number_of_neurons(tmp_path, flip, n_flipped):
    """floor(flip N + 1/2), in each trial."""
    records = recorded(tmp_path / "run.h5", "--n-neurons", 150, "--n-patterns", 3, "--flip", flip)
    starts = records["pattern_state"][records["start_pattern"]]
    assert (np.count_nonzero(records["state"][:, 0] != starts, axis=1) == n_flipped).all()
    np.testing.assert_allclose(records["overlap_initial"], 1 - 2 * n_flipped / 150, rtol=1e-14)  # rounding


def test_mask_sets_a_fraction_of_neurons_to_random_values(tmp_path):
    """Of 300 masked neurons half change in the mean, and never more than 300."""
    records = recorded(
        tmp_path / "run.h5", "--n-neurons", 1000, "--n-patterns", 3, "--mask", 0.3, "--n-trials", 50
    )
    changed = records["state"][:, 0] != records["pattern_state"][records["start_pattern"]]
    assert changed.sum(axis=1).max() <= 300
    assert abs(changed.sum() - 50 * 150) < 4 * np.sqrt(50 * 300 / 4)  # four standard deviations


def test_couplings_alone_recall_from_random_states(tmp_path, patterns):
    """What overlaps need is null, and the end states are those of the couplings."""
    xi = patterns[:1, :60].astype(float)
    np.save(tmp_path / "W.npy", xi.T @ xi / 60 - np.eye(60) / 60)
    arguments = ("--couplings", tmp_path / "W.npy")
    trials = trials_of(*arguments)
    for trial in trials:
        assert trial["pattern"] is trial["overlap_initial"] is trial["overlap_final"] is None
        assert trial["end_state"] == "unknown"
        assert trial["energy_final"] == pytest.approx(-(60 - 1) / 2, rel=1e-12)  # rounding of the float W
    records = recorded(tmp_path / "run.h5", *arguments)
    assert (np.abs(records["state"][:, -1] @ xi[0]) == 60).all()
    assert "pattern_state" not in records
    assert "overlap" not in records


def test_couplings_with_patterns_take_overlaps_and_name_another_pattern(tmp_path, patterns):
    """Couplings that store B alone, started at A, which overlaps with it, end in B."""
    b = patterns[0, :100].copy()
    a = np.where(np.arange(100) < 30, -b, b)
    np.save(tmp_path / "W.npy", np.outer(b, b) / 100 - np.eye(100) / 100)
    np.save(tmp_path / "A.npy", a)
    np.save(tmp_path / "B.npy", b)
    files = ("--patterns", tmp_path / "A.npy", "--patterns", tmp_path / "B.npy")
    trials = trials_of("--couplings", tmp_path / "W.npy", *files, "--n-trials", 2)
    assert [trial["pattern"] for trial in trials] == ["A", "B"]
    assert [trial["end_state"] for trial in trials] == ["pattern B", "stored pattern"]


def test_end_states_inverse_mixture_uniform_and_spurious(tmp_path, patterns):
    np.save(tmp_path / "p.npy", patterns)
    np.save(tmp_path / "probe.npy", np.sign(patterns[0] + patterns[2] - patterns[4]))
    stored = ("--patterns", tmp_path / "p.npy")
    inverse = trials_of(*stored, "--flip", 1, "--n-trials", 1)[0]
    assert (inverse["end_state"], inverse["overlap_final"]) == ("inverse", -1.0)
    mixture = trials_of(*stored, "--probes", tmp_path / "probe.npy", "--n-trials", 1)[0]
    assert mixture["end_state"] == "mixture of +p[0] +p[2] -p[4]"
    strong = ("--n-neurons", 200, "--n-patterns", 40, "--activity", 0.8)
    assert {trial["end_state"] for trial in trials_of(*strong)} == {"uniform +1"}
    assert "spurious" in {trial["end_state"] for trial in trials_of("--n-neurons", 300, "--load", 0.4)}


def test_a_synchronous_two_cycle_is_reported_as_such(tmp_path):
    """Two coupled neurons that disagree swap their values forever."""
    np.save(tmp_path / "W.npy", np.array([[0.0, 1.0], [1.0, 0.0]]))
    np.save(tmp_path / "probe.npy", np.array([[1, -1]]))
    arguments = ("--couplings", tmp_path / "W.npy", "--probes", tmp_path / "probe.npy", "--n-trials", 1)
    assert "two-cycle" in invoke(*RECALL, *arguments, "--order", "synchronous").stdout
    records = recorded(tmp_path / "run.h5", *arguments, "--order", "synchronous")
    assert records["period"].tolist() == [2]
    assert records["converged"].tolist() == [False]
    assert records["state"][0, :3].tolist() == [[1, -1], [-1, 1], [1, -1]]
    assert "fixed point" in invoke(*RECALL, *arguments).stdout


@pytest.mark.parametrize("temperature", [0, 0.5])
@pytest.mark.parametrize("order", ["random", "replacement", "sequential", "synchronous"])
@pytest.mark.parametrize("rule", ["hebbian", "pseudo_inverse", "storkey"])
def test_every_rule_and_order_recalls(tmp_path, rule, order, temperature):
    """From 5 % noise at low load: at T = 0 the stored pattern, at T > 0 a state near it, after max_sweeps."""
    options = ("--rule", rule, "--order", order, "--temperature", temperature, "--max-sweeps", 40)
    records = recorded(tmp_path / "run.h5", "--n-neurons", 200, "--n-patterns", 4, "--flip", 0.05, *options)
    if temperature == 0:
        assert set(records["end_state"]) == {"stored pattern"}
        assert (records["overlap_final"] == 1).all()
        assert records["converged"].all()
        assert (np.diff(records["energy"], axis=1) <= 0).all() or order == "synchronous"
    else:
        assert set(records["n_sweeps"]) == {40}
        assert not records["converged"].any()
        assert 0.5 < records["overlap"][:, 10:].max(axis=2).mean() < 1  # m = tanh(m/T): 0.957 at load 0


def test_a_packed_file_unpacks_to_the_same_states(tmp_path):
    arguments = ("--n-neurons", 203, "--load", 0.1, "--flip", 0.2)  # neurons that do not fill the last byte
    plain = recorded(tmp_path / "plain.h5", *arguments)
    packed = recorded(tmp_path / "packed.h5", *arguments, "--record", "packed")
    with h5py.File(tmp_path / "packed.h5") as file:
        assert file["state_packed"].shape[-1] == 26
        assert "state" not in file
    np.testing.assert_array_equal(packed["state"], plain["state"])


def test_record_says_what_is_kept_and_changes_nothing_else(tmp_path):
    arguments = ("--n-neurons", 100, "--load", 0.1, "--flip", 0.2)
    state = recorded(tmp_path / "state.h5", *arguments)
    observables = recorded(tmp_path / "observables.h5", *arguments, "--record", "observables")
    none = recorded(tmp_path / "none.h5", *arguments, "--record", "none")
    assert set(state.variables) - set(observables.variables) == {"state"}
    assert set(observables.variables) - set(none.variables) == {"overlap", "energy", "n_flips", "time"}
    for records in (observables, none):
        for name in records.variables:
            np.testing.assert_array_equal(records[name], state[name])


def assert_same_data(first, second):
    assert set(first.variables) == set(second.variables)
    for name in first.variables:
        np.testing.assert_array_equal(first[name], second[name])


@pytest.mark.skipif(numba.config.NUMBA_NUM_THREADS < 2, reason="needs two threads")
@pytest.mark.parametrize("kind", ["random", "warm", "capacity", "warm capacity"])
def test_the_same_seed_gives_the_same_data_for_one_and_two_threads(tmp_path, kind):
    runs = []
    for n_threads in (1, 2):
        path = tmp_path / f"{n_threads}.h5"
        invoke(*KINDS[kind], "--threads", n_threads, "--out", path)
        runs.append(open_run(path).records)
    assert_same_data(*runs)


def test_json_of_a_study_has_the_documented_keys(tmp_path):
    path = tmp_path / "run.h5"
    result = json.loads(invoke(*SMALL_STUDY, "--out", path, "--json").stdout)
    assert list(result) == ["points", "alpha_c", "alpha_c_infinite", "theory", "out"]
    assert [list(point) for point in result["points"]] == [POINT_KEYS] * 6
    assert [list(size) for size in result["alpha_c"]] == [["n_neurons", "value", "low", "high"]] * 2
    assert list(result["theory"]) == ["alpha_c", "m_c"]
    assert result["theory"]["alpha_c"] == pytest.approx(0.137905566, abs=1e-9)  # the digits given
    assert result["out"] == str(path)
    records = open_run(path).records
    for name in POINT_KEYS[5:]:
        assert [point[name] for point in result["points"]] == records[name].ravel().tolist()
    assert [point["n_patterns"] for point in result["points"]] == [5, 15, 30, 10, 30, 60]
    assert records["overlap"].shape == (2, 3, 3, 5)


def test_two_sizes_that_cross_one_half_give_a_limit_of_large_n():
    study = (*CAPACITY, "--n-neurons", "500,1000,2000", "--loads", "0.12:0.26:0.02", "--n-networks", 8)
    result = json.loads(invoke(*study, "--json").stdout)
    assert list(result["alpha_c_infinite"]) == ["value", "low", "high"]
    limit = result["alpha_c_infinite"]
    assert limit["low"] <= limit["value"] <= limit["high"]
    for size in result["alpha_c"]:
        assert size["low"] <= size["value"] <= size["high"]


def test_what_cannot_be_estimated_is_null():
    """One network has no standard error, one load no crossing, one size no limit, other rules no theory."""
    study = ("--n-neurons", 100, "--loads", "0.05", "--n-networks", 1, "--rule", "pseudo_inverse")
    result = json.loads(invoke(*CAPACITY, *study, "--json").stdout)
    assert result["points"][0]["overlap_se"] is None
    assert result["points"][0]["overlap_mean"] == 1.0  # the pseudo-inverse stores them all
    assert result["alpha_c"] == [{"n_neurons": 100, "value": None, "low": None, "high": None}]
    assert result["alpha_c_infinite"] == {"value": None, "low": None, "high": None}
    assert result["theory"] == {"alpha_c": None, "m_c": None}
    assert "not to be had from these points" in invoke(*CAPACITY, *study).stdout


def test_a_study_above_zero_averages_over_time_and_judges_by_theory(tmp_path):
    """The overlap is no multiple of 2/N any more; success is half of the theory's overlap."""
    path = tmp_path / "run.h5"
    options = ("--temperature", 0.2, "--burn-in", 20, "--n-sweeps", 30, "--n-networks", 4)
    invoke(*CAPACITY, "--n-neurons", 1000, "--loads", 0.05, *options, "--out", path)
    records = open_run(path).records
    assert (records["n_sweeps"] == 50).all()
    steps = records["overlap"] * 1000 / 2
    assert (np.abs(steps - np.round(steps)) > 1e-6).any()
    assert records["success_threshold"][0, 0] == pytest.approx(records["overlap_theory"][0] / 2, rel=1e-12)
    # below saturation finite-size shifts are of order 1/sqrt(N P); the mean of 20 recalls is well within 0.01
    assert records["overlap_mean"][0, 0] == pytest.approx(records["overlap_theory"][0], abs=0.01)


@pytest.mark.parametrize("engine", ["netcdf4", "h5netcdf"])
def test_xarray_opens_it_with_named_dimensions_and_coordinates(written, engine):
    """Issue 3, item 9: without hopsim."""
    run = open_run(written)
    expected = DIMENSIONS[run.experiment]
    with xarray.open_dataset(written, engine=engine) as dataset:
        assert dataset.attrs["experiment"] == run.experiment
        for name, variable in dataset.data_vars.items():
            if name.endswith("_packed"):
                assert variable.dims == ("trial", "time", "neuron_byte")
                continue
            assert variable.dims == expected[name]
            assert variable.attrs["long_name"]
            np.testing.assert_array_equal(variable.values, run.records[name])
        for dimension in dataset.sizes:
            if not dimension.endswith("_byte"):
                assert dimension in dataset.coords
                np.testing.assert_array_equal(dataset[dimension].values, run.records.coordinate(dimension))
        optional = {"state", "overlap", "energy", "n_flips", "image_rows", "image_columns"}
        assert set(expected) - set(dataset.data_vars) <= optional


def test_every_file_can_be_shown_exported_and_plotted(written, tmp_path):
    run = open_run(written)
    shown = invoke("show", written).stdout
    assert run.experiment in shown
    assert shown.splitlines()[-1].strip() == run.attributes["command"]
    exported = invoke("export", written, "-o", tmp_path / "table.csv").stdout.split()
    assert exported
    assert all(len(Path(file).read_text().splitlines()) >= 2 for file in exported)
    invoke("export", written, "-o", tmp_path / "arrays.npz")
    with np.load(tmp_path / "arrays.npz", allow_pickle=False) as arrays:
        for name in run.records.variables:
            np.testing.assert_array_equal(arrays[name], run.records[name])
    invoke("plot", written, "-o", tmp_path / "figure.png")
    assert (tmp_path / "figure.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "figure.png").stat().st_size > 10_000  # bytes; a blank canvas is smaller


def test_the_command_in_the_file_makes_the_same_data_again(tmp_path):
    path = tmp_path / "run.h5"
    invoke("hopfield", "recall", "--glyphs", "--mask", 0.3, "--quiet", "--out", path)  # the seed is drawn
    first = open_run(path)
    invoke(*first.attributes["command"].split()[1:], "--force")
    assert_same_data(open_run(path).records, first.records)
