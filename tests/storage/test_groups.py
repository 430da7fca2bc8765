"""Chains and draws lie in ArviZ's groups: here, in xarray and in ArviZ; and groups that no run has are refused."""

import h5py
import numpy as np
import pytest
import xarray

from hopsim.errors import InputError
from hopsim.storage.encoding import encode, file_size
from hopsim.storage.records import Records, Variable
from hopsim.storage.run_file import open_run

N_CHAINS, N_DRAWS, N_UNITS = 4, 150, 13
ENGINES = pytest.mark.parametrize("engine", ["netcdf4", "h5netcdf"])


@pytest.fixture
def chain_records():
    """States plain and packed and their energies in groups, averages over units at the root, names for coordinates."""
    generator = np.random.default_rng(4)
    states = generator.choice(np.array([-1, 1], np.int8), (N_CHAINS, N_DRAWS, N_UNITS))
    schema = {
        "state": Variable(("chain", "draw", "unit"), "states", group="posterior"),
        "start": Variable(("chain", "unit"), "starts", packed=True, group="posterior"),
        "energy": Variable(("chain", "draw"), "energy", "J", group="sample_stats"),
        "accepted": Variable(("chain", "draw"), "accepted", group="sample_stats"),
        "activity": Variable(("unit",), "mean activity"),
        "temperature": Variable((), "temperature"),
        "draw": Variable(("draw",), "sweep of the draw", "sweep"),
        "unit": Variable(("unit",), "name of the unit"),
    }
    arrays = {
        "state": states,
        "start": -states[:, 0],
        "energy": generator.standard_normal((N_CHAINS, N_DRAWS)),
        "accepted": states[..., 0] > 0,
        "activity": states.mean(axis=(0, 1)),
        "temperature": 0.7,
        "draw": 10 * np.arange(N_DRAWS),
        "unit": [f"unit {i}" for i in range(N_UNITS)],
    }
    return Records(schema, arrays)


@pytest.fixture
def chain_path(tmp_path, chain_records, write):
    path = tmp_path / "CHAINS.h5"
    write(path, chain_records)
    return path


def test_variables_in_groups_come_back_as_they_were(chain_path, chain_records):
    records = open_run(chain_path).records
    assert records.variables == chain_records.variables
    assert records.sizes == chain_records.sizes
    for name in chain_records:
        np.testing.assert_array_equal(records[name], chain_records[name], err_msg=name, strict=True)
    assert chain_path.stat().st_size <= file_size(encode(chain_records))


def test_the_root_has_all_coordinates_and_a_group_those_it_uses(chain_path):
    with h5py.File(chain_path) as file:
        assert set(file["posterior"]) == {"state", "start_packed", "chain", "draw", "unit", "unit_byte"}
        assert set(file["sample_stats"]) == {"energy", "accepted", "chain", "draw"}
        assert {"chain", "draw", "unit", "unit_byte", "activity", "temperature"} <= set(file)
        assert file["posterior/state"].chunks == (1, 100, N_UNITS)
        assert [axis[0].name for axis in file["posterior/state"].dims] == [
            "/posterior/chain",
            "/posterior/draw",
            "/posterior/unit",
        ]
        assert (file["posterior/draw"].is_scale, file["posterior/draw"].attrs["units"]) == (True, "sweep")


@ENGINES
def test_xarray_opens_each_group_alone_and_all_as_a_tree(chain_path, chain_records, engine):
    with xarray.open_datatree(chain_path, engine=engine) as tree:
        for group, names in {"posterior": ["state"], "sample_stats": ["energy", "accepted"]}.items():
            with xarray.open_dataset(chain_path, engine=engine, group=group) as dataset:
                for name in names:
                    for found in (dataset[name], tree[group][name]):
                        assert found.dims == chain_records.variables[name].dims
                        np.testing.assert_array_equal(found.values, chain_records[name])
                        for dim in found.dims:
                            np.testing.assert_array_equal(found.coords[dim].values, chain_records[dim])
    with xarray.open_dataset(chain_path, engine=engine) as dataset:
        assert set(dataset.data_vars) == {"activity", "temperature"}


@ENGINES
@pytest.mark.filterwarnings("ignore::FutureWarning:arviz")  # announces its next version on import
def test_arviz_opens_it_as_it_is(chain_path, chain_records, engine):
    import arviz

    data = arviz.from_netcdf(str(chain_path), engine=engine)
    assert data.posterior["state"].dims == ("chain", "draw", "unit")
    np.testing.assert_array_equal(data.posterior["state"].values, chain_records["state"])
    np.testing.assert_array_equal(data.sample_stats["energy"].values, chain_records["energy"])
    rhat = float(arviz.rhat(data.sample_stats)["energy"])
    assert rhat == pytest.approx(1.0, abs=0.05)  # of independent numbers
    data.close()


@pytest.mark.parametrize(
    ("schema", "problem"),
    [
        ({"x": Variable(("chain",), "x", group="prior")}, "x: there is no group 'prior'"),
        ({"chain": Variable(("chain",), "x", group="posterior")}, "belongs to every group that uses it"),
        ({"posterior": Variable(("chain",), "x")}, "posterior is the name of a group"),
        ({"x": Variable(("sample_stats",), "x")}, "sample_stats is the name of a group"),
    ],
)
def test_groups_that_arviz_does_not_know_and_names_that_hide_one_are_errors(schema, problem):
    with pytest.raises(ValueError, match=problem):
        Records(schema, {name: [1.0, 2.0] for name in schema})


def add_scale(file, name, values):
    file[name] = values
    file[name].attrs.update({"units": "1", "long_name": name})
    file[name].make_scale(name.rpartition("/")[2])


def other_coordinate(file):
    file["posterior/draw"][3] = 7


def coordinate_of_another_length(file):
    """The group's own axis of 2 chains, which xarray's tree could not align with the root's 4."""
    del file["sample_stats"]
    add_scale(file, "sample_stats/chain", np.arange(2))


def coordinate_that_the_root_lacks(file):
    add_scale(file, "sample_stats/other", np.arange(2))


def scale_of_another_group(file):
    file["sample_stats/energy"].dims[0].attach_scale(file["posterior/chain"])


def variable_of_both_groups(file):
    file.copy("sample_stats/energy", "posterior/energy", without_attrs=True)
    file["posterior/energy"].attrs.update({"units": "1", "long_name": "energy"})
    for axis, dim in enumerate(("chain", "draw")):
        file["posterior/energy"].dims[axis].attach_scale(file[f"posterior/{dim}"])


def packed_beside_plain(file):
    """Two datasets that would be one variable."""
    file.move("posterior/start_packed", "posterior/activity_packed")


def group_within_a_group(file):
    file["posterior"].create_group("sample_stats")


HOSTILE_GROUPS = {
    "coordinate changed": (other_coordinate, "'/posterior/draw' is not the coordinate of that name"),
    "coordinate of another length": (
        coordinate_of_another_length,
        "'/sample_stats/chain' is not the coordinate",
    ),
    "coordinate that the root lacks": (coordinate_that_the_root_lacks, "'/sample_stats/other' is not"),
    "scale of another group": (scale_of_another_group, "a dimension scale of something that is not there"),
    "variable of both groups": (variable_of_both_groups, "holds the variable 'energy' twice"),
    "packed beside plain": (packed_beside_plain, "holds the variable 'activity' twice"),
    "group within a group": (group_within_a_group, "'posterior/sample_stats', which is not a dataset"),
    "group that is the root": (
        lambda f: (f.__delitem__("posterior"), f.__setitem__("posterior", f["/"])),
        "'posterior/sample_stats', which is not a dataset",
    ),
    "another group": (lambda f: f.move("posterior", "prior"), "'prior', which is not a dataset"),
    "link in a group": (
        lambda f: f.__setitem__("posterior/x", h5py.SoftLink("/activity")),
        "the soft link 'x', which is not followed",
    ),
    "no units": (lambda f: f["posterior/state"].attrs.__delitem__("units"), "no attribute 'units'"),
    "posterior that is a dataset": (
        lambda f: (f.__delitem__("posterior"), f.move("temperature", "posterior")),
        "posterior is the name of a group",
    ),
}


@pytest.mark.parametrize(("change", "problem"), HOSTILE_GROUPS.values(), ids=HOSTILE_GROUPS)
def test_groups_that_no_run_has_are_refused(chain_path, change, problem):
    with h5py.File(chain_path, "r+") as file:
        change(file)
    with pytest.raises(InputError) as error:
        open_run(chain_path)
    assert error.value.subject == str(chain_path)
    assert problem in error.value.problem


def test_chains_with_random_damage_are_read_or_refused(chain_path):
    """200 files with a few bytes of their metadata changed: no other exception than the clear one."""
    content = chain_path.read_bytes()
    generator = np.random.default_rng(5)
    n_refused = 0
    for _ in range(200):
        damaged = bytearray(content)
        for place in generator.integers(0, len(content), 8):
            damaged[place] = generator.integers(256)
        chain_path.write_bytes(damaged)
        try:
            open_run(chain_path)
        except InputError:
            n_refused += 1
    assert n_refused > 100, "hardly anything was damaged: nothing was tested"
