"""The control point of Polar Measurement Data: the streams on offer, and the commands that start and stop them.

Source: Polar Measurement Data Specification, in polarofficial/polar-ble-sdk. A command consists of an operation, a stream and
its settings; it is answered by `F0`, the operation, the stream, a status, whether more follows, and parameters.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum
import struct

from ..errors import PayloadError
from .polar_frames import Stream

_FEATURES, _REPLY = 0x0F, 0xF0
_RATE, _RESOLUTION, _RANGE, _RANGE_MILLI, _CHANNELS, _FACTOR = range(6)
_WIDTHS = {_RATE: 2, _RESOLUTION: 2, _RANGE: 2, _RANGE_MILLI: 4, _CHANNELS: 1, _FACTOR: 4}

OK, ALREADY_IN_STATE, IN_CHARGER = 0, 6, 13
_STATUS = (
    "ok",
    "no such operation",
    "no such stream",
    "not supported",
    "wrong length",
    "wrong parameter",
    "already in that state",
    "wrong resolution",
    "wrong sample rate",
    "wrong range",
    "the MTU is too small",
    "wrong number of channels",
    "wrong state",
    "the strap is in its charger",
    "its memory is full",
)


class Operation(Enum):
    """An operation of the control point."""

    SETTINGS = 1
    START = 2
    STOP = 3


@dataclass(frozen=True, slots=True)
class Features:
    """The streams that a strap offers, without those that restbeat does not know."""

    streams: frozenset[Stream]


@dataclass(frozen=True, slots=True)
class Settings:
    """The values on offer for a stream's settings; `chosen` picks one of each."""

    rates_hz: tuple[int, ...] = ()
    resolutions_bit: tuple[int, ...] = ()
    ranges_g: tuple[int, ...] = ()
    channels: tuple[int, ...] = ()
    factor: float | None = None
    """The value of one count, in the reply to a start command; never sent."""

    def chosen(self, rate_hz: int = 0) -> "Settings":
        """Choose one of each: the lowest rate from `rate_hz` up (else the highest), the finest resolution, the smallest range."""
        enough = [rate for rate in self.rates_hz if rate >= rate_hz]
        return replace(
            self,
            rates_hz=(min(enough, default=max(self.rates_hz)),) if self.rates_hz else (),
            resolutions_bit=(max(self.resolutions_bit),) if self.resolutions_bit else (),
            ranges_g=(min(self.ranges_g),) if self.ranges_g else (),
            channels=(max(self.channels),) if self.channels else (),
        )


@dataclass(frozen=True, slots=True)
class ControlReply:
    """The answer to a command."""

    operation: int
    stream: int
    """The stream's number, which restbeat may not know."""
    status: int
    more: bool
    """Whether the parameters continue in another indication."""
    parameters: bytes

    @property
    def text(self) -> str:
        """The status in words."""
        return _STATUS[self.status] if self.status < len(_STATUS) else f"status {self.status}"


def parse_features(value: bytes) -> Features:
    """Decode the value read from the control point. Raises `PayloadError` where it holds no features."""
    if len(value) < 2 or value[0] != _FEATURES:
        raise PayloadError(f"the control point of a Polar strap tells no features: {value.hex()}")
    return Features(frozenset(stream for stream in Stream if value[1] >> stream.value & 1))


def parse_reply(value: bytes) -> ControlReply:
    """Decode an indication of the control point. Raises `PayloadError` where it is no answer to a command."""
    if len(value) < 4 or value[0] != _REPLY:
        raise PayloadError(f"no reply of a Polar control point: {value.hex()}")
    return ControlReply(value[1], value[2], value[3], any(value[4:5]), value[5:])


def parse_settings(parameters: bytes) -> Settings:
    """Decode the parameters of a reply to a settings or a start command, up to the first unknown setting.

    Raises `PayloadError` where they are truncated.
    """
    known = dict(_settings(parameters))
    factor = known.get(_FACTOR)
    return Settings(
        rates_hz=known.get(_RATE, ()),
        resolutions_bit=known.get(_RESOLUTION, ()),
        ranges_g=known.get(_RANGE, ()),
        channels=known.get(_CHANNELS, ()),
        factor=struct.unpack("<f", struct.pack("<I", factor[0]))[0] if factor else None,
    )


def settings_command(stream: Stream) -> bytes:
    """Encode the command that asks for the settings on offer for a stream."""
    return bytes([Operation.SETTINGS.value, stream.value])


def start_command(stream: Stream, settings: Settings) -> bytes:
    """Encode the command that starts a stream with the first value of each setting.

    Raises `PayloadError` where a value does not fit its field.
    """
    out = bytes([Operation.START.value, stream.value])
    chosen = {
        _RATE: settings.rates_hz,
        _RESOLUTION: settings.resolutions_bit,
        _RANGE: settings.ranges_g,
        _CHANNELS: settings.channels,
    }
    for kind, values in chosen.items():
        if values:
            try:
                out += bytes([kind, 1]) + values[0].to_bytes(_WIDTHS[kind], "little")
            except OverflowError as error:
                raise PayloadError(f"{values[0]} does not fit setting {kind} of a Polar stream") from error
    return out


def stop_command(stream: Stream) -> bytes:
    """Encode the command that stops a stream."""
    return bytes([Operation.STOP.value, stream.value])


def _settings(parameters: bytes) -> Iterator[tuple[int, tuple[int, ...]]]:
    at = 0
    # an H10 answers a start command with one byte more than specified
    while at + 2 < len(parameters) and (width := _WIDTHS.get(parameters[at])):
        kind, count = parameters[at], parameters[at + 1]
        at, end = at + 2, at + 2 + count * width
        if end > len(parameters):
            raise PayloadError(f"the settings of a Polar stream are cut off: {parameters.hex()}")
        yield kind, tuple(int.from_bytes(parameters[i : i + width], "little") for i in range(at, end, width))
        at = end
