"""Pages as PDF where WeasyPrint is installed; the only module that imports it, in the worker process."""

from collections.abc import Mapping
from io import BytesIO
import logging
from typing import Any, Final

from ..errors import RequestError, ServiceError, WorkerError
from ..worker.worker import Worker

_BASE: Final = "restbeat:///"
_KINDS: Final = {".css": "text/css", ".svg": "image/svg+xml"}


class NoPaperError(ServiceError):
    """WeasyPrint, or a library that it depends on, is not installed."""


def pdf_of(html: str, files: Mapping[str, bytes]) -> bytes:
    """Return a page as PDF; the only files it can load are `files`, by name: nothing from network or disk.

    Raises `NoPaperError` where WeasyPrint is not installed.
    """
    for name in ("weasyprint", "fontTools"):
        logging.getLogger(name).setLevel(logging.ERROR)
    try:
        from weasyprint import HTML
        from weasyprint.urls import URLFetcher, URLFetcherResponse
    except (ImportError, OSError) as error:
        raise NoPaperError(str(error)) from error

    class GivenFilesFetcher(URLFetcher):
        def fetch(self, url: str, headers: Any = None) -> Any:  # noqa: ARG002
            name = url.removeprefix(_BASE)
            if name not in files:
                raise ValueError(f"{name} is not at hand")
            kind = _KINDS.get(f".{name.rpartition('.')[2]}", "application/octet-stream")
            return URLFetcherResponse(url, files[name], {"Content-Type": kind})

    output = BytesIO()
    HTML(string=html, base_url=_BASE, url_fetcher=GivenFilesFetcher()).write_pdf(output)
    return output.getvalue()


class PaperError(RequestError):
    """A PDF cannot be made here."""


NO_PAPER = (
    "PDF needs WeasyPrint and Pango: pip install 'restbeat[pdf]', and on Debian or Ubuntu apt install libpango-1.0-0 "
    "libpangoft2-1.0-0. The page itself prints on one A4 from any browser."
)


async def make_pdf(worker: Worker, html: str, files: Mapping[str, bytes]) -> bytes:
    """Return a page as PDF, made in the worker process; `files` are those that the page loads, by name.

    Raises `PaperError` where WeasyPrint is not installed, `RequestError` where the worker failed.
    """
    try:
        result = await worker.run(_pdf, html, dict(files))
    except WorkerError as error:
        raise RequestError(str(error)) from error
    if isinstance(result, str):
        raise PaperError(result)
    return result


def _pdf(html: str, files: dict[str, bytes]) -> bytes | str:
    """Return the PDF, or the sentence that says why there is none; runs in the worker process."""
    try:
        return pdf_of(html, files)
    except NoPaperError:
        return NO_PAPER
