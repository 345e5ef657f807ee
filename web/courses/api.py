"""The API of courses: what went how over the weeks, what else was done, the plan, and who is due."""

from typing import Annotated, Any

import msgspec

from ...service.courses.courses import Courses
from ...service.courses.models import ClientCourse, DueRow
from ...service.courses.visit_schedule import ClientPlan
from ...service.sessions.client_session import Complement, ComplementKind
from ...service.settings import CoursePlan
from ..http.endpoint import Call, Endpoint, Method


class NewComplement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something else that was done."""

    kind: ComplementKind
    detail: Annotated[str, msgspec.Meta(description="For the therapist's eyes.", max_length=200)] = ""


class WritePlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How often a client is meant to come."""

    starts_on: Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d{2}-\d{2}$")]
    plan: CoursePlan = CoursePlan()
    over: Annotated[bool, msgspec.Meta(description="The course is over: the client is not due any more.")] = False


class CourseApi:
    """Handlers of courses, complements and plans."""

    def __init__(self, courses: Courses) -> None:
        self._courses = courses

    def endpoints(self) -> list[Endpoint]:
        """The addresses."""
        beside, plan = "/sessions/{session}/complements", "/clients/{client}/plan"
        return [
            _on("GET", "/practice", self.practice, "Every client: flagged first, then by how late they are.", list[DueRow]),
            _on("GET", "/clients/{client}/course", self.course, "A client's course; the audit log tells.", ClientCourse),
            _on("GET", plan, self.plan, "How often a client is meant to come.", ClientPlan),
            _on("PUT", plan, self.set_plan, "Give a client a plan of their own.", ClientPlan, body=WritePlan, refusals=(409,)),
            _on("DELETE", plan, self.drop_plan, "Let the practice's usual plan hold again.", ClientPlan),
            _on("GET", beside, self.complements, "What else was done beside a session, oldest first.", list[Complement]),
            _on("POST", beside, self.add, "Note what else was done.", Complement, body=NewComplement, status=201),
            _on("DELETE", f"{beside}/{{complement}}", self.remove, "Take such a note back.", list[Complement]),
        ]

    async def practice(self, _: Call) -> list[DueRow]:
        """Give every client."""
        return list(await self._courses.practice())

    async def course(self, call: Call) -> ClientCourse:
        """Give a course."""
        return await self._courses.course(call.text("client"), "course", by=call.person.name)

    async def plan(self, call: Call) -> ClientPlan:
        """Give a plan."""
        return await self._courses.plan(call.text("client"))

    async def set_plan(self, call: Call) -> ClientPlan:
        """Keep a plan."""
        body: WritePlan = call.body
        plan = ClientPlan(plan=body.plan, starts_on=body.starts_on, over=body.over, own=True)
        return await self._courses.set_plan(call.text("client"), plan, by=call.person.name)

    async def drop_plan(self, call: Call) -> ClientPlan:
        """Drop a plan."""
        return await self._courses.drop_plan(call.text("client"), by=call.person.name)

    async def complements(self, call: Call) -> list[Complement]:
        """Give what else was done."""
        return list(await self._courses.complements(call.number("session")))

    async def add(self, call: Call) -> Complement:
        """Note what else was done."""
        body: NewComplement = call.body
        return await self._courses.add_complement(call.number("session"), body.kind, body.detail, by=call.person.name)

    async def remove(self, call: Call) -> list[Complement]:
        """Take a note back; gives those that are left."""
        session = call.number("session")
        await self._courses.remove_complement(session, call.number("complement"), by=call.person.name)
        return list(await self._courses.complements(session))


def _on(method: Method, path: str, handler: Any, summary: str, answer: Any, **more: Any) -> Endpoint:
    return Endpoint(method=method, path=path, handler=handler, summary=summary, answer=answer, tag="courses", **more)
