"""The page of the practice's settings."""

import asyncio
from zoneinfo import available_timezones

from aiohttp import web

from ...service.backups.nightly_backups import NightlyBackups
from ...service.settings import PracticeSettings, computer_zone
from ..http.person import person_of
from ..http.templating import PageRenderer


class SettingsPages:
    """Handlers of `/settings`."""

    def __init__(self, settings: PracticeSettings, backups: NightlyBackups | None, pages: PageRenderer) -> None:
        self._settings = settings
        self._backups = backups
        self._pages = pages

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [web.get("/settings", self.settings)]

    async def settings(self, request: web.Request) -> web.Response:
        """Show the settings; only an admin may change them."""
        may_change = person_of(request).role == "admin"
        return self._pages.page(
            request,
            "settings/settings.html",
            settings=await self._settings.read(),
            zones=sorted(await asyncio.to_thread(available_timezones)),
            computer_zone=computer_zone(),
            may_change=may_change,
            archive=await self._backups.archive() if self._backups and may_change else None,
            megabytes=megabytes,
        )


def megabytes(size: int) -> str:
    """Return a size in words: MB below a thousand of them, GB above."""
    mb = size / 1e6
    return f"{mb / 1000:,.1f} GB" if mb >= 1000 else f"{mb:.1f} MB" if mb < 100 else f"{mb:.0f} MB"
