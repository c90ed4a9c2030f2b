"""The first page: registers, their studies, reports and packs, and what is left out and why."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from workbench.output.portal.releases import Release
from workbench.output.portal.words import NAMES, retell, say

PAPERS = {
    "report.html": "Report", "report.pdf": "Report for print (PDF)", "deck.pptx": "Slides",
    "workbook.xlsx": "Workbook",
}  # fmt: skip
EXPLORER = "results"


def start_page(releases: Sequence[Release], faults: Sequence[str], language: str) -> str:
    """The whole page in a language.

    Parameters
    ----------
    releases
        What is served; a release's papers lie under `released/<number>/`.
    faults
        Why something is left out.
    language
        "sv", "nb" or "en".
    """
    title = say(language, "Results of the registers")
    parts = [f"<h1>{escape(title)}</h1>"]
    if releases:
        told = say(language, "Compare units with the nation, indicator by indicator.")
        link = escape(say(language, "Explore the results"))
        parts.append(f"<p>{escape(told)}</p>")
        parts.append(f'<p><a class="big" href="{EXPLORER}">{link}</a></p>')
    else:
        told = say(
            language,
            "No released result can be shown here. A result comes when a study has been run and "
            "released, and the portal started again.",
        )
        parts.append(f'<p class="portal-notice">{escape(told)}</p>')
    numbered = list(enumerate(releases, start=1))
    for register in sorted({one.register for one in releases}):
        parts.append(f"<h2>{escape(register or say(language, 'Other results'))}</h2>")
        parts += [_article(at, one, language) for at, one in numbered if one.register == register]
    if faults:
        lines = "".join(f'<li lang="en">{escape(one)}</li>' for one in faults)
        heading = escape(say(language, "Not shown here"))
        parts.append(f'<section class="portal-hidden"><h2>{heading}</h2><ul>{lines}</ul></section>')
    parts.append(f'<p class="portal-key">{escape(say(language, _WHAT))}</p>')
    return framed(title, "".join(parts), language)


def waiting_page(language: str, seconds: int) -> str:
    """What the next visitor reads when all places are taken; it tries again by itself."""
    title = say(language, "All places are taken just now")
    told = say(
        language,
        "Others are looking at the results. The page tries again by itself in {n} seconds, and "
        "the reports can be read meanwhile.",
        n=seconds,
    )
    back = escape(say(language, "To the reports"))
    body = (
        f'<h1>{escape(title)}</h1><p role="status">{escape(told)}</p>'
        f'<p><a href="/{language}">{back}</a></p>'
    )
    return framed(title, body, language, refresh=seconds)


def gone_page(language: str) -> str:
    """What is read in place of a page that is not there, or is there no longer."""
    title = say(language, "There is no such page")
    told = say(language, "It was not released, or is served no longer.")
    back = escape(say(language, "To the reports"))
    body = f'<h1>{escape(title)}</h1><p>{escape(told)}</p><p><a href="/{language}">{back}</a></p>'
    return framed(title, body, language)


def framed(title: str, body: str, language: str, *, refresh: int | None = None) -> str:
    """A page with its head and the choice of language."""
    again = f'<meta http-equiv="refresh" content="{refresh}">' if refresh else ""
    languages = "".join(
        f'<a href="/{code}" lang="{code}"{" aria-current=true" if code == language else ""}>'
        f"{name}</a>"
        for code, name in NAMES.items()
    )
    label = escape(say(language, "Language"))
    return (
        f'<!DOCTYPE html><html lang="{language}"><head><meta charset="utf-8">{again}'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{escape(title)}</title><link rel="icon" href="data:,">'
        '<link rel="stylesheet" href="/portal.css"></head><body><main class="start">'
        f'<nav aria-label="{label}">{languages}</nav>{body}</main></body></html>'
    )


def _article(at: int, release: Release, language: str) -> str:
    """One study: its title, question, period and papers."""
    papers = " · ".join(
        f'<a href="/released/{at}/{name}">{escape(say(language, word))}</a>'
        for name, word in PAPERS.items()
        if name in release.files
    )
    period = retell(language, release.facts.get("Period", ""))
    changed = ", ".join(f"{key} = {told}" for key, told in release.changed.items())
    lines = " · ".join(escape(one) for one in (period, changed) if one)
    return (
        f"<article><h3>{escape(release.title)}</h3><p>{escape(release.question)}</p>"
        f'<p class="portal-key">{lines}</p><p>{papers}</p></article>'
    )


_WHAT = (
    "Only what was released is served here: tables and figures in which small counts, and what "
    "could tell them, are hidden. No data on persons lie on this server."
)
