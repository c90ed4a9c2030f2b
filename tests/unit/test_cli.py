"""The command line: one message, the right exit code, and no value of any person."""

from __future__ import annotations

import sys

import pytest
from projects import HEADER, make_project, many_rows, study_file

from workbench import cli
from workbench.cli import intake


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
    monkeypatch.setattr(intake, "import_extract", stop)
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


NUMBERS = """\
name: numbers
label: Numbers
tables:
  rows:
    person: nr
    variables:
      nr: {type: code, sensitivity: identity, identity_scheme: swedish, required: yes}
      note: {type: text, free_text: left_out}
      x: {type: integer}
"""
ANNA, BO = "198611239883", "191212121212"


@pytest.fixture
def numbers(tmp_path, monkeypatch):
    """A project with a register of identity numbers, its extract, and a key elsewhere."""
    project = tmp_path / "project"
    path = project / "params" / "registers" / "numbers.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(NUMBERS)
    file = project / "extract.csv"
    file.write_text(f"nr;note;x\n{ANNA};SENTINEL;1\n{BO};SENTINEL;2\n")
    for name in ("WORKBENCH_KEY", "WORKBENCH_KEY_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return project, file


def test_numbers_are_imported_with_the_key_that_was_made(tmp_path, workbench, numbers):
    project, file = numbers
    words = ("import", "numbers.rows", file, "--project", project)
    code, _, err = workbench(*words)
    assert code == 2 and "workbench new key" in err
    code, out, _ = workbench("new", "key", "--project", project)
    key = tmp_path / "config" / "register-workbench" / "key"
    assert code == 0 and "Keep a copy" in out
    assert key.read_text().strip() not in out
    code, out, _ = workbench(*words)
    assert code == 0 and "2 rows read = 2 kept" in out
    assert "free text: note" in out and "test number in 1 row" in out
    assert ANNA not in out and "SENTINEL" not in out
    code, _, err = workbench("new", "key", "--project", project)
    assert code == 2 and "stays as it is" in err


def test_faults_of_the_key_end_with_their_code(tmp_path, workbench, numbers, monkeypatch):
    project, file = numbers
    words = ("import", "numbers.rows", file, "--project", project)
    monkeypatch.setenv("WORKBENCH_KEY", "abcd")
    code, _, err = workbench(*words)
    assert (code, "too short" in err) == (2, True)
    monkeypatch.delenv("WORKBENCH_KEY")
    assert workbench("new", "key", tmp_path / "a", "--project", project)[0] == 0
    monkeypatch.setenv("WORKBENCH_KEY_FILE", str(tmp_path / "a"))
    assert workbench(*words)[0] == 0
    (tmp_path / "a").chmod(0o644)
    code, _, err = workbench(*words)
    assert (code, "chmod 600" in err) == (2, True)
    assert workbench("new", "key", tmp_path / "b", "--project", project)[0] == 0
    monkeypatch.setenv("WORKBENCH_KEY_FILE", str(tmp_path / "b"))
    code, _, err = workbench("import", "numbers.rows", file, "--project", project)
    assert (code, "made with another key" in err) == (3, True)
    code, _, err = workbench("new", "key", project / "key", "--project", project)
    assert (code, "with the data it protects" in err) == (2, True)


def test_a_table_without_numbers_asks_for_no_key(tmp_path, workbench, monkeypatch):
    make_project(tmp_path)
    monkeypatch.setenv("WORKBENCH_KEY", "no key at all")
    file = extract(tmp_path, *many_rows(9))
    assert workbench("import", "kidney.starts", file, "--project", tmp_path)[0] == 0


def test_persons_and_versions_are_removed(tmp_path, workbench, numbers, monkeypatch):
    project, file = numbers
    here = ("--project", project)
    monkeypatch.setenv("WORKBENCH_KEY", "demonstration")
    code, _, err = workbench("import", "numbers.rows", file, *here)
    assert code == 3 and "real persons" in err
    file.write_text(file.read_text().replace(BO, "199112309803"))
    workbench("import", "numbers.rows", file, *here)
    ids = tmp_path / "ids"
    ids.write_text(f"{ANNA}\n199007212393\n")
    code, out, _ = workbench("forget", "numbers", "--ids", ids, "--reason", "asked to", *here)
    assert code == 0
    assert "2 asked for, 1 found; 1 in no version" in out
    assert "numbers.rows v0001: 1 row of persons who left removed on" in out
    assert ANNA not in out
    out = workbench("status", *here)[1]
    assert "1 rows, 0 set aside, 1 removed" in out and "asked to" in out
    assert "demonstration key" in out
    code, _, err = workbench("import", "numbers.rows", file, *here)
    assert code == 0  # the same files: nothing changes, so nobody comes back
    (project / "params" / "registers" / "numbers.yaml").write_text(NUMBERS + "    label: New\n")
    code, _, err = workbench("import", "numbers.rows", file, *here)
    assert code == 3 and "--accept-withdrawn" in err
    assert workbench("import", "numbers.rows", file, "--accept-withdrawn", *here)[0] == 0
    code, out, _ = workbench("prune", "--keep", "1", "--dry-run", *here)
    assert code == 0 and "Nothing was removed" in out and "v0001" in out
    code, out, _ = workbench("prune", "--table", "numbers.rows", "--version", "v0001", *here)
    assert code == 0 and "v0001: the version, 1 row removed" in out
    assert "No version" in workbench("prune", "--before", "2000-01-01", *here)[1]


@pytest.mark.parametrize(
    "words", [(), ("--keep", "1", "--before", "2020-01-01"), ("--version", "v0001"),
              ("--version", "v0001", "--table", "numbers")],
)  # fmt: skip
def test_which_versions_go_is_said_in_one_way(workbench, numbers, words):
    code, _, err = workbench("prune", *words, "--project", numbers[0])
    assert code == 2 and ("--keep N" in err or "--version needs" in err)


def test_runs_on_persons_who_left_are_marked(tmp_path, workbench, monkeypatch):
    project = make_project(tmp_path)
    here = ("--project", tmp_path)
    workbench("import", "kidney.starts", extract(tmp_path, *many_rows(120)), *here)
    assert workbench("run", study_file(project), *here)[0] == 0
    (tmp_path / "ids").write_text("p0003\n")
    monkeypatch.setenv("WORKBENCH_KEY", "not asked for")
    code, out, _ = workbench("forget", "kidney.starts", "--ids", tmp_path / "ids", *here)
    assert code == 0 and "Inputs withdrawn" in out
    assert "inputs withdrawn" in (tmp_path / "runs" / "index.html").read_text("utf-8")


def test_invented_registers_are_written(tmp_path, workbench):
    code, out, _ = workbench("invent", tmp_path / "made", "--persons", "300", "--seed", "2")
    assert code == 0 and "do not exist" in out
    assert (tmp_path / "made" / "population.persons.csv").is_file()
    assert "population.persons.csv" in out
