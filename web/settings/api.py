"""The API of the practice's settings."""

from typing import Annotated

import msgspec

from ...service.errors import RefusedError
from ...service.settings import CoursePlan, PracticeSettings, Settings, time_zone
from ..http.endpoint import Call, Endpoint

_Word = Annotated[str, msgspec.Meta(min_length=1, max_length=40)]
_Words = Annotated[tuple[_Word, ...], msgspec.Meta(min_length=1, max_length=24)]
_Seconds = Annotated[float, msgspec.Meta(ge=10, le=7200)]
_Key = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z][A-Za-z0-9]{0,39}$")]
RESERVED_KEYS = frozenset({"Tab", "Escape", "Enter", *(f"{pad}{n}" for pad in ("Digit", "Numpad") for n in range(10))})
"""Keys that have another meaning on the room page."""


class WriteSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Settings to store; fields that are left out return to their defaults."""

    techniques: Annotated[
        tuple[_Word, ...], msgspec.Meta(description="Techniques on the keys 1 to 9.", min_length=1, max_length=9)
    ] = Settings().techniques
    regions: _Words = Settings().regions
    pressures: Annotated[tuple[_Word, ...], msgspec.Meta(min_length=1, max_length=9)] = Settings().pressures
    next_keys: Annotated[
        tuple[_Key, ...],
        msgspec.Meta(
            description="`KeyboardEvent.code` of the keys, or of a foot pedal's keys, that begin the next phase.",
            min_length=1,
            max_length=6,
        ),
    ] = Settings().next_keys
    settle_s: _Seconds = Settings().settle_s
    baseline_s: _Seconds = Settings().baseline_s
    massage_s: Annotated[_Seconds | None, msgspec.Meta(description="Length of the massage, s; null: open-ended.")] = (
        Settings().massage_s
    )
    recovery_s: _Seconds = Settings().recovery_s
    plan: Annotated[CoursePlan, msgspec.Meta(description="Plan of visits of every client who has no plan of their own.")] = (
        Settings().plan
    )
    keep_months: Annotated[
        Annotated[int, msgspec.Meta(ge=1, le=600)] | None,
        msgspec.Meta(description="Months after which ended sessions are deleted; null: they are kept until they are erased."),
    ] = Settings().keep_months
    time_zone: Annotated[
        Annotated[str, msgspec.Meta(min_length=1, max_length=64)] | None,
        msgspec.Meta(description="IANA name of the practice's time zone; null: that of the computer restbeat runs on."),
    ] = Settings().time_zone


class SettingsApi:
    """Endpoints of the settings."""

    def __init__(self, settings: PracticeSettings) -> None:
        self._settings = settings

    def endpoints(self) -> list[Endpoint]:
        """Return the endpoints."""
        return [
            Endpoint(
                method="GET",
                path="/settings",
                handler=self.settings,
                summary="Techniques, regions, pressures, keys, lengths of the phases.",
                answer=Settings,
                tag="settings",
            ),
            Endpoint(
                method="PUT",
                path="/settings",
                handler=self.set_settings,
                summary="Set them anew; they shape the sessions that begin from now on.",
                body=WriteSettings,
                answer=Settings,
                refusals=(409,),
                admin=True,
                tag="settings",
            ),
        ]

    async def settings(self, _: Call) -> Settings:
        """Return the settings."""
        return await self._settings.read()

    async def set_settings(self, call: Call) -> Settings:
        """Store the settings.

        Raises `RefusedError` for a word that is empty or repeated, a key that is reserved, and a time zone that does not exist.
        """
        fields = msgspec.structs.asdict(call.body)
        for name in ("techniques", "regions", "pressures"):
            fields[name] = words = tuple(" ".join(word.split()) for word in fields[name])
            if not all(words) or len({word.casefold() for word in words}) < len(words):
                raise RefusedError(f"The {name} name nothing, or the same thing twice.")
        settings = Settings(**fields)
        if settings.time_zone is not None and time_zone(settings.time_zone) is None:
            raise RefusedError(f"There is no time zone {settings.time_zone}. Choose one such as Europe/Berlin.")
        reserved = sorted(RESERVED_KEYS.intersection(settings.next_keys))
        if reserved:
            raise RefusedError(f"{', '.join(reserved)} means something else in a room. Choose another key.")
        await self._settings.write(settings, by=call.person.name)
        return settings
