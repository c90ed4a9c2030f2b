"""A life table is a document and a file; what does not fit is told with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench.errors import DefinitionError
from workbench.registers.life_tables import load_life_table

TEXT = """\
name: small
label: A small life table
source: a test
file: small.csv
hazard: h
"""


def written(folder: Path, text: str = TEXT, name: str = "small") -> Path:
    place = folder / "life_tables"
    place.mkdir(parents=True, exist_ok=True)
    (place / f"{name}.yaml").write_text(text, "utf-8")
    (place / "small.csv").write_text("age,year,sex,h\n0,2000,male,0.01\n", "utf-8")
    return folder


def test_the_file_is_found_beside_its_document_and_hashed(tmp_path):
    found = load_life_table("small", [written(tmp_path)])
    assert found.path == tmp_path / "life_tables" / "small.csv"
    before = found.sha256
    found.path.write_text("age,year,sex,h\n0,2000,male,0.02\n", "utf-8")
    assert found.sha256 != before


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (TEXT.replace("hazard: h\n", ""), "name the column with the hazard or the one"),
        (TEXT + "probability: q\n", "name the column with the hazard or the one"),
        (TEXT.replace("file: small.csv", "file: gone.csv"), "there is no gone.csv"),
        (TEXT.replace("name: small", "name: other"), 'says "other"'),
        (TEXT + "hazzard: h\n", "hazzard"),
        (TEXT + "per: week\n", "per"),
        (TEXT + "sexes: {man: M}\n", "sexes"),
    ],
)
def test_a_document_that_cannot_be_used_is_refused(tmp_path, text, words):
    with pytest.raises(DefinitionError, match=words):
        load_life_table("small", [written(tmp_path, text)])


def test_an_unknown_life_table_is_refused_with_the_nearest(tmp_path):
    with pytest.raises(DefinitionError, match='Did you mean "small"'):
        load_life_table("smal", [written(tmp_path)])
