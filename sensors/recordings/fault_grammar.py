"""The grammar of faults: `drop@120:15`, `ectopic:2%`, `swap@500`; `fault_injection` applies them.

KIND@FROM[:SECONDS]        from 120 s of the recording on, for 15 s; without a length to its end
KIND:SHARE%[@FROM[:SECONDS]]  of the beats or packets, in all of the recording or within a span
swap@FROM[:FILE]           with the second recording, or with that of a file
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from math import isfinite
import re

from ..errors import FaultError


class Shape(Enum):
    """The notation of a kind of fault."""

    SPAN = "KIND@FROM:SECONDS"
    OPEN = "KIND@FROM or KIND@FROM:SECONDS"
    SHARE = "KIND:SHARE% or KIND:SHARE%@FROM:SECONDS"
    FILE = "KIND@FROM or KIND@FROM:FILE"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of fault in the grammar."""

    name: str
    shape: Shape
    example: str
    what: str


KINDS = {
    kind.name: kind
    for kind in (
        Kind("drop", Shape.SPAN, "drop@120:15", "the link is lost; what was sent meanwhile is lost with it"),
        Kind("silence", Shape.SPAN, "silence@200:20", "connected, but nothing comes"),
        Kind("double", Shape.OPEN, "double@300", "every packet comes twice, as after a reconnect (bleak #2002)"),
        Kind("late", Shape.SPAN, "late@60:4", "packets are held back and then come all at once"),
        Kind("no-rr", Shape.SPAN, "no-rr@90:30", "heart rate comes without RR intervals"),
        Kind("contact-off", Shape.SPAN, "contact-off@400:10", "the strap reports no skin contact"),
        Kind("garbage", Shape.SHARE, "garbage:0.5%", "so many packets arrive malformed"),
        Kind("ectopic", Shape.SHARE, "ectopic:2%", "so many beats come 30 % early, with a pause after them"),
        Kind("missed", Shape.SHARE, "missed:1%", "so many beats are not heard: two intervals become one"),
        Kind("extra", Shape.SHARE, "extra:1%", "so many intervals are split in two"),
        Kind("swap", Shape.FILE, "swap@500", "two straps are exchanged, or the recording goes on with another client's beats"),
        Kind("merge", Shape.SPAN, "merge@500:60", "a second strap's packets come on the same stream"),
    )
}
_NUMBER = r"\d+(?:\.\d+)?"
_SPAN = re.compile(rf"@({_NUMBER})(?::(.+))?")
_SHARE = re.compile(rf":({_NUMBER})%(?:@({_NUMBER})(?::({_NUMBER}))?)?")


@dataclass(frozen=True, slots=True)
class FaultSpec:
    """A fault to inject, as it was written."""

    text: str
    kind: str
    from_s: float = 0.0
    for_s: float | None = None
    """Length of the span in s; None: to the end of the recording."""
    share: float = 0.0
    """Share of the beats or packets, 0 to 1."""
    file: str | None = None

    def covers(self, t: float) -> bool:
        """Return whether the time `t` (s) lies within its span."""
        return self.from_s <= t and (self.for_s is None or t < self.from_s + self.for_s)


def parse_faults(texts: Sequence[str]) -> tuple[FaultSpec, ...]:
    """Parse faults; a text may hold several, separated by commas. Raises `FaultError` where one is not in the grammar."""
    return tuple(_parse(part.strip()) for text in texts for part in text.split(",") if part.strip())


def _parse(text: str) -> FaultSpec:
    name = re.match(r"[a-z-]*", text)
    kind = KINDS.get(name.group() if name else "")
    if kind is None:
        raise FaultError(f"{text!r} is no fault that is known. There are {', '.join(KINDS)}.")
    rest = text[len(kind.name) :]
    try:
        return _SHAPES[kind.shape](text, kind.name, rest)
    except ValueError as error:
        raise FaultError(f"{text!r} cannot be read: {error}. An example: {kind.example}") from error


def _span(text: str, kind: str, rest: str, *, open_end: bool = False) -> FaultSpec:
    if not (found := _SPAN.fullmatch(rest)):
        raise ValueError("it wants a time in s behind an @" + ("" if open_end else ", and a length in s behind a colon"))
    if found[2] is None and not open_end:
        raise ValueError("it wants a length in s behind a colon")
    if found[2] is not None and not re.fullmatch(_NUMBER, found[2]):
        raise ValueError(f"{found[2]!r} is no length in s")
    return FaultSpec(text, kind, _seconds(found[1]), None if found[2] is None else _length(found[2]))


def _open(text: str, kind: str, rest: str) -> FaultSpec:
    return _span(text, kind, rest, open_end=True)


def _share(text: str, kind: str, rest: str) -> FaultSpec:
    if not (found := _SHARE.fullmatch(rest)):
        raise ValueError("it wants a share in percent behind a colon")
    share = float(found[1]) / 100
    if not 0 < share <= 0.5:
        raise ValueError("the share must be above 0 and at most 50 %")
    return FaultSpec(text, kind, _seconds(found[2] or "0"), None if found[3] is None else _length(found[3]), share)


def _file(text: str, kind: str, rest: str) -> FaultSpec:
    if not (found := _SPAN.fullmatch(rest)):
        raise ValueError("it wants a time in s behind an @")
    return FaultSpec(text, kind, _seconds(found[1]), file=found[2])


def _seconds(text: str) -> float:
    seconds = float(text)
    if not isfinite(seconds) or seconds > 10 * 86_400:
        raise ValueError(f"{text} s is beyond any recording")
    return seconds


def _length(text: str) -> float:
    seconds = _seconds(text)
    if seconds == 0:
        raise ValueError("a length of 0 s is none")
    return seconds


_SHAPES = {Shape.SPAN: _span, Shape.OPEN: _open, Shape.SHARE: _share, Shape.FILE: _file}
