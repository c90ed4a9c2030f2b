"""Only what a release record lists is found and copied, and only as it was released."""

from __future__ import annotations

import json

import pytest
from releases import write_run

from workbench.errors import DisclosureError, RunError
from workbench.output.portal.releases import (
    INDEX,
    copy_releases,
    find_releases,
    read_copies,
    read_release,
)


def copied(tmp_path):
    releases, faults = find_releases(tmp_path / "runs")
    copy_releases(releases, tmp_path / "portal", faults)
    return tmp_path / "portal"


def names(folder):
    return sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
    )


def test_only_listed_files_are_copied(tmp_path):
    release = write_run(tmp_path / "runs")
    (release / "persons.csv").write_text("id\n1\n", encoding="utf-8")
    assert names(copied(tmp_path)) == [
        INDEX,
        "r1/catheter-funnel.csv",
        "r1/catheter-trends.csv",
        "r1/catheter.csv",
        "r1/release.json",
        "r1/report.html",
    ]


def test_a_changed_file_keeps_its_release_out_and_the_reason_is_told(tmp_path):
    release = write_run(tmp_path / "runs")
    write_run(tmp_path / "runs", "other", title="Another")
    (release / "catheter.csv").write_text("region,n\nAlvik,1\n", encoding="utf-8")
    releases, faults = find_releases(tmp_path / "runs")
    assert [one.study for one in releases] == ["other"]
    assert faults == [
        "renal/aaaa: catheter.csv is not the file that was released. Run the study again."
    ]


def test_a_file_that_is_a_link_is_not_followed(tmp_path):
    release = write_run(tmp_path / "runs")
    secret = tmp_path / "secret.csv"
    secret.write_bytes((release / "catheter.csv").read_bytes())
    (release / "catheter.csv").unlink()
    (release / "catheter.csv").symlink_to(secret)
    assert find_releases(tmp_path / "runs")[0] == []


@pytest.mark.parametrize(
    "name", ["../manifest.json", "/etc/passwd", "store.duckdb", "a/b.csv", ".hidden.csv", "x.ipynb"]
)
def test_a_record_cannot_name_files_that_are_never_released(tmp_path, name):
    release = write_run(tmp_path / "runs")
    record = json.loads((release / "release.json").read_text(encoding="utf-8"))
    record["files"][name] = {"sha256": "0", "bytes": 1}
    (release / "release.json").write_text(json.dumps(record), encoding="utf-8")
    with pytest.raises(DisclosureError, match="never released"):
        read_release(release, study="renal", run="aaaa")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 2}', "\x00", '{"format": 1}'])
def test_a_record_that_cannot_be_read_is_told(tmp_path, text):
    release = write_run(tmp_path / "runs")
    (release / "release.json").write_text(text, encoding="utf-8")
    releases, faults = find_releases(tmp_path / "runs")
    assert releases == [] and "cannot be read" in faults[0]


def test_the_newest_run_of_a_study_counts_and_withdrawn_ones_do_not(tmp_path):
    runs = tmp_path / "runs"
    write_run(runs, run="old", finished_at="2026-01-01")
    write_run(runs, run="new", finished_at="2026-02-01")
    write_run(runs, run="units", finished_at="2025-01-01", changed={"units.by": "unit"})
    gone = write_run(runs, run="gone", finished_at="2026-03-01")
    (gone.parent / "withdrawn.json").write_text("{}", encoding="utf-8")
    releases, faults = find_releases(runs)
    assert [one.run for one in releases] == ["new", "units"]
    assert faults == ["renal/gone: left out, its inputs were withdrawn."]


def test_a_copy_is_made_in_a_fresh_folder_only(tmp_path):
    write_run(tmp_path / "runs")
    (tmp_path / "portal").mkdir()
    (tmp_path / "portal" / "old").write_text("x", encoding="utf-8")
    with pytest.raises(RunError, match="fresh"):
        copied(tmp_path)


def test_copies_are_read_back_as_they_were_found(tmp_path):
    write_run(tmp_path / "runs", changed={"units.by": "unit"})
    releases, faults = read_copies(copied(tmp_path))
    assert faults == [] and releases[0].changed == {"units.by": "unit"}
    assert releases[0].title == "Renal results" and releases[0].register == "Renal register"


def test_a_vanished_folder_is_a_sentence_and_no_error(tmp_path):
    assert read_copies(tmp_path / "gone")[1] == [
        "The folder with the released results is not there, or cannot be read."
    ]
    write_run(tmp_path / "runs")
    folder = copied(tmp_path)
    (folder / "r1" / "catheter.csv").unlink()
    releases, faults = read_copies(folder)
    assert releases == [] and "cannot be read" in faults[0]


def test_the_same_releases_give_the_same_bytes(tmp_path):
    write_run(tmp_path / "runs")
    releases, faults = find_releases(tmp_path / "runs")
    for name in ("one", "two"):
        copy_releases(releases, tmp_path / name, faults)
    assert [(tmp_path / "one" / one).read_bytes() for one in names(tmp_path / "one")] == [
        (tmp_path / "two" / one).read_bytes() for one in names(tmp_path / "two")
    ]
