"""A recording without the person in it: what the analysis needs stays to the last bit, all else goes."""

import re

import msgspec

from ..model import Device
from ..protocols.known_devices import KnownDevice, known_device
from ..protocols.polar_frames import STREAM_BITS, Stream
from .fault_grammar import KINDS
from .recording import BATTERY, HEART_RATE, PMD_DATA, ConnectionEvent, Event, Fault, Header, Mark, Packet, Pain, PhaseStart

ADDRESS = "02:00:00:00:00:01"
"""A locally administered address that belongs to no strap."""
SOURCE = "recorded with restbeat, made anonymous"
_KEPT = {HEART_RATE, BATTERY, PMD_DATA}
_MASSAGE = """
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
_WORDS = frozenset(re.findall(r"[a-z]+", _MASSAGE))
"""What techniques, regions and pressures are called; a text with any other word in it may be free text."""
_DETAILS = frozenset({"with another client"})
_PMD_STAMP = slice(1, 9)


def anonymised(
    header: Header, events: list[Event], *, licence: str | None = None, ecg: bool = False
) -> tuple[Header, list[Event], list[str]]:
    """A recording in which nobody can be found, and a sentence for each kind of thing that was left out.

    Times begin at 0; intervals, payloads and phases stay as they were, so that the figures do. A strap's own clock stamps
    in Polar's packets begin at 0 too. Names, addresses, notes and every field that is not known to be harmless are gone;
    so is the ECG, by whose shape people can be told, unless `ecg` asks for it.
    """
    shift_s = events[0].t if events else 0.0
    left_out: list[str] = []
    kept: list[Event] = []
    dropped: dict[str, int] = {}
    pmd_epoch = _first_stamp(events)
    for event in events:
        moved = None if _is_ecg(event) and not ecg else _moved(event, shift_s, pmd_epoch)
        if moved is None:
            what = _kind_of(event)
            dropped[what] = dropped.get(what, 0) + 1
        else:
            kept.append(moved)
    left_out += [f"{count} {what} left out" for what, count in dropped.items()]
    if header.extra or header.device_extra:
        names = ", ".join(sorted([*header.extra, *header.device_extra])[:8])
        left_out.append(f"fields of the header left out: {names}")
    clean = Header(
        device=_device(header.device),
        client=None,
        kind=header.kind,
        source=SOURCE,
        licence=licence,
        arrival_speed=header.arrival_speed,
    )
    return clean, kept, left_out


def _is_ecg(event: Event) -> bool:
    if not isinstance(event, Packet) or event.char != PMD_DATA or not event.payload:
        return False
    return event.payload[0] & STREAM_BITS == Stream.ECG.value


def _kind_of(event: Event) -> str:
    if _is_ecg(event):
        return "packets of ECG, by whose shape a person can be told,"
    return "packets of other characteristics" if isinstance(event, Packet) else "marks and details in free text"


def _device(device: Device) -> Device:
    row = known_device(device)
    return Device(
        name=row.model if row else "Heart-rate strap" if device.name else None,
        address=ADDRESS if device.address else None,
        manufacturer=_product(device.manufacturer, row),
        model=_product(device.model, row),
        firmware=device.firmware if device.firmware and re.fullmatch(r"[\d.]{1,12}", device.firmware) else None,
        battery_pct=device.battery_pct,
        location=_harmless(device.location),
    )


def _product(text: str | None, row: KnownDevice | None) -> str | None:
    """The words of a product's name that the table of straps has too: no serial number, nor whose it is."""
    words = row.model.split() if row and text else []
    told = [word for word in words if word.casefold() in (text or "").casefold().split()]
    return " ".join(told) or None


def _harmless(text: str | None) -> str | None:
    words = re.findall(r"[a-z]+", (text or "").casefold())
    return text if words and _WORDS.issuperset(words) and re.fullmatch(r"[A-Za-z ,/-]{1,40}", text or "") else None


def _moved(event: Event, shift_s: float, pmd_epoch: int) -> Event | None:
    t = max(event.t - shift_s, 0.0)
    match event:
        case Packet(char=char, payload=payload):
            if char not in _KEPT:
                return None
            return Packet(t, char, _unstamped(payload, pmd_epoch) if char == PMD_DATA else payload)
        case Mark(technique=technique, region=region, pressure=pressure, kind=kind):
            said = {"technique": technique, "region": region, "pressure": pressure}
            harmless = {name: text for name, text in said.items() if _harmless(text)}
            return Mark(t, **harmless, kind=kind) if harmless or kind else None
        case Fault(kind=kind, detail=detail, until_s=until_s):
            if kind not in KINDS:
                return None
            until = None if until_s is None else max(until_s - shift_s, 0.0)
            return msgspec.structs.replace(event, t=t, until_s=until, detail=detail if detail in _DETAILS else None)
        case ConnectionEvent() | PhaseStart() | Pain():
            return msgspec.structs.replace(event, t=t)


def _first_stamp(events: list[Event]) -> int:
    stamps = [
        int.from_bytes(e.payload[_PMD_STAMP], "little")
        for e in events
        if isinstance(e, Packet) and e.char == PMD_DATA and len(e.payload) > 9
    ]
    return min(stamps, default=0)


def _unstamped(payload: bytes, epoch: int) -> bytes:
    """Polar's frames carry ns since 2000 on the strap's clock: shifted, their intervals stay."""
    if len(payload) < 10:  # too short to be a frame, but not for a time
        return payload[:1] + bytes(max(len(payload) - 1, 0))
    stamp = max(int.from_bytes(payload[_PMD_STAMP], "little") - epoch, 0)
    return payload[:1] + stamp.to_bytes(8, "little") + payload[9:]
