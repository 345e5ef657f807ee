"""What is told of a session on its client's own page: the one part of it that knows figures."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from markupsafe import Markup

from .consent import Language
from .own_texts import translator
from .ports import House
from .summary import summary_of

TellSession = Callable[[int, Language, str], Awaitable[Markup]]
"""Tells of a session, by its number, in a language; the address is that of its picture. It begins with the page's `h1`."""
Part = Callable[..., str]
"""Fills a template that is part of a page."""

STYLES: Final = ("summary.css",)
"""Style sheets that the part wants beside those of the page."""


def told_by(house: House, part: Part) -> TellSession:
    """The summary of a session as the house reports it."""

    async def tell(session: int, language: Language, picture: str) -> Markup:
        row, report = await house.report(session)
        values: dict[str, Any] = {"row": row, "report": report, "summary": summary_of(row, report)}
        html = part("own_summary.html", say=translator(language), picture=picture, **values)
        return Markup(html)  # noqa: S704 - the template escapes

    return tell
