"""Rendering of pages from Jinja templates, with the values that every template can use."""

from pathlib import Path
from typing import Any, Final

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ...service.documents.page_templates import TEMPLATES as DOCUMENT_TEMPLATES
from ...service.practice import Practice
from ...service.rendering import plain_words
from .person import LOGIN, NO_LOGIN_PERSON
from .static_files import StaticFiles

_TEMPLATES: Final = Path(__file__).parents[1] / "templates"


class PageRenderer:
    """Renderer of a practice's pages."""

    def __init__(self, practice: Practice, static_files: StaticFiles, version: str) -> None:
        self._accounts = practice.accounts
        self._settings = practice.settings
        self._templates = Environment(
            loader=FileSystemLoader([_TEMPLATES, DOCUMENT_TEMPLATES]),
            autoescape=True,
            undefined=StrictUndefined,
            auto_reload=False,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals.update(
            static=static_files.address,
            assets=static_files,
            version=version,
            words=plain_words,
            disclaimer=plain_words.DISCLAIMER,
            disk_trouble=lambda: practice.rooms.trouble,
            bench=practice.test_bench is not None,
            records=practice.clients is not None,
            rights=practice.data_requests is not None,
            uploads=practice.uploads.limits if practice.uploads else None,
            courses=practice.courses is not None,
            links=practice.client_pages is not None,
        )

    def prepare(self) -> None:
        """Compile every template, which takes up to 30 ms each: done in a thread, it holds up no request."""
        for name in self._templates.list_templates(extensions=["html"]):
            self._templates.get_template(name)

    def page(self, request: web.Request, template: str, status: int = 200, **values: Any) -> web.Response:
        """Render a page for the person who is logged in; `values` go to the template."""
        login = request.get(LOGIN)
        person = login.person if login else None if self._accounts else NO_LOGIN_PERSON
        return self._render(template, status, login=login, person=person, **values)

    def open_page(self, template: str, status: int = 200, **values: Any) -> web.Response:
        """Render a page that needs no login."""
        return self._render(template, status, login=None, person=None, **values)

    def error(self, request: web.Request, status: int, sentence: str) -> web.Response:
        """Render the error page."""
        return self.page(request, "shared/error.html", status, code=status, sentence=sentence)

    def _render(self, template: str, status: int, **values: Any) -> web.Response:
        text = self._templates.get_template(template).render(zone=self._settings.zone, **values)
        return web.Response(text=text, status=status, content_type="text/html")
