"""What a PDF says: its pages, its notes and fields, its description, and what is attached to it."""

from __future__ import annotations

import ctypes
import re
import zlib
from collections.abc import Iterator

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

NOTED = (b"Contents", b"T", b"TU", b"V", b"RC")  # of a note or a field: text, author, name, value
STREAM = re.compile(rb"stream\r?\n(.*?)\r?\nendstream", re.DOTALL)
LITERAL = re.compile(r"\(((?:[^()\\]|\\.)*)\)", re.DOTALL)
UTF16 = re.compile(r"<(FEFF[0-9A-F\s]*)>", re.IGNORECASE)


def pdf_texts(data: bytes) -> list[str]:
    """Every text of a PDF, as a reader sees it and as it lies in the file.

    Pages are read by PDFium, since a font may number its letters as it likes. Strings of the file
    are read as well: they hold what no page shows (alternative texts, bookmarks, old versions).

    Raises
    ------
    pypdfium2.PdfiumError
        The file is broken or enciphered.
    """
    document = pdfium.PdfDocument(data)
    texts = ["\n".join(map(str, document.get_metadata_dict().values()))]
    for page in document:
        texts += [page.get_textpage().get_text_bounded(), *_notes(page)]
    return [*texts, *_strings(data)]


def pdf_attachments(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Names and contents of the files attached to a PDF."""
    document = pdfium.PdfDocument(data)
    for at in range(document.count_attachments()):
        attached = document.get_attachment(at)
        yield attached.get_name(), bytes(attached.get_data())


def _notes(page: pdfium.PdfPage) -> Iterator[str]:
    for at in range(pdfium_c.FPDFPage_GetAnnotCount(page)):
        note = pdfium_c.FPDFPage_GetAnnot(page, at)
        for key in NOTED:
            length = pdfium_c.FPDFAnnot_GetStringValue(note, key, None, 0)
            buffer = ctypes.create_string_buffer(length)
            pdfium_c.FPDFAnnot_GetStringValue(
                note, key, ctypes.cast(buffer, ctypes.POINTER(pdfium_c.FPDF_WCHAR)), length
            )
            yield buffer.raw.decode("utf-16-le", "replace").rstrip("\0")
        pdfium_c.FPDFPage_CloseAnnot(note)


def _strings(data: bytes) -> Iterator[str]:
    """Strings between the streams and in them; the table of places is numbers, and none of ours."""
    parts = [STREAM.sub(b" ", data)]
    for stream in STREAM.findall(data):
        try:
            parts.append(zlib.decompress(stream))
        except zlib.error:
            parts.append(stream)  # not packed, or packed in a way that pictures are
    for part in parts:
        if part.lstrip().startswith((b"<?xpacket", b"<x:xmpmeta")):
            yield part.decode("utf-8", "replace")
            continue
        text = part.decode("latin-1")
        # Letters of two bytes are digits with a zero between them.
        yield "".join(LITERAL.findall(text)).replace("\0", "")
        for written in UTF16.findall(text):
            yield bytes.fromhex(written).decode("utf-16", "replace")
