"""A notebook's parameters are declared once and checked before anything runs."""

from __future__ import annotations

import pytest

from notebooks import GIVEN, write_notebook
from workbench.errors import StudyError
from workbench.runner.parameters import checked_parameters

CELL = GIVEN + "times: list[float] = [1, 3]\nhorizon: float = 5.0\nregion: str = '0301'\n"


def checked(tmp_path, given, cell=CELL):
    path = write_notebook(tmp_path / "one.ipynb", parameters=cell)
    return checked_parameters(path, given, where="study.yaml")


def test_defaults_hold_and_given_values_get_their_type(tmp_path):
    found = checked(tmp_path, {"times": ["2", "4.5"], "horizon": "7"})
    assert found == {"times": [2.0, 4.5], "horizon": 7.0, "region": "0301"}


def test_a_code_with_a_leading_zero_stays_what_it_is(tmp_path):
    assert checked(tmp_path, {"region": "0114"})["region"] == "0114"


def test_an_unknown_parameter_is_refused_with_the_nearest(tmp_path):
    with pytest.raises(StudyError, match='no key "horizn" here. Did you mean "horizon"'):
        checked(tmp_path, {"horizn": "7"})


def test_a_parameter_of_the_wrong_type_is_refused(tmp_path):
    with pytest.raises(
        StudyError, match='(?s)study.yaml, parameters.*horizon: "long" cannot be used'
    ):
        checked(tmp_path, {"horizon": "long"})


def test_a_notebook_without_a_parameters_cell_is_refused(tmp_path):
    path = write_notebook(tmp_path / "one.ipynb", "1 + 1", parameters=None)
    with pytest.raises(StudyError, match="no cells tagged `parameters`"):
        checked_parameters(path, {}, where="study.yaml")


CELLS = {
    "a name of the study": (CELL + "as_of: str = ''\n", "belong to the study"),
    "no run folder": ("study_file: str = ''\n", "must declare run_folder"),
    "code": (CELL + "print(1)\n", "only lines like"),
    "no type": (CELL + "x = 1\n", "only lines like"),
    "strange type": (CELL + "x: object = 1\n", "needs a type"),
    "no default": (CELL + "x: int\n", "needs a type"),
    "default is computed": (CELL + "x: int = len('a')\n", "must be a plain value"),
    "broken": (CELL + "x: int = (\n", "not valid Python"),
}


@pytest.mark.parametrize("case", CELLS)
def test_a_parameters_cell_that_cannot_be_checked_is_refused(tmp_path, case):
    cell, told = CELLS[case]
    with pytest.raises(StudyError, match=told):
        checked(tmp_path, {}, cell=cell)


def test_a_file_that_is_no_notebook_is_refused(tmp_path):
    path = tmp_path / "one.ipynb"
    path.write_text("{}")
    with pytest.raises(StudyError, match="not a readable notebook"):
        checked_parameters(path, {}, where="study.yaml")
