"""The pages that a client takes home (to show, print or save), the course for the therapist, and the clients who are due."""

import asyncio
from typing import Final
from urllib.parse import quote

from aiohttp import web

from ...service.courses.courses import Courses
from ...service.courses.visit_schedule import describe_plan
from ...service.documents.client_course import client_course, course_page
from ...service.documents.client_summary import client_summary
from ...service.documents.course_figures import figure_lines, technique_lines
from ...service.documents.page_templates import PAPER_FILES, Frame
from ...service.rendering.translations import SOURCE, Speech, choose, languages, speech_of
from ...service.sessions.co_interventions import KINDS, NAMES
from ..clients.pages import address_of
from ..http.paging import form_of, links_of
from ..http.person import person_of
from ..http.static_files import StaticFiles
from ..http.templating import PageRenderer
from ..rooms.visibility import hides_clients
from ..sessions.pages import session_of
from .api import DueQuery

_ON_PAPER: Final = Frame(static=lambda name: name)


class CoursePages:
    """Handlers of the client's summary, of the course, and of the list of clients who are due."""

    def __init__(self, courses: Courses, pages: PageRenderer, static_files: StaticFiles) -> None:
        self._courses = courses
        self._pages = pages
        self._static_files = static_files

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [
            web.get("/sessions/{session}/summary", self.summary),
            web.get("/sessions/{session}/summary.pdf", self.summary_pdf, allow_head=False),
            web.get("/clients/{client}/course", self.course),
            web.get("/clients/{client}/course/client", self.course_for_client),
            web.get("/clients/{client}/course/client.pdf", self.course_pdf, allow_head=False),
            web.get("/practice", self.practice),
        ]

    async def summary(self, request: web.Request) -> web.Response:
        """Show a session's summary as its client takes it home.

        Raises `UnknownSessionError`, and `RequestError` where it cannot be computed.
        """
        session = await self._courses.session(session_of(request), "client's page", by=person_of(request).name)
        speech, client = await self._speech(request, session.row.client), session.row.client
        path = f"/sessions/{session.row.session}"
        frame = Frame(
            static=self._static_files.address,
            languages=_other_languages(speech.language, f"{path}/summary"),
            back=(path, speech.say("The figures")),
            pdf=f"{path}/summary.pdf?lang={speech.language}",
            course=f"{address_of(client)}/course/client?lang={speech.language}" if client else None,
        )
        return _html(client_summary(session, speech, frame))

    async def summary_pdf(self, request: web.Request) -> web.Response:
        """Send a session's summary for its client as PDF.

        Raises `UnknownSessionError`, and `PaperError` where no PDF can be made on this computer.
        """
        session = await self._courses.session(session_of(request), "client's page", by=person_of(request).name)
        speech = await self._speech(request, session.row.client)
        html = client_summary(session, speech, _ON_PAPER)
        return await self._pdf(html, f"session-{session.row.session}-{speech.language}.pdf")

    async def course(self, request: web.Request) -> web.Response:
        """Show a client's course to the therapist.

        Raises `UnknownClientError`, and `RequestError` where it cannot be computed.
        """
        course = await self._courses.course(request.match_info["client"], "course", by=person_of(request).name)
        speech = speech_of(SOURCE)
        return await asyncio.to_thread(  # a long course takes longer than the other requests should wait
            self._pages.page,
            request,
            "courses/course.html",
            course=course,
            page=await asyncio.to_thread(course_page, course, speech),
            speech=speech,
            say=speech.say,
            say_count=speech.say_count,
            address=address_of(course.client),
            figures=figure_lines(course),
            went=technique_lines(course),
            kinds=[(kind, NAMES[kind]) for kind in KINDS],
            names=NAMES,
        )

    async def course_for_client(self, request: web.Request) -> web.Response:
        """Show a client's course as the client takes it home.

        Raises `UnknownClientError`, and `RequestError` where it cannot be computed.
        """
        client = request.match_info["client"]
        course = await self._courses.course(client, "client's course", by=person_of(request).name)
        speech, path = await self._speech(request, client), address_of(client)
        frame = Frame(
            static=self._static_files.address,
            languages=_other_languages(speech.language, f"{path}/course/client"),
            back=(f"{path}/course", speech.say("The course")),
            pdf=f"{path}/course/client.pdf?lang={speech.language}",
        )
        return _html(await asyncio.to_thread(client_course, course, speech, frame))

    async def course_pdf(self, request: web.Request) -> web.Response:
        """Send a client's course for the client as PDF.

        Raises `UnknownClientError`, and `PaperError` where no PDF can be made on this computer.
        """
        client = request.match_info["client"]
        course = await self._courses.course(client, "client's course", by=person_of(request).name)
        speech = await self._speech(request, client)
        html = await asyncio.to_thread(client_course, course, speech, _ON_PAPER)
        return await self._pdf(html, f"course-{course.today}-{speech.language}.pdf")

    async def practice(self, request: web.Request) -> web.Response:
        """Show the clients who are due and those who are flagged, except in a browser that hides clients.

        Raises `UnknownError` where the list has no such page.
        """
        if hides_clients(request):
            return self._pages.page(request, "shared/hidden.html", heading="Who is due")
        query = form_of(request, DueQuery)
        page = await self._courses.practice(query.wanted())
        return self._pages.page(
            request,
            "courses/due.html",
            rows=page.rows,
            query=query,
            page_links=links_of(request, page),
            address_of=address_of,
            describe_plan=describe_plan,
        )

    async def _pdf(self, html: str, name: str) -> web.Response:
        pdf = await self._courses.pdf(html, {file: self._static_files.content(file) for file in PAPER_FILES})
        headers = {"Content-Disposition": f'inline; filename="{name}"'}
        return web.Response(body=pdf, content_type="application/pdf", headers=headers)

    async def _speech(self, request: web.Request, client: str | None) -> Speech:
        """Return the speech in the language of the address, else of the client, else of the browser."""
        client_language = await self._courses.language(client)
        return speech_of(choose(request.query.get("lang"), client_language, accept=request.headers.get("Accept-Language", "")))


def _other_languages(language: str, path: str) -> tuple[tuple[str, str, str], ...]:
    return tuple((code, name, f"{path}?lang={quote(code)}") for code, name in languages().items() if code != language)


def _html(text: str) -> web.Response:
    return web.Response(text=text, content_type="text/html")
