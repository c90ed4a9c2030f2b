"""Code lists: what a code matches, what a file may not say, one pattern for all."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import get_args

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.errors import DefinitionError
from workbench.registers.codes import (
    CODE_SYSTEMS,
    REMOVED_IN_CELL,
    REMOVED_SIGNS,
    CodeList,
    find_code_lists,
    load_code_list,
    never_seen,
    normalise,
)
from workbench.registers.documents import parse_document
from workbench.registers.variables import CodeSystem

SIGNS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def list_of(codes=None, match="prefix", system="icd10se", **keys):
    given = {"codes": codes} if codes else {}
    document = {"name": "some", "label": "Some", "system": system, "source": "s", "match": match}
    return parse_document(document | given | keys, CodeList, where="some.yaml")


def _refused(codes=None, **keys):
    with pytest.raises(DefinitionError) as told:
        list_of(codes, **keys)
    return str(told.value)


# -- what a code matches


@pytest.mark.parametrize("written", ["I10.9", "i109", " I10-9", "I 109", "I109"])
def test_dots_blanks_hyphens_and_capitals_do_not_count(written):
    assert list_of(["I109"], match="exact").matches(written)


def test_a_behaviour_code_matches_with_and_without_its_slash():
    list_ = list_of(["8500/3"], match="exact", system="icdo3_morphology")
    assert list_.matches("85003") and list_.matches("8500/3") and not list_.matches("85002")


@pytest.mark.parametrize(
    ("match", "codes", "inside", "outside"),
    [
        ("exact", ["E11"], ["E11"], ["E119", "E1"]),
        ("prefix", ["E11"], ["E11", "E119", "E119A"], ["E1", "E12", "XE11"]),
        ("range", ["C00-C43"], ["C00", "C43", "C439", "C1A"], ["C44", "C4", "C1", "B99", "D00"]),
        ("range", ["E10.2-E10.5", "E14"], ["E102", "E105A", "E149"], ["E101", "E106", "E10"]),
    ],
)
def test_each_mode_matches_what_it_says(match, codes, inside, outside):
    list_ = list_of(codes, match=match)
    assert all(list_.matches(code) for code in inside)
    assert not any(list_.matches(code) for code in outside)


def test_exceptions_are_taken_out_again():
    list_ = list_of(["C00-C97"], match="range", **{"except": ["C44"]})
    assert list_.matches("C439") and not list_.matches("C44.5")


def test_a_group_may_match_in_another_way_than_its_list():
    groups = {"a": {"codes": ["I10"]}, "b": {"codes": ["I11"], "match": "exact"}}
    list_ = list_of(groups=groups)
    assert list_.matches("I109") and not list_.matches("I119")
    assert list_.groups_of("I11.") == ("b",)
    assert list_.matches("I11", ["b"]) and not list_.matches("I11", ["a"])


def test_a_list_without_groups_is_one_group_of_its_name():
    list_ = list_of(["I10"])
    assert list(list_.groups) == ["some"]
    assert list_.groups["some"].label == "Some"
    assert list_.groups_of("I109") == ("some",)


def test_an_unknown_group_names_the_nearest():
    list_ = list_of(groups={"stroke": {"codes": ["I63"]}})
    with pytest.raises(DefinitionError, match='no group "strok".*Did you mean "stroke"'):
        list_.pattern(["strok"])


def test_a_list_of_no_groups_matches_nothing():
    assert not list_of(["I10"]).matches("I10", [])


# -- what a file may not say


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({}, "give codes or groups"),
        ({"codes": ["I10"], "groups": {"a": {"codes": ["I11"]}}}, "give codes or groups"),
        ({"groups": {"a": {"codes": []}}}, "groups.a.codes"),
        ({"groups": {"a": {"codes": ["I10"]}}, "except": ["I109"]}, "except belongs to a group"),
        ({"codes": ["I1O"]}, '"I1O" is no code of ICD-10-SE, nor the beginning of one'),
        ({"codes": ["A1"], "system": "atc"}, "expected a level of ATC"),
        ({"codes": ["NG"], "system": "kva", "match": "exact"}, "only the beginning of one"),
        ({"codes": ["I10", "i10."]}, '"I10" and "i10." are the same'),
        ({"codes": ["C501", "C50"]}, '"C50" already covers "C501"'),
        ({"codes": ["C00-C97", "C50"], "match": "range"}, '"C00-C97" already covers "C50"'),
        ({"codes": ["C00-C97"]}, "say match: range"),
        ({"codes": ["C00-C432"], "match": "range"}, "as many signs"),
        ({"codes": ["C00-D48"], "match": "range"}, "begin with the same letters"),
        ({"codes": ["C43-C00"], "match": "range"}, "ends before it begins"),
        ({"codes": ["C00-Banana"], "match": "range"}, "is no code of ICD-10-SE"),
        ({"codes": ["C50"], "except": ["C44"]}, '"C44" is not within any of the codes'),
        ({"codes": ["C50"], "except": ["C5"]}, '"C5" leaves nothing'),
        ({"codes": ["C50"], "except": ["C50"]}, '"C50" leaves nothing'),
        (
            {"codes": ["C00-C03"], "match": "range", "except": ["C00-C01", "C02-C03"]},
            "the exceptions leave no code",
        ),
        ({"groups": {"a": {"codes": ["I10"], "supersedes": ["b"]}}}, 'there is no group "b"'),
        ({"groups": {"a": {"codes": ["I10"], "implied_by": ["a"]}}}, "cannot name itself"),
        ({"codes": ["I10"], "system": "icd"}, 'system: "icd" is not a choice here'),
        ({"codes": ["I10"], "match": "stem"}, 'match: "stem" is not a choice here'),
    ],
)
def test_a_list_with_a_fault_is_refused(keys, said):
    assert said in _refused(**keys)


def test_all_faults_are_told_together():
    groups = {"a": {"codes": ["I1O", "C50", "C501"]}, "b": {"codes": ["8"], "supersedes": ["c"]}}
    told = _refused(groups=groups)
    for said in ("I1O", 'groups.a.codes: "C50" already', 'groups.b.codes: "8"', 'group "c"'):
        assert said in told


def test_groups_that_supersede_each_other_are_refused():
    one, two = {"codes": ["I10"], "supersedes": ["b"]}, {"codes": ["I11"], "supersedes": ["a"]}
    assert "circle" in _refused(groups={"a": one, "b": two})


def test_a_source_is_required():
    document = {"name": "x", "label": "X", "system": "atc", "match": "prefix", "codes": ["A"]}
    with pytest.raises(DefinitionError, match="source: this key is missing"):
        parse_document(document, CodeList, where="x.yaml")


# -- scores


def test_a_superseded_group_does_not_count():
    charlson = load_code_list("charlson", [])
    both = {"diabetes_without_complication", "diabetes_with_complication"}
    assert charlson.counted(both) == ("diabetes_with_complication",)
    assert charlson.score(both) == 2


@pytest.mark.parametrize(
    ("present", "score"),
    [
        ((), 0),
        (("ascites",), 0),
        (("mild_liver_disease",), 1),
        (("mild_liver_disease", "ascites"), 3),
        (("severe_liver_disease", "mild_liver_disease"), 3),
        (("cancer", "metastatic_cancer"), 6),
        (("cancer", "copd", "hemiplegia"), 5),
    ],
)
def test_the_charlson_score_follows_its_hierarchies(present, score):
    assert load_code_list("charlson", []).score(present) == score


def test_a_list_without_weights_gives_no_score():
    with pytest.raises(DefinitionError, match="no weight for some"):
        list_of(["I10"]).score(["some"])


# -- the lists that come along


@pytest.mark.parametrize("name", sorted(find_code_lists([])))
def test_every_shipped_list_is_read_and_names_its_source(name):
    list_ = load_code_list(name, [])
    assert list_.source
    assert all(list_.pattern([group]) for group in list_.groups)


def test_no_code_belongs_to_two_charlson_groups():
    charlson = load_code_list("charlson", [])
    codes = [f"{letter}{n:03d}" for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ" for n in range(1000)]
    assert [code for code in codes if len(charlson.groups_of(code)) > 1] == ["F024"]


@pytest.mark.parametrize(
    ("name", "code", "groups"),
    [
        ("charlson", "E11.9A", ("diabetes_without_complication",)),
        ("charlson", "E112", ("diabetes_with_complication",)),
        ("charlson", "C44", ()),
        ("charlson", "C81.1", ("cancer",)),
        ("charlson", "J40", ()),
        ("charlson", "J70", ("other_chronic_pulmonary_disease",)),
        ("blood_cancers", "C911A", ("cll",)),
        ("blood_cancers", "C920", ("aml",)),
        ("stroke", "I63.9", ("ischaemic_stroke",)),
        ("any_cancer", "C44", ()),
        ("major_amputation", "NGQ19", ("below_knee",)),
        ("statins", "C10AA05", ("statins",)),
        ("antithrombotics", "B02", ()),
        ("cardiovascular_death", "I10-P", ("cardiovascular_death",)),
    ],
)
def test_shipped_lists_know_these_codes(name, code, groups):
    assert load_code_list(name, []).groups_of(code) == groups


def test_a_projects_list_goes_first(tmp_path):
    (tmp_path / "code_lists").mkdir()
    text = "name: stroke\nlabel: Ours\nsystem: icd10\nsource: us\nmatch: exact\ncodes: [I639]\n"
    (tmp_path / "code_lists" / "stroke.yaml").write_text(text, encoding="utf-8")
    assert load_code_list("stroke", [tmp_path]).label == "Ours"


def test_an_unknown_list_names_the_nearest():
    with pytest.raises(DefinitionError, match='no code list "strok".*Did you mean "stroke"'):
        load_code_list("strok", [])


def test_a_list_must_be_named_as_its_file(tmp_path):
    (tmp_path / "code_lists").mkdir()
    text = "name: b\nlabel: B\nsystem: icd10\nsource: us\nmatch: exact\ncodes: [I639]\n"
    (tmp_path / "code_lists" / "a.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(DefinitionError, match='the key name says "b"'):
        load_code_list("a", [tmp_path])


def test_entries_that_no_seen_code_fits_are_named():
    groups = {"a": {"codes": ["I10", "I11"]}, "b": {"codes": ["E10"], "except": ["E102"]}}
    assert never_seen(list_of(groups=groups), ["i10.9", "E10.2"]) == (("a", "I11"), ("b", "E10"))


# -- classifications


def test_every_classification_of_a_variable_is_known():
    assert set(CODE_SYSTEMS) == set(get_args(CodeSystem))


@pytest.mark.parametrize(
    ("system", "codes"),
    [
        ("icd10se", ["I109", "E119A", "F100", "T810X", "I10P", "A09"]),
        ("icd10", ["I10", "S7200"]),
        ("icd9", ["410", "250A", "E8120", "V42A"]),
        ("atc", ["A", "A10", "A10B", "A10BA", "A10BA02"]),
        ("kva", ["NGQ19", "FNG02", "DR014"]),
        ("icdo3_topography", ["C50", "C509"]),
        ("icdo3_morphology", ["8500", "85003", "850033"]),
    ],
)
def test_real_codes_have_the_shape_of_their_classification(system, codes):
    one = CODE_SYSTEMS[system]
    assert all(one.is_code(code) and re.match(one.shape, code) for code in codes)


def test_other_texts_do_not():
    bad = {"icd10se": "AA1", "icd10": "I10P", "atc": "A10BA0", "kva": "NGQ1", "icd9": "41"}
    assert not any(CODE_SYSTEMS[system].is_code(code) for system, code in bad.items())
    assert not any(re.match(CODE_SYSTEMS[system].shape, code) for system, code in bad.items())


# -- one pattern, whoever reads it

CODES = st.one_of(
    st.text("AC0129", max_size=5),
    st.tuples(st.just("C"), st.text("01239AB", max_size=4)).map("".join),
    st.tuples(st.just("C"), st.text("012†*", max_size=4)).map("".join),
)


DIGITS = st.sampled_from("012")
WHOLE = st.tuples(st.sampled_from("CD"), DIGITS, DIGITS, st.text("012AX", max_size=2)).map("".join)


@st.composite
def code_lists(draw):
    """A list of two groups whose entries may be anything that is not refused."""
    groups = {}
    for name in ("one", "two"):
        match = draw(st.sampled_from(["exact", "prefix", "range"]))
        if match == "range":
            low, high = sorted(draw(st.tuples(st.integers(0, 99), st.integers(0, 99))))
            wanted, no = [f"C{low:02d}-C{high:02d}"], draw(st.integers(low, high))
            excepted = [f"C{no:02d}{draw(st.sampled_from(['', '1', 'A']))}"]
            if low == high and len(excepted[0]) == 3:
                excepted = []
        else:
            wanted = draw(st.lists(WHOLE, min_size=1, max_size=4, unique=True))
            wanted = [c for c in wanted if match == "exact" or _is_no_longer(c, wanted)]
            excepted = [w + "1" for w in wanted if len(w) < 5] if match == "prefix" else []
        groups[name] = {"match": match, "codes": wanted, "except": excepted}
    return list_of(groups=groups)


def _is_no_longer(code, codes):
    return not any(code != other and code.startswith(other) for other in codes)


@settings(max_examples=300, deadline=None)
@given(code_lists(), st.lists(CODES, max_size=20), st.sampled_from([None, ["one"], ["two"]]))
def test_the_pattern_finds_what_the_definition_matches(list_, codes, groups):
    pattern = list_.pattern(groups)
    for code in codes:
        assert bool(re.search(pattern, code)) == list_.matches(code, groups)


@settings(max_examples=300, deadline=None)
@given(code_lists(), st.lists(CODES.filter(bool), max_size=5))
def test_the_pattern_finds_one_code_among_several(list_, codes):
    found = re.search(list_.pattern_in_cell(), " ".join(codes))
    assert bool(found) == any(list_.matches(code) for code in codes)


@settings(max_examples=25, deadline=None)
@given(code_lists(), st.lists(CODES, min_size=1, max_size=30))
def test_the_engine_agrees(list_, codes):
    with duckdb.connect() as engine:
        for pattern, cells in (
            (list_.pattern(), codes),
            (
                list_.pattern_in_cell(),
                [" ".join(pair) for pair in pairwise(codes)],
            ),
        ):
            asked = "select regexp_matches(cell, $1) from (select unnest($2) as cell)"
            found = [row[0] for row in engine.execute(asked, [pattern, cells]).fetchall()]
            assert found == [bool(re.search(pattern, cell)) for cell in cells]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.text(st.characters(min_codepoint=32, max_codepoint=126)), min_size=1))
def test_the_engine_normalises_as_we_do(texts):
    cell = "upper(cell)"
    for sign in REMOVED_SIGNS:
        cell = f"replace({cell}, '{sign}', '')"
    with duckdb.connect() as engine:
        asked = f"select {cell} from (select unnest($1) as cell)"
        rows = engine.execute(asked, [texts]).fetchall()
    assert [row[0] for row in rows] == [normalise(text) for text in texts]


def test_a_cell_keeps_the_blanks_between_its_codes():
    assert set(REMOVED_SIGNS) - set(REMOVED_IN_CELL) == {" "}


def test_charlson_stays_one_short_pattern():
    charlson = load_code_list("charlson", [])
    codes = [f"{letter}{n:02d}{end}" for letter in SIGNS[10:] for n in range(100) for end in "019A"]
    for pattern in (charlson.pattern(), charlson.pattern_in_cell()):
        assert len(pattern) < 1500
        found = [code for code in codes if re.search(pattern, code)]
        assert found == [code for code in codes if charlson.matches(code)]
