"""What is told of a session on its client's own page: the summary that they take home."""

from collections.abc import Awaitable, Callable
from typing import Final

from markupsafe import Markup

from ..service.courses.models import Courses
from ..service.documents.client_summary import client_summary_part
from ..service.documents.page_templates import Frame
from ..service.rendering.translations import choose, speech_of
from .http.static_files import StaticFiles

TellSession = Callable[[int, str], Awaitable[Markup]]
"""Tells of a session in a language, as a part of a page; it begins with the page's `h1`."""

STYLES: Final = ("take_home.css",)
"""Style sheets that the part wants beside those of the page."""


def told_by(courses: Courses, assets: StaticFiles) -> TellSession:
    """Tell what a summary tells."""

    async def tell(session: int, language: str) -> Markup:
        told = await courses.session_by_link(session)
        return client_summary_part(told, speech_of(choose(language)), Frame(static=assets.address))

    return tell
