"""The table of studies."""

import pytest

from hopsim.errors import InputError
from hopsim.sweeps.studies import STUDIES, study, study_of_experiment


@pytest.mark.parametrize("name", STUDIES)
def test_a_study_is_found_by_both_its_names(name):
    assert name == study(name).NAME
    assert study_of_experiment(study(name).EXPERIMENT) is study(name)


def test_what_is_no_study_is_refused():
    names = "capacity, phase, basins, scaling"
    with pytest.raises(InputError, match=f"experiment: expected one of {names}; got 'recall'"):
        study("recall")
    with pytest.raises(
        InputError, match=f"experiment: expected one of {names}; 'hopfield_recall' is no study"
    ):
        study_of_experiment("hopfield_recall")
