"""What the client's pages share: their templates, and the frame around them."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ..rendering.translations import Speech

PAPER_FILES: Final = ("base.css", "take_home.css", "icon.svg", "take_home.js", "theme.js")
"""What a page names that is made into a PDF."""
STATIC: Final = Path(__file__).parent / "static"
"""The style, script and picture files that these pages name."""
TEMPLATES: Final = Path(__file__).parent / "templates"


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """Where a client's page stands: where its files are, and where it leads."""

    static: Callable[[str], str]
    """Address of a static file."""
    languages: tuple[tuple[str, str, str], ...] = ()
    """The other languages: code, name, address."""
    back: tuple[str, str] | None = None
    """For a therapist: where they came from, as address and words."""
    pdf: str | None = None
    """Address of the page as PDF."""
    course: str | None = None
    """Address of the course over the weeks, where there is one to see."""
    own: bool = False
    """Whether the client opens it on a device of their own: then it is light or dark as that device is."""


def render(template: str, speech: Speech, frame: Frame, **values: Any) -> str:
    """Fill a template of a client's page."""
    return (
        _environment()
        .get_template(template)
        .render(frame=frame, static=frame.static, speech=speech, say=speech.say, say_count=speech.say_count, **values)
    )


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
