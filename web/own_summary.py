"""What is told of a session on its client's own page: the one part of it that knows figures."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from markupsafe import Markup

from .consent import Language
from .own_texts import translator
from .ports import House
from .summary import summary_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What shall be told."""

    session: int
    language: Language
    picture: str
    """Address of the session's picture, for whoever looks."""
    by: str
    """Who looks: "link", or the therapist who prints it. What a link opens is in the audit log already."""


TellSession = Callable[[Wanted], Awaitable[Markup]]
"""Tells of a session, as a part of a page; it begins with the page's `h1`."""
Part = Callable[..., str]
"""Fills a template that is part of a page."""

STYLES: Final = ("summary.css",)
"""Style sheets that the part wants beside those of the page."""


def told_by(house: House, part: Part) -> TellSession:
    """The summary of a session as the house reports it."""

    async def tell(wanted: Wanted) -> Markup:
        row, report = await house.report(wanted.session)
        values: dict[str, Any] = {"row": row, "report": report, "summary": summary_of(row, report)}
        html = part("own_summary.html", say=translator(wanted.language), picture=wanted.picture, **values)
        return Markup(html)  # noqa: S704 - the template escapes

    return tell
