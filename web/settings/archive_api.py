"""The API of the database's size and of the backups that are made by themselves."""

from typing import Annotated

import msgspec

from ...service.backups.nightly_backups import Archive, NightlyBackups
from ..http.endpoint import Call, Endpoint


class WriteBackups(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where and when backups are made by themselves."""

    folder: Annotated[
        Annotated[str, msgspec.Meta(min_length=1, max_length=400)] | None,
        msgspec.Meta(description="Absolute path of a folder on the computer that restbeat runs on; null: none are made."),
    ]
    hour: Annotated[int, msgspec.Meta(description="Hour of the day, in the practice's time zone.", ge=0, le=23)] = 2


class ArchiveApi:
    """Endpoints of the database's size and its backups."""

    def __init__(self, backups: NightlyBackups) -> None:
        self._backups = backups

    def endpoints(self) -> list[Endpoint]:
        """Return the endpoints."""
        return [
            Endpoint(
                method="GET",
                path="/archive",
                handler=self.archive,
                summary="Size of the database, its growth, free space, the last backup, and what is amiss with the backups.",
                answer=Archive,
                admin=True,
                tag="settings",
            ),
            Endpoint(
                method="PUT",
                path="/backups",
                handler=self.set_backups,
                summary="Have backups made each night: 7 days, 4 weeks and 12 months are kept, each verified.",
                body=WriteBackups,
                answer=Archive,
                refusals=(409,),
                admin=True,
                tag="settings",
            ),
            Endpoint(
                method="POST",
                path="/backups/make",
                handler=self.make,
                summary="Make a backup now; the answer does not wait for it: `making` says when it is done.",
                answer=Archive,
                refusals=(409,),
                admin=True,
                tag="settings",
            ),
            Endpoint(
                method="POST",
                path="/backups/remind-later",
                handler=self.remind_later,
                summary="Say nothing for 30 days of no backups being made.",
                answer=Archive,
                admin=True,
                tag="settings",
            ),
        ]

    async def archive(self, _: Call) -> Archive:
        """Return the figures of the database and its backups."""
        return await self._backups.archive()

    async def set_backups(self, call: Call) -> Archive:
        """Store the schedule."""
        await self._backups.set_schedule(call.body.folder, call.body.hour, by=call.person.name)
        return await self._backups.archive()

    async def make(self, _: Call) -> Archive:
        """Make a backup."""
        await self._backups.make_soon()
        return await self._backups.archive()

    async def remind_later(self, call: Call) -> Archive:
        """Put the reminder off."""
        await self._backups.remind_later(by=call.person.name)
        return await self._backups.archive()
