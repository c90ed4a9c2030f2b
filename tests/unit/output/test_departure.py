"""What is about to leave is opened, whatever its kind, and told without being shown."""

from __future__ import annotations

import ctypes
import gzip
import io
import json
import zipfile
from datetime import date
from pathlib import Path

import matplotlib as mpl
import pandas as pd
import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c
import pytest
from matplotlib.figure import Figure
from openpyxl import Workbook
from PIL import Image, PngImagePlugin
from typer.testing import CliRunner

from workbench.cli import app
from workbench.errors import DisclosureError
from workbench.output.departure import check_folder
from workbench.output.departure.numbers import count_numbers
from workbench.output.publication import record_departure

AS_OF = date(2026, 1, 1)
NUMBER = "20010101-9801"  # of the series for tests; a sign tells it whatever its last digit


def check(folder: Path, threshold: int = 5) -> list[str]:
    return [str(one) for one in check_folder(folder, threshold=threshold, as_of=AS_OF)]


def zipped(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as parts:
        for name, data in members.items():
            parts.writestr(name, data)
    return buffer.getvalue()


def workbook() -> bytes:
    book = Workbook()
    book.active.append(["unit", "note"])
    book.active.append(["a", f"about {NUMBER}"])
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def picture() -> bytes:
    written = PngImagePlugin.PngInfo()
    written.add_text("Comment", f"drawn for {NUMBER}")
    buffer = io.BytesIO()
    Image.new("L", (2, 2)).save(buffer, "png", pnginfo=written)
    return buffer.getvalue()


def page_with_picture() -> bytes:
    import base64

    inside = base64.b64encode(picture()).decode()
    return f'<p>Nothing <img src="data:image/png;base64,{inside}"></p>'.encode()


def pdf(text: str = "Nothing", **facts: str) -> bytes:
    """A page as a figure is saved: its letters are numbers of a font's own."""
    buffer = io.BytesIO()
    with mpl.rc_context({"pdf.fonttype": 42}):
        figure = Figure((4, 1))
        figure.text(0.1, 0.5, text)
        figure.savefig(buffer, format="pdf", metadata=facts)
    return buffer.getvalue()


def pdf_with(inside: str) -> bytes:
    """A page with something on it or beside it that a reader sees only when asking for it."""
    document = pdfium.PdfDocument.new()
    page = document.new_page(100, 100)
    if inside == "note":
        note = pdfium_c.FPDFPage_CreateAnnot(page, pdfium_c.FPDF_ANNOT_TEXT)
        written = ctypes.create_string_buffer(NUMBER.encode("utf-16-le") + b"\0\0")
        wide = ctypes.cast(written, ctypes.POINTER(pdfium_c.FPDF_WCHAR))
        pdfium_c.FPDFAnnot_SetStringValue(note, b"Contents", wide)
        pdfium_c.FPDFPage_CloseAnnot(note)
    else:
        document.new_attachment("rows.csv").set_data(f"a,b\n1,{NUMBER}\n".encode())
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def notebook(outputs: list[dict[str, object]]) -> bytes:
    cells = [{"cell_type": "code", "source": ["1"], "outputs": outputs}]
    return json.dumps({"cells": cells}).encode()


KINDS = {
    "notes.txt": f"Seen {NUMBER} today".encode(),
    "utf16.txt": f"Seen {NUMBER} today".encode("utf-16"),
    "table.csv": f"unit;note\na;{NUMBER}\n".encode(),
    "book.xlsx": workbook(),
    "letter.docx": zipped({"word/document.xml": b"<w:t>200101</w:t><w:t>01-9801</w:t>"}),
    "figure.png": picture(),
    "drawing.svg": f"<svg><desc>{NUMBER}</desc></svg>".encode(),
    "page.html": page_with_picture(),
    "parted.html": b"<p>2001<b>0101</b>-9801</p>",
    "report.pdf": pdf(f"Patient {NUMBER}"),
    "described.pdf": pdf(Title=f"Patient {NUMBER}"),
    "noted.pdf": pdf_with("note"),
    "attached.pdf": pdf_with("attachment"),
    "packed.csv.gz": gzip.compress(f"a,b\n1,{NUMBER}\n".encode()),
    "all.zip": zipped({"inner.zip": zipped({"notes.txt": NUMBER.encode()})}),
    "notebook.ipynb": notebook([]).replace(b'"1"', json.dumps(NUMBER).encode()),
}


@pytest.mark.parametrize("name", KINDS)
def test_an_identity_number_is_found_in_every_kind_of_file(tmp_path, name):
    (tmp_path / name).write_bytes(KINDS[name])
    told = check(tmp_path)
    assert any("identity number" in one for one in told)
    assert not any("9801" in one for one in told)


@pytest.mark.parametrize(("text", "n"), [
    ("191212121212", 1), ("1912 1212", 0), ("12.191212121212", 0), ("x191212121212y", 0),
    ("191212121213", 0), ("120174-3399", 1), ("131052-308T", 1), ("131052-308X", 0),
    ("0123456789", 0), ("1700000000", 0), ("191212 1212", 1), ("2024-01-15 101500", 0),
])  # fmt: skip
def test_what_counts_as_a_number(text, n):
    # examples that the authorities publish: nobody has them
    assert count_numbers(text, as_of=AS_OF) == n


def test_where_a_pdf_keeps_its_parts_is_no_identity_number(tmp_path):
    # a table of places: ten digits for each part, and some are a date with four digits
    places = b"xref\n0 2\n0000000000 65535 f \n" + b"1912121212 00000 n \n" * 9
    content = pdf()
    (tmp_path / "report.pdf").write_bytes(content.replace(b"xref\n0", places + b"xref\n0", 1))
    assert check(tmp_path) == []


def test_a_broken_pdf_is_told(tmp_path):
    (tmp_path / "report.pdf").write_bytes(pdf()[:200])
    assert any("cannot be read as pdf" in one for one in check(tmp_path))


def test_a_name_of_a_file_can_hold_one(tmp_path):
    (tmp_path / f"{NUMBER}.txt").write_text("nothing")
    told = check(tmp_path)
    assert "name" in told[0] and "9801" not in told[0]


def test_small_counts_are_told_and_shares_are_not(tmp_path):
    table = "unit,n,events,observed,time\na,40,3,0.5,1\nb,50,0,1,2\n"
    (tmp_path / "t.csv").write_text(table)
    assert check(tmp_path) == [
        't.csv: the column "events" has 1 counts of 1 to 4. Hide them and what tells them.'
    ]
    assert check(tmp_path, threshold=3) == []


def test_small_counts_of_a_page_are_told(tmp_path):
    rows = "<tr><th>Unit</th><th>Antal</th></tr><tr><td>a</td><td>1 203</td></tr>"
    (tmp_path / "p.html").write_text(f"<table>{rows}<tr><td>b</td><td>4</td></tr></table>")
    assert any('"Antal" has 1 counts' in one for one in check(tmp_path))


def test_rows_of_persons_are_told(tmp_path):
    pseudonyms = [f"{at:032x}" for at in range(100, 120)]
    pd.DataFrame({"key": pseudonyms, "age": range(20)}).to_parquet(tmp_path / "p.parquet")
    (tmp_path / "q.csv").write_text("Löpnr,age\n17,30\n18,40\n")
    told = check(tmp_path)
    assert any('"key" looks like pseudonyms' in one for one in told)
    assert any('"Löpnr" is called as one' in one for one in told)


def test_what_cannot_be_looked_into_is_told(tmp_path):
    (tmp_path / "model.pkl").write_bytes(b"\x80\x04")
    (tmp_path / "broken.png").write_bytes(b"no picture")
    (tmp_path / "away.csv").symlink_to("/etc/hostname")
    told = check(tmp_path)
    assert len(told) == 3
    assert "link" in told[0] and "cannot be read as png" in told[1] and "kind" in told[2]


def test_notebooks_with_outputs_and_private_files_stay(tmp_path):
    (tmp_path / "n.ipynb").write_bytes(notebook([{"text": "12"}]))
    (tmp_path / "manifest.json").write_text("{}")
    told = check(tmp_path)
    assert "belongs to the run" in told[0] and "output of 1 cells" in told[1]


def test_files_beside_the_record(tmp_path):
    record = {"files": {"a.txt": {"sha256": "0" * 64}, "gone.txt": {"sha256": "0" * 64}}}
    (tmp_path / "release.json").write_text(json.dumps(record))
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text("x")
    told = check(tmp_path)
    assert [one.split(".")[0] + one.split(":")[1] for one in told] == [
        "a was changed after its release. Make the release anew.",
        "b is not in the release record. Take it out of the folder.",
        "gone is in the release record and not here. Make the release anew.",
    ]
    (tmp_path / "release.json").write_text("{}")
    assert "cannot be read" in check(tmp_path)[0]


def test_no_folder_and_an_empty_one_are_refused(tmp_path):
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(DisclosureError, match="Name the folder"):
            check(folder)


def test_the_command_ends_with_the_gates_exit_code(tmp_path):
    (tmp_path / "a.txt").write_text("All is well.")
    done = CliRunner().invoke(app, ["check-release", str(tmp_path)])
    assert done.exit_code == 0 and "1 files" in done.output
    (tmp_path / "b.txt").write_text(NUMBER)
    refused = CliRunner().invoke(app, ["check-release", str(tmp_path)])
    assert isinstance(refused.exception, DisclosureError)
    assert refused.exception.exit_code == 4
    assert "b.txt: 1 identity number" in refused.output


def test_a_release_that_leaves_is_noted_for_later_runs(tmp_path):
    release = tmp_path / "study" / "run" / "release"
    release.mkdir(parents=True)
    (release / "page.txt").write_text("All is well.")
    with pytest.raises(DisclosureError, match="not the release folder of a run"):
        record_departure(release)
    (release.parent / "shown_counts.json").write_text('{"format": 1, "tables": []}')
    done = CliRunner().invoke(app, ["check-release", str(release), "--leaves"])
    assert done.exit_code == 0
    left = tmp_path / "study" / "left" / "run.json"
    assert left.read_text() == '{"format": 1, "tables": []}'
