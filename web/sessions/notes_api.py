"""The API around a session: what was asked before, pain after, the notes."""

from typing import Annotated, Any

import msgspec

from ...service.documents.soap_draft import draft_of
from ...service.sessions.models import SavedSoap, SessionRow, Soap, Visit
from ...service.sessions.report_cache import SessionReports
from ...service.sessions.screening import QUESTIONS, ScreeningQuestion
from ...service.sessions.soap_notes import SessionNotes
from ..http.endpoint import Call, Endpoint, Method

_Text = Annotated[str, msgspec.Meta(max_length=8000)]


class Notes(msgspec.Struct, frozen=True):
    """A session around its figures."""

    session: SessionRow
    visit: Visit
    draft: Annotated[Soap, msgspec.Meta(description="Made from what was asked and measured; what was saved stands in `visit`.")]


class WriteNotes(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Notes to save."""

    subjective: _Text
    objective: _Text
    assessment: _Text
    contraindications: Annotated[
        str, msgspec.Meta(description="Never left open: what was asked, or that nothing was.", min_length=1, max_length=2000)
    ]
    plan: _Text
    mind: Annotated[str, msgspec.Meta(description="A flag for the next visit.", max_length=300)] = ""
    based_on: Annotated[
        Annotated[str, msgspec.Meta(max_length=40)] | None,
        msgspec.Meta(description="`updated_utc` of the notes that the writer saw; null where there were none."),
    ] = None


class PainAfter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Pain after the session."""

    score: Annotated[Annotated[int, msgspec.Meta(ge=0, le=10)] | None, msgspec.Meta(description="Null: not asked after all.")]


class NotesApi:
    """Handlers of the notes."""

    def __init__(self, reports: SessionReports, notes: SessionNotes) -> None:
        self._reports = reports
        self._notes = notes

    def endpoints(self) -> list[Endpoint]:
        """The addresses."""
        notes = "/sessions/{session}/notes"
        return [
            _on("GET", "/screening", self.screening, "What is asked before a session.", list[ScreeningQuestion]),
            _on("GET", notes, self.notes, "What was asked, done and written around a session; the audit log tells.", Notes),
            _on("PUT", notes, self.write, "Save notes.", SavedSoap, body=WriteNotes, refusals=(409,)),
            _on(
                "PUT",
                "/sessions/{session}/pain-after",
                self.pain_after,
                "Keep the pain after the session.",
                Visit,
                body=PainAfter,
            ),
        ]

    async def screening(self, _: Call) -> list[ScreeningQuestion]:
        """Give the questions."""
        return list(QUESTIONS)

    async def notes(self, call: Call) -> Notes:
        """Give a session's notes, and a draft."""
        return await notes_of(self._reports, self._notes, call.number("session"), by=call.person.name)

    async def write(self, call: Call) -> SavedSoap:
        """Save notes."""
        fields = msgspec.structs.asdict(call.body)
        mind, based_on = fields.pop("mind"), fields.pop("based_on")
        return await self._notes.write(call.number("session"), Soap(**fields), mind=mind, based_on=based_on, by=call.person.name)

    async def pain_after(self, call: Call) -> Visit:
        """Keep the pain after the session."""
        session, by = call.number("session"), call.person.name
        await self._notes.set_pain_after(session, call.body.score, by=by)
        return await self._notes.visit(session, by=by)


async def notes_of(reports: SessionReports, notes: SessionNotes, session: int, *, by: str) -> Notes:
    """A session around its figures. Raises `UnknownSessionError`."""
    row, report = await reports.of(session)
    visit = await notes.visit(session, by=by)
    return Notes(row, visit, draft_of(row, report, visit))


def _on(method: Method, path: str, handler: Any, summary: str, answer: Any, **more: Any) -> Endpoint:
    return Endpoint(method=method, path=path, handler=handler, summary=summary, answer=answer, tag="notes", **more)
