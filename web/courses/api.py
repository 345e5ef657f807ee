"""The API of courses: a client's figures over weeks, co-interventions, the plan of visits, and the clients who are due."""

from typing import Annotated, Any

import msgspec

from ...service.courses.courses import Courses
from ...service.courses.due_clients import DueWanted
from ...service.courses.models import ClientCourse, DueRow, DueState
from ...service.courses.visit_schedule import ClientPlan
from ...service.listing import PAGE, Page
from ...service.sessions.client_session import Complement, ComplementKind
from ...service.settings import CoursePlan
from ..http.endpoint import Call, Endpoint, Method
from ..http.paging import Items


class NewComplement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A co-intervention: something else done besides the massage."""

    kind: ComplementKind
    detail: Annotated[str, msgspec.Meta(description="For the therapist only.", max_length=200)] = ""


class WritePlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A client's own plan of visits."""

    starts_on: Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d{2}-\d{2}$")]
    plan: CoursePlan = CoursePlan()
    over: Annotated[bool, msgspec.Meta(description="Whether the course is over: the client is no longer due.")] = False


class DueQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which clients, and which page of them."""

    state: Annotated[DueState | None, msgspec.Meta(description="Only clients in this state, flagged ones among them.")] = None
    after: Annotated[
        Annotated[str, msgspec.Meta(max_length=400)] | None,
        msgspec.Meta(description="Key of the client after whom it begins: take the link `next` rather than make one."),
    ] = None
    limit: Annotated[int, msgspec.Meta(description="Most clients in it.", ge=1, le=200)] = PAGE

    def wanted(self) -> DueWanted:
        """Return what is wanted of the list."""
        return DueWanted(**msgspec.structs.asdict(self))


class CourseApi:
    """Endpoints of courses, co-interventions ("complements") and plans."""

    def __init__(self, courses: Courses) -> None:
        self._courses = courses

    def endpoints(self) -> list[Endpoint]:
        """Return the endpoints."""
        complements, plan = "/sessions/{session}/complements", "/clients/{client}/plan"
        return [
            _on(
                "GET",
                "/practice",
                self.practice,
                "The clients: flagged first, then by how late they are, in pages.",
                Items[DueRow],
                query=DueQuery,
                refusals=(404,),
            ),
            _on("GET", "/clients/{client}/course", self.course, "A client's course; the audit log tells.", ClientCourse),
            _on("GET", plan, self.plan, "How often a client is meant to come.", ClientPlan),
            _on("PUT", plan, self.set_plan, "Give a client a plan of their own.", ClientPlan, body=WritePlan, refusals=(409,)),
            _on("DELETE", plan, self.drop_plan, "Let the practice's usual plan hold again.", ClientPlan),
            _on("GET", complements, self.complements, "What else was done beside a session, oldest first.", list[Complement]),
            _on("POST", complements, self.add, "Note what else was done.", Complement, body=NewComplement, status=201),
            _on("DELETE", f"{complements}/{{complement}}", self.remove, "Take such a note back.", list[Complement]),
        ]

    async def practice(self, call: Call) -> Page[DueRow]:
        """Return a page of the clients: flagged ones first, then the most overdue.

        Raises `UnknownError` where the list has no such page.
        """
        return await self._courses.practice(call.query.wanted())

    async def course(self, call: Call) -> ClientCourse:
        """Return a client's course; the audit log notes it.

        Raises `UnknownClientError`, and `RequestError` where it cannot be computed.
        """
        return await self._courses.course(call.text("client"), "course", by=call.person.name)

    async def plan(self, call: Call) -> ClientPlan:
        """Return a client's plan. Raises `UnknownClientError`."""
        return await self._courses.plan(call.text("client"))

    async def set_plan(self, call: Call) -> ClientPlan:
        """Store a client's own plan. Raises `UnknownClientError`, and `RefusedError` where its first day is no date."""
        body: WritePlan = call.body
        plan = ClientPlan(plan=body.plan, starts_on=body.starts_on, over=body.over, own=True)
        return await self._courses.set_plan(call.text("client"), plan, by=call.person.name)

    async def drop_plan(self, call: Call) -> ClientPlan:
        """Remove a client's own plan, and return the practice's. Raises `UnknownClientError`."""
        return await self._courses.drop_plan(call.text("client"), by=call.person.name)

    async def complements(self, call: Call) -> list[Complement]:
        """Return a session's co-interventions, oldest first."""
        return list(await self._courses.complements(call.number("session")))

    async def add(self, call: Call) -> Complement:
        """Record a co-intervention. Raises `UnknownSessionError`."""
        body: NewComplement = call.body
        return await self._courses.add_complement(call.number("session"), body.kind, body.detail, by=call.person.name)

    async def remove(self, call: Call) -> list[Complement]:
        """Remove a co-intervention, and return those that are left. Raises `UnknownError` where there is no such one."""
        session = call.number("session")
        await self._courses.remove_complement(session, call.number("complement"), by=call.person.name)
        return list(await self._courses.complements(session))


def _on(method: Method, path: str, handler: Any, summary: str, answer: Any, **more: Any) -> Endpoint:
    return Endpoint(method=method, path=path, handler=handler, summary=summary, answer=answer, tag="courses", **more)
