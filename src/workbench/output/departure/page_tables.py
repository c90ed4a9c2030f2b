"""The tables of a page, by the standard library's parser: cells as text, spans left as they are."""

from __future__ import annotations

from html.parser import HTMLParser

import pandas as pd


class _Tables(HTMLParser):
    """Gathers rows of cells of every table, outer ones only."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tables: list[list[list[str]]] = []
        self._depth = 0
        self._in_cell = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin a table, a row or a cell."""
        if tag == "table":
            self._depth += 1
            if self._depth == 1:
                self.tables.append([])
        elif self._depth and tag == "tr":
            self.tables[-1].append([])
        elif self._depth and tag in {"td", "th"}:
            if not self.tables[-1]:
                self.tables[-1].append([])
            self.tables[-1][-1].append("")
            self._in_cell = True

    def handle_endtag(self, tag: str) -> None:
        """End a cell or a table."""
        if tag == "table" and self._depth:
            self._depth -= 1
        if tag in {"td", "th", "tr", "table"}:
            self._in_cell = False

    def handle_data(self, data: str) -> None:
        """Text of a cell."""
        if self._depth and self._in_cell:
            self.tables[-1][-1][-1] += data


def page_tables(page: str) -> list[pd.DataFrame]:
    """Every table of a page with its first row as header; rows of another length are widened."""
    parser = _Tables()
    parser.feed(page)
    found = []
    for rows in parser.tables:
        filled = [[cell.strip() for cell in row] for row in rows if row]
        if len(filled) < 2:
            continue
        width = max(map(len, filled))
        header, *body = [row + [""] * (width - len(row)) for row in filled]
        found.append(pd.DataFrame(body, columns=header, dtype="string"))
    return found
