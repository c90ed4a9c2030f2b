"""Files of every kind that may lie in a release, opened into texts and tables.

What cannot be opened is told, and not passed over: an unknown kind may hold anything.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import html
import io
import json
import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from workbench.output.departure.page_tables import page_tables
from workbench.output.departure.pdf import pdf_attachments, pdf_texts

TEXTS = frozenset(
    {"txt", "md", "csv", "tsv", "json", "yaml", "yml", "log", "py", "r", "tex", "ris"}
)
MARKUP = frozenset({"html", "htm", "svg", "xml", "xhtml"})
OFFICE = frozenset({"docx", "pptx", "xlsx", "odt", "ods", "odp"})
PICTURES = frozenset({"png", "jpg", "jpeg", "gif", "webp", "tif", "tiff"})
DEEPEST = 3  # archives within archives
LARGEST = 200 * 2**20  # bytes of one member of an archive
EMBEDDED = re.compile(r"data:([\w/+.-]+);base64,([A-Za-z0-9+/=\s]+)")
TAG = re.compile(r"<[^>]*>")


@dataclass
class Content:
    """What a file says: texts and tables by place, and what stood in the way of reading it."""

    texts: list[tuple[str, str]] = field(default_factory=list)
    tables: list[tuple[str, pd.DataFrame]] = field(default_factory=list)
    notebooks: list[tuple[str, int]] = field(default_factory=list)  # place, cells with output
    unread: list[tuple[str, str]] = field(default_factory=list)  # place, why

    def add(self, other: Content) -> None:
        """Take over what a part of the file says."""
        for name in ("texts", "tables", "notebooks", "unread"):
            getattr(self, name).extend(getattr(other, name))


def open_content(name: str, data: bytes, *, place: str = "", depth: int = 0) -> Content:
    """Open one file by its kind; never raises for what the file holds."""
    kind = PurePosixPath(name).suffix.lower().lstrip(".")
    try:
        return _opener(kind)(data, place, depth)
    except Exception as fault:  # whatever a broken file makes a reader raise
        return Content(unread=[(place, f"cannot be read as {kind} ({type(fault).__name__})")])


def _opener(kind: str) -> Callable[[bytes, str, int], Content]:
    known: dict[str, Callable[[bytes, str, int], Content]] = {
        **dict.fromkeys(TEXTS, _text),
        **dict.fromkeys(MARKUP, _markup),
        **dict.fromkeys(OFFICE, _office),
        **dict.fromkeys(PICTURES, _picture),
        "csv": _csv, "tsv": _csv, "ipynb": _notebook, "parquet": _parquet, "feather": _feather,
        "pdf": _pdf, "zip": _archive, "gz": _gzip,
    }  # fmt: skip
    return known.get(kind, _unknown)


def _unknown(data: bytes, place: str, depth: int) -> Content:
    return Content(unread=[(place, "is of a kind that cannot be looked into")])


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode(
            "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "cp1252", "replace"
        )


def _text(data: bytes, place: str, depth: int) -> Content:
    return Content(texts=[(place, _decoded(data))])


def _csv(data: bytes, place: str, depth: int) -> Content:
    text = _decoded(data)
    found = Content(texts=[(place, text)])
    if text.strip():
        table = pd.read_csv(io.StringIO(text), sep=None, engine="python", dtype=str)
        found.tables.append((place, table))
        # cell by cell: a comma between two cells is no decimal comma
        cells = [str(one) for one in (*table.columns, *table.to_numpy().ravel())]
        found.texts.append((place, "\n".join(cells)))
    return found


def _markup(data: bytes, place: str, depth: int) -> Content:
    """Texts between tags, attributes, and the pictures that are written into the page."""
    text, found = _decoded(data), Content()
    for at, (kind, written) in enumerate(EMBEDDED.findall(text), start=1):
        where = _inside(place, f"picture {at}")
        ending = {"svg+xml": "svg"}.get(kind.split("/")[-1], kind.split("/")[-1])
        try:
            inner = base64.b64decode(written, validate=False)
        except binascii.Error:
            found.unread.append((where, "is not what it says it is"))
            continue
        found.add(open_content(f"x.{ending}", inner, place=where, depth=depth + 1))
    bare = EMBEDDED.sub(" ", text)
    # A number may be broken by tags, and one may stand in an attribute.
    found.texts += [(place, html.unescape(bare)), (place, html.unescape(TAG.sub("", bare)))]
    tables = enumerate(page_tables(bare), start=1)
    found.tables += [(_inside(place, f"table {at}"), table) for at, table in tables]
    return found


def _office(data: bytes, place: str, depth: int) -> Content:
    found = Content()
    with zipfile.ZipFile(io.BytesIO(data)) as parts:
        for member in _members(parts):
            inner, where = parts.read(member), _inside(place, member.filename)
            if member.filename.lower().endswith((".xml", ".rels", ".vml")):
                text = _decoded(inner)
                parted, joined = TAG.sub(" ", text), TAG.sub("", text)
                found.texts += [(where, html.unescape(parted)), (where, html.unescape(joined))]
            elif not member.is_dir():
                found.add(open_content(member.filename, inner, place=where, depth=depth + 1))
        is_book = "xl/workbook.xml" in parts.namelist()
    if is_book:
        sheets = pd.read_excel(io.BytesIO(data), sheet_name=None, dtype=str)
        found.tables += [(_inside(place, f"sheet {name}"), one) for name, one in sheets.items()]
    return found


def _picture(data: bytes, place: str, depth: int) -> Content:
    """What is written beside the pixels: comments, EXIF, text chunks."""
    with Image.open(io.BytesIO(data)) as picture:
        picture.load()
        written = [f"{key}: {value}" for key, value in picture.info.items()]
        written += [f"{key}: {value}" for key, value in picture.getexif().items()]
    return Content(texts=[(_inside(place, "metadata"), "\n".join(written))])


def _notebook(data: bytes, place: str, depth: int) -> Content:
    document = json.loads(_decoded(data))
    cells = document.get("cells", [])
    n_outputs = sum(bool(cell.get("outputs")) for cell in cells)
    texts = "\n".join("".join(cell.get("source", [])) for cell in cells)
    outputs = json.dumps([cell.get("outputs", []) for cell in cells])
    return Content(texts=[(place, texts), (place, outputs)], notebooks=[(place, n_outputs)])


def _parquet(data: bytes, place: str, depth: int) -> Content:
    return _of_arrow(pq.read_table(io.BytesIO(data)), place)


def _feather(data: bytes, place: str, depth: int) -> Content:
    import pyarrow.feather

    return _of_arrow(pyarrow.feather.read_table(io.BytesIO(data)), place)


def _of_arrow(table: pa.Table, place: str) -> Content:
    metadata = "\n".join(
        f"{key!r} {value!r}" for key, value in (table.schema.metadata or {}).items()
    )
    frame = table.to_pandas().astype(str)
    return Content(
        texts=[(place, frame.to_csv(index=False)), (place, metadata)], tables=[(place, frame)]
    )


def _pdf(data: bytes, place: str, depth: int) -> Content:
    found = Content(texts=[(place, text) for text in pdf_texts(data)])
    for name, inner in pdf_attachments(data):
        found.add(open_content(name, inner, place=_inside(place, "attachment"), depth=depth + 1))
    return found


def _archive(data: bytes, place: str, depth: int) -> Content:
    if depth >= DEEPEST:
        return Content(unread=[(place, "holds archives within archives within archives")])
    found = Content()
    with zipfile.ZipFile(io.BytesIO(data)) as parts:
        for member in _members(parts):
            where = _inside(place, member.filename)
            if member.flag_bits & 1:
                found.unread.append((where, "is enciphered"))
            elif not member.is_dir():
                inner = parts.read(member)
                found.add(open_content(member.filename, inner, place=where, depth=depth + 1))
    return found


def _gzip(data: bytes, place: str, depth: int) -> Content:
    if depth >= DEEPEST:
        return Content(unread=[(place, "holds archives within archives within archives")])
    with gzip.GzipFile(fileobj=io.BytesIO(data)) as stream:
        inner = stream.read(LARGEST + 1)
    if len(inner) > LARGEST:
        return Content(unread=[(place, "is too large to be looked into")])
    kind = "csv" if b"," in inner[:2000] or b";" in inner[:2000] else "txt"
    return open_content(f"x.{kind}", inner, place=_inside(place, "unpacked"), depth=depth + 1)


def _members(parts: zipfile.ZipFile) -> Iterator[zipfile.ZipInfo]:
    for member in parts.infolist():
        if member.file_size > LARGEST:
            raise ValueError("a member is too large")
        yield member


def _inside(place: str, part: str) -> str:
    return f"{place}, {part}" if place else part
