"""The command line: one message, the right exit code, and no value of any person."""

from __future__ import annotations

import sys

import pytest
from projects import HEADER, make_project, many_rows, study_file

from workbench import cli


@pytest.fixture
def workbench(monkeypatch, capsys):
    """Call the command line in this process; give its exit code and what it printed."""

    def call(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["workbench", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        printed = capsys.readouterr()
        return int(ended.value.code or 0), printed.out, printed.err

    return call


def extract(tmp_path, *rows):
    path = tmp_path / "extract.csv"
    path.write_text("\n".join([HEADER, *rows]) + "\n")
    return path


def test_import_tells_rows_read_kept_and_set_aside(tmp_path, workbench):
    make_project(tmp_path)
    file = extract(tmp_path, *many_rows(99), "SENTINEL,1950-01-01,2015-02-30,2016-01-01,1,65,f")
    code, out, _ = workbench("import", "kidney.starts", file, "--project", tmp_path)
    assert code == 0
    assert "100 rows read = 99 kept + 1 set aside" in out
    assert "start: impossible date in 1 row (row 100)" in out
    assert "SENTINEL" not in out
    code, out, _ = workbench("import", "kidney.starts", file, "--project", tmp_path)
    assert code == 0 and "nothing changed" in out


def test_dry_run_stores_nothing(tmp_path, workbench):
    make_project(tmp_path)
    file = extract(tmp_path, *many_rows(9))
    code, out, _ = workbench("import", "kidney.starts", file, "--project", tmp_path, "--dry-run")
    assert code == 0 and "9 rows read = 9 kept" in out
    assert not (tmp_path / "store").exists()


def test_too_many_faulty_rows_are_bad_data(tmp_path, workbench):
    make_project(tmp_path)
    file = extract(tmp_path, "SENTINEL,1950-01-01,nonsense,2016-01-01,1,65,f")
    code, _, err = workbench("import", "kidney.starts", file, "--project", tmp_path)
    assert code == 3
    assert "more than the 5% that may be set aside" in err
    assert "SENTINEL" not in err and "nonsense" not in err and "Traceback" not in err


def test_as_of_decides_what_lies_in_the_future(tmp_path, workbench):
    make_project(tmp_path)
    file = extract(tmp_path, *many_rows(9))
    words = ("import", "kidney.starts", file, "--project", tmp_path)
    code, _, err = workbench(*words, "--as-of", "2015-01-01")
    assert code == 3 and "in the future" in err
    assert workbench(*words, "--as-of", "2021-01-01")[0] == 0


WRONG = {
    "no such register": (("import", "kidny.starts", "x.csv"), 2, 'Did you mean "kidney"'),
    "no table named": (("import", "kidney", "x.csv"), 2, "REGISTER.TABLE"),
    "no such file": (("import", "kidney.starts", "x.csv"), 3, "there is no such file"),
    "no such study": (("run", "nothing.yaml"), 2, "cannot be read"),
    "not imported yet": (("run", "{study}"), 3, "workbench import kidney.starts"),
    "no value": (("run", "{study}", "-p", "as_of"), 2, "NAME=VALUE"),
    "unknown name": (("run", "{study}", "-p", "as_off=2020-01-01"), 2, "neither the study nor"),
    "register drafted twice": (("new", "register", "kidney.csv"), 2, "there already"),
    "draft of nothing": (("new", "register", "other.csv"), 3, "no such file"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_can_be_mended_ends_with_its_code_and_one_message(tmp_path, workbench, case):
    words, expected, told = WRONG[case]
    project = make_project(tmp_path)
    words = [word.replace("{study}", str(study_file(project))) for word in words]
    code, _, err = workbench(*words, "--project", tmp_path)
    assert (code, told in err) == (expected, True), err
    assert "Traceback" not in err


@pytest.mark.parametrize("stopped", [KeyboardInterrupt(), RuntimeError("Query interrupted")])
def test_stopping_ends_with_one_line_and_its_own_code(tmp_path, workbench, monkeypatch, stopped):
    def stop(*_, **__):
        raise stopped

    make_project(tmp_path)
    monkeypatch.setattr(cli, "import_extract", stop)
    file = extract(tmp_path, *many_rows(9))
    code, _, err = workbench("import", "kidney.starts", file, "--project", tmp_path)
    assert (code, err.strip()) == (130, "Stopped. Nothing half-made was kept.")


def test_a_misused_command_says_what_it_takes(workbench):
    code, _, err = workbench("status", "--nonsense")
    assert code == 2 and "--nonsense" in err


def test_status_tells_what_the_store_holds(tmp_path, workbench):
    make_project(tmp_path)
    assert "is empty" in workbench("status", "--project", tmp_path)[1]
    workbench("import", "kidney.starts", extract(tmp_path, *many_rows(9)), "--project", tmp_path)
    out = workbench("status", "--project", tmp_path)[1]
    assert "kidney.starts" in out and "v0001" in out and "2010-01-15 to" in out


def test_registers_are_listed_and_printed(tmp_path, workbench):
    make_project(tmp_path)
    assert (
        "kidney: A small register (kidney.starts)"
        in workbench("registers", "--project", tmp_path)[1]
    )
    out = workbench("registers", "kidney", "--project", tmp_path)[1]
    assert "**access** (code; health): Access" in out
    assert "x = not known (counts as missing)" in out


def test_a_beginner_gets_from_an_extract_to_a_study_that_passes_its_checks(tmp_path, workbench):
    file = extract(tmp_path, *many_rows(60))
    words = ("--project", tmp_path)
    assert workbench("new", "register", file, "--name", "mine", *words)[0] == 0
    draft = (tmp_path / "params" / "registers" / "mine.yaml").read_text()
    assert "p0001" not in draft and "fistula" not in draft
    assert "60 kept" in workbench("import", "mine.rows", file, *words)[1]
    assert workbench("new", "study", "mine.rows", "--name", "first", *words)[0] == 0
    study = tmp_path / "params" / "studies" / "first.yaml"
    assert "register: mine" in study.read_text()
    code, _, err = workbench("run", study, "-p", "as_of=soon", *words)
    assert code == 2 and "as_of" in err


def test_a_draft_without_an_extract_is_a_working_file_too(tmp_path, workbench):
    words = ("--project", tmp_path)
    assert workbench("new", "register", *words)[0] == 0
    assert "my_register.rows" in workbench("registers", *words)[1]
    assert workbench("new", "study", *words)[0] == 0  # on the only table there is
    assert "table: rows" in (tmp_path / "params" / "studies" / "my_study.yaml").read_text()


def test_a_study_on_a_file_or_on_nobody_knows_which_table_is_refused(tmp_path, workbench):
    words = ("--project", tmp_path)
    code, _, err = workbench("new", "study", *words)
    assert code == 2 and "Say on which table" in err
    code, _, err = workbench("new", "study", extract(tmp_path, *many_rows(2)), *words)
    assert code == 2 and "workbench new register" in err


def test_a_register_is_named_for_its_file(tmp_path, workbench):
    file = extract(tmp_path, *many_rows(60)).rename(tmp_path / "2024 Hjärta (uttag).csv")
    assert workbench("new", "register", file, "--project", tmp_path)[0] == 0
    assert (tmp_path / "params" / "registers" / "register_2024_hjarta_uttag.yaml").is_file()
