"""Follow-ups as events of a calendar file (RFC 5545): when to open the link, and nothing of health."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Final

from ...service.follow_up.models import FollowUp, LinkedSession
from ...service.rendering.translations import choose, speech_of

_LINE: Final = 75
"""Octets of a line, at most."""


def calendar_file(session: LinkedSession, address: str, language: str) -> bytes:
    """Both follow-ups of a session as events of a quarter of an hour; imported again, they replace themselves."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//restbeat//follow-up//EN", "CALSCALE:GREGORIAN"]
    for follow_up in session.follow_ups:
        lines += _event(session, follow_up, address, language)
    return b"".join(_folded(line) for line in [*lines, "END:VCALENDAR"])


def _event(session: LinkedSession, follow_up: FollowUp, address: str, language: str) -> Iterable[str]:
    say = speech_of(choose(language)).say
    title = _escaped(say("A few short questions"))
    name = sha256(f"{session.session} {session.started_utc} {follow_up.slot}".encode()).hexdigest()[:32]
    return (
        "BEGIN:VEVENT",
        f"UID:{name}@restbeat",
        f"DTSTAMP:{_moment(follow_up.due_utc - timedelta(hours=follow_up.slot))}",
        f"DTSTART:{_moment(follow_up.due_utc)}",
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


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _escaped(text: str) -> str:
    for character, written in (("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\n", "\\n")):
        text = text.replace(character, written)
    return text


def _folded(line: str) -> bytes:
    return b"\r\n ".join(part.encode() for part in _parts(line)) + b"\r\n"


def _parts(line: str) -> Iterator[str]:
    """The line in parts of at most 75 octets, the blank before a continuation counted; no character is cut."""
    part, length = "", 0
    for character in line:
        octets = len(character.encode())
        if length + octets > _LINE:
            yield part
            part, length = "", 1
        part, length = part + character, length + octets
    yield part
