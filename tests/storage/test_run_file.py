"""A run's file gives back what was written, here and in the readers that users have."""

import json
from datetime import UTC, datetime, timedelta, timezone

import h5py
import numpy as np
import pytest
import xarray

from hopsim.errors import InputError
from hopsim.storage import run_file
from hopsim.storage.encoding import encode, file_size
from hopsim.storage.records import PackedSpins, Records, Variable
from hopsim.storage.run_file import check_output, open_run, write_run


@pytest.fixture(params=["in memory", "in place"])
def path_taken(request, monkeypatch):
    """Every size is written in memory, or as large files are."""
    if request.param == "in place":
        monkeypatch.setattr(run_file, "IN_MEMORY_BYTES", 0)


@pytest.mark.usefixtures("path_taken")
def test_every_kind_of_record_comes_back_as_it_was(tmp_path, records, write):
    path = tmp_path / "RUN.h5"
    write(path, records)
    run = open_run(path)
    assert run.records.variables == records.variables
    assert list(run.records) == list(records)
    assert run.records.sizes == records.sizes
    for name in records:
        np.testing.assert_array_equal(run.records[name], records[name], err_msg=name, strict=True)
    np.testing.assert_array_equal(run.records.packed("start").bits, records.packed("start").bits)
    assert sorted(tmp_path.iterdir()) == [path]
    assert path.stat().st_size <= file_size(encode(records))


def test_a_file_written_in_place_gives_back_the_space_that_it_had_reserved(
    tmp_path, records, write, monkeypatch
):
    monkeypatch.setattr(run_file, "IN_MEMORY_BYTES", 0)
    spins = Records({"state": Variable(("trial", "neuron"), "")}, {"state": np.ones((10, 10**6), np.int8)})
    write(tmp_path / "RUN.h5", spins)
    assert (tmp_path / "RUN.h5").stat().st_blocks * 512 < 10**6


def test_the_file_says_how_to_run_it_again(tmp_path, records, write):
    path = tmp_path / "RUN.h5"
    configuration = {"n_neurons": 1000, "loads": [0.05, None], "rule": "hebbian"}
    started = datetime(2025, 1, 2, 3, 0, tzinfo=timezone(timedelta(hours=2)))
    write(path, records, configuration=configuration, started=started, seed=2**64 - 1, complete=False)
    run = open_run(path)
    assert (run.path, run.experiment, run.configuration, run.complete) == (
        path,
        "recall",
        configuration,
        False,
    )
    with h5py.File(path) as file:
        plain = dict(file.attrs)
    assert (plain["format"], plain["format_version"]) == ("hopsim run", 1)
    assert json.loads(plain["configuration"]) == configuration
    assert plain["command"] == "hopsim hopfield recall --seed 7"
    assert plain["started"] == "2025-01-02T01:00:00+00:00"
    assert datetime.fromisoformat(plain["ended"]).tzinfo == UTC
    assert run.attributes["seed"] == plain["seed"] == 2**64 - 1
    assert plain["numpy_version"] == np.__version__
    assert plain["h5py_version"] == h5py.__version__
    assert all(plain[name] for name in ("hopsim_version", "numba_version", "processor"))
    assert plain["complete"] == 0


def test_what_is_not_known_is_left_out(tmp_path, records, write):
    write(tmp_path / "RUN.h5", records, seed=None, command=None)
    assert not {"seed", "command"} & set(open_run(tmp_path / "RUN.h5").attributes)


@pytest.mark.parametrize("engine", ["netcdf4", "h5netcdf"])
def test_xarray_opens_it_with_named_dimensions_and_coordinates(run_path, records, engine):
    with xarray.open_dataset(run_path, engine=engine) as dataset:
        assert set(dataset.sizes) == {*records.sizes, "neuron_byte"}
        for name, variable in records.variables.items():
            if variable.packed:
                packed = dataset[f"{name}_packed"]
                assert packed.dims == (*variable.dims[:-1], "neuron_byte")
                spins = PackedSpins(packed.values, packed.attrs["n_neurons"]).unpack()
                np.testing.assert_array_equal(spins, records[name])
                assert packed.attrs["bit_order"] == "little"
            else:
                assert dataset[name].dims == variable.dims
                np.testing.assert_array_equal(dataset[name].values, records[name], err_msg=name)
                assert dataset[name].dtype.kind == records[name].dtype.kind
                assert dataset[name].attrs["long_name"] == variable.long_name
                assert dataset[name].attrs["units"] == variable.units
        for dim in records.sizes:
            np.testing.assert_array_equal(dataset.coords[dim].values, records.coordinate(dim))
    with xarray.open_datatree(run_path, engine=engine) as tree:
        assert tree.to_dataset().equals(dataset)


def test_the_layout_of_the_datasets(run_path):
    """Every axis has a scale, spins are chunked by trial, and data are compressed with a checksum."""
    with h5py.File(run_path) as file:
        for dataset in file.values():
            assert {"units", "long_name"} <= set(dataset.attrs)
            if not dataset.is_scale:
                assert all(len(dimension) == 1 for dimension in dataset.dims)
        assert file["state"].chunks == (1, 100, 37)
        assert file["trajectory_packed"].chunks == (1, 100, 5)
        for name in ("state", "trajectory_packed", "overlap", "couplings"):
            assert (file[name].compression, file[name].fletcher32) == ("gzip", True)
        assert file["state"].dtype == np.int8
        assert (file["converged"].dtype, file["converged"].attrs["dtype"]) == (np.int8, "bool")
        assert h5py.check_string_dtype(file["end_state"].dtype) == ("utf-8", None)


def test_chunks_of_a_large_network_stay_bounded():
    state = Records(
        {"state": Variable(("trial", "time", "neuron"), "")}, {"state": np.ones((2, 30, 10**6), "i1")}
    )
    with h5py.File("chunks", "w", driver="core", backing_store=False) as file:
        run_file.write_datasets(file, encode(state))
        assert file["state"].chunks == (1, 16, 10**6)


def test_an_existing_file_is_kept_without_force(run_path, records, write):
    before = run_path.read_bytes()
    with pytest.raises(InputError, match=r"out: .*RUN\.h5 exists; overwrite it with --force") as error:
        write(run_path, records)
    assert error.value.subject == "out"
    assert run_path.read_bytes() == before
    write(run_path, records, seed=8, force=True)
    assert open_run(run_path).attributes["seed"] == 8


def test_a_link_to_a_file_stays_a_link(tmp_path, run_path, records, write):
    link = tmp_path / "latest.h5"
    link.symlink_to(run_path)
    write(link, records, seed=8, force=True)
    assert link.is_symlink()
    assert open_run(run_path).attributes["seed"] == 8


def test_an_output_that_cannot_be_written_is_found_before_the_run(tmp_path, mount_tmpfs):
    check_output(tmp_path / "RUN.h5", force=False)
    with pytest.raises(InputError, match=r"out: .*the directory .*/missing does not exist"):
        check_output(tmp_path / "missing" / "RUN.h5", force=False)
    with pytest.raises(InputError, match="is not a file"):
        check_output(tmp_path, force=True)
    with pytest.raises(InputError, match="File name too long"):
        check_output(tmp_path / ("x" * 300), force=False)
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="does not exist"):
        check_output(tmp_path / "file" / "RUN.h5", force=False)
    with pytest.raises(InputError, match="no permission to write in"):
        check_output(mount_tmpfs("size=1m,ro") / "RUN.h5", force=False)
    assert [entry.name for entry in tmp_path.iterdir() if entry.is_file()] == ["file"]


def test_an_unwritable_record_leaves_nothing_behind(tmp_path, records):
    with pytest.raises(TypeError):
        write_run(
            tmp_path / "RUN.h5",
            records,
            experiment="recall",
            configuration={"bad": object()},
            seed=1,
            command=None,
            started=datetime.now(UTC),
        )
    assert not list(tmp_path.iterdir())
