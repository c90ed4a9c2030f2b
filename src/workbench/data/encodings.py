"""Recognise how a text file is encoded, and read it as nothing else.

The file's own marks and bytes decide; the whole file is verified. What no encoding explains, and
what two encodings explain in part, is refused: a letter that was guessed is a wrong letter.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from pathlib import Path

from workbench.data.staging import next_place
from workbench.errors import DataError
from workbench.registers.schema import Table

BLOCK = 1 << 22
CODECS = {"ascii": "utf-8", "utf-8": "utf-8-sig", "windows-1252": "cp1252"}  # others: as named
# A letter written as UTF-8 in a file that is otherwise Windows-1252: å is C3 A5, š is C5 A1. As
# Windows-1252 these bytes would be a capital followed by a sign, which no word of the North has.
UTF8_LETTER = re.compile(
    rb"\xc3[\x80-\xbf]|[\xc4\xc5][\x86-\x8a\x8c-\x90\x98-\x9f\xa1-\xaa\xbc-\xbf]"
)


def recognise_encoding(file: Path) -> str:
    """The encoding of a text file: ascii, utf-8, utf-16, utf-16-le, utf-16-be or windows-1252."""
    with file.open("rb") as stream:
        start = stream.read(4096)
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    # In UTF-16 without a mark, every second byte of Latin text is zero.
    odd, even = start[1::2].count(0), start[::2].count(0)
    if 5 * max(odd, even) > len(start):
        return "utf-16-le" if odd > even else "utf-16-be"
    decoder = codecs.getincrementaldecoder("utf-8")()
    is_ascii = True
    try:
        for block in _blocks(file):
            if not block.isascii() or decoder.getstate()[0]:
                is_ascii = False
                decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return "windows-1252"
    return "ascii" if is_ascii else "utf-8"


def as_utf8(file: Path, table: Table, *, staging: Path) -> tuple[Path, str]:
    """The file itself when it is UTF-8, else a copy in UTF-8; and what it was.

    Raises `DataError` when the bytes are not what the definition declares, when they are no
    encoding's, or when they are two encodings'.
    """
    encoding = recognise_encoding(file)
    declared = table.delivery.encoding
    if declared and encoding != "ascii" and not encoding.startswith(declared):
        raise DataError(
            f"{file} is not {declared}, as the definition declares; its bytes look like "
            f"{encoding}. Change delivery: encoding, or leave it out to have it recognised."
        )
    if encoding in {"ascii", "utf-8"}:
        return file, "utf-8"
    copy = next_place(staging, ".csv")
    _copy_as_utf8(file, copy, encoding)
    return copy, encoding


def _copy_as_utf8(file: Path, copy: Path, encoding: str) -> None:
    decoder = codecs.getincrementaldecoder(CODECS.get(encoding, encoding))()
    n_mixed, last = 0, b""
    try:
        with copy.open("w", encoding="utf-8", newline="") as target:
            for block in _blocks(file):
                n_mixed += len(UTF8_LETTER.findall(last + block))
                last = block[-1:]
                target.write(decoder.decode(block))
            target.write(decoder.decode(b"", final=True))
    except UnicodeDecodeError:
        raise DataError(
            f"{file} cannot be read as text: its bytes look like {encoding}, but some mean nothing "
            "there. Ask for the file as UTF-8."
        ) from None
    if encoding == "windows-1252" and n_mixed:
        raise DataError(
            f"{file} mixes two encodings: {n_mixed} letters are UTF-8, others are Windows-1252. "
            "It was probably glued from two files. Ask for the file in one encoding."
        )


def _blocks(file: Path) -> Iterator[bytes]:
    with file.open("rb") as stream:
        while block := stream.read(BLOCK):
            yield block
