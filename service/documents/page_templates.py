"""Templates of the client's pages, and the frame that they share."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ..rendering.translations import Speech

PAPER_FILES: Final = ("base.css", "take_home.css", "icon.svg", "take_home.js", "theme.js")
"""Static files that a page loads when it is made into a PDF."""
STATIC: Final = Path(__file__).parent / "static"
"""Folder of the style, script and picture files of these pages."""
TEMPLATES: Final = Path(__file__).parent / "templates"


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """Context of a client's page: the addresses of its files and of related pages."""

    static: Callable[[str], str]
    """Returns the address of a static file."""
    languages: tuple[tuple[str, str, str], ...] = ()
    """Other languages: code, name, address."""
    back: tuple[str, str] | None = None
    """Link back for a therapist: address and text; None for a client."""
    pdf: str | None = None
    """Address of the page as PDF; None where there is none."""
    course: str | None = None
    """Address of the course over the weeks; None where there is none."""
    own: bool = False
    """Whether it is viewed on the client's own device: then it follows that device's light or dark scheme."""


def render(template: str, speech: Speech, frame: Frame, **values: Any) -> str:
    """Return a client's page: a template filled with values."""
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
