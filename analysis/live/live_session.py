"""Figures of a running session over the last 60 s and 5 min, from the same beat stream as the figures of record."""

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from math import inf, isinf, sqrt

import msgspec

from ...sensors.beat_clock import BeatClock
from ...sensors.model import Contact, Device, Phase
from ...sensors.recordings.recording import BATTERY, ConnectionEvent, Event, Mark, Packet, PhaseStart, StrapChange
from ..beats.beat_stream import BeatStream, JudgedBeat
from ..beats.phase_segments import limited
from ..beats.time_filled import filled_pct, is_filled, why_not_filled
from ..figures import LEAST_COMPARED_S, too_few_accepted
from ..hrv.disturbances import disturbances, left_out
from ..hrv.rolling_window import RollingHrv
from ..hrv.settling import settling_of
from ..hrv.spectrum import Bands, Breathing
from ..intervals.time_step import without_rounding
from ..rhythm.phase_rhythm import NOW, unusable
from ..rhythm.rhythm_watch import WITHOUT_HRV, Rhythm, RhythmWatch
from .live_check import LiveWindow, window_of
from .live_spectrum import LiveSpectrum
from .running_sums import RunningComparison, RunningSums, SegmentSums, segments_of

WINDOW_S = 60.0
_FRESH_S, _FRESH_WALL_S = 3.5, 0.25
"""Greatest age of a heart rate, on the session's clock and on the wall clock: straps send about once a second."""
_FRESH_CADENCES, _FRESH_AT_MOST_S = 2.0, 30.0
"""The same in usual intervals between packets, of a sensor that sends less often, and its limit in s."""
_BEATS_FRESH_S, _BEATS_FRESH_WALL_S = 8.0, 0.75
_ENOUGH_PACKETS = 3
"""Packets with a heart rate but without RR after which an unknown sensor counts as sending none."""
_ENOUGH_FROM_CHEST = 20
"""The same of a chest strap that is known to send RR: it may need some beats first."""
_MIN_DIFFERENCES = 20
_LAST = {True: "minute's", False: "5 minutes'"}
_SPANS = {True: "the last minute", False: "the last 5 minutes"}
"""Words for the two windows; True: the minute."""
_MOST_GAPS = 10_000
"""Gaps that are kept: those of hours of the worst strap."""
_LEAST_LONG_S = 120.0
"""Time of beats needed for figures of the last 5 min."""
_LEAST_FILLED_S = 30.0
_MAX_REJECTED_PCT = 10.0
"""Rejected beats of the window above which RMSSD is withheld (one held-out record was off by 100 % there)."""


class LiveFigures(msgspec.Struct, frozen=True, gc=False):
    """The figures at one moment of a session; None where a figure would be stale or unreliable."""

    phase: Phase
    phase_s: float
    hr_bpm: int | None
    rmssd_ms: float | None
    rmssd_why: str | None
    rhythm: Rhythm
    """What the last 128 received beats look like; there is no HRV of some rhythms."""
    baseline_rmssd_ms: float | None
    baseline_usable_s: float | None
    """Usable time of the baseline up to now, in s; None before it, and from a sensor that gives no HRV."""
    still_settling: bool
    """Whether a baseline that is long enough still rises, so that two more minutes would help."""
    baseline_short: bool
    """Whether the baseline is over and too short to compare anything with."""
    change_pct: float | None
    accepted_pct: float | None
    filled_pct: float | None
    """Sum of the RR intervals of the last minute as a share of its time; None in the first half minute."""
    age_s: float | None
    contact: Contact
    rr_seen: bool
    heart_rate_only: bool
    """Whether this sensor gives no HRV: its model is known to send no beats, or it has sent none."""
    no_heartbeat: bool
    """Whether packets arrive, and none of them had a heart rate or an interval yet."""
    beats_missing: bool
    """Whether packets still arrive but beats, which arrived before, do not."""
    packets: int
    battery_pct: int | None
    rmssd_5min_ms: float | None
    """RMSSD over the last 5 min, once there are 2 min of beats."""
    sdnn_5min_ms: float | None
    why_5min: str | None
    """Reason why the two are missing."""
    lf_ms2: float | None
    """LF over 5 min up to the last whole 5 s; `spectrum_why` states why it or HF is missing."""
    hf_ms2: float | None
    spectrum_why: str | None
    resp_per_min: float | None
    resp_confidence: float | None
    """Confidence from 0 to 1; None where no rate could be computed."""
    resp_why: str | None


@dataclass(slots=True)
class LiveSession:
    """A running session: push events, get judged beats, and read the figures of any moment."""

    speed: float = 1.0
    """Speed of the clock that stamped the packets: at a high speed a short stall of that computer is not a silence."""
    pace: float = 0.0
    """Speed of a replay's own clock, where that is faster."""
    stream: BeatStream = field(init=False)
    starts: list[PhaseStart] = field(default_factory=list)
    """Starts of the phases after settling, up to now."""
    sums: RunningSums = field(default_factory=RunningSums)
    """Sums of differences over the whole session."""
    disturbed: tuple[float, ...] = ()
    """Times (s) of marks of talking, turning over and the like, which are left out of a baseline."""
    battery_pct: int | None = None
    _settling: tuple[tuple[float, int, int], bool] | None = None
    """Baseline's start, numbers of finished segments and of disturbances that settling was judged from, and the judgement."""
    _window: RollingHrv = field(default_factory=lambda: RollingHrv(WINDOW_S))
    _spectrum: LiveSpectrum = field(default_factory=LiveSpectrum)
    _rhythm: RhythmWatch = field(default_factory=RhythmWatch)
    _without_hrv: tuple[float, Rhythm] = (-inf, Rhythm.UNKNOWN)
    """End of the newest beat in a rhythm of which there is no HRV, and that rhythm."""
    _last_beat_s: float | None = None
    _baseline: tuple[tuple[float, float, int, int], float | None] | None = None
    """Span, numbers of finished segments and of disturbances that the baseline's RMSSD was computed from, and that RMSSD."""
    _gaps_s: "array[float]" = field(default_factory=lambda: array("d"))
    """Ends in s of the newest accepted beats before which others are missing."""
    _baseline_usable: tuple[tuple[float, float, int], float] | None = None
    """Span and number of disturbances of a baseline that is over, and its usable time in s."""

    def __post_init__(self) -> None:
        self.stream = BeatStream(BeatClock.at_speed(self.speed))

    @property
    def phase(self) -> Phase:
        """The current phase."""
        return self.starts[-1].phase if self.starts else Phase.SETTLE

    @property
    def phase_start_s(self) -> float:
        """Start of the current phase in s."""
        return self.starts[-1].t if self.starts else 0.0

    @property
    def fresh_s(self) -> float:
        """Age in s up to which a packet counts as fresh."""
        usual_s = min(_FRESH_CADENCES * self.stream.clock.cadence_s, _FRESH_AT_MOST_S)
        return max(_FRESH_S, _FRESH_WALL_S * max(self.speed, self.pace), usual_s)

    def set_device(self, device: Device) -> None:
        """Apply what is known of the strap's model."""
        self.stream.set_device(device)

    def push(self, event: Event) -> list[JudgedBeat]:
        """Add one event; return the beats whose verdict became final."""
        match event:
            case Packet(char=char, payload=payload):
                if char == BATTERY and payload and payload[0] <= 100:
                    self.battery_pct = payload[0]
                beats = self.stream.push(event)
            case PhaseStart(phase=phase):
                beats = []
                if phase.comes_after(self.phase):
                    self.starts.append(event)
            case ConnectionEvent(up=False):
                beats = self.stream.connection_lost()
            case StrapChange(t=t, device=device):
                beats = self.stream.change_strap(t, device)
                self.battery_pct = None
                if not any(strap.beats for strap in self.stream.earlier):
                    self.sums = RunningSums()  # what a sensor sent before it showed that its intervals are no beats
                    self._settling = self._baseline = self._baseline_usable = None
            case Mark():
                beats = []
                self.disturbed += tuple(disturbances([event]))
            case _:
                beats = []
        self._count(beats)
        return beats

    def set_phases(self, starts: Sequence[PhaseStart]) -> None:
        """Replace the phase starts by corrected ones, in order of time; a start that leads back is ignored."""
        self.starts = []
        for start in starts:
            self.push(start)

    def set_marks(self, marks: Iterable[Mark]) -> None:
        """Replace the marks by corrected ones."""
        self.disturbed = tuple(disturbances(marks))

    def finish(self, t: float) -> list[JudgedBeat]:
        """End the session at `t` (s); return all pending beats with their verdicts."""
        beats = self.stream.finish(t)
        self._count(beats)
        return beats

    def figures(self, now_s: float) -> LiveFigures:
        """Return the figures at session time `now_s`."""
        stream, window, long = self.stream, self._window, self._spectrum.window
        last_t, last_beat_s, last = stream.clock.last_t, self._last_beat_s, stream.last
        age = None if last_t is None else max(now_s - last_t, 0.0)
        fresh = age is not None and (age <= _FRESH_S or age <= self.fresh_s)
        beats_fresh = last_beat_s is not None and now_s - last_beat_s <= self._beats_fresh_s
        heart_rate_only = self._heart_rate_only
        no_hrv = self._no_hrv(beats_fresh=beats_fresh)
        accepted_pct, time_s, filled_s = window.accepted_pct, window.time_s, window.filled_s
        rhythm_why, long_rhythm_why = self._rhythm_why()
        no_rmssd, no_long = no_hrv or rhythm_why, no_hrv or long_rhythm_why
        repeats = stream.repeats
        rmssd, why = (None, no_rmssd) if no_rmssd else self._rmssd(window, filled_s, time_s, repeats=repeats)
        long_rmssd, long_why = (None, no_long) if no_long else self._rmssd(long, long.filled_s, long.time_s, repeats=repeats)
        bands, breathing = self._spectra(no_long)
        baseline = self.span_of(Phase.BASELINE)
        base = None if baseline is None else self._baseline_rmssd(baseline)
        usable_s = None
        if baseline is not None and not heart_rate_only:
            usable_s = self._baseline_usable_s(baseline, now_s, fresh=beats_fresh)
        short = usable_s is not None and usable_s < LEAST_COMPARED_S and self.phase.comes_after(Phase.BASELINE)
        return LiveFigures(
            phase=self.phase,
            phase_s=max(now_s - self.phase_start_s, 0.0),
            hr_bpm=last.rate_bpm if last and fresh else None,
            rmssd_ms=rmssd,
            rmssd_why=why,
            rhythm=self._rhythm.rhythm,
            baseline_rmssd_ms=base,
            baseline_usable_s=usable_s,
            still_settling=baseline is not None and usable_s is not None and self._still_settling(baseline, usable_s),
            baseline_short=short,
            change_pct=None if rmssd is None or base is None or short else 100 * (rmssd / base - 1),
            accepted_pct=accepted_pct if beats_fresh else None,
            filled_pct=filled_pct(filled_s, time_s, window.beats) if beats_fresh and time_s >= _LEAST_FILLED_S else None,
            age_s=age,
            contact=last.contact if last else Contact.NOT_REPORTED,
            rr_seen=stream.rr_seen,
            heart_rate_only=heart_rate_only,
            no_heartbeat=fresh and not (stream.heartbeats or stream.rr_seen),
            beats_missing=fresh and last_beat_s is not None and not beats_fresh,
            packets=stream.clock.packets,
            battery_pct=self.battery_pct,
            rmssd_5min_ms=long_rmssd,
            sdnn_5min_ms=None if long_rmssd is None else long.sdnn_ms,
            why_5min=long_why,
            lf_ms2=bands.lf_ms2,
            hf_ms2=bands.hf_ms2,
            spectrum_why=" ".join(bands.reasons) or None,
            resp_per_min=breathing.per_min,
            resp_confidence=breathing.confidence or None,
            resp_why=breathing.reason,
        )

    @property
    def window(self) -> LiveWindow:
        """The window behind the figures of the last 60 s, to be checked by NeuroKit2."""
        return window_of(self._window)

    @property
    def running_comparison(self) -> RunningComparison | None:
        """The sums to compare for a provisional interval; None where there is nothing to compare, and from a pulse sensor."""
        baseline = self.span_of(Phase.BASELINE)
        if baseline is None or self.phase not in {Phase.MASSAGE, Phase.RECOVERY} or self.stream.pulse is not None:
            return None
        if self._undisturbed_s(self.sums.usable_s(*baseline, fresh=False), *baseline) < LEAST_COMPARED_S:
            return None
        base, now = self.sums.between(*baseline, left_out(self.disturbed, *baseline)), self.sums.between(self.phase_start_s)
        if self._why_not_filled(base) or self._why_not_filled(now) or self.stream.why_unlike(baseline[0]):
            return None
        massage = self.span_of(Phase.MASSAGE) if self.phase is Phase.RECOVERY else None
        between = [self.sums.between(*massage)] if massage else []
        return RunningComparison(phase=self.phase.value, baseline=base, current=now, between=between)

    @property
    def _heart_rate_only(self) -> bool:
        stream = self.stream
        enough = 1 if stream.optical else _ENOUGH_FROM_CHEST if stream.chest else _ENOUGH_PACKETS
        return not stream.rr_seen and (not stream.trust_rr or stream.heartbeats >= enough)

    @property
    def _beats_fresh_s(self) -> float:
        return max(_BEATS_FRESH_S, _BEATS_FRESH_WALL_S * max(self.speed, self.pace))

    def _no_hrv(self, *, beats_fresh: bool) -> str | None:
        """Return why there is no HRV of any window at this moment; None where there may be."""
        if not self.stream.rr_seen:
            return "heart rate only – no HRV" if self._heart_rate_only else "waiting for the first heartbeat"
        return None if beats_fresh else "no beats in the last seconds"

    def _rhythm_why(self) -> tuple[str | None, str | None]:
        """Return why the rhythm allows no HRV of the last minute and of the last 5 minutes; None where it does."""
        until_s, rhythm = self._without_hrv
        if isinf(until_s):
            return None, None
        window = self._spectrum.window
        recent = window.beats and until_s > (self._last_beat_s or 0.0) - window.span_s
        return NOW.get(self._rhythm.rhythm), NOW[rhythm] if recent else None

    def _rmssd(self, window: RollingHrv, filled_s: float, time_s: float, *, repeats: bool) -> tuple[float | None, str | None]:
        minute, accepted_pct = window is self._window, window.accepted_pct
        if accepted_pct is not None and accepted_pct < 100 - _MAX_REJECTED_PCT:
            return None, f"only {int(accepted_pct)} % of the last {_LAST[minute]} beats could be used"
        if repeats or self._gaps_s or self.stream.clock.unplaced_gaps_s or not is_filled(filled_s, time_s):
            from_s, until_s = window.newest_s - time_s, window.newest_s
            left_out, gaps = self._beats_left_out(from_s, until_s), _within(self._gaps_s, from_s, until_s)
            if why := why_not_filled(
                filled_s, time_s, window.beats, of=_SPANS[minute], left_out=left_out, gaps=gaps, repeats=repeats
            ):
                return None, why
        if window.differences < _MIN_DIFFERENCES or not (minute or window.span_s >= _LEAST_LONG_S):
            return None, "collecting beats"
        return self._unrounded(window.rmssd_ms)

    def _spectra(self, no_hrv: str | None) -> tuple[Bands, Breathing]:
        if no_hrv or self._last_beat_s is None:
            return Bands(None, None, (no_hrv or "",)), Breathing(None, 0.0, no_hrv)
        return self._spectrum.at(self._last_beat_s)

    def _baseline_rmssd(self, span: tuple[float, float]) -> float | None:
        source = (*span, self.sums.finished(span[1]), len(self.disturbed))
        if self._baseline is None or self._baseline[0] != source:
            self._baseline = source, self._rmssd_between(*span)
        return self._baseline[1]

    def _baseline_usable_s(self, span: tuple[float, float], now_s: float, *, fresh: bool) -> float:
        start_s, stop_s = span[0], min(span[1], now_s)
        source = start_s, stop_s, len(self.disturbed)
        if self._baseline_usable is None or self._baseline_usable[0] != source:
            usable_s = self._undisturbed_s(self.sums.usable_s(start_s, stop_s, fresh=fresh), start_s, stop_s)
            if not self.sums.is_final(stop_s):
                return usable_s
            self._baseline_usable = source, usable_s
        return self._baseline_usable[1]

    def _undisturbed_s(self, usable_s: float, start_s: float, stop_s: float) -> float:
        """Return the usable time of a span without what marks leave out of it."""
        until_s = start_s
        for from_s, to_s in sorted(left_out(self.disturbed, start_s, stop_s)):
            usable_s -= max(min(to_s, stop_s) - max(from_s, until_s), 0.0)
            until_s = max(until_s, to_s)
        return max(usable_s, 0.0)

    def _still_settling(self, span: tuple[float, float], usable_s: float) -> bool:
        """Return whether a baseline that would do is still rising from its settling phase on."""
        if self.phase is not Phase.BASELINE or usable_s < LEAST_COMPARED_S:
            return False
        source = span[0], self.sums.finished(), len(self.disturbed)
        if self._settling is None or self._settling[0] != source:
            parts = self.sums.between(0.0, span[0]), self.sums.between(*span, left_out(self.disturbed, *span))
            rise = settling_of([limited(part) for sums in parts if (part := segments_of(sums)).mid_s.size], 0.0)
            self._settling = source, rise.shows
        return self._settling[1]

    def _rmssd_between(self, start_s: float, stop_s: float) -> float | None:
        sums = self.sums.between(start_s, stop_s, left_out(self.disturbed, start_s, stop_s))
        if sums.beats and too_few_accepted(100 * (1 - sums.rejected / sums.beats)):
            return None
        if self._why_not_filled(sums):
            return None
        differences = sum(sums.differences)
        if differences < _MIN_DIFFERENCES:
            return None
        step_s = self.stream.step_within(start_s, stop_s)
        return self._unrounded(sqrt(sum(sums.squares) / differences) or None, step_s)[0]

    def _why_not_filled(self, sums: SegmentSums) -> str | None:
        start_s, stop_s = sums.start_s, sums.start_s + sums.time_s
        return why_not_filled(
            sums.filled_s,
            sums.time_s,
            sums.beats,
            of=f"the {self.phase.value}",
            left_out=self._beats_left_out(start_s, stop_s),
            gaps=_within(self._gaps_s, start_s, stop_s),
            repeats=self.stream.repeats_within(start_s, stop_s),
        )

    def _beats_left_out(self, start_s: float, stop_s: float) -> int:
        return _within(self.stream.clock.unplaced_gaps_s, start_s, stop_s)

    def _unrounded(self, rmssd_ms: float | None, step_s: float | None = None) -> tuple[float | None, str | None]:
        step_s = self.stream.intervals.step_s if step_s is None else step_s
        if rmssd_ms is None or not step_s:
            return rmssd_ms, None
        true_ms = without_rounding(rmssd_ms, step_s)
        return true_ms, None if true_ms else f"the strap’s steps of {1000 * step_s:.0f} ms are too coarse for so small an RMSSD"

    def span_of(self, phase: Phase) -> tuple[float, float] | None:
        """Return start and end of a phase in s; the end is inf while it lasts. None where the phase has not occurred."""
        for start, following in zip_longest(self.starts, self.starts[1:]):
            if start.phase is phase:
                return start.t, following.t if following else inf
        return None

    def _count(self, beats: list[JudgedBeat]) -> None:
        for beat in beats:
            self._last_beat_s = beat.end_s
            if beat.gap_before and beat.accepted:
                self._gaps_s.append(beat.end_s)
                del self._gaps_s[:-_MOST_GAPS]
            rhythm = self._rhythm.push(beat)
            if rhythm is not Rhythm.SINUS_LIKE and rhythm in WITHOUT_HRV:
                self._without_hrv = beat.end_s, rhythm
                self.sums.push(unusable(beat))
            else:
                self.sums.push(beat)
            for window in (self._window, self._spectrum.window):
                window.push(beat.end_s, beat.rr_ms, beat.accepted, beat.diff_ms, gap_before=beat.gap_before)


def _within(times_s: Sequence[float], start_s: float, stop_s: float) -> int:
    """Return how many of some times, in order, lie after `start_s` and not after `stop_s`."""
    return bisect_right(times_s, stop_s) - bisect_right(times_s, start_s) if times_s else 0
