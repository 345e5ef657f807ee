"""The client's summary as files of their export: for the worker process."""

from ..web.assets import STATIC, Assets
from ..web.client_session import ClientSession
from ..web.client_summary import client_summary
from ..web.speech import choose, speech_of
from ..web.take_home import PAPER_FILES, Frame
from .paper import NoPaperError, pdf_of


def taken_home(session: ClientSession, language: str | None) -> dict[str, bytes]:
    """The page, whole in one file; and as PDF where WeasyPrint is installed."""
    speech, assets = speech_of(choose(language)), Assets(STATIC)
    files = {"summary.html": client_summary(session, speech, Frame(static=assets.inline, own=True)).encode()}
    try:
        paper = client_summary(session, speech, Frame(static=lambda name: name))
        return files | {"summary.pdf": pdf_of(paper, {name: assets.content(name) for name in PAPER_FILES})}
    except NoPaperError:
        return files
