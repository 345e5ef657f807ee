"""The Polar service of a virtual strap: what it answers to commands, and which of its streams are on."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum

from ..protocols.polar_control import ALREADY_IN_STATE, IN_CHARGER, OK, Operation
from ..protocols.polar_frames import STREAM_BITS, Stream
from ..recordings.recording import PMD_DATA, Event, Packet

PMD_SERVICE = "fb005c80-02e7-f387-1cad-8acd2d8df0c8"

_NO_OPERATION, _NO_STREAM, _NOT_SUPPORTED = 1, 2, 3
_SETTINGS = {
    Stream.ECG: bytes.fromhex("00018200 01010e00"),
    Stream.ACC: bytes.fromhex("0004c800640032001900 01011000 0203020004000800"),
}
"""As an H10 offers them: 130 Hz; 200, 100, 50 and 25 Hz at 2, 4 and 8 g."""


class PolarFault(Enum):
    """What a Polar service may be told to be wrong with."""

    REFUSES = "refuses"
    """Every command is not supported."""
    FORBIDS = "forbids"
    """The control point cannot be written to."""
    NEVER_ANSWERS = "never answers"
    LOSES_ANSWERS = "loses answers"
    """It does what it is told, and its answer gets lost."""
    CHARGER = "charger"
    """It lies in its charger, and starts nothing."""


@dataclass(slots=True, eq=False)
class VirtualPolar:
    """The state of the service; a lost connection does not end a stream."""

    offered: frozenset[Stream]
    streaming: set[Stream] = field(default_factory=set)
    commands: list[bytes] = field(default_factory=list)
    """What it was asked, oldest first."""
    fault: PolarFault | None = None

    @property
    def features(self) -> bytes:
        """What the control point tells when it is read."""
        return bytes([0x0F, sum(1 << stream.value for stream in self.offered)]) + bytes(15)

    def sends(self, payload: bytes) -> bool:
        """Whether data leaves the strap: only of a stream that is on."""
        return bool(payload) and any(stream.value == payload[0] & STREAM_BITS for stream in self.streaming)

    def answer(self, command: bytes) -> bytes | None:
        """Take a command; gives the indication that answers it, or None."""
        self.commands.append(command)
        if self.fault is PolarFault.NEVER_ANSWERS:
            return None
        operation, stream = (command + bytes(2))[:2]
        status, parameters = self._outcome(operation, stream)
        lost = self.fault is PolarFault.LOSES_ANSWERS
        return None if lost else bytes([0xF0, operation, stream, status, 0]) + parameters

    def _outcome(self, operation: int, number: int) -> tuple[int, bytes]:
        stream = next((stream for stream in self.offered if stream.value == number), None)
        if self.fault is PolarFault.REFUSES:
            return _NOT_SUPPORTED, b""
        if stream is None:
            return _NO_STREAM, b""
        match operation:
            case Operation.SETTINGS.value if stream in _SETTINGS:
                return OK, _SETTINGS[stream]
            case Operation.START.value if self.fault is PolarFault.CHARGER:
                return IN_CHARGER, b""
            case Operation.START.value if stream in self.streaming:
                return ALREADY_IN_STATE, b""
            case Operation.START.value:
                self.streaming.add(stream)
                return OK, b"\x00"
            case Operation.STOP.value:
                self.streaming.discard(stream)
                return OK, b""
        return _NO_OPERATION, b""


def virtual_polar_of(events: Iterable[Event]) -> VirtualPolar | None:
    """A service with the streams that are in a recording; None where there are none."""
    numbers = {e.payload[0] & STREAM_BITS for e in events if isinstance(e, Packet) and e.char == PMD_DATA and e.payload}
    offered = frozenset(stream for stream in Stream if stream.value in numbers)
    return VirtualPolar(offered) if offered else None
