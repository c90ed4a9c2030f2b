"""What the portal answers to: few addresses, each looked up in what is known at the start."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.services.kernels.handlers import KernelHandler
from tornado.web import RequestHandler
from voila.tornado.handler import TornadoVoilaHandler  # type: ignore[import-untyped]

from workbench.errors import DisclosureError
from workbench.output.portal.releases import Release, read_copies, read_released
from workbench.output.portal.seats import Seats, Usher
from workbench.output.portal.start_page import EXPLORER, gone_page, start_page, waiting_page
from workbench.output.portal.words import NAMES

WAIT_SECONDS = 15
KINDS = {
    "html": "text/html; charset=utf-8", "pdf": "application/pdf", "png": "image/png",
    "svg": "image/svg+xml", "csv": "text/csv; charset=utf-8", "json": "application/json",
    "css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8",
}  # fmt: skip
# A released page is pictures and words in one file; it needs nothing else, and may do nothing.
PAPER_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:"
PAGE_POLICY = "default-src 'none'; style-src 'self'; img-src data:"
# Voila's page brings scripts and styles of its own in the page, and one script that makes code.
EXPLORER_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; "
    "connect-src 'self' data:; object-src 'none'; frame-ancestors 'none'; base-uri 'none'"
)
OWN_DOORS = (
    r"/api/kernels/(?P<kernel_id>\w+-\w+-\w+-\w+-\w+)/channels",
    r"/voila/static/(.*)",
    r"/voila/labextensions/(.*)",
    r"/voila/api/themes/(.*)",
    r"/voila/query/(?P<kernel_id>\w+-\w+-\w+-\w+-\w+)",
)


def language_of(handler: RequestHandler) -> str:
    """The language a browser asks for, of those the portal has."""
    locale = handler.get_browser_locale("en").code.lower()[:2]
    known = {"no": "nb", "nn": "nb"}.get(locale, locale)
    return known if known in NAMES else "en"


class Page(JupyterHandler):  # type: ignore[misc]
    """A page made here; whatever is not found is told in words."""

    policy = PAGE_POLICY

    def set_default_headers(self) -> None:
        """Say what a page may do, and that it is not kept."""
        self.set_header("Content-Security-Policy", self.policy)
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Referrer-Policy", "no-referrer")
        self.set_header("Cache-Control", "no-store")

    def write_error(self, status_code: int, **_: Any) -> None:
        """Tell without details what could not be answered."""
        self.finish(gone_page(language_of(self)))


class StartPage(Page):
    """Registers, reports and packs."""

    def initialize(self, releases: Sequence[Release], faults: Sequence[str]) -> None:
        """Take what was found when the portal started."""
        self.releases, self.faults = releases, faults

    def get(self, language: str = "") -> None:
        """The page in the language asked for, or the browser's."""
        wanted = language if language in NAMES else language_of(self)
        self.finish(start_page(self.releases, self.faults, wanted))


class Paper(Page):
    """One released file, looked up by number and name."""

    policy = PAPER_POLICY

    def initialize(self, papers: Mapping[tuple[str, str], tuple[Release, str]]) -> None:
        """Take what may be asked for."""
        self.papers = papers

    def get(self, number: str, name: str) -> None:
        """The file, if it is one of those released and still as it was."""
        found = self.papers.get((number, name))
        try:
            if found is None:
                raise DisclosureError("not released")
            release, file = found
            content = read_released(release.folder, file, release.record["files"][file], "")
        except DisclosureError:
            self.set_status(404)
            self.finish(gone_page(language_of(self)))
            return
        kind = KINDS.get(name.rpartition(".")[2])
        self.set_header("Content-Type", kind or "application/octet-stream")
        if kind is None:
            self.set_header("Content-Disposition", f'attachment; filename="{name}"')
        self.finish(content)


class OwnFile(Page):
    """The portal's own style sheet and script."""

    def initialize(self, name: str) -> None:
        """Take which of the two it is."""
        self.name = name

    def get(self) -> None:
        """The file as the package has it."""
        folder = resources.files("workbench.output.portal") / "template"
        self.set_header("Content-Type", KINDS[self.name.rpartition(".")[2]])
        self.finish((folder / self.name).read_bytes())


class KernelModel(KernelHandler):  # type: ignore[misc]
    """Whether the process behind a page still runs; nothing can be done to it here."""

    SUPPORTED_METHODS = ("GET",)


class Leave(Page):
    """A page that is closed ends the process behind it, so that its place is free at once."""

    def check_xsrf_cookie(self) -> None:
        """Nothing more is asked for: only the page itself knows its kernel's name."""

    async def post(self, kernel_id: str) -> None:
        """End the process, if there is one of that name."""
        if kernel_id in self.kernel_manager:
            await self.kernel_manager.shutdown_kernel(kernel_id, now=True)
        self.set_status(204)
        self.finish()


class Explorer(TornadoVoilaHandler):  # type: ignore[misc]
    """The result explorer, as long as a place is free."""

    def initialize(self, seats: Seats, **kwargs: Any) -> None:
        """Take the places along with what Voila needs."""
        super().initialize(**kwargs)
        self.seats = seats
        self.usher: Usher | None = None

    def set_default_headers(self) -> None:
        """Allow what Voila's page needs, and nothing from elsewhere."""
        self.set_header("Content-Security-Policy", EXPLORER_POLICY)
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Referrer-Policy", "no-referrer")

    @property
    def kernel_manager(self) -> Any:
        """Voila's keeper of kernels; it notes which kernel this visitor was given."""
        return self.usher or self.settings["kernel_manager"]

    async def get(self, path: str | None = None) -> None:
        """The page, or words that all places are taken."""
        keeper = self.settings["kernel_manager"]
        seat = self.seats.take(keeper)
        if seat is None:
            await self.seats.clear(keeper)
            seat = self.seats.take(keeper)
        if seat is None:
            self.set_status(503)
            self.set_header("Retry-After", str(WAIT_SECONDS))
            self.set_header("Content-Security-Policy", PAGE_POLICY)
            self.finish(waiting_page(language_of(self), WAIT_SECONDS))
            return
        self.usher = Usher(keeper, seat)
        try:
            await super().get(None)
        finally:
            self.seats.settle(seat)

    def write_error(self, status_code: int, **_: Any) -> None:
        """Tell without details that the page could not be made."""
        self.finish(gone_page(language_of(self)))


class Nothing(Page):
    """Everything else."""

    async def prepare(self, **_: Any) -> None:
        """Answer every method with the same words."""
        self.set_status(404)
        self.finish(gone_page(language_of(self)))


def doors_of(
    voila_doors: Sequence[tuple[Any, ...]], app: Any, results: Path, places: int
) -> list[Any]:
    """The portal's handlers: its own, and those few of Voila's that its page needs."""
    releases, faults = read_copies(results)
    papers = {
        (str(at), name): (release, name)
        for at, release in enumerate(releases, start=1)
        for name in release.files
    }
    pages = {"releases": releases, "faults": faults}
    explorer = next(door for door in voila_doors if issubclass(door[1], TornadoVoilaHandler))
    kept = [door for door in voila_doors if door[0] in OWN_DOORS]
    return [
        (r"/", StartPage, pages),
        (r"/(sv|nb|en)", StartPage, pages),
        (r"/released/(\d+)/([A-Za-z0-9_.-]+)", Paper, {"papers": papers}),
        (r"/portal\.css", OwnFile, {"name": "portal.css"}),
        (r"/portal\.js", OwnFile, {"name": "portal.js"}),
        (r"/api/kernels/(?P<kernel_id>\w+-\w+-\w+-\w+-\w+)", KernelModel),
        (r"/voila/api/shutdown/([a-f0-9-]+)", Leave),
        (f"/{EXPLORER}", Explorer, {**explorer[2], "seats": Seats(places)}),
        *kept,
        (r"/.*", Nothing),
    ]
