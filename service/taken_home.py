"""What a client takes home as files of their export: for the worker process."""

from collections.abc import Callable
from functools import partial

from ..web.assets import STATIC, Assets
from ..web.client_course import client_course
from ..web.client_session import ClientSession
from ..web.client_summary import client_summary
from ..web.course import ClientCourse
from ..web.speech import Speech, choose, speech_of
from ..web.take_home import PAPER_FILES, Frame
from .paper import NoPaperError, pdf_of


def summary_taken_home(session: ClientSession, language: str | None) -> dict[str, bytes]:
    """The page of a session, whole in one file; and as PDF where WeasyPrint is installed."""
    return _files("summary", partial(client_summary, session), language)


def course_taken_home(course: ClientCourse, language: str | None) -> dict[str, bytes]:
    """The page of the weeks, the same way."""
    return _files("course", partial(client_course, course), language)


def _files(name: str, page: Callable[[Speech, Frame], str], language: str | None) -> dict[str, bytes]:
    speech, assets = speech_of(choose(language)), Assets(STATIC)
    files = {f"{name}.html": page(speech, Frame(static=assets.inline, own=True)).encode()}
    try:
        paper = page(speech, Frame(static=lambda file: file))
        return files | {f"{name}.pdf": pdf_of(paper, {file: assets.content(file) for file in PAPER_FILES})}
    except NoPaperError:
        return files
