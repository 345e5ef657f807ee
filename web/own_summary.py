"""What is told of a session on its client's own page: the summary that they take home."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from .assets import Assets
from .client_summary import client_summary_part
from .course import Courses
from .speech import choose, speech_of
from .take_home import Frame


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What shall be told."""

    session: int
    language: str
    by: str
    """Who looks: "link", or the therapist who prints it."""


TellSession = Callable[[Wanted], Awaitable[Markup]]
"""Tells of a session, as a part of a page; it begins with the page's `h1`."""

STYLES: Final = ("take_home.css",)
"""Style sheets that the part wants beside those of the page."""


def told_by(courses: Courses, assets: Assets) -> TellSession:
    """Tell what a summary tells."""

    async def tell(wanted: Wanted) -> Markup:
        session = await courses.session(wanted.session, "client's own page", by=wanted.by)
        return client_summary_part(session, speech_of(choose(wanted.language)), Frame(static=assets.address))

    return tell
