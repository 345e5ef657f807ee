"""A client's own page, `/c/{token}`, which a link opens without a login; and the same page for the therapist to print."""

from collections.abc import Awaitable, Callable, Sequence
import logging
from typing import Any, Final
from urllib.parse import urlsplit

from aiohttp import web
from markupsafe import Markup
import msgspec
from multidict import MultiDictProxy

from ...service.accounts.models import TooOftenError
from ...service.courses.courses import Courses
from ...service.documents.client_summary import client_summary_part
from ...service.documents.page_templates import Frame
from ...service.errors import RequestError
from ...service.follow_up.client_pages import ClientPages
from ...service.follow_up.models import (
    Answers,
    LateError,
    LinkRefusedError,
    OpenedPage,
    initial_session,
    open_follow_up,
    session_of_page,
    visible_sessions,
)
from ...service.rendering.qr_code import qr_svg
from ...service.rendering.translations import choose, languages, speech_of
from ..http.path_numbers import whole_number
from ..http.person import person_of
from ..http.security import CLIENT_PAGES, is_tls, peer_address
from ..http.static_files import StaticFiles
from ..http.templating import PageRenderer
from .calendar_file import calendar_file
from .question_texts import follow_up_texts

_LOG = logging.getLogger(__name__)

_HEADERS: Final = {"Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex, nofollow", "Cache-Control": "no-store"}
_MAX_NOTE_LENGTH: Final = 1000
_NO_NUMBER: Final = -1
"""Stands for a number in the address that is none; no session and no link has it."""

_PAGE: Final = f"{CLIENT_PAGES}{{token}}"
_SESSION: Final = f"{_PAGE}/{{session}}"
_ANY: Final = f"{CLIENT_PAGES}{{rest}}"
OPEN_PATHS: Final = frozenset(
    {_PAGE, _SESSION, _ANY, f"{_PAGE}/shown", f"{_PAGE}/language", f"{_SESSION}/calendar.ics", f"{_SESSION}/{{slot}}"}
)
"""Paths that a link opens, as their routes are written."""

Handler = Callable[[web.Request], Awaitable[web.Response]]
RenderSession = Callable[[int, str], Awaitable[Markup]]
"""Renders a session's summary in a language as a part of a page, which begins with the page's `h1`."""
SUMMARY_STYLES: Final = ("take_home.css",)
"""Style sheets that the summary needs besides those of the page."""


class ClientPageHandlers:
    """Handlers of `/c/…`, and of `/links/{link}/print` for the therapist.

    Below `/c/` every refusal and failure becomes a page in the client's language, which does not say whether the link exists.
    """

    def __init__(self, client_pages: ClientPages, pages: PageRenderer, render_session: RenderSession) -> None:
        self._client_pages = client_pages
        self._pages = pages
        self._render_session = render_session

    def routes(self) -> Sequence[web.RouteDef]:
        """Return the routes. Every address below `/c/` that opens nothing is refused in the same way."""
        refusing = self._with_refusal_pages
        return [
            web.get(_PAGE, refusing(self.show)),
            web.post(f"{_PAGE}/shown", refusing(self.choose_sessions)),
            web.post(f"{_PAGE}/language", refusing(self.choose_language)),
            web.get(_SESSION, refusing(self.show)),
            web.get(f"{_SESSION}/calendar.ics", refusing(self.calendar)),
            web.post(f"{_SESSION}/{{slot}}", refusing(self.answer)),
            web.route("*", f"{CLIENT_PAGES}{{rest:.*}}", refusing(self.refuse_unknown)),
            web.get("/links/{link}/print", self.print_view),
        ]

    async def show(self, request: web.Request) -> web.Response:
        """Show the session in the address; without one, the session with an open follow-up, else the newest.

        Raises `LinkRefusedError`, `TooOftenError`.
        """
        session = _number(request, "session") if "session" in request.match_info else None
        page = await self._client_pages.view(_token(request), session, "page", peer=peer_address(request))
        return await self._page(request, page, session)

    async def calendar(self, request: web.Request) -> web.Response:
        """Send the follow-ups of a session as a calendar file. Raises `LinkRefusedError`, `TooOftenError`."""
        session = _number(request, "session")
        page = await self._client_pages.view(_token(request), session, "calendar", peer=peer_address(request))
        file = calendar_file(session_of_page(page, session), _address(request, page), page.language)
        headers = {"Content-Disposition": 'attachment; filename="restbeat.ics"'}
        return web.Response(body=file, content_type="text/calendar", charset="utf-8", headers=headers)

    async def answer(self, request: web.Request) -> web.Response:
        """Store the answers of a follow-up, once; for some minutes they can be corrected.

        Raises `LinkRefusedError`, `TooOftenError`.
        """
        token, session, slot, peer = _token(request), _number(request, "session"), _number(request, "slot"), peer_address(request)
        fields = await _fields(request)
        try:
            answers = _answers(fields)
        except (msgspec.ValidationError, ValueError):
            page = await self._client_pages.view(token, session, "page", peer=peer)
            return await self._page(request, page, session, status=400, trouble="unreadable")
        try:
            page = await self._client_pages.answer(token, session, slot, answers, peer=peer)
        except LateError as late:
            page = await self._client_pages.view(token, session, "page", peer=peer)
            return await self._page(request, page, session, status=409, trouble=late.state)
        return _see_other(f"{page.path}/{session}#after-{slot}")

    async def choose_sessions(self, request: web.Request) -> web.Response:
        """Choose which sessions the link shows, and whether it reminds. Raises `LinkRefusedError`, `TooOftenError`."""
        fields = await _fields(request)
        sessions = {
            number
            for text in fields.getall("session", [])
            if isinstance(text, str) and (number := whole_number(text)) is not None
        }
        page = await self._client_pages.show(_token(request), sessions, remind="remind" in fields, peer=peer_address(request))
        return _see_other(f"{page.path}#choose")

    async def choose_language(self, request: web.Request) -> web.Response:
        """Choose the language of the page. Raises `LinkRefusedError`, `TooOftenError`."""
        language = str((await _fields(request)).get("language", ""))
        page = await self._client_pages.set_language(_token(request), choose(language), peer=peer_address(request))
        return _see_other(page.path)

    async def refuse_unknown(self, request: web.Request) -> web.Response:
        """Refuse any other address like a link that opens nothing. Raises `LinkRefusedError`, `TooOftenError`."""
        token = request.match_info["rest"].partition("/")[0]
        await self._client_pages.view(token, _NO_NUMBER, "page", peer=peer_address(request))
        raise LinkRefusedError

    async def print_view(self, request: web.Request) -> web.Response:
        """Show the therapist a link's page, with its QR code, for print.

        Raises `UnknownError` where there is no such link, and `RefusedError` where it is over.
        """
        session = whole_number(request.query.get("session", ""))
        page = await self._client_pages.to_print(_number(request, "link"), session, by=person_of(request).name)
        known = session in {linked.session for linked in page.sessions}
        return await self._page(request, page, session if known else None, paper=True)

    async def _page(
        self,
        request: web.Request,
        page: OpenedPage,
        session: int | None,
        *,
        status: int = 200,
        trouble: str = "",
        paper: bool = False,
    ) -> web.Response:
        current = initial_session(page, session)
        address = _address(request, page)
        return self._pages.open_page(
            "follow_up/client_page.html",
            status,
            language=choose(page.language),
            languages=languages(),
            say=speech_of(choose(page.language)).say,
            texts=follow_up_texts(page.language),
            page=page,
            sessions=visible_sessions(page),
            current=current,
            asked=open_follow_up(page),
            summary=await self._render_session(current.session, page.language) if current else None,
            styles=SUMMARY_STYLES,
            trouble=trouble,
            paper=paper,
            code=qr_svg(address) if _is_reachable(address) else None,
        )

    def _with_refusal_pages(self, handler: Handler) -> Handler:
        async def handle(request: web.Request) -> web.Response:
            try:
                response = await handler(request)
            except LinkRefusedError:
                response = self._refusal(request, 404, "refused")
            except TooOftenError as error:
                response = self._refusal(request, 429, "often")
                response.headers["Retry-After"] = str(int(error.wait_s) + 1)
            except web.HTTPException as error:
                response = self._refusal(request, error.status, "trouble")
            except RequestError:
                response = self._refusal(request, 503, "trouble")
            except Exception:  # noqa: BLE001 - the log has the traceback, without the secret address; a person reads a sentence
                _LOG.exception("A client's page failed")
                response = self._refusal(request, 500, "trouble")
            response.headers.update(_HEADERS)
            return response

        return handle

    def _refusal(self, request: web.Request, status: int, why: str) -> web.Response:
        language = _browser_language(request)
        return self._pages.open_page(
            "follow_up/link_refused.html", status, language=language, say=speech_of(choose(language)).say, why=why
        )


def _token(request: web.Request) -> str:
    return request.match_info["token"]


async def _fields(request: web.Request) -> MultiDictProxy[Any]:
    """Return the fields of a form; 400 where it cannot be read."""
    try:
        return await request.post()
    except (ValueError, LookupError) as error:
        raise web.HTTPBadRequest(text="The form could not be read.") from error


def _number(request: web.Request, name: str) -> int:
    """Return a part of the path as a number; `_NO_NUMBER` where it is none."""
    number = whole_number(request.match_info[name])
    return _NO_NUMBER if number is None else number


def _address(request: web.Request, page: OpenedPage) -> str:
    """Return the page's address for other devices: the public one, else the one by which this request came."""
    if page.address != page.path:
        return page.address
    return f"{'https' if is_tls(request) else 'http'}://{request.host}{page.path}"


def _is_reachable(address: str) -> bool:
    """Return whether other devices can open the address; a loopback address is of no use on paper."""
    host = urlsplit(address).hostname or ""
    return host != "localhost" and not host.startswith("127.") and host != "::1"


def _see_other(path: str) -> web.Response:
    return web.Response(status=303, headers={"Location": path})


def _browser_language(request: web.Request) -> str:
    """Return the browser's language: on a refusal, the link's own would tell that it exists."""
    return choose(accept=request.headers.get("Accept-Language", ""))


def _answers(fields: MultiDictProxy[Any]) -> Answers:
    """Return the answers in a form. Raises `ValueError`, `msgspec.ValidationError`."""
    note = "\n".join(str(fields.get("note", "")).splitlines()).strip()[:_MAX_NOTE_LENGTH]
    answers = {
        "pain": int(str(fields.get("pain", ""))),
        "sleep": fields.get("sleep") or None,
        "relief": fields.get("relief") or None,
        "done": fields.getall("done", []),
        "note": note or None,
    }
    return msgspec.convert(answers, Answers)


def summary_renderer(courses: Courses, static_files: StaticFiles) -> RenderSession:
    """Return a function that renders a session's summary for its client.

    The function raises `UnknownSessionError`, and `RequestError` where the summary cannot be computed.
    """

    async def render(session: int, language: str) -> Markup:
        client_session = await courses.session_by_link(session)
        return client_summary_part(client_session, speech_of(choose(language)), Frame(static=static_files.address))

    return render
