"""The pages of sessions: starting one, the list, a session's summary, its notes."""

from typing import Final

from aiohttp import web
from msgspec.structs import replace

from ...service.clients.clients import Clients
from ...service.clients.consent_texts import TEXTS
from ...service.documents.soap_draft import NO_NECESSITY
from ...service.documents.therapist_summary import summary_of
from ...service.errors import UnknownSessionError
from ...service.practice import Practice
from ...service.sessions.screening import POSTURES, QUESTIONS
from ...service.sessions.soap_notes import SessionNotes
from ..http.paging import form_of, links_of
from ..http.path_numbers import whole_number
from ..http.person import person_of
from ..http.security import PICTURE_POLICY
from ..http.templating import PageRenderer
from ..rooms.visibility import hides_clients
from .api import SessionsQuery
from .notes_api import notes_of

_SOAP: Final = (
    ("subjective", "Subjective", "What the client said: complaint, pain, aims"),
    ("objective", "Objective", "What was found and done"),
    ("assessment", "Assessment", "How it was tolerated, what has changed"),
    ("contraindications", "Contraindications", "What was asked, and what was answered"),
    ("plan", "Plan", "What comes next, until when"),
)
_RESPONSES: Final = (
    ("clear", "Clear response"),
    ("slight", "Slight response"),
    ("none", "No response"),
    ("opposite", "Opposite response"),
    ("insufficient", "Too few data"),
)
"""Words for the classes of the response, in the search."""


class SessionPages:
    """Handlers of `/sessions` and of a session's summary."""

    def __init__(self, practice: Practice, pages: PageRenderer) -> None:
        self._reports = practice.reports
        self._notes = practice.notes
        self._pages = pages

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [
            web.get("/sessions", self.sessions),
            web.get("/sessions/{session}", self.session),
            web.get("/sessions/{session}/picture.svg", self.picture),
        ]

    async def sessions(self, request: web.Request) -> web.Response:
        """List the sessions, without names in a browser that hides clients."""
        hides, query = hides_clients(request), form_of(request, SessionsQuery)
        wanted = query.wanted()
        if hides:
            wanted = replace(wanted, client=None, named=False)
        page = await self._reports.sessions(wanted)
        return self._pages.page(
            request,
            "sessions/sessions.html",
            hides=hides,
            sessions=[replace(row, client=None) for row in page.rows] if hides else page.rows,
            query=query,
            responses=_RESPONSES,
            searched=query != SessionsQuery(after=query.after, before=query.before, limit=query.limit),
            page_links=links_of(request, page),
        )

    async def session(self, request: web.Request) -> web.Response:
        """Show a session's summary; the audit log notes it.

        Raises `UnknownSessionError`, and `RequestError` where it cannot be computed.
        """
        row, report = await self._reports.of(session_of(request))
        visit = await self._notes.visit(row.session, by=person_of(request).name, what="summary") if self._notes else None
        summary = summary_of(row, report, visit)
        return self._pages.page(request, "sessions/session.html", row=row, report=report, summary=summary)

    async def picture(self, request: web.Request) -> web.Response:
        """Send the picture of a session as SVG; the audit log notes it.

        Raises `UnknownSessionError`, and `RequestError` where it cannot be drawn.
        """
        session = session_of(request)
        svg = await self._reports.picture(session)
        await self._note_view(request, session, "picture")
        headers = {"Content-Security-Policy": PICTURE_POLICY, "Cache-Control": "no-cache"}
        return web.Response(text=svg, content_type="image/svg+xml", headers=headers)

    async def _note_view(self, request: web.Request, session: int, what: str) -> None:
        if self._notes:
            await self._notes.viewed(session, what, by=person_of(request).name)


class VisitPages:
    """Handlers of `/start` and of a session's notes."""

    def __init__(self, practice: Practice, clients: Clients, notes: SessionNotes, pages: PageRenderer) -> None:
        self._settings = practice.settings
        self._reports = practice.reports
        self._clients = clients
        self._notes = notes
        self._pages = pages

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [
            web.get("/start", self.start),
            web.get("/sessions/{session}/notes", self.notes),
        ]

    async def start(self, request: web.Request) -> web.Response:
        """Show the form that starts a session."""
        return self._pages.page(
            request,
            "sessions/start.html",
            settings=await self._settings.read(),
            questions=QUESTIONS,
            postures=POSTURES,
            record=TEXTS[0],
            pseudonym=await self._clients.next_pseudonym(),
        )

    async def notes(self, request: web.Request) -> web.Response:
        """Show a session's notes, or a draft of them; the audit log notes it.

        Raises `UnknownSessionError`, and `RequestError` where its figures cannot be computed.
        """
        notes = await notes_of(self._reports, self._notes, session_of(request), by=person_of(request).name)
        saved = notes.visit.saved
        return self._pages.page(
            request,
            "sessions/notes.html",
            row=notes.session,
            visit=notes.visit,
            saved=saved,
            soap=saved.soap if saved else notes.draft,
            fields=_SOAP,
            no_necessity=NO_NECESSITY,
        )


def session_of(request: web.Request) -> int:
    """Return the number of the session in the path. Raises `UnknownSessionError` where it is none."""
    text = request.match_info["session"]
    number = whole_number(text)
    if number is None:
        raise UnknownSessionError(f"There is no session {text[:40]}.")
    return number
