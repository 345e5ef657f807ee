"""The settings of a practice, stored in its database."""

from collections.abc import Callable
from datetime import UTC, datetime
import os
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import msgspec

from ..sensors.model import Phase
from .storage.audit_log import note
from .storage.sqlite import Database
from .storage.storage import Storage

_NAME = "practice"


class CoursePlan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A plan of visits: `per_week` for some weeks, then one every `then_every_weeks`."""

    per_week: Annotated[int, msgspec.Meta(ge=1, le=7)] = 2
    weeks: Annotated[int, msgspec.Meta(ge=1, le=52)] = 6
    then_every_weeks: Annotated[
        Annotated[int, msgspec.Meta(ge=1, le=26)] | None,
        msgspec.Meta(description="Weeks between later visits; null: the plan ends."),
    ] = 2


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of a practice."""

    techniques: Annotated[tuple[str, ...], msgspec.Meta(description="Techniques on the keys 1 to 9.")] = (
        "Long strokes",
        "Kneading",
        "Friction",
        "Trigger point",
        "Myofascial release",
        "Stretching",
        "Holding",
        "Vibration",
        "Tapping",
    )
    regions: tuple[str, ...] = ("Neck", "Shoulders", "Upper back", "Lower back", "Hips", "Legs", "Feet", "Arms", "Head", "Belly")
    pressures: tuple[str, ...] = ("Light", "Moderate", "Deep")
    next_keys: Annotated[
        tuple[str, ...],
        msgspec.Meta(description="Keys of a keyboard or foot pedal that begin the next phase, as `KeyboardEvent.code`."),
    ] = ("Space", "PageDown")
    settle_s: float = 180.0
    baseline_s: float = 300.0
    massage_s: float | None = None
    recovery_s: float = 300.0
    plan: Annotated[CoursePlan, msgspec.Meta(description="Visit plan of clients who have no plan of their own.")] = CoursePlan()
    keep_months: Annotated[
        int | None,
        msgspec.Meta(
            description="Months after which an ended session is deleted; null: sessions are kept until they are erased."
        ),
    ] = None

    time_zone: Annotated[
        str | None,
        msgspec.Meta(description="IANA name of the practice's time zone; null: that of the computer."),
    ] = None

    @property
    def zone(self) -> str | None:
        """IANA name of the practice's time zone; None where it is the computer's and that has no such name."""
        return self.time_zone or computer_zone()

    def target_s(self, phase: Phase) -> float | None:
        """Return the planned length of a phase in s; None where it may last as long as it takes."""
        lengths_s = {
            Phase.SETTLE: self.settle_s,
            Phase.BASELINE: self.baseline_s,
            Phase.MASSAGE: self.massage_s,
            Phase.RECOVERY: self.recovery_s,
        }
        return lengths_s.get(phase)


def time_zone(name: str) -> ZoneInfo | None:
    """Return a time zone by its IANA name; None where there is none of that name."""
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError):  # unknown, a folder of zones, or no name at all
        return None


def computer_zone(link: Path = Path("/etc/localtime")) -> str | None:
    """Return the IANA name of this computer's time zone, by TZ or by the link to its file; None where it cannot be told."""
    for name in (os.environ.get("TZ", "").removeprefix(":"), str(link.resolve()).rpartition("zoneinfo/")[2]):
        if name and not name.startswith("/") and time_zone(name):
            return name
    return None


def zone_of(db: Database) -> str | None:
    """Return the IANA name of the practice's time zone; None where it is the computer's and that has no such name."""
    return read_settings(db).zone


def read_settings(db: Database) -> Settings:
    """Return the settings; the defaults where none are stored or the stored ones cannot be read."""
    row = db.execute("SELECT value FROM setting WHERE name = ?", (_NAME,)).fetchone()
    if row is None:
        return Settings()
    try:
        return msgspec.json.decode(row[0], type=Settings)
    except msgspec.ValidationError:
        return Settings()


def write_settings(db: Database, settings: Settings, actor: str, now: datetime) -> None:
    """Store the settings, and note in the audit log who changed them."""
    with db.atomic():
        db.execute("INSERT OR REPLACE INTO setting VALUES (?, ?)", (_NAME, msgspec.json.encode(settings).decode()))
        note(db, now, actor, "settings changed")


class PracticeSettings:
    """The practice's settings, in its database."""

    def __init__(self, storage: Storage, *, now_utc: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._storage = storage
        self._now_utc = now_utc
        self.zone = Settings().zone
        """IANA name of the practice's time zone, as last read or written."""

    async def read(self) -> Settings:
        """Return the settings; the defaults where none are stored or the stored ones cannot be read."""
        settings = await self._storage.read(read_settings)
        self.zone = settings.zone
        return settings

    async def write(self, settings: Settings, *, by: str) -> None:
        """Store the settings; `by`: the account's name, for the audit log."""
        now = self._now_utc()
        await self._storage.run(lambda db: write_settings(db, settings, by, now))
        self.zone = settings.zone
