"""Methods, checklist, flow and code lists as one page for the authors, and the checklist as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from html import escape

from workbench.language import speaking
from workbench.output import tables
from workbench.output.reporting.paper import Answered, fill_checklist, methods_paragraph
from workbench.output.reporting.paper_facts import CODE_COLUMNS, PaperFacts
from workbench.registers.checklists import Checklist

STYLE = """
:root{--ink:#1a1a1a;--soft:#555;--line:#c9d1d8;--pale:#f3f6f8}
body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);max-width:60rem;margin:2rem auto;
padding:0 1rem}
h1{font-size:1.7rem;line-height:1.25}h2{margin-top:2.2rem;border-bottom:1px solid var(--line)}
h3{margin-bottom:.2rem}p{margin:.3rem 0 .8rem;max-width:46rem}
.note{color:var(--soft)}.wide{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.9rem}
caption{text-align:left;color:var(--soft);padding:.3rem 0}
th,td{text-align:left;vertical-align:top;padding:.35rem .5rem;border-bottom:1px solid var(--line);
overflow-wrap:anywhere}
thead th{background:var(--pale)}.checklist td:first-child{white-space:nowrap}
.checklist td:nth-child(2){width:30%}
.state{white-space:nowrap;font-weight:600}
td.write .state::before{content:"\\25A1\\00A0"}td.done .state::before{content:"\\2713\\00A0"}
td.not .state::before{content:"\\2013\\00A0"}
@media print{body{max-width:none;margin:0;font-size:10pt}tr{break-inside:avoid}
h2{break-after:avoid}}
"""
MARKS = {"filled": "done", "does not apply": "not", "to write": "write"}
COLUMNS = ("Item", "Asks", "State", "Answer")


def build_paper(facts: PaperFacts, checklist: Checklist) -> str:
    """One page in English for the authors of a paper; it needs nothing else and prints well.

    Methods as a draft, the filled checklist, the flow and the code lists. The same input gives the
    same bytes. Everything on it is text that the study's author wrote, or was released.
    """
    answers = fill_checklist(facts, checklist)
    n_open = sum(one.state == "to write" for one in answers)
    methods = [
        f"<h3>{escape(heading)}</h3><p>{escape(words)}</p>"
        for heading, words in methods_paragraph(facts).items()
    ]
    note = f"{n_open} of {len(answers)} items are for the authors to write. {checklist.note}"
    parts = [
        f"<h1>{escape(facts.title)}</h1>",
        '<p class="note">Draft for a paper, made from the files of a run. Read every sentence '
        "before it is used.</p>",
        "<h2>Methods</h2>", *methods,
        f"<h2>Checklist: {escape(checklist.label)}</h2>",
        f'<p class="note">{escape(note)}</p>',
        _checklist(answers, checklist.source),
        *_flow(facts), *_codes(facts),
    ]  # fmt: skip
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(facts.title)}: for a paper</title><style>{STYLE}</style></head>"
        f"<body><main>\n{chr(10).join(parts)}\n</main></body></html>\n"
    )


def checklist_csv(facts: PaperFacts, checklist: Checklist) -> bytes:
    """The filled checklist as CSV: item, section, extension, what is asked, state, answer."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["item", "section", "from", "asks", "state", "answer"])
    for one in fill_checklist(facts, checklist):
        origin = "RECORD" if one.item.is_record else "STROBE"
        row = [one.item.number, one.item.section, origin, one.item.asks, one.state, one.answer]
        writer.writerow([_plain(cell) for cell in row])
    return stream.getvalue().encode("utf-8")


def _plain(cell: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell[:1] in {"=", "+", "-", "@"} else cell


def _checklist(answers: Sequence[Answered], source: str) -> str:
    rows, section = [], ""
    for one in answers:
        if one.item.section != section:
            section = one.item.section
            rows.append(f'<tr><th colspan="4" scope="rowgroup">{escape(section)}</th></tr>')
        mark = MARKS[one.state]
        origin = " (RECORD)" if one.item.is_record else ""
        rows.append(
            f"<tr><td>{escape(one.item.number)}{origin}</td><td>{escape(one.item.asks)}</td>"
            f'<td class="{mark}"><span class="state">{escape(one.state)}</span></td>'
            f"<td>{escape(one.answer)}</td></tr>"
        )
    return _table(COLUMNS, rows, caption=source, kind="checklist")


def _flow(facts: PaperFacts) -> list[str]:
    if facts.flow is None:
        return []
    with speaking("en"):
        return ["<h2>Flow of the study population</h2>",
                f'<div class="wide">{tables.to_html(facts.flow)}</div>']  # fmt: skip


def _codes(facts: PaperFacts) -> list[str]:
    if not facts.code_lists:
        return []
    rows = [
        "<tr>" + "".join(f"<td>{escape(one[column])}</td>" for column in CODE_COLUMNS) + "</tr>"
        for one in facts.code_lists
    ]
    names = [column.capitalize() for column in CODE_COLUMNS]
    caption = "Every code that chose persons, outcomes or variables."
    return ["<h2>Code lists</h2>", _table(names, rows, caption=caption, kind="codes")]


def _table(columns: Iterable[str], rows: Sequence[str], *, caption: str, kind: str) -> str:
    head = "".join(f'<th scope="col">{escape(one)}</th>' for one in columns)
    return (
        f'<div class="wide"><table class="{kind}"><caption>{escape(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>\n{chr(10).join(rows)}\n</tbody></table></div>"
    )
