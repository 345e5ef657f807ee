"""The pages before and after a session, and those of the clients."""

from typing import Any, Final, Protocol
from urllib.parse import quote

from aiohttp import web

from ...service.clients.clients import Clients
from ...service.clients.consent_texts import TEXTS
from ...service.documents.soap_draft import NO_NECESSITY
from ...service.rendering.translations import languages
from ...service.rooms.rooms import Rooms
from ...service.sessions.screening import POSTURES, QUESTIONS
from ..http.person import person_of
from ..http.templating import session_of
from ..rooms.visibility import hides_clients
from ..sessions.notes_api import notes_of

_SOAP: Final = (
    ("subjective", "Subjective", "What the client said: complaint, pain, aims"),
    ("objective", "Objective", "What was found and done"),
    ("assessment", "Assessment", "How it was tolerated, what has changed"),
    ("contraindications", "Contraindications", "What was asked, and what was answered"),
    ("plan", "Plan", "What comes next, until when"),
)


class PageFor(Protocol):
    """Renders a template for whoever asks."""

    def __call__(self, request: web.Request, template: str, **values: Any) -> web.Response:
        """Give the page."""
        ...


class RecordPages:
    """Handlers of `/start`, `/clients` and the notes of a session."""

    def __init__(self, house: Rooms, records: Clients, page: PageFor) -> None:
        self._house = house
        self._records = records
        self._page = page

    async def start(self, request: web.Request) -> web.Response:
        """Ask for what a session needs before it begins."""
        return self._page(
            request,
            "sessions/start.html",
            settings=await self._house.settings(),
            questions=QUESTIONS,
            postures=POSTURES,
            record=TEXTS[0],
            pseudonym=await self._records.next_pseudonym(),
        )

    async def clients(self, request: web.Request) -> web.Response:
        """List the clients, but not to a browser that hides them."""
        if hides_clients(request):
            return self._page(request, "shared/hidden.html", heading="Clients")
        rows, pseudonym = await self._records.clients(), await self._records.next_pseudonym()
        return self._page(request, "clients/clients.html", clients=rows, pseudonym=pseudonym, address_of=address_of)

    async def client(self, request: web.Request) -> web.Response:
        """Show one client."""
        full = await self._records.client(request.match_info["client"], by=person_of(request).name)
        given = {row.purpose: row for row in reversed(full.consents) if row.withdrawn_utc is None}
        past = {row.purpose: row for row in reversed(full.consents) if row.withdrawn_utc is not None}
        return self._page(
            request,
            "clients/client.html",
            full=full,
            address=address_of(full.client.client),
            texts=TEXTS,
            given=given,
            past=past,
            languages=languages(),
        )

    async def notes(self, request: web.Request) -> web.Response:
        """Show the notes of a session, or a draft of them."""
        notes = await notes_of(self._house, self._records, session_of(request), by=person_of(request).name)
        saved = notes.visit.saved
        return self._page(
            request,
            "sessions/notes.html",
            row=notes.session,
            visit=notes.visit,
            saved=saved,
            soap=saved.soap if saved else notes.draft,
            fields=_SOAP,
            no_necessity=NO_NECESSITY,
        )


def address_of(client: str) -> str:
    """Where a client's page is; a pseudonym from elsewhere may hold any character."""
    return f"/clients/{quote(client, safe='')}"
