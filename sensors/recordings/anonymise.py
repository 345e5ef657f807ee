"""Anonymised recordings: what the analysis needs is kept to the last bit, all else is removed."""

import re

import msgspec

from ..model import Device
from ..protocols.known_devices import KnownDevice, known_device
from ..protocols.polar_frames import STREAM_BITS, Stream
from .fault_grammar import KINDS
from .recording import (
    BATTERY,
    HEART_RATE,
    LEFT_OUT,
    PMD_DATA,
    ConnectionEvent,
    Event,
    Fault,
    Header,
    Mark,
    Packet,
    Pain,
    PhaseStart,
    StrapChange,
)

ADDRESS, _NEXT_ADDRESS = "02:00:00:00:00:01", "02:00:00:00:00:02"
"""Locally administered addresses, which belong to no strap: of the first strap of a session, and of those after it."""
SOURCE = "recorded with restbeat, made anonymous"
_KEPT_CHARACTERISTICS = {HEART_RATE, BATTERY, PMD_DATA}
_MASSAGE_WORDS = """
acupressure compression cross cupping deep drainage effleurage fascia feather fibre friction gentle gliding hold holding
kneading long lymph lymphatic muscle myofascial passive percussion petrissage point points reflexology release rocking
rolling shaking shiatsu short skin slow soft stretch stretching stroke strokes stroking sustained swedish tapotement tapping
thai tissue touch traction trigger vibration work
firm hard light medium moderate strong very
abdomen ankle ankles arm arms back belly buttock buttocks calf calves chest ear elbow elbows face feet finger fingers foot
forearm forearms forehead front glute glutes hamstring hamstrings hand hands head hip hips jaw knee knees leg legs lobe
lower middle neck other pelvis sacrum scalp shin shins shoulder shoulders side spine temple temples thigh thighs thumb toe
toes torso trunk upper wrist wrists
all and both left of on over right the to turned whole with
ball cold heat hot ice oil stone stones towel
"""
_HARMLESS_WORDS = frozenset(re.findall(r"[a-z]+", _MASSAGE_WORDS))
"""The words for techniques, regions and pressures; a text with any other word may be free text."""
_HARMLESS_DETAILS = frozenset({"with another client"})
_PMD_STAMP = slice(1, 9)


def anonymised(
    header: Header, events: list[Event], *, licence: str | None = None, ecg: bool = False
) -> tuple[Header, list[Event], list[str]]:
    """Return header and events without anything that identifies a person, and a sentence for each kind of thing left out.

    Times are shifted to begin at 0, those of the strap's own clock in Polar's packets too; intervals, payloads and phases
    are kept, so that the figures do not change. Names, addresses, notes and every field that is not known to be harmless
    are removed; so is the ECG, by whose shape a person can be recognised, unless `ecg` is set.
    """
    shift_s = events[0].t if events else 0.0
    left_out: list[str] = []
    kept: list[Event] = []
    dropped: dict[str, int] = {}
    pmd_epoch = _first_stamp(events)
    for event in events:
        clean_event = None if _is_ecg(event) and not ecg else _anonymised_event(event, shift_s, pmd_epoch)
        if clean_event is None:
            kind_left_out = _left_out_kind(event)
            dropped[kind_left_out] = dropped.get(kind_left_out, 0) + 1
        else:
            kept.append(clean_event)
    left_out += [f"{count} {kind_left_out} left out" for kind_left_out, count in dropped.items()]
    if header.extra or header.device_extra:
        names = ", ".join(sorted([*header.extra, *header.device_extra])[:8])
        left_out.append(f"fields of the header left out: {names}")
    clean_header = Header(
        device=_device(header.device),
        client=None,
        kind=header.kind,
        source=SOURCE,
        licence=licence,
        arrival_speed=header.arrival_speed,
    )
    return clean_header, kept, left_out


def _is_ecg(event: Event) -> bool:
    if not isinstance(event, Packet) or event.char != PMD_DATA or not event.payload:
        return False
    return event.payload[0] & STREAM_BITS == Stream.ECG.value


def _left_out_kind(event: Event) -> str:
    if _is_ecg(event):
        return "packets of ECG, by whose shape a person can be told,"
    return "packets of other characteristics" if isinstance(event, Packet) else "marks and details in free text"


def _device(device: Device, address: str = ADDRESS) -> Device:
    row = known_device(device)
    return Device(
        name=row.model if row else "Heart-rate strap" if device.name else None,
        address=address if device.address else None,
        manufacturer=_known_words(device.manufacturer, row),
        model=_known_words(device.model, row),
        firmware=device.firmware if device.firmware and re.fullmatch(r"[\d.]{1,12}", device.firmware) else None,
        battery_pct=device.battery_pct,
        location=_text_if_harmless(device.location),
    )


def _known_words(text: str | None, row: KnownDevice | None) -> str | None:
    """Return the words of a product's name that the table of straps has too: no serial number and no owner's name."""
    words = row.model.split() if row and text else []
    found = [word for word in words if word.casefold() in (text or "").casefold().split()]
    return " ".join(found) or None


def _text_if_harmless(text: str | None) -> str | None:
    words = re.findall(r"[a-z]+", (text or "").casefold())
    return text if words and _HARMLESS_WORDS.issuperset(words) and re.fullmatch(r"[A-Za-z ,/-]{1,40}", text or "") else None


def _anonymised_event(event: Event, shift_s: float, pmd_epoch: int) -> Event | None:
    t = max(event.t - shift_s, 0.0)
    match event:
        case Packet(char=char, payload=payload):
            if char not in _KEPT_CHARACTERISTICS:
                return None
            return Packet(t, char, _with_shifted_stamp(payload, pmd_epoch) if char == PMD_DATA else payload)
        case Mark(technique=technique, region=region, pressure=pressure, kind=kind):
            texts = {"technique": technique, "region": region, "pressure": pressure}
            harmless = {name: text for name, text in texts.items() if _text_if_harmless(text)}
            return Mark(t, **harmless, kind=kind) if harmless or kind else None
        case Fault(kind=kind, detail=detail, until_s=until_s):
            if kind not in {*KINDS, LEFT_OUT}:
                return None
            until = None if until_s is None else max(until_s - shift_s, 0.0)
            return msgspec.structs.replace(event, t=t, until_s=until, detail=detail if detail in _HARMLESS_DETAILS else None)
        case StrapChange(device=device):
            return StrapChange(t, _device(device, _NEXT_ADDRESS))
        case ConnectionEvent() | PhaseStart() | Pain():
            return msgspec.structs.replace(event, t=t)


def _first_stamp(events: list[Event]) -> int:
    stamps = [
        int.from_bytes(e.payload[_PMD_STAMP], "little")
        for e in events
        if isinstance(e, Packet) and e.char == PMD_DATA and len(e.payload) > 9
    ]
    return min(stamps, default=0)


def _with_shifted_stamp(payload: bytes, epoch: int) -> bytes:
    """Return a Polar frame with its time (ns since 2000 on the strap's clock) shifted, which keeps the intervals."""
    if len(payload) < 10:  # too short for a frame, but it may hold part of a time
        return payload[:1] + bytes(max(len(payload) - 1, 0))
    stamp = max(int.from_bytes(payload[_PMD_STAMP], "little") - epoch, 0)
    return payload[:1] + stamp.to_bytes(8, "little") + payload[9:]
