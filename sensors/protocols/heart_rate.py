"""Heart Rate Measurement 0x2A37, exactly as in the Bluetooth GATT Specification Supplement 3.113."""

import struct

from ..errors import PayloadError
from ..model import Contact, Measurement

HEART_RATE_SERVICE = 0x180D

_HR_UINT16, _CONTACT, _CONTACT_SUPPORTED, _ENERGY, _RR = 0x01, 0x02, 0x04, 0x08, 0x10
_UINT16_MAX = 0xFFFF
_RR_READERS = {2 + 2 * count: struct.Struct(f"<{count}H").unpack_from for count in range(10)}


def parse(payload: bytes) -> Measurement:
    """Decode one notification; where a short MTU truncated the last RR interval, the complete ones are kept.

    Raises `PayloadError` where the payload is empty or shorter than its flags announce.
    """
    if not payload:
        raise PayloadError("an empty heart rate notification")
    flags, at = payload[0], 1
    width = 2 if flags & _HR_UINT16 else 1
    needed = at + width + (2 if flags & _ENERGY else 0)
    if len(payload) < needed:
        raise PayloadError(
            f"a heart rate notification of {len(payload)} bytes whose flags announce at least {needed}: {payload.hex()}"
        )
    hr_bpm = payload[1] if width == 1 else payload[1] | payload[2] << 8
    at += width
    energy_kj: int | None = None
    if flags & _ENERGY:
        energy_kj = int.from_bytes(payload[at : at + 2], "little")
        at += 2
    rr: tuple[int, ...] = ()
    if flags & _RR:
        count = (len(payload) - at) // 2
        rr = struct.unpack_from(f"<{count}H", payload, at)
    return Measurement(hr_bpm, _contact(flags), energy_kj, rr, bool(flags & _RR))


def plain_rr(payload: bytes) -> tuple[int, ...] | None:
    """Return the RR intervals of the most common kind of notification, in a third of the time; None: it needs `parse`.

    That kind has an 8-bit heart rate, no energy, no missing skin contact, and complete RR intervals where they are announced.
    """
    unpack = _RR_READERS.get(len(payload))
    if unpack is None:
        return None
    rr_bit = _RR_BIT_OF_FLAGS[payload[0]]
    if rr_bit == _RR:
        return unpack(payload, 2) or None
    return () if rr_bit == 0 else None


def encode(measurement: Measurement) -> bytes:
    """Encode a measurement as the payload that `parse` reads back.

    Raises `PayloadError` where the heart rate or an RR interval does not fit 16 bits.
    """
    m = measurement
    if not 0 <= m.hr_bpm <= _UINT16_MAX or any(not 0 <= x <= _UINT16_MAX for x in m.rr_1024):
        raise PayloadError(f"a heart rate of {m.hr_bpm} or an RR interval does not fit 16 bits")
    flags = (_HR_UINT16 if m.hr_bpm > 0xFF else 0) | (_ENERGY if m.energy_kj is not None else 0) | (_RR if m.rr_flag else 0)
    if m.contact is not Contact.NOT_REPORTED:
        flags |= _CONTACT_SUPPORTED | (_CONTACT if m.contact is Contact.YES else 0)
    out = struct.pack("<BH" if m.hr_bpm > 0xFF else "<BB", flags, m.hr_bpm)
    if m.energy_kj is not None:
        out += struct.pack("<H", m.energy_kj)
    return out + struct.pack(f"<{len(m.rr_1024)}H", *m.rr_1024)


def _contact(flags: int) -> Contact:
    if not flags & _CONTACT_SUPPORTED:
        return Contact.NOT_REPORTED
    return Contact.YES if flags & _CONTACT else Contact.NO


_RR_BIT_OF_FLAGS = [
    -1 if flags & (_HR_UINT16 | _ENERGY) or _contact(flags) is Contact.NO else flags & _RR for flags in range(256)
]
"""By flags byte: the RR bit; −1 where the notification needs `parse`."""
