"""The API of a session's screening, pain score and SOAP notes."""

from typing import Annotated, Any

import msgspec

from ...analysis.reporting_items import Reported, ReportingItems
from ...service.documents.soap_draft import draft_of
from ...service.sessions.models import SavedSoap, SessionRow, Soap, Visit
from ...service.sessions.report_cache import SessionReports
from ...service.sessions.screening import QUESTIONS, ScreeningQuestion
from ...service.sessions.soap_notes import SessionNotes
from ..http.endpoint import Call, Endpoint, Method

_Text = Annotated[str, msgspec.Meta(max_length=8000)]


class Notes(msgspec.Struct, frozen=True):
    """A session's visit (screening, pain, saved notes) and a draft of its notes."""

    session: SessionRow
    visit: Visit
    draft: Annotated[
        Soap, msgspec.Meta(description="Draft made from the answers and the measurement; saved notes are in `visit`.")
    ]


class WriteNotes(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Notes to save."""

    subjective: _Text
    objective: _Text
    assessment: _Text
    contraindications: Annotated[
        str,
        msgspec.Meta(
            description="Never empty: the questions asked and their answers, or that none were asked.",
            min_length=1,
            max_length=2000,
        ),
    ]
    plan: _Text
    mind: Annotated[str, msgspec.Meta(description="A flag for the next visit; empty: none.", max_length=300)] = ""
    based_on: Annotated[
        Annotated[str, msgspec.Meta(max_length=40)] | None,
        msgspec.Meta(description="`updated_utc` of the notes that these replace; null where there were none."),
    ] = None


class PainAfter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The pain score after a session."""

    score: Annotated[Annotated[int, msgspec.Meta(ge=0, le=10)] | None, msgspec.Meta(description="0 to 10; null: not asked.")]


class WriteReported(ReportingItems, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Reporting items to keep; what is left out is forgotten."""


class NotesApi:
    """Endpoints of the notes."""

    def __init__(self, reports: SessionReports, notes: SessionNotes) -> None:
        self._reports = reports
        self._notes = notes

    def endpoints(self) -> list[Endpoint]:
        """Return the endpoints."""
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
            _on(
                *("PUT", "/sessions/{session}/reported", self.reported, "Keep what studies report beside the figures.", Reported),
                body=WriteReported,
                refusals=(409,),
            ),
        ]

    async def screening(self, _: Call) -> list[ScreeningQuestion]:
        """Return the screening questions."""
        return list(QUESTIONS)

    async def notes(self, call: Call) -> Notes:
        """Return a session's notes and a draft; the audit log notes it.

        Raises `UnknownSessionError`, and `RequestError` where its figures cannot be computed.
        """
        return await notes_of(self._reports, self._notes, call.number("session"), by=call.person.name)

    async def write(self, call: Call) -> SavedSoap:
        """Save notes. Raises `UnknownSessionError`, and `RefusedError` where somebody else saved since `based_on`."""
        fields = msgspec.structs.asdict(call.body)
        mind, based_on = fields.pop("mind"), fields.pop("based_on")
        return await self._notes.write(call.number("session"), Soap(**fields), mind=mind, based_on=based_on, by=call.person.name)

    async def pain_after(self, call: Call) -> Visit:
        """Store the pain score after a session. Raises `UnknownSessionError`."""
        session, by = call.number("session"), call.person.name
        await self._notes.set_pain_after(session, call.body.score, by=by)
        return await self._notes.visit(session, by=by)

    async def reported(self, call: Call) -> Reported:
        """Store the reporting items. Raises `UnknownSessionError`, and `RefusedError` for an age or sex where nobody is named."""
        return await self._notes.set_reported(call.number("session"), call.body, by=call.person.name)


async def notes_of(reports: SessionReports, notes: SessionNotes, session: int, *, by: str) -> Notes:
    """Return a session's notes and a draft; `by` goes into the audit log.

    Raises `UnknownSessionError`, and `RequestError` where its figures cannot be computed.
    """
    row, report = await reports.of(session)
    visit = await notes.visit(session, by=by)
    return Notes(row, visit, draft_of(row, report, visit))


def _on(method: Method, path: str, handler: Any, summary: str, answer: Any, **more: Any) -> Endpoint:
    return Endpoint(method=method, path=path, handler=handler, summary=summary, answer=answer, tag="notes", **more)
