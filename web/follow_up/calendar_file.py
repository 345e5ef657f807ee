"""Follow-ups as a calendar file (RFC 5545): when to open the link, and nothing about health."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Final

from ...service.follow_up.models import FollowUp, LinkedSession
from ...service.rendering.translations import choose, speech_of

_MAX_LINE_OCTETS: Final = 75


def calendar_file(session: LinkedSession, address: str, language: str) -> bytes:
    """Return a calendar file with both follow-ups of a session as events of 15 min.

    `address`: of the client's page, for the events to link to. Importing the file again replaces the events.
    """
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//restbeat//follow-up//EN", "CALSCALE:GREGORIAN"]
    for follow_up in session.follow_ups:
        lines += _event(session, follow_up, address, language)
    return b"".join(_folded(line) for line in [*lines, "END:VCALENDAR"])


def _event(session: LinkedSession, follow_up: FollowUp, address: str, language: str) -> Iterable[str]:
    say = speech_of(choose(language)).say
    title = _escaped(say("A few short questions"))
    identifier = sha256(f"{session.session} {session.started_utc} {follow_up.slot}".encode()).hexdigest()[:32]
    return (
        "BEGIN:VEVENT",
        f"UID:{identifier}@restbeat",
        f"DTSTAMP:{_utc_text(follow_up.due_utc - timedelta(hours=follow_up.slot))}",
        f"DTSTART:{_utc_text(follow_up.due_utc)}",
        "DURATION:PT15M",
        f"SUMMARY:{title}",
        f"DESCRIPTION:{_escaped(address)}",
        f"URL:{address}",
        "TRANSP:TRANSPARENT",
        "BEGIN:VALARM",
        "ACTION:DISPLAY",
        f"DESCRIPTION:{title}",
        "TRIGGER:PT0S",
        "END:VALARM",
        "END:VEVENT",
    )


def _utc_text(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _escaped(text: str) -> str:
    for character, escape in (("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\n", "\\n")):
        text = text.replace(character, escape)
    return text


def _folded(line: str) -> bytes:
    return b"\r\n ".join(part.encode() for part in _parts(line)) + b"\r\n"


def _parts(line: str) -> Iterator[str]:
    """Yield a line in parts of at most 75 octets, counting the blank before a continuation; no character is split."""
    part, length = "", 0
    for character in line:
        octets = len(character.encode())
        if length + octets > _MAX_LINE_OCTETS:
            yield part
            part, length = "", 1
        part, length = part + character, length + octets
    yield part
