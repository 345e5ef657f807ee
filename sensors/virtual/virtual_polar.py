"""The Polar service of a virtual strap: its replies to commands, and the streams that are on."""

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
"""The settings of an H10: ECG at 130 Hz; acceleration at 200, 100, 50 and 25 Hz, 2, 4 and 8 g."""


class PolarFault(Enum):
    """A fault that a Polar service can be given."""

    REFUSES = "refuses"
    """Every command is answered with "not supported"."""
    FORBIDS = "forbids"
    """Writes to the control point are refused."""
    NEVER_ANSWERS = "never answers"
    LOSES_ANSWERS = "loses answers"
    """Commands are carried out, but their answers are lost."""
    CHARGER = "charger"
    """The strap lies in its charger and starts no stream."""


@dataclass(slots=True, eq=False)
class VirtualPolar:
    """The state of the service; a stream survives the loss of the connection."""

    offered: frozenset[Stream]
    streaming: set[Stream] = field(default_factory=set)
    commands: list[bytes] = field(default_factory=list)
    """Every command received, oldest first."""
    fault: PolarFault | None = None

    @property
    def features(self) -> bytes:
        """The value that reading the control point returns."""
        return bytes([0x0F, sum(1 << stream.value for stream in self.offered)]) + bytes(15)

    def sends(self, payload: bytes) -> bool:
        """Return whether the strap sends this data: only that of a stream that is on."""
        return bool(payload) and any(stream.value == payload[0] & STREAM_BITS for stream in self.streaming)

    def answer(self, command: bytes) -> bytes | None:
        """Carry out a command; return the indication that answers it, or None where there is no answer."""
        self.commands.append(command)
        if self.fault is PolarFault.NEVER_ANSWERS:
            return None
        operation, stream = (command + bytes(2))[:2]
        status, parameters = self._outcome(operation, stream)
        return None if self.fault is PolarFault.LOSES_ANSWERS else bytes([0xF0, operation, stream, status, 0]) + parameters

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
    """Return a service that offers the streams of a recording; None where it has none."""
    numbers = {e.payload[0] & STREAM_BITS for e in events if isinstance(e, Packet) and e.char == PMD_DATA and e.payload}
    offered = frozenset(stream for stream in Stream if stream.value in numbers)
    return VirtualPolar(offered) if offered else None
