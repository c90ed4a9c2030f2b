"""The release folder: whole or not there, the same bytes each time, nothing unreleased in it."""

from __future__ import annotations

import hashlib
import json
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from workbench.analysis.count_table import CountTable
from workbench.errors import DisclosureError, RunError
from workbench.output import figures
from workbench.output.departure import check_folder
from workbench.output.disclosure import release, release_reading
from workbench.output.formats.report import ReportContext
from workbench.output.publication import Publication
from workbench.output.release_record import require_recorded
from workbench.output.reporting import facts_of_run
from workbench.registers.profiles import load_profile
from workbench.study import load_study

CONTEXT = ReportContext(title="T", question="Q?", facts={"Register": "R"}, provenance={"Seed": "1"})


def _publish(folder, ledger, curve):
    publication = Publication(folder)
    publication.add(figures.draw_flow(ledger), name="flow", heading="Who")
    publication.add(ledger, name="ledger", heading="The ledger", method="counted")
    publication.add(figures.draw_survival(curve, unit="years"), name="survival", heading="Survival")
    return publication.write(CONTEXT)


def _bytes(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_the_same_results_give_the_same_bytes(tmp_path, ledger, curve):
    first = _bytes(_publish(tmp_path / "a", ledger, curve))
    second = _bytes(_publish(tmp_path / "b", ledger, curve))
    assert first == second
    assert {"flow.svg", "flow.png", "flow.csv", "ledger.csv", "report.html", "release.json"} <= set(
        first
    )


def test_the_record_lists_every_file_with_its_hash_and_what_was_hidden_once(
    tmp_path, ledger, curve
):
    files = _bytes(_publish(tmp_path / "release", ledger, curve))
    record = json.loads(files.pop("release.json"))
    assert set(record["files"]) == set(files)
    for name, content in files.items():
        assert record["files"][name]["sha256"] == hashlib.sha256(content).hexdigest()
    assert record["hidden"]["ledger steps merged with a neighbour"] == 1
    assert record["items"][1]["rules"]["threshold"] == 5


def test_what_authors_need_lies_beside_and_nothing_of_it_is_a_fault(tmp_path, ledger):
    study = load_study(Path(__file__).parents[3] / "params" / "studies" / "leg_amputation.yaml")
    publication = Publication(tmp_path / "release")
    publication.add(figures.draw_flow(ledger), name="flow", heading="Who")
    publication.write(CONTEXT, paper=facts_of_run(study, inputs={}, ledger=ledger))
    record = json.loads((tmp_path / "release" / "release.json").read_text(encoding="utf-8"))
    assert {"for_a_paper.html", "for_a_paper.csv"} <= set(record["files"])
    assert check_folder(tmp_path / "release", threshold=5, as_of=date(2026, 1, 1)) == []


def test_a_second_writing_replaces_the_first_whole(tmp_path, ledger, curve):
    folder = _publish(tmp_path / "release", ledger, curve)
    publication = Publication(folder)
    publication.add(ledger, name="only", heading="Only")
    publication.write(CONTEXT)
    assert set(_bytes(folder)) == {"only.csv", "record.html", "report.html", "release.json"}
    assert [path.name for path in tmp_path.iterdir()] == ["release"]


@pytest.mark.parametrize("name", ["plot.png", "below/rows.csv", "report.html"])
def test_a_file_that_was_not_released_fails_the_writing_and_the_run(tmp_path, ledger, curve, name):
    folder = _publish(tmp_path / "release", ledger, curve)
    require_recorded(folder)
    stray = folder / name
    stray.parent.mkdir(exist_ok=True)
    stray.write_text("rows of persons", encoding="utf-8")
    for check in (lambda: require_recorded(folder), lambda: _publish(folder, ledger, curve)):
        with pytest.raises(DisclosureError, match=rf"{name}.*savefig, to_csv.*session.release"):
            check()


def test_a_file_saved_before_anything_is_published_fails_the_writing(tmp_path, ledger, curve):
    (tmp_path / "release").mkdir()
    (tmp_path / "release" / "rows.csv").write_text("1", encoding="utf-8")
    with pytest.raises(DisclosureError, match=r"rows.csv: is not in the release record"):
        _publish(tmp_path / "release", ledger, curve)


def test_the_record_says_what_a_checker_needs(tmp_path, ledger):
    counts = pd.DataFrame({"unit": list("abcd"), "n": [90, 40, 30, 3], "events": [50, 3, 12, 2]})
    released = release(CountTable(counts, ("unit",)), load_profile("standard"), title="Units")
    publication = Publication(tmp_path / "release")
    publication.add(ledger, name="ledger", heading="The ledger")
    publication.add(release_reading(released, "shares", title="Shares"), name="s", heading="Shares")
    folder = publication.write(CONTEXT)
    record = json.loads((folder / "release.json").read_text(encoding="utf-8"))
    assert record["cells"]["counts"]["shown"] == 4
    assert record["cells"]["counts"]["share_shown"] == 0.5
    assert record["profiles"]["standard"]["lowered"] == {}
    assert record["items"][1]["counts"] == {"n": 163, "events": 67, "n_rows": 4, "n_hidden": 2}
    page = (folder / "record.html").read_text(encoding="utf-8")
    assert "50.0 % shown" in page
    assert record["files"]["s.csv"]["sha256"] in page


def test_lowered_protections_stand_in_the_record(tmp_path):
    counts = pd.DataFrame({"unit": list("ab"), "n": [90, 40], "events": [50, 3]})
    lax = load_profile("standard").model_copy(update={"threshold": 3, "hides_rest": False})
    publication = Publication(tmp_path / "release")
    released = publication.release(CountTable(counts, ("unit",)), lax, title="Units")
    publication.add(released, name="units", heading="Units")
    record = json.loads((publication.write(CONTEXT) / "release.json").read_text(encoding="utf-8"))
    assert set(record["profiles"]["standard"]["lowered"]) == {"threshold", "hides_rest"}


def test_a_failed_writing_leaves_the_old_release(tmp_path, ledger, curve, monkeypatch):
    folder = _publish(tmp_path / "release", ledger, curve)
    before = _bytes(folder)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(RunError, match="No space left"):
        _publish(folder, ledger, curve)
    assert _bytes(folder) == before
    assert [path.name for path in tmp_path.iterdir()] == ["release"]


def test_a_failed_renaming_puts_the_old_release_back(tmp_path, ledger, curve, monkeypatch):
    folder = _publish(tmp_path / "release", ledger, curve)
    before, rename = _bytes(folder), Path.rename

    def refuse(self, target):
        if Path(target) == folder and "-old-" not in str(self):
            raise OSError(13, "Permission denied")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(RunError, match="Permission denied"):
        _publish(folder, ledger, curve)
    assert _bytes(folder) == before


def test_only_released_results_are_published(tmp_path, persons):
    with pytest.raises(DisclosureError, match=r"release\(result, policy, title"):
        Publication(tmp_path).add(persons, name="persons", heading="Persons")


def test_two_results_with_one_name_are_refused(tmp_path, ledger):
    publication = Publication(tmp_path)
    publication.add(ledger, name="ledger", heading="A")
    with pytest.raises(DisclosureError, match="already published"):
        publication.add(ledger, name="ledger", heading="B")


@pytest.mark.parametrize("name", ["report", "../x", "A b", "", "1st", "x.csv"])
def test_names_that_cannot_be_files_or_anchors_are_refused(tmp_path, ledger, name):
    with pytest.raises(DisclosureError, match="expected small letters"):
        Publication(tmp_path).add(ledger, name=name, heading="A")


def test_an_empty_publication_is_refused(tmp_path):
    with pytest.raises(DisclosureError, match="nothing to publish"):
        Publication(tmp_path).write(CONTEXT)
