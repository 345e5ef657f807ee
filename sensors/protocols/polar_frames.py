"""The data frames of a Polar strap: ECG, acceleration, pulse intervals.

Source: Polar Measurement Data Specification, in polarofficial/polar-ble-sdk. A frame consists of the stream (the low 6 bits
of a byte), a u64 time in ns since 2000-01-01 on the strap's own clock, a frame type, and the samples.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import PayloadError
from ..model import Contact

_HEADER = struct.Struct("<BQB")
_PPI = struct.Struct("<BHHB")
STREAM_BITS, _COMPRESSED = 0x3F, 0x80
_BLOCKER, _CONTACT, _CONTACT_SUPPORTED = 0x01, 0x02, 0x04
_INT24, _INT16 = 3, 2
_AXES = 3
_WIDEST_DELTA_BIT, _LONGEST_BLOCK = 32, 0xFF
_G_PER_COUNT = 8 / 32_768
"""One count of compressed frames of type 0, in g: ±8 g over 16 bits, the only range of the Verity Sense."""


class Stream(Enum):
    """The streams that restbeat knows, by number."""

    ECG = 0
    PPG = 1
    ACC = 2
    PPI = 3


@dataclass(frozen=True, slots=True, eq=False)
class EcgFrame:
    """ECG; `timestamp_ns` is the time of the last sample, in ns since 2000-01-01 on the strap's clock."""

    timestamp_ns: int
    samples_uv: NDArray[np.int32]
    """In µV, oldest first; 130 Hz on the H10."""


@dataclass(frozen=True, slots=True, eq=False)
class AccFrame:
    """Acceleration; `timestamp_ns` is the time of the last sample, in ns since 2000-01-01 on the strap's clock."""

    timestamp_ns: int
    samples_mg: NDArray[np.int32]
    """In mg, shape (n, 3): x, y, z, oldest first."""


@dataclass(frozen=True, slots=True)
class Ppi:
    """A pulse-to-pulse interval of an optical sensor."""

    hr_bpm: int
    pp_ms: int
    error_ms: int
    """The sensor's own estimate of the interval's error."""
    blocker: bool
    """Whether the arm moved, so that the interval is unreliable."""
    contact: Contact


@dataclass(frozen=True, slots=True)
class PpiFrame:
    """Pulse intervals, oldest first; some sensors leave `timestamp_ns` at 0."""

    timestamp_ns: int
    samples: tuple[Ppi, ...]


Frame = EcgFrame | AccFrame | PpiFrame


def parse_frame(payload: bytes) -> Frame:
    """Decode one data notification.

    Raises `PayloadError` for an unknown stream or frame type, and for truncated or missing samples.
    """
    if len(payload) <= _HEADER.size:
        raise PayloadError(f"a Polar data frame of {len(payload)} bytes has no samples: {payload.hex()}")
    stream, timestamp_ns, kind = _HEADER.unpack_from(payload)
    data = payload[_HEADER.size :]
    match stream & STREAM_BITS, kind:
        case Stream.ECG.value, 0:
            return EcgFrame(timestamp_ns, _integers(data, _INT24))
        case Stream.ACC.value, 0 | 1 | 2:
            return AccFrame(timestamp_ns, _rows(_integers(data, kind + 1)))
        case Stream.ACC.value, 0x80:
            counts = _decompressed(data, _INT16)
            return AccFrame(timestamp_ns, np.rint(counts * (1000 * _G_PER_COUNT)).astype(np.int32))
        case Stream.ACC.value, 0x81:
            return AccFrame(timestamp_ns, _decompressed(data, _INT16))
        case Stream.PPI.value, 0:
            return PpiFrame(timestamp_ns, _intervals(data))
    raise PayloadError(f"a Polar data frame of stream {stream & STREAM_BITS} and type {kind:#04x} is not known")


def encode_ecg(timestamp_ns: int, samples_uv: NDArray[np.integer[Any]]) -> bytes:
    """Encode ECG as a frame that `parse_frame` reads back.

    Raises `PayloadError` where there are no samples, one does not fit 24 bits, or the time does not fit 64 bits.
    """
    return _header(Stream.ECG, timestamp_ns, 0) + _integer_bytes(samples_uv, _INT24)


def encode_acc(timestamp_ns: int, samples_mg: NDArray[np.integer[Any]], *, compressed: bool = False) -> bytes:
    """Encode acceleration, shape (n, 3), as a frame that `parse_frame` reads back.

    Raises `PayloadError` where there are no samples of three axes, one does not fit 16 bits, or the time does not fit 64 bits.
    """
    if samples_mg.ndim != 2 or samples_mg.shape[1] != _AXES:
        raise PayloadError(f"acceleration of shape {samples_mg.shape} does not have three axes")
    raw = _integer_bytes(samples_mg, _INT16)
    if not compressed:
        return _header(Stream.ACC, timestamp_ns, 1) + raw
    return (
        _header(Stream.ACC, timestamp_ns, _COMPRESSED | 1)
        + raw[: _AXES * _INT16]
        + _compressed_blocks(samples_mg.astype(np.int64))
    )


def encode_ppi(timestamp_ns: int, samples: Sequence[Ppi]) -> bytes:
    """Encode pulse intervals as a frame that `parse_frame` reads back.

    Raises `PayloadError` where there are no samples, or a number does not fit its field.
    """
    out = _header(Stream.PPI, timestamp_ns, 0)
    if not samples:
        raise PayloadError("a Polar data frame needs a sample")
    for sample in samples:
        flags = _BLOCKER if sample.blocker else 0
        if sample.contact is not Contact.NOT_REPORTED:
            flags |= _CONTACT_SUPPORTED | (_CONTACT if sample.contact is Contact.YES else 0)
        try:
            out += _PPI.pack(sample.hr_bpm, sample.pp_ms, sample.error_ms, flags)
        except struct.error as error:
            raise PayloadError(f"{sample} does not fit a Polar data frame: {error}") from error
    return out


def _header(stream: Stream, timestamp_ns: int, kind: int) -> bytes:
    try:
        return _HEADER.pack(stream.value, timestamp_ns, kind)
    except struct.error as error:
        raise PayloadError(f"{timestamp_ns} ns is no time of a Polar data frame: {error}") from error


def _integers(data: bytes, width: int) -> NDArray[np.int32]:
    """Return signed little-endian integers of `width` bytes each."""
    if len(data) % width:
        raise PayloadError(f"{len(data)} bytes of Polar data are not whole samples of {width} bytes")
    wide = np.zeros((len(data) // width, 4), np.uint8)
    # in the high bytes, so that the shift back extends the sign
    wide[:, 4 - width :] = np.frombuffer(data, np.uint8).reshape(-1, width)
    return wide.view("<i4").ravel().astype(np.int32) >> (32 - 8 * width)


def _integer_bytes(samples: NDArray[np.integer[Any]], width: int) -> bytes:
    flat = samples.ravel().astype(np.int64)
    half = 1 << (8 * width - 1)
    if not flat.size or flat.min() < -half or flat.max() >= half:
        raise PayloadError(f"samples of a Polar data frame are missing, or do not fit {width} bytes")
    return flat.astype("<i4").view(np.uint8).reshape(-1, 4)[:, :width].tobytes()


def _rows(flat: NDArray[np.int32]) -> NDArray[np.int32]:
    if flat.size % _AXES:
        raise PayloadError(f"{flat.size} numbers are not whole samples of three axes")
    return flat.reshape(-1, _AXES)


def _decompressed(data: bytes, width: int) -> NDArray[np.int32]:
    """Decode a reference sample and blocks of deltas: bits per delta, number of samples, and the deltas, lowest bit first."""
    offset = _AXES * width
    rows = [_rows(_integers(data[:offset], width)).astype(np.int64)]
    if not rows[0].size:
        raise PayloadError("a compressed Polar data frame without its reference sample")
    while offset < len(data):
        bits, count = data[offset], data[offset + 1] if offset + 1 < len(data) else 0
        end = offset + 2 + (bits * count * _AXES + 7) // 8
        if not 1 <= bits <= _WIDEST_DELTA_BIT or not count or end > len(data):
            raise PayloadError(f"a block of {count} deltas of {bits} bits does not fit the Polar data frame: {data.hex()}")
        rows.append(_deltas(data[offset + 2 : end], bits, count))
        offset = end
    samples = np.cumsum(np.concatenate(rows), axis=0)
    if np.abs(samples).max() > np.iinfo(np.int32).max:
        raise PayloadError("the deltas of a Polar data frame run out of 32 bits")
    return samples.astype(np.int32)


def _deltas(data: bytes, bits: int, count: int) -> NDArray[np.int64]:
    unpacked = np.unpackbits(np.frombuffer(data, np.uint8), bitorder="little", count=bits * count * _AXES)
    bit_values = np.left_shift(np.int64(1), np.arange(bits, dtype=np.int64))
    # two's complement: the highest bit is negative
    bit_values[-1] = -bit_values[-1]
    return (unpacked.reshape(-1, bits).astype(np.int64) @ bit_values).reshape(count, _AXES)


def _compressed_blocks(samples: NDArray[np.int64]) -> bytes:
    out, deltas = b"", np.diff(samples, axis=0)
    for begin in range(0, len(deltas), _LONGEST_BLOCK):
        block = deltas[begin : begin + _LONGEST_BLOCK].ravel()
        bits = max(int(np.where(block < 0, ~block, block).max()).bit_length() + 1, 1)
        unpacked = (block[:, None] >> np.arange(bits)) & 1
        out += bytes([bits, len(block) // _AXES]) + np.packbits(unpacked.astype(np.uint8), bitorder="little").tobytes()
    return out


def _intervals(data: bytes) -> tuple[Ppi, ...]:
    if len(data) % _PPI.size:
        raise PayloadError(f"{len(data)} bytes are not whole pulse intervals of {_PPI.size} bytes")
    return tuple(
        Ppi(hr_bpm, pp_ms, error_ms, bool(flags & _BLOCKER), _contact(flags))
        for hr_bpm, pp_ms, error_ms, flags in _PPI.iter_unpack(data)
    )


def _contact(flags: int) -> Contact:
    if not flags & _CONTACT_SUPPORTED:
        return Contact.NOT_REPORTED
    return Contact.YES if flags & _CONTACT else Contact.NO
