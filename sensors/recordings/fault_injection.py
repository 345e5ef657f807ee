"""Faults injected into recordings, seeded; each change is documented by `Fault` events in the recording itself.

They are applied in this order: beats (ectopic, missed, extra), packets (swap, merge, no-rr, contact-off, garbage), delivery
(late, double, silence, drop). So a doubled packet is doubled with its ectopic beat, and a dropped connection drops it.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
import random

import msgspec
from msgspec.structs import replace

from ..errors import FaultError, PayloadError
from ..model import Contact, Measurement
from ..protocols.heart_rate import encode, parse
from .fault_grammar import FaultSpec
from .recording import HEART_RATE, ConnectionEvent, Event, Fault, Packet, Recording, read

Events = list[Event]

_ECTOPIC_EARLY_SHARE = 0.3
_MIN_APART_BEATS = 4
_DOUBLE_AFTER_S = 0.001
_BATCH_APART_S = 0.002
_MERGE_AFTER_S = 0.41
_UINT16_MAX = 0xFFFF


def with_faults(recordings: Sequence[Recording], faults: Sequence[FaultSpec], *, seed: int) -> list[Recording]:
    """Return the recordings with faults injected: the same for the same seed, and none is longer than before.

    Raises `FaultError` where a fault changes nothing, `RecordingError` where the file of a swap cannot be read.
    """
    if not faults:
        return list(recordings)
    all_events = [list(recording.events) for recording in recordings]
    truth: list[list[Fault]] = [[] for _ in recordings]
    for kinds in _ORDER:
        for number, fault in enumerate(faults):
            if fault.kind not in kinds:
                continue
            rng = random.Random(f"{seed} {number} {fault.text}")  # noqa: S311 for tests, no secret
            before = list(all_events)
            _apply(fault, all_events, truth, rng)
            if all_events == before and _has_no_effect(fault, recordings):
                raise FaultError(_no_effect_text(fault, recordings))
    texts = [fault.text for fault in faults]
    return [
        Recording(
            msgspec.structs.replace(recording.header, extra=recording.header.extra | {"faults": texts, "fault_seed": seed}),
            tuple(sorted([*faults_done, *events], key=lambda event: event.t)),
            recording.warnings,
        )
        for recording, events, faults_done in zip(recordings, all_events, truth, strict=True)
    ]


def _has_no_effect(fault: FaultSpec, recordings: Sequence[Recording]) -> bool:
    """Return whether a fault changes nothing even by itself; beside others it may be covered, as silence within a drop."""
    alone = [list(recording.events) for recording in recordings]
    _apply(fault, alone, [[] for _ in recordings], random.Random(0))  # noqa: S311 for tests, no secret
    return all(list(recording.events) == events for recording, events in zip(recordings, alone, strict=True))


def _no_effect_text(fault: FaultSpec, recordings: Sequence[Recording]) -> str:
    end_s = max((_end_s(recording.events) for recording in recordings), default=0.0)
    if fault.from_s >= end_s:
        return f"{fault.text!r} begins after the end of what is played, at {end_s:g} s: nothing would be changed."
    what = "its share is less than one" if fault.share else "there is nothing of that kind then"
    return f"{fault.text!r} would change nothing: {what}. Give it another time, or a larger share."


def _end_s(events: Sequence[Event]) -> float:
    return events[-1].t if events else 0.0


def fault_lines(recording: Recording) -> list[str]:
    """Return the faults in a recording in words, a line for each."""
    spans = [event for event in recording.events if isinstance(event, Fault)]
    single: dict[str, int] = {}
    lines: list[str] = []
    for fault in spans:
        if fault.kind in _BEAT_OR_PACKET_KINDS:
            single[fault.kind] = single.get(fault.kind, 0) + 1
        else:
            length = "" if fault.until_s is None else f" for {fault.until_s - fault.t:g} s"
            lines.append(f"{fault.kind} at {fault.t:g} s{length} ({fault.count or 0} packets)")
    return lines + [f"{count} {kind}" for kind, count in single.items()]


def _apply(fault: FaultSpec, all_events: list[Events], truth: list[list[Fault]], rng: random.Random) -> None:
    if fault.kind == "swap" and len(all_events) > 1:
        first, second = all_events[:2]
        all_events[0], counts = _swapped(first, second, fault.from_s)
        all_events[1], others = _swapped(second, first, fault.from_s)
        truth[0].append(Fault(fault.from_s, "swap", count=counts, detail="with recording 2"))
        truth[1].append(Fault(fault.from_s, "swap", count=others, detail="with recording 1"))
        return
    for number, events in enumerate(all_events):
        if fault.from_s >= _end_s(events):
            continue
        other = _other_packets(fault, all_events, number)
        all_events[number], faults_done = _APPLY_BY_KIND[fault.kind](events, fault, rng, other)
        truth[number] += faults_done


def _other_packets(fault: FaultSpec, all_events: list[Events], number: int) -> Events:
    """Return another client's packets: from a file, the next recording, or this one shifted by half its length."""
    if fault.kind not in {"swap", "merge"}:
        return []
    if fault.file:
        return list(read(Path(fault.file)).events)
    if len(all_events) > 1:
        return all_events[(number + 1) % len(all_events)]
    events = all_events[number]
    half_s = round(max((event.t for event in events), default=0.0) / 2, 3)
    later = [msgspec.structs.replace(e, t=e.t - half_s) for e in events if isinstance(e, Packet) and e.t >= half_s]
    sooner = [msgspec.structs.replace(e, t=e.t + half_s) for e in events if isinstance(e, Packet) and e.t < half_s]
    return [*later, *sooner]


def _is_heart_rate(event: Event) -> bool:
    return isinstance(event, Packet) and event.char == HEART_RATE


def _measurement_of(event: Event) -> Measurement | None:
    if not isinstance(event, Packet) or event.char != HEART_RATE:
        return None
    try:
        return parse(event.payload)
    except PayloadError:
        return None


def _span_fault(fault: FaultSpec, count: int, detail: str | None = None) -> list[Fault]:
    until_s = None if fault.for_s is None else fault.from_s + fault.for_s
    return [Fault(fault.from_s, fault.kind, until_s, count, detail)]


def _with_measurement(event: Packet, measurement: Measurement) -> Packet:
    return Packet(event.t, event.char, encode(measurement))


def _beats(events: Events, fault: FaultSpec, rng: random.Random, _: Events) -> tuple[Events, list[Fault]]:
    """Change a share of the beats; the sum of RR intervals still matches the clock."""
    measured = {n: m for n, event in enumerate(events) if (m := _measurement_of(event)) is not None and m.rr_1024}
    rr = [list(measured[n].rr_1024) for n in measured]
    order = list(measured)
    places = [(row, at) for row, values in enumerate(rr) for at in range(len(values))]
    inside = [n for n, (row, _) in enumerate(places) if fault.covers(events[order[row]].t) and 0 < n < len(places) - 1]
    faults_done: list[Fault] = []
    for n in _choose_apart(inside, round(fault.share * len(inside)), rng):
        (row, at), (next_row, next_at) = places[n], places[n + 1]
        if rr[row][at] < 0 or rr[next_row][next_at] < 0:
            continue
        _CHANGE_BY_KIND[fault.kind](rr, (row, at), (next_row, next_at), rng)
        faults_done.append(Fault(events[order[row]].t, fault.kind, count=1))
    out = list(events)
    for row, n in enumerate(order):
        event, values = events[n], tuple(v for v in rr[row] if v >= 0)
        values = tuple(part for v in values for part in _parts_of(v))
        if isinstance(event, Packet) and values != measured[n].rr_1024:
            out[n] = _with_measurement(event, replace(measured[n], rr_1024=values, rr_flag=bool(values)))
    return out, faults_done


def _choose_apart(places: list[int], count: int, rng: random.Random) -> list[int]:
    """Choose at most `count` places, none within four beats of another."""
    rng.shuffle(places)
    chosen: list[int] = []
    near: set[int] = set()
    for place in places:
        if len(chosen) == count:
            break
        if place not in near:
            chosen.append(place)
            near.update(range(place - _MIN_APART_BEATS, place + _MIN_APART_BEATS + 1))
    return sorted(chosen)


_SPLIT = 1 << 32
"""Factor that marks an interval to be split in two: the first part is in the upper bits."""


def _parts_of(value: int) -> tuple[int, ...]:
    return (value,) if value < _SPLIT else (value // _SPLIT, value % _SPLIT)


def _ectopic(rr: list[list[int]], at: tuple[int, int], after: tuple[int, int], _: random.Random) -> None:
    early_by = round(_ECTOPIC_EARLY_SHARE * rr[at[0]][at[1]])
    rr[at[0]][at[1]] -= early_by
    rr[after[0]][after[1]] = min(rr[after[0]][after[1]] + early_by, _UINT16_MAX)


def _missed(rr: list[list[int]], at: tuple[int, int], after: tuple[int, int], _: random.Random) -> None:
    rr[after[0]][after[1]] = min(rr[after[0]][after[1]] + rr[at[0]][at[1]], _UINT16_MAX)
    rr[at[0]][at[1]] = -1


def _extra(rr: list[list[int]], at: tuple[int, int], _: tuple[int, int], rng: random.Random) -> None:
    whole = rr[at[0]][at[1]]
    first = round(whole * rng.uniform(0.35, 0.65))
    rr[at[0]][at[1]] = first * _SPLIT + whole - first


_CHANGE_BY_KIND: dict[str, Callable[[list[list[int]], tuple[int, int], tuple[int, int], random.Random], None]] = {
    "ectopic": _ectopic,
    "missed": _missed,
    "extra": _extra,
}


def _swapped(ours: Events, theirs: Events, from_s: float) -> tuple[Events, int]:
    kept = [event for event in ours if not isinstance(event, Packet) or event.t < from_s]
    swapped_in = [event for event in theirs if isinstance(event, Packet) and event.t >= from_s]
    end_s = max((event.t for event in ours), default=0.0)
    swapped_in = [event for event in swapped_in if event.t <= end_s]
    return _in_order([*kept, *swapped_in]), len(swapped_in)


def _swap(events: Events, fault: FaultSpec, _: random.Random, other: Events) -> tuple[Events, list[Fault]]:
    swapped, count = _swapped(events, other, fault.from_s)
    return swapped, [Fault(fault.from_s, "swap", count=count, detail="with another client")]


def _merge(events: Events, fault: FaultSpec, _: random.Random, other: Events) -> tuple[Events, list[Fault]]:
    second_strap = [
        msgspec.structs.replace(event, t=round(event.t + _MERGE_AFTER_S, 6))
        for event in other
        if isinstance(event, Packet) and event.char == HEART_RATE and fault.covers(event.t)
    ]
    return _in_order([*events, *second_strap]), _span_fault(fault, len(second_strap))


def _change_each(events: Events, fault: FaultSpec, change: Callable[[Packet, Measurement], Packet]) -> tuple[Events, list[Fault]]:
    out, count = list(events), 0
    for n, event in enumerate(events):
        if isinstance(event, Packet) and fault.covers(event.t) and (measured := _measurement_of(event)) is not None:
            out[n] = change(event, measured)
            count += 1
    return out, _span_fault(fault, count)


def _no_rr(events: Events, fault: FaultSpec, _: random.Random, __: Events) -> tuple[Events, list[Fault]]:
    return _change_each(events, fault, lambda event, m: _with_measurement(event, replace(m, rr_1024=(), rr_flag=False)))


def _contact_off(events: Events, fault: FaultSpec, _: random.Random, __: Events) -> tuple[Events, list[Fault]]:
    return _change_each(events, fault, lambda event, m: _with_measurement(event, replace(m, contact=Contact.NO)))


def _garbage(events: Events, fault: FaultSpec, rng: random.Random, _: Events) -> tuple[Events, list[Fault]]:
    places = [n for n, event in enumerate(events) if _is_heart_rate(event) and fault.covers(event.t)]
    out, faults_done = list(events), list[Fault]()
    for n in sorted(rng.sample(places, round(fault.share * len(places)))):
        event = events[n]
        if isinstance(event, Packet):
            out[n] = Packet(event.t, event.char, rng.choice((b"", b"\x10", b"\x09\x48", rng.randbytes(1), b"\x01\x48")))
            faults_done.append(Fault(event.t, "garbage", count=1, detail=f"was {event.payload.hex()}"))
    return out, faults_done


def _late(events: Events, fault: FaultSpec, _: random.Random, __: Events) -> tuple[Events, list[Fault]]:
    """Delay packets to the end of the span; order is kept, so packets due while the batch arrives follow it.

    Packets that would arrive after the end of the recording are lost.
    """
    out: Events = []
    count, free_s, end_s = 0, fault.from_s + (fault.for_s or 0.0), _end_s(events)
    for event in events:
        delayed = isinstance(event, Packet) and fault.covers(event.t)
        if isinstance(event, Packet) and (delayed or fault.from_s <= event.t < free_s):
            out.append(Packet(round(free_s, 6), event.char, event.payload))
            count, free_s = count + delayed, free_s + _BATCH_APART_S
        else:
            out.append(event)
    return _in_order([event for event in out if event.t <= end_s]), _span_fault(fault, count)


def _double(events: Events, fault: FaultSpec, _: random.Random, __: Events) -> tuple[Events, list[Fault]]:
    copies = [
        Packet(round(event.t + _DOUBLE_AFTER_S, 6), event.char, event.payload)
        for event in events
        if isinstance(event, Packet) and fault.covers(event.t)
    ]
    return _in_order([*events, *copies]), _span_fault(fault, len(copies))


def _silence(events: Events, fault: FaultSpec, _: random.Random, __: Events) -> tuple[Events, list[Fault]]:
    kept: Events = [event for event in events if not isinstance(event, Packet) or not fault.covers(event.t)]
    return kept, _span_fault(fault, len(events) - len(kept))


def _drop(events: Events, fault: FaultSpec, _: random.Random, __: Events) -> tuple[Events, list[Fault]]:
    kept: Events = [event for event in events if not isinstance(event, Packet | ConnectionEvent) or not fault.covers(event.t)]
    was_up = all(event.up for event in events if isinstance(event, ConnectionEvent) and event.t < fault.from_s)
    until_s = fault.from_s + (fault.for_s or 0.0)
    changes: Events = [ConnectionEvent(fault.from_s, up=False), ConnectionEvent(until_s, up=True)] if was_up else []
    changes = [change for change in changes if change.t <= _end_s(events)]
    return _in_order([*kept, *changes]), _span_fault(fault, len(events) - len(kept))


def _in_order(events: Events) -> Events:
    if all(a.t <= b.t for a, b in pairwise(events)):
        return events
    return sorted(events, key=lambda event: event.t)


_ORDER = (("ectopic", "missed", "extra"), ("swap", "merge"), ("no-rr", "contact-off", "garbage"), ("late",), ("double",),
          ("silence", "drop"))  # fmt: skip
_BEAT_OR_PACKET_KINDS = {"ectopic", "missed", "extra", "garbage"}
_APPLY_BY_KIND: dict[str, Callable[[Events, FaultSpec, random.Random, Events], tuple[Events, list[Fault]]]] = {
    "ectopic": _beats,
    "missed": _beats,
    "extra": _beats,
    "swap": _swap,
    "merge": _merge,
    "no-rr": _no_rr,
    "contact-off": _contact_off,
    "garbage": _garbage,
    "late": _late,
    "double": _double,
    "silence": _silence,
    "drop": _drop,
}
