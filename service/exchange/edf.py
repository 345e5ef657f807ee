"""EDF+ (edfplus.info) export and import: each interval as an annotation, with signals that any EDF viewer can draw.

Signal `RR`: the tachogram of accepted beats at 4 Hz in ms, interpolated linearly between beats; 0 where there is none.
Signal `HR`: the heart rate sent by the strap, once per second in bpm; 0 where it sent none.
Annotations: `RR` from the previous beat to the beat (duration: the interval, to 1 µs), `RR left out (ectopic)`, `RR after gap`,
`gap`, `phase: massage`, `mark: technique=effleurage; region=back`, `pain: 4`, `link: lost`. The header names nobody and no date.
"""

from collections.abc import Iterable, Iterator
import io
from math import ceil
import re
from typing import Final
import warnings

from edfio import Edf, EdfAnnotation, EdfSignal, Patient, Recording as EdfRecording, read_edf
import numpy as np
from numpy.typing import NDArray

from ...sensors.errors import RecordingError
from ...sensors.model import Phase
from ...sensors.recordings.recording import ConnectionEvent, Event, Mark, MarkContent, Pain, PhaseStart, Recording, mark_of
from .annotated_beats import AnnotatedBeat, between_beats
from .packet_reconstruction import ImportedFile, Interval, from_heart_rates, from_intervals
from .session_data import NOT_HEARTBEATS, SessionData

RATE_HZ: Final = 4
_HOLD_S: Final = 2.5
"""How long a heart rate is held in s, unless another arrives."""
_LARGEST = {"RR": 3276.7, "HR": 300.0}
_INTERVAL = re.compile(r"RR(?P<gap> after gap)?(?: left out \((?P<kind>[a-z ]+)\))?")
_BEATS: Final = frozenset({"R", "N", "QRS", "R-PEAK", "RPEAK", "R PEAK", "BEAT", "L"})
_ECTOPIC: Final = frozenset({"V", "A", "S", "F", "J", "E", "PVC", "PAC"})
"""Annotations of normal beats and of others, as EDF viewers and PhysioNet's annotators write them."""
_MARK_FIELDS = (*(name for name in MarkContent.__struct_fields__ if name != "note"), "note")
"""The note comes last, as it may hold any text."""
_CONTROL = re.compile(r"[\x00-\x1f]")


def write_edf(data: SessionData) -> bytes:
    """Return a session as one continuous EDF+ file."""
    seconds = max(ceil(data.report.duration_s), 1)
    signals = [_signal("HR", "bpm", _heart_rate_signal(data, seconds), 1, 1, "as the strap sent it, 0: nothing heard")]
    if data.beats:
        how = f"straight between beats, {RATE_HZ} Hz, 0: no beat"
        signals.insert(0, _signal("RR", "ms", _tachogram(data, seconds), RATE_HZ, 10, how))
    edf = Edf(
        signals,
        patient=Patient(),
        recording=EdfRecording(equipment_code="restbeat", additional=(data.report.kind,)),
        data_record_duration=1,
        annotations=list(_annotations(data)),
    )
    out = io.BytesIO()
    edf.write(out)
    return out.getvalue()


def read_edf_plus(name: str, raw: bytes) -> Recording:
    """Read the annotations that `write_edf` wrote, or else a signal of heart rate.

    Raises `RecordingError` where the file cannot be read or holds neither.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            edf = read_edf(io.BytesIO(raw))
            annotations = edf.annotations
            rates = _rates(edf)
            kind = "rest" if "rest" in edf.recording.additional else "massage"
        except Exception as error:  # a parser of foreign bytes may raise anything
            raise RecordingError(f"{name} is no readable EDF+ file: {str(error)[:120] or type(error).__name__}.") from error
    imported = ImportedFile(name, warnings=[f"{name}: {str(each.message)[:160]}" for each in caught])
    intervals = [one for one in map(_interval, annotations) if one] or _between_beats(annotations)
    intervals.sort(key=lambda one: round(one.end_s, 5))
    notes = [event for each in annotations for event in _events_of_annotation(each)]
    if not intervals and not rates:
        raise RecordingError(
            f"{name} holds neither annotations of beats (RR, R, N, QRS) nor a signal of heart rate (HR in bpm): restbeat finds "
            "no beats in an ECG."
        )
    beats = from_intervals(intervals) if intervals else from_heart_rates(rates)
    # where there are beats, their gaps already imply the connection's events
    imported.events = [*(event for event in notes if not (intervals and isinstance(event, ConnectionEvent))), *beats]
    return imported.recording("EDF+", arrival="the ends of the beats" if intervals else "once a second", kind=kind)


def _signal(label: str, unit: str, values: NDArray[np.float64], rate_hz: int, steps: int, how: str) -> EdfSignal:
    """Return a signal from 0 to its largest value, with a resolution of `steps` per unit."""
    largest = _LARGEST[label]
    scale = (0, largest), (0, round(largest * steps))
    return EdfSignal(
        np.minimum(values, largest),
        rate_hz,
        label=label,
        physical_dimension=unit,
        physical_range=scale[0],
        digital_range=scale[1],
        prefiltering=how,
    )


def _tachogram(data: SessionData, seconds: int) -> NDArray[np.float64]:
    time_s = np.arange(seconds * RATE_HZ) / RATE_HZ
    tachogram = np.zeros(time_s.size)
    end_s, rr_ms = (np.array([getattr(beat, name) for beat in data.beats]) for name in ("end_s", "rr_ms"))
    follows = np.array([beat.diff_ms is not None for beat in data.beats])
    for run in np.split(np.arange(follows.size), np.flatnonzero(~follows)):
        if run.size and data.beats[run[0]].accepted:
            inside = (time_s >= end_s[run[0]]) & (time_s <= end_s[run[-1]])
            tachogram[inside] = np.interp(time_s[inside], end_s[run], rr_ms[run])
    return tachogram


def _heart_rate_signal(data: SessionData, seconds: int) -> NDArray[np.float64]:
    rates = data.heart_rates
    if not rates:
        return np.zeros(seconds)
    t, bpm = np.array([t for t, _ in rates]), np.array([bpm for _, bpm in rates], dtype=np.float64)
    ends_s = np.arange(1, seconds + 1)
    latest = np.searchsorted(t, ends_s, side="right") - 1
    recent = (latest >= 0) & (ends_s - t[latest] < _HOLD_S)
    return np.where(recent, bpm[latest], 0.0)


def _annotations(data: SessionData) -> Iterator[EdfAnnotation]:
    for beat in data.beats:
        gap = " after gap" if beat.gap_before else ""
        out = "" if beat.accepted else f" left out ({beat.kind})"
        yield EdfAnnotation(round(beat.end_s - beat.rr_ms / 1000, 6), round(beat.rr_ms / 1000, 6), f"RR{gap}{out}")
    for start_s, end_s in data.gaps:
        yield EdfAnnotation(round(start_s, 6), round(end_s - start_s, 6), "gap")
    for event in data.events:
        text = _text(event)
        if text and event.t <= data.report.duration_s:
            yield EdfAnnotation(round(event.t, 6), None, text)


def _text(event: Event) -> str | None:
    match event:
        case PhaseStart(phase=phase):
            return f"phase: {phase.value}"
        case Pain(score=score):
            return f"pain: {score}"
        case ConnectionEvent(up=up):
            return f"link: {'up' if up else 'lost'}"
        case Mark():
            fields = {name: _CONTROL.sub(" ", text) for name in _MARK_FIELDS if (text := getattr(event, name))}
            return "mark: " + "; ".join(
                f"{name}={text if name == 'note' else text.replace(';', ',')}" for name, text in fields.items()
            )
        case _:
            return None


def _interval(annotation: EdfAnnotation) -> Interval | None:
    match = _INTERVAL.fullmatch(annotation.text)
    if not match or annotation.duration is None:
        return None
    return Interval(
        annotation.onset + annotation.duration,
        annotation.duration * 1000,
        match["gap"] is not None,
        match["kind"] in NOT_HEARTBEATS,
    )


def _between_beats(annotations: Iterable[EdfAnnotation]) -> list[Interval]:
    """Return the intervals between annotated beats of other programs; one beside a beat that is not normal is no heartbeat."""
    labelled = sorted((one.onset, one.text.strip().upper()) for one in annotations)
    return between_beats([AnnotatedBeat(t, label in _BEATS) for t, label in labelled if label in _BEATS | _ECTOPIC])


def _events_of_annotation(annotation: EdfAnnotation) -> Iterator[Event]:
    what, _, rest = annotation.text.partition(": ")
    t = annotation.onset
    if t < 0:
        return
    if what == "phase" and rest in {phase.value for phase in Phase}:
        yield PhaseStart(t, Phase(rest))
    elif what == "pain" and rest.isdecimal() and int(rest) <= 10:
        yield Pain(t, int(rest))
    elif what == "link" and rest in {"up", "lost"}:
        yield ConnectionEvent(t, rest == "up")
    elif what == "mark":
        before, note, after = rest.partition("note=")
        fields = dict(part.split("=", 1) for part in before.split("; ") if "=" in part)
        known = {name: text for name, text in fields.items() if name in _MARK_FIELDS[:-1]} | ({"note": after} if note else {})
        if mark := mark_of(t, known):
            yield mark


def _rates(edf: Edf) -> list[tuple[float, float]]:
    """Return the signal of heart rate as (time in s, bpm), once per second at most; empty where the file has none."""
    for signal in edf.signals:
        if signal.label.strip().upper() in {"HR", "HEART RATE"} and signal.physical_dimension.lower() in {"bpm", "/min", "1/min"}:
            rate_hz = signal.sampling_frequency
            step = max(round(rate_hz), 1)
            values = signal.data[step - 1 :: step]
            return [((n + 1) * step / rate_hz, float(bpm)) for n, bpm in enumerate(values) if np.isfinite(bpm)]
    return []
