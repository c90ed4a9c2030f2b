"""A study that sets sources or units beside each other is checked before anything runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench.errors import StudyError
from workbench.study import Study, check_study, load_definitions, load_study

STUDIES = Path(__file__).parents[2] / "params" / "studies"


def study(name: str, **change: object) -> Study:
    return load_study(STUDIES / f"{name}.yaml", overrides=change)


def check(one: Study) -> None:
    definitions = load_definitions(one, (), where="study.yaml")
    check_study(one, definitions, where="study.yaml")


@pytest.mark.parametrize("name", ["blood_cancer_coverage", "dialysis_units", "open_comparisons"])
def test_the_studies_that_come_with_the_workbench_pass(name):
    check(study(name))


@pytest.mark.parametrize(("change", "told"), [
    ({"compare_sources.by": "regin"}, 'no variable "regin". Did you mean "region"'),
    ({"compare_sources.reference.date": "stage"}, "compare_sources.reference.date"),
    ({"compare_sources.reference.codes.in": ["stag"]}, '"stag"'),
    ({"compare_sources.lag.reported": "entity"}, "compare_sources.lag.reported"),
    ({"as_of": None}, "needs as_of"),
    ({"cohort.period": None}, "needs cohort.period"),
    ({"compare_sources.parts": {"lymphom": "blood_cancer.lymphoma", "cll": "blood_cancer.cll"}},
     'no group "lymphom"'),
])  # fmt: skip
def test_sources_that_do_not_fit_are_told(change, told):
    with pytest.raises(StudyError, match="does not fit") as refused:
        check(study("blood_cancer_coverage", **change))
    assert told in str(refused.value)


@pytest.mark.parametrize(("change", "told"), [
    ({"units.by": "uni"}, '"uni" is not among the variables'),
    ({"units.by": "age"}, "must be a variable of starts"),
])  # fmt: skip
def test_units_that_do_not_fit_are_told(change, told):
    with pytest.raises(StudyError, match="does not fit") as refused:
        check(study("dialysis_units", **change))
    assert told in str(refused.value)


def test_an_indicator_that_is_not_there_offers_the_nearest():
    with pytest.raises(StudyError, match="renal_planned_start"):
        check(study("dialysis_units", indicators=["renal_planned_strt"]))


def test_several_parts_need_codes_that_tell_them_apart():
    parts = {"a": "blood_cancer.lymphoma", "b": "blood_cancer.cll"}
    with pytest.raises(StudyError, match=r"several parts need reference\.codes"):
        study("blood_cancer_coverage", **{
            "compare_sources.parts": parts, "compare_sources.reference.codes": None})  # fmt: skip
