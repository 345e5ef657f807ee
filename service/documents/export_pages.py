"""What a client takes home as files of their export: for the worker process."""

from collections.abc import Callable
from functools import partial

from ..courses.models import ClientCourse
from ..rendering.page_files import PageFiles
from ..rendering.pdf import NoPaperError, pdf_of
from ..rendering.translations import Speech, choose, speech_of
from ..sessions.client_session import ClientSession
from .client_course import client_course
from .client_summary import client_summary
from .page_templates import PAPER_FILES, STATIC, Frame


def summary_taken_home(session: ClientSession, language: str | None) -> dict[str, bytes]:
    """The page of a session, whole in one file; and as PDF where WeasyPrint is installed."""
    return _files("summary", partial(client_summary, session), language)


def course_taken_home(course: ClientCourse, language: str | None) -> dict[str, bytes]:
    """The page of the weeks, the same way."""
    return _files("course", partial(client_course, course), language)


def _files(name: str, page: Callable[[Speech, Frame], str], language: str | None) -> dict[str, bytes]:
    speech, page_files = speech_of(choose(language)), PageFiles(STATIC)
    files = {f"{name}.html": page(speech, Frame(static=page_files.inline, own=True)).encode()}
    try:
        paper = page(speech, Frame(static=lambda file: file))
        return files | {f"{name}.pdf": pdf_of(paper, {file: page_files.content(file) for file in PAPER_FILES})}
    except NoPaperError:
        return files
