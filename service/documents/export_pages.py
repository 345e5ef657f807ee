"""The client's pages as files of a data export; runs in the worker process."""

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


def summary_files(session: ClientSession, language: str | None) -> dict[str, bytes]:
    """Return a session's page as a self-contained HTML file, and as PDF where WeasyPrint is installed, by file name."""
    return _files("summary", partial(client_summary, session), language)


def course_files(course: ClientCourse, language: str | None) -> dict[str, bytes]:
    """Return a course's page as a self-contained HTML file, and as PDF where WeasyPrint is installed, by file name."""
    return _files("course", partial(client_course, course), language)


def _files(name: str, page: Callable[[Speech, Frame], str], language: str | None) -> dict[str, bytes]:
    speech, page_files = speech_of(choose(language)), PageFiles(STATIC)
    files = {f"{name}.html": page(speech, Frame(static=page_files.inline, own=True)).encode()}
    try:
        paper = page(speech, Frame(static=lambda file: file))
        return files | {f"{name}.pdf": pdf_of(paper, {file: page_files.content(file) for file in PAPER_FILES})}
    except NoPaperError:
        return files
