"""Conversion of packets to judged beats: the one path that live sessions, replay and archive share."""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain, repeat
from typing import Final

import msgspec
from msgspec.structs import replace

from ...sensors.beat_clock import BeatClock
from ...sensors.errors import PayloadError
from ...sensors.model import RR_UNIT_MS, Beat, Contact, Device, Measurement
from ...sensors.protocols.heart_rate import parse, plain_rr
from ...sensors.protocols.known_devices import Kind, known_device
from ...sensors.protocols.polar_frames import Ppi, PpiFrame, parse_frame
from ...sensors.recordings.recording import HEART_RATE, PMD_DATA, ConnectionEvent, Event, Packet, StrapChange
from ..intervals.sensor_intervals import SensorIntervals
from ..intervals.strap_spans import StrapSpan, step_within, why_unlike
from .artifact_filter import ArtifactFilter, BeatKind, Verdict
from .pulse_clock import PulseClock, TimedPulse


class JudgedBeat(msgspec.Struct, frozen=True, gc=False):
    """A beat with its final verdict."""

    end_s: float
    rr_ms: float
    accepted: bool
    gap_before: bool
    diff_ms: float | None
    """RR minus that of the adjacent accepted beat before it; None across a gap or a rejected beat."""
    kind: str
    """The kind "normal", or the reason for rejection."""


_NORMAL: Final = BeatKind.NORMAL.value
_ODD_WITHOUT_RR = 4
_OVERFILLED = 1.01
_MOST_WARNINGS = 1000
_OPTICAL_LOCATIONS = frozenset({"wrist", "finger", "hand", "ear lobe", "foot"})
"""Body locations of 0x2A38 at which no electrodes are worn."""
_DOUBLED_S = 0.6
"""Pulse frames are seconds apart: the same bytes within this time are a duplicate notification (bleak #2002)."""
NO_CONTACT, TWO_STRAPS, REPEATED = "no contact", "two straps", "repeated"
MOVED, UNSURE = "movement", "uncertain"
"""Reasons to reject a beat whatever its interval: strap off the body, beats of two people, pulses that the sensor distrusts."""
LARGEST_ERROR_MS = 30
"""Largest error of an accepted pulse interval, by the sensor's own estimate."""


@dataclass(slots=True)
class BeatStream:
    """A stream of one strap's packets: push packets and get judged beats, at most two beats late."""

    clock: BeatClock = field(default_factory=BeatClock)
    warnings: list[str] = field(default_factory=list)
    """Sentences about the packets that could not be read, the first 1,000 of them."""
    last: Measurement | None = None
    """The newest readable measurement."""
    rr_seen: bool = False
    """Whether this strap has sent an RR interval yet."""
    rejected: int = 0
    """Number of rejected beats."""
    trust_contact: bool = True
    """Whether this strap's "no skin contact" can be trusted: a few models report it wrongly."""
    trust_rr: bool = True
    """Whether this strap's RR intervals are beats: some models smooth them, which makes HRV meaningless."""
    chest: bool = False
    """Whether the model is a chest strap that is known to send RR."""
    corrects_unit: bool = False
    """Whether this model is known to send RR in ms, so that they are converted."""
    optical: bool = False
    """Whether the model or the body location says that it is an optical pulse sensor: few of them send RR at all."""
    no_rr_packets: int = 0
    """Consecutive packets without RR from a strap that had sent some; a few are normal where the heart is slow."""
    no_contact_packets: int = 0
    unreadable_packets: int = 0
    pulse: PulseClock | None = None
    """Clock of an optical sensor's pulse intervals; set once the beats come from them, as 0x2A37 has none."""
    two_straps_beats: int = 0
    heartbeats: int = 0
    """Packets with a heart rate: before the first, nobody can tell whether the sensor sends RR."""
    intervals: SensorIntervals = field(default_factory=SensorIntervals)
    no_beats_why: str | None = None
    """Why this sensor's intervals are no beats; None where they may be, or nothing of it is known."""
    earlier: list[StrapSpan] = field(default_factory=list)
    """The straps before this one, where the session's strap was changed."""
    _since_s: float = 0.0
    _filter: ArtifactFilter = field(default_factory=ArtifactFilter)
    _waiting: deque[tuple[Beat, str | None]] = field(default_factory=deque)
    _distrusted: str | None = None
    _without_rr: int = 0
    _last_pulses: Packet | None = None

    @property
    def repeats(self) -> bool:
        """Whether this sensor sends beats again: by how often it does, or because they add up to more than the time."""
        if not self.intervals.repeats:
            return False
        overfilled = self.clock.rr_sum_s > _OVERFILLED * self.clock.rr_time_s > 0
        return overfilled or self.intervals.often_repeats

    @property
    def straps(self) -> list[StrapSpan]:
        """Every strap of the session so far, in order of time."""
        this = StrapSpan(
            from_s=self._since_s,
            beats=self.rr_seen,
            heard=self.heartbeats > 0,
            by_light=self.pulse is not None,
            repeats=self.repeats,
            step_s=self.intervals.step_s,
        )
        return [*self.earlier, this]

    def why_unlike(self, from_s: float) -> str | None:
        """Return why phases from `from_s` on are not compared: their straps measure differently; None where they may be."""
        return why_unlike(self.straps, from_s) if self.earlier else None

    def step_within(self, start_s: float, stop_s: float) -> float:
        """Return the step of the intervals of a time (s), in s; 0 where it is no coarser than their unit."""
        return step_within(self.straps, start_s, stop_s) if self.earlier else self.intervals.step_s

    def repeats_within(self, start_s: float, stop_s: float) -> bool:
        """Return whether a strap of a time (s) sent beats again that it had sent before."""
        return any(one.repeats and one.meets(start_s, stop_s) for one in self.straps) if self.earlier else self.repeats

    def change_strap(self, t: float, device: Device) -> list[JudgedBeat]:
        """Go on with another strap from `t` (s); return all pending beats with their verdicts.

        It is judged by itself, and its beats do not continue those before.
        """
        judged = self.connection_lost()
        self.earlier.append(replace(self.straps[-1], until_s=t))
        self._since_s = t
        self.intervals, self.pulse, self.last, self._last_pulses = SensorIntervals(), None, None, None
        self.rr_seen, self.heartbeats, self.no_beats_why, self._without_rr = False, 0, None, 0
        self.clock.new_strap()
        self.set_device(device)
        return judged

    def of_beats(self, judged: list[JudgedBeat]) -> list[JudgedBeat]:
        """Return judged beats without those of straps whose intervals turned out to be none."""
        none = [strap for strap in self.straps if not strap.beats] if self.earlier else []
        return [beat for beat in judged if not any(strap.meets(beat.end_s, beat.end_s) for strap in none)] if none else judged

    def set_device(self, device: Device) -> None:
        """Apply what is known of this strap's model."""
        row = known_device(device)
        self.trust_contact = row is None or row.believes_contact
        self.optical = row.kind is Kind.OPTICAL if row else device.location in _OPTICAL_LOCATIONS
        self.trust_rr = row.believes_rr if row else not self.optical
        if row is None and self.optical:
            self.no_beats_why = f"it is worn on the {device.location}, and not known to send true beats"
        self.chest = row is not None and row.kind is Kind.CHEST and row.believes_rr
        self.corrects_unit = row is not None and row.rr_in_ms

    def push(self, packet: Packet) -> list[JudgedBeat]:
        """Add a notification of 0x2A37 or, where that has no RR, of pulse intervals; others are ignored.

        Returns the beats whose verdict became final. An unreadable packet is counted, and told in
        `warnings` unless those are too many.
        """
        if packet.char == PMD_DATA:
            return self._pulses(packet)
        if packet.char != HEART_RATE:
            return []
        try:
            measurement = parse(packet.payload)
        except PayloadError as error:
            self.clock.packets += 1
            self.unreadable_packets += 1
            if self.unreadable_packets <= _MOST_WARNINGS:
                self.warnings.append(f"At {packet.t:.1f} s: {error}; this packet is left out.")
            return []
        if not all(measurement.rr_1024):  # a slot without a beat holds 0
            measurement = replace(measurement, rr_1024=tuple(filter(None, measurement.rr_1024)))
        raw = measurement
        if not self.trust_rr or self.pulse:
            measurement = replace(measurement, rr_1024=(), rr_flag=False)
        elif self.corrects_unit:
            measurement = replace(measurement, rr_1024=tuple(round(1.024 * rr) for rr in measurement.rr_1024))
        self.last = measurement
        if measurement.rate_bpm is not None:
            self.heartbeats += 1
        if not self.pulse:
            self._count_without_rr(measurement)
        if measurement.contact is Contact.NO:
            self.no_contact_packets += 1
        self.rr_seen = self.rr_seen or bool(measurement.rr_1024)
        doubled = self.clock.duplicate_packets
        judged = self._judge(self.clock.push(packet.t, packet.payload, measurement.rr_1024), self._doubt(measurement))
        fresh = raw.rr_1024 and self.clock.duplicate_packets == doubled
        if fresh and self.intervals.push(raw.hr_bpm, raw.rr_1024):
            self._heed_intervals()
        return judged

    def push_run(self, packets: Sequence[Packet]) -> tuple[int, list[JudgedBeat]]:
        """Add notifications of 0x2A37 with the same result as `push`, in a third of the time, up to the first unusual one.

        Returns how many were used, and the beats whose verdict became final.
        """
        if self.pulse or not (self.trust_rr and self.rr_seen) or self._distrusted or any(doubt for _, doubt in self._waiting):
            return 0, []
        if self.corrects_unit:
            return 0, []
        intervals: list[tuple[int, ...]] = []
        without = self._without_rr
        left = self.intervals.left - 1  # `push` takes the packet after which the intervals are looked at
        for packet in packets:
            rr_1024 = plain_rr(packet.payload)
            without = without + 1 if rr_1024 == () else 0
            left -= bool(rr_1024)
            if rr_1024 is None or without >= _ODD_WITHOUT_RR or left < 0 or 0 in rr_1024:
                break
            intervals.append(rr_1024)
        readable = packets[: len(intervals)]
        used, ends = self.clock.push_run([p.t for p in readable], [p.payload for p in readable], intervals)
        if not used:
            return 0, []
        with_rr = (n for n, rr_1024 in enumerate(reversed(intervals[:used])) if rr_1024)
        self._without_rr = next(with_rr, self._without_rr + used)
        self.last = parse(packets[used - 1].payload)
        for packet, rr_1024 in zip(packets[:used], intervals, strict=False):
            self.heartbeats += packet.payload[1] not in {0, 255}
            if rr_1024:
                self.intervals.push(packet.payload[1], rr_1024)
        beats = [one for rr_1024 in intervals[:used] for one in rr_1024]
        return used, self._judge_run(beats, ends)

    def connection_lost(self) -> list[JudgedBeat]:
        """Note that the connection was lost; return all pending beats with their verdicts."""
        self.intervals.interrupted()
        pulses = self._judge_pulses(self.pulse, self.pulse.connection_lost()) if self.pulse else []
        return pulses + self._judge(self.clock.connection_lost(), self._distrusted) + self._match(self._filter.flush())

    def finish(self, t: float) -> list[JudgedBeat]:
        """End the stream at `t` (s); return all pending beats with their verdicts."""
        pulses = self._judge_pulses(self.pulse, self.pulse.flush()) if self.pulse else []
        return pulses + self._judge(self.clock.flush(t), self._distrusted) + self._match(self._filter.flush())

    def _heed_intervals(self) -> None:
        intervals = self.intervals
        if not self.corrects_unit:
            self.clock.set_unit(intervals.unit_s, decided=intervals.unit_decided)
        if intervals.no_beats_why is not None and not self.pulse:
            self.no_beats_why = intervals.no_beats_why
            self.trust_rr = self.rr_seen = False

    def _pulses(self, packet: Packet) -> list[JudgedBeat]:
        if self.rr_seen and not self.pulse:
            return []
        try:
            frame = parse_frame(packet.payload)
        except PayloadError:
            return []
        if not isinstance(frame, PpiFrame) or not frame.samples:
            return []
        before, self._last_pulses = self._last_pulses, packet
        if before is not None and before.payload == packet.payload and packet.t - before.t < _DOUBLED_S:
            self.clock.duplicate_packets += 1
            return []
        self.pulse, self.rr_seen = self.pulse or PulseClock(), True
        return self._judge_pulses(self.pulse, self.pulse.push(packet.t, frame.samples))

    def _judge_pulses(self, clock: PulseClock, pulses: list[TimedPulse]) -> list[JudgedBeat]:
        judged: list[JudgedBeat] = []
        for index, (pulse, end_s, gap) in enumerate(pulses, clock.beats - len(pulses)):
            beat = Beat(index, end_s, round(pulse.pp_ms / RR_UNIT_MS), gap_before=gap)
            judged += self._judge([beat], _doubt_of(pulse))
        return judged

    def _count_without_rr(self, measurement: Measurement) -> None:
        self._without_rr = 0 if measurement.rr_1024 or not self.rr_seen else self._without_rr + 1
        if self._without_rr == _ODD_WITHOUT_RR:
            self.no_rr_packets += _ODD_WITHOUT_RR
        elif self._without_rr > _ODD_WITHOUT_RR:
            self.no_rr_packets += 1

    def _doubt(self, measurement: Measurement) -> str | None:
        if self.clock.crowded:
            return REPEATED if self.repeats else TWO_STRAPS
        return NO_CONTACT if self.trust_contact and measurement.contact is Contact.NO else None

    def _judge(self, beats: list[Beat], doubt: str | None) -> list[JudgedBeat]:
        verdicts: list[Verdict] = []
        for beat in beats:
            self._waiting.append((beat, doubt))
            self.two_straps_beats += doubt == TWO_STRAPS
            # a distrusted beat and a trusted one are not adjacent
            verdicts += self._filter.push(beat.rr_ms, gap=beat.gap_before or doubt != self._distrusted)
            self._distrusted = doubt
        return self._match(verdicts)

    def _judge_run(self, rr_1024: Sequence[int], ends: Sequence[float]) -> list[JudgedBeat]:
        verdicts = self._filter.push_all([one * RR_UNIT_MS for one in rr_1024])
        first = self.clock.beats - len(ends)
        waited = [beat for beat, _ in self._waiting]
        judged = [
            JudgedBeat(end_s, v.rr_ms, (ok := v.kind is BeatKind.NORMAL), gap, v.diff_ms, _NORMAL if ok else v.kind.value)
            for end_s, gap, v in zip(
                chain([beat.end_s for beat in waited], ends),
                chain([beat.gap_before for beat in waited], repeat(False)),
                verdicts,
                strict=False,
            )
        ]
        at = len(judged) - len(waited)
        left = [Beat(first + n, ends[n], rr_1024[n], gap_before=False) for n in range(max(at, 0), len(ends))]
        for _ in waited[: len(judged)]:
            self._waiting.popleft()
        self._waiting.extend((beat, None) for beat in left)
        self.rejected += sum(not beat.accepted for beat in judged)
        return judged

    def _match(self, verdicts: list[Verdict]) -> list[JudgedBeat]:
        judged: list[JudgedBeat] = []
        for verdict in verdicts:
            beat, doubt = self._waiting.popleft()
            accepted = doubt is None and verdict.kind is BeatKind.NORMAL
            if accepted:
                judged.append(JudgedBeat(beat.end_s, beat.rr_ms, True, beat.gap_before, verdict.diff_ms, _NORMAL))
            else:
                self.rejected += 1
                judged.append(JudgedBeat(beat.end_s, beat.rr_ms, False, beat.gap_before, None, doubt or verdict.kind.value))
        return judged


_FEWEST, _MOST = 32, 1024
"""Sizes of the chunks given to `push_run`: small after an unusual packet, then growing."""


def judge(stream: BeatStream, events: Iterable[Event], last_s: float) -> list[JudgedBeat]:
    """Push all events up to `last_s` into a stream and finish it; return the same beats as `push`, in a third of the time."""
    judged: list[JudgedBeat] = []
    run: list[Packet] = []
    for event in events:
        if event.t > last_s:
            break
        if isinstance(event, Packet):
            if event.char == HEART_RATE:
                run.append(event)
            elif event.char == PMD_DATA and (stream.pulse or not stream.rr_seen):
                judged += _judge_run(stream, run)
                judged += stream.push(event)
        elif isinstance(event, ConnectionEvent) and not event.up:
            judged += _judge_run(stream, run)
            judged += stream.connection_lost()
        elif isinstance(event, StrapChange):
            judged += _judge_run(stream, run)
            judged += stream.change_strap(event.t, event.device)
    return judged + _judge_run(stream, run) + stream.finish(last_s)


def _judge_run(stream: BeatStream, packets: list[Packet]) -> list[JudgedBeat]:
    """Push a run of heart rate packets into the stream and empty the list."""
    judged: list[JudgedBeat] = []
    at, size = 0, _FEWEST
    while at < len(packets):
        chunk = packets[at : at + size]
        used, beats = stream.push_run(chunk)
        judged += beats
        if used < len(chunk):
            judged += stream.push(chunk[used])
            at, size = at + used + 1, _FEWEST
        else:
            at, size = at + used, min(2 * size, _MOST)
    packets.clear()
    return judged


def _doubt_of(pulse: Ppi) -> str | None:
    if pulse.contact is Contact.NO:
        return NO_CONTACT
    if pulse.blocker:
        return MOVED
    return UNSURE if pulse.error_ms > LARGEST_ERROR_MS else None
