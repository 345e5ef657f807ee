"""The one way from packets to judged beats: live, replay and archive all go through here."""

from dataclasses import dataclass, field
from typing import NamedTuple

from ..sensors.beat_clock import BeatClock
from ..sensors.errors import PayloadError
from ..sensors.heart_rate import parse
from ..sensors.model import Beat, Measurement
from ..sensors.recording import HEART_RATE, Packet
from .artifacts import ArtifactFilter, Verdict


class JudgedBeat(NamedTuple):
    """A beat with its final verdict."""

    end_s: float
    rr_ms: float
    accepted: bool
    gap_before: bool
    diff_ms: float | None
    """RR minus the accepted neighbour before it; None across a gap or a rejected beat."""
    kind: str
    """normal, or why it was rejected"""


@dataclass(slots=True)
class BeatStream:
    """Push packets, get judged beats (at most two beats late); says in words what it could not read."""

    clock: BeatClock = field(default_factory=BeatClock)
    warnings: list[str] = field(default_factory=list)
    last: Measurement | None = None
    """The newest measurement that could be read."""
    rr_seen: bool = False
    """Whether this strap has announced RR intervals yet."""
    rejected: int = 0
    _filter: ArtifactFilter = field(default_factory=ArtifactFilter)
    _waiting: list[Beat] = field(default_factory=list)

    def push(self, packet: Packet) -> list[JudgedBeat]:
        """Take one notification; other characteristics than 0x2A37 are passed over."""
        if packet.char != HEART_RATE:
            return []
        try:
            measurement = parse(packet.payload)
        except PayloadError as error:
            self.clock.packets += 1
            self.warnings.append(f"At {packet.t:.1f} s: {error}; this packet is left out.")
            return []
        self.last = measurement
        self.rr_seen = self.rr_seen or measurement.rr_flag
        return self._judge(self.clock.push(packet.t, packet.payload, measurement.rr_1024))

    def broken(self) -> list[JudgedBeat]:
        """The link was lost: decide all that waits."""
        return self._judge(self.clock.broken()) + self._match(self._filter.flush())

    def finish(self, t: float) -> list[JudgedBeat]:
        """The session ended at `t`: decide all that waits."""
        return self._judge(self.clock.flush(t)) + self._match(self._filter.flush())

    def _judge(self, beats: list[Beat]) -> list[JudgedBeat]:
        verdicts: list[Verdict] = []
        for beat in beats:
            self._waiting.append(beat)
            verdicts += self._filter.push(beat.rr_ms, gap=beat.gap_before)
        return self._match(verdicts)

    def _match(self, verdicts: list[Verdict]) -> list[JudgedBeat]:
        beats, self._waiting = self._waiting[: len(verdicts)], self._waiting[len(verdicts) :]
        self.rejected += sum(not verdict.accepted for verdict in verdicts)
        return [
            JudgedBeat(beat.end_s, beat.rr_ms, verdict.accepted, beat.gap_before, verdict.diff_ms, verdict.kind.value)
            for beat, verdict in zip(beats, verdicts, strict=True)
        ]
