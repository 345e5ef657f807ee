"""A client's own page, `/c/{token}`: what a link opens, without a login, for whoever holds it; and the same on paper."""

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
from ...service.errors import PortError
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
from ..accounts.login_pages import peer_of
from ..http.path_numbers import whole_number
from ..http.person import person_of
from ..http.security import CLIENT_PAGES, is_tls
from ..http.static_files import StaticFiles
from ..http.templating import PageRenderer
from .calendar_file import calendar_file
from .question_texts import follow_up_texts

_LOG = logging.getLogger(__name__)

_HEADERS: Final = {"Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex, nofollow", "Cache-Control": "no-store"}
_NOTE: Final = 1000

_PAGE: Final = f"{CLIENT_PAGES}{{token}}"
_ONE: Final = f"{_PAGE}/{{session}}"
_ANY: Final = f"{CLIENT_PAGES}{{rest}}"
OPEN_PATHS: Final = frozenset(
    {_PAGE, _ONE, _ANY, f"{_PAGE}/shown", f"{_PAGE}/language", f"{_ONE}/calendar.ics", f"{_ONE}/{{slot}}"}
)
"""What a link opens, as the routes are written."""

Handler = Callable[[web.Request], Awaitable[web.Response]]


TellSession = Callable[[int, str], Awaitable[Markup]]
"""Tells of a session in a language, as a part of a page; it begins with the page's `h1`."""


STYLES: Final = ("take_home.css",)
"""Style sheets that the part wants beside those of the page."""


class ClientPageHandlers:
    """Handlers of `/c/…`, and of `/links/{link}/print` for the therapist."""

    def __init__(self, client_pages: ClientPages, pages: PageRenderer, tell: TellSession) -> None:
        self._client_pages = client_pages
        self._pages = pages
        self._tell = tell

    def routes(self) -> Sequence[web.RouteDef]:
        """The addresses. Whatever opens nothing is refused in the same way."""
        kindly = self._kindly
        return [
            web.get(_PAGE, kindly(self.show)),
            web.post(f"{_PAGE}/shown", kindly(self.choose)),
            web.post(f"{_PAGE}/language", kindly(self.speak)),
            web.get(_ONE, kindly(self.show)),
            web.get(f"{_ONE}/calendar.ics", kindly(self.calendar)),
            web.post(f"{_ONE}/{{slot}}", kindly(self.answer)),
            web.route("*", f"{CLIENT_PAGES}{{rest:.*}}", kindly(self.nothing)),
            web.get("/links/{link}/print", self.to_print),
        ]

    async def show(self, request: web.Request) -> web.Response:
        """Show a session, or that about which something is asked now, or the newest."""
        session = _number(request, "session") if "session" in request.match_info else None
        page = await self._client_pages.view(_token(request), session, "page", peer=peer_of(request))
        return await self._shown(request, page, session)

    async def calendar(self, request: web.Request) -> web.Response:
        """Give the follow-ups of a session as a calendar file."""
        session = _number(request, "session")
        page = await self._client_pages.view(_token(request), session, "calendar", peer=peer_of(request))
        file = calendar_file(session_of_page(page, session), _address(request, page), page.language)
        headers = {"Content-Disposition": 'attachment; filename="restbeat.ics"'}
        return web.Response(body=file, content_type="text/calendar", charset="utf-8", headers=headers)

    async def answer(self, request: web.Request) -> web.Response:
        """Keep the answers of a follow-up, once; for some minutes they can be put right."""
        token, session, slot, peer = _token(request), _number(request, "session"), _number(request, "slot"), peer_of(request)
        fields = await _fields(request)
        try:
            answers = _answers(fields)
        except (msgspec.ValidationError, ValueError):
            page = await self._client_pages.view(token, session, "page", peer=peer)
            return await self._shown(request, page, session, status=400, trouble="unreadable")
        try:
            page = await self._client_pages.answer(token, session, slot, answers, peer=peer)
        except LateError as late:
            page = await self._client_pages.view(token, session, "page", peer=peer)
            return await self._shown(request, page, session, status=409, trouble=late.state)
        return _see(f"{page.path}/{session}#after-{slot}")

    async def choose(self, request: web.Request) -> web.Response:
        """Choose which sessions the link shows."""
        fields = await _fields(request)
        sessions = {
            number
            for text in fields.getall("session", [])
            if isinstance(text, str) and (number := whole_number(text)) is not None
        }
        page = await self._client_pages.show(_token(request), sessions, remind="remind" in fields, peer=peer_of(request))
        return _see(f"{page.path}#choose")

    async def speak(self, request: web.Request) -> web.Response:
        """Choose the language of the page."""
        wanted = str((await _fields(request)).get("language", ""))
        page = await self._client_pages.set_language(_token(request), choose(wanted), peer=peer_of(request))
        return _see(page.path)

    async def nothing(self, request: web.Request) -> web.Response:
        """Refuse what is no address of ours, as any other."""
        token = request.match_info["rest"].partition("/")[0]
        await self._client_pages.view(token, -1, "page", peer=peer_of(request))
        raise LinkRefusedError

    async def to_print(self, request: web.Request) -> web.Response:
        """Show what a link opens to the therapist, with its code, for paper."""
        session = whole_number(request.query.get("session", ""))
        page = await self._client_pages.to_print(_number(request, "link"), session, by=person_of(request).name)
        known = session in {shown.session for shown in page.sessions}
        return await self._shown(request, page, session if known else None, paper=True)

    async def _shown(
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
            told=await self._tell(current.session, page.language) if current else None,
            styles=STYLES,
            trouble=trouble,
            paper=paper,
            code=qr_svg(address) if _reached(address) else None,
        )

    def _kindly(self, handler: Handler) -> Handler:
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
            except PortError:
                response = self._refusal(request, 503, "trouble")
            except Exception:  # noqa: BLE001 - logged whole, without the address; a person reads a sentence
                _LOG.exception("A client's page failed")
                response = self._refusal(request, 500, "trouble")
            response.headers.update(_HEADERS)
            return response

        return handle

    def _refusal(self, request: web.Request, status: int, why: str) -> web.Response:
        language = _preferred(request)
        return self._pages.open_page(
            "follow_up/link_refused.html", status, language=language, say=speech_of(choose(language)).say, why=why
        )


def _token(request: web.Request) -> str:
    return request.match_info["token"]


async def _fields(request: web.Request) -> MultiDictProxy[Any]:
    """What a form has sent."""
    try:
        return await request.post()
    except (ValueError, LookupError) as error:
        raise web.HTTPBadRequest(text="The form could not be read.") from error


def _number(request: web.Request, name: str) -> int:
    """Return a part of the address as a number; -1, which nothing has, where it is none."""
    number = whole_number(request.match_info[name])
    return -1 if number is None else number


def _address(request: web.Request, page: OpenedPage) -> str:
    """Where other devices find the page: under the public address, else under the name by which this one came."""
    if page.address != page.path:
        return page.address
    return f"{'https' if is_tls(request) else 'http'}://{request.host}{page.path}"


def _reached(address: str) -> bool:
    """Whether other devices can come by that address; that of this computer alone is of no use on paper."""
    host = urlsplit(address).hostname or ""
    return host != "localhost" and not host.startswith("127.") and host != "::1"


def _see(path: str) -> web.Response:
    return web.Response(status=303, headers={"Location": path})


def _preferred(request: web.Request) -> str:
    """The language of a browser whose link is not known; nothing of the link has a part in it."""
    return choose(accept=request.headers.get("Accept-Language", ""))


def _answers(fields: MultiDictProxy[Any]) -> Answers:
    """Read a form. Raises `ValueError`, `msgspec.ValidationError`."""
    note = "\n".join(str(fields.get("note", "")).splitlines()).strip()[:_NOTE]
    given = {
        "pain": int(str(fields.get("pain", ""))),
        "sleep": fields.get("sleep") or None,
        "relief": fields.get("relief") or None,
        "done": fields.getall("done", []),
        "note": note or None,
    }
    return msgspec.convert(given, Answers)


def told_by(courses: Courses, assets: StaticFiles) -> TellSession:
    """Tell what a summary tells."""

    async def tell(session: int, language: str) -> Markup:
        told = await courses.session_by_link(session)
        return client_summary_part(told, speech_of(choose(language)), Frame(static=assets.address))

    return tell
