"""The release folder: whole or not there, the same bytes each time, nothing unreleased in it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from workbench.errors import DisclosureError, RunError
from workbench.output import figures
from workbench.output.formats.report import ReportContext
from workbench.output.publication import Publication

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


def test_a_second_writing_replaces_the_first_whole(tmp_path, ledger, curve):
    folder = _publish(tmp_path / "release", ledger, curve)
    publication = Publication(folder)
    publication.add(ledger, name="only", heading="Only")
    publication.write(CONTEXT)
    assert set(_bytes(folder)) == {"only.csv", "report.html", "release.json"}
    assert [path.name for path in tmp_path.iterdir()] == ["release"]


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
