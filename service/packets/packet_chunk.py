"""Format of a chunk of packets: columns that compress well, with a version and a checksum; read back bit for bit.

A chunk is a version byte, the CRC-32 of what follows, and that: the body as MessagePack, compressed by zlib. In the body times
are whole multiples of a power of two, kept as differences to the one before less their median; numbers and bytes are written by
place (all first bytes, then all second ones), as bytes of one place are alike.
"""

from collections import defaultdict
from collections.abc import Sequence
from itertools import accumulate, pairwise
import math
import struct
from typing import Final
import zlib

import msgspec

from ..errors import DamagedChunkError

VERSION: Final = 1
_HEAD: Final = struct.Struct("<BI")
_LEVEL: Final = 9
_WIDTHS: Final = {"B": 1, "H": 2, "I": 4, "Q": 8}
"""Bytes of a number by its type, named as `struct` does."""
_FINEST: Final = 60
"""Power of two of the finest times that are kept as differences; finer ones are kept as they are."""

PacketRow = tuple[int, float, str, bytes]
"""Number within the session, session time in s, characteristic, payload."""


class _Times(msgspec.Struct, frozen=True, array_like=True):
    """Times: the first, in units of 2 to the power of -`power` s, and the differences; or with `power` None as they are."""

    power: int | None
    first: int
    median: int
    differences: bytes


class _Body(msgspec.Struct, frozen=True, array_like=True):
    """Columns of a chunk. `kinds`: characteristic and length of the payload of each kind; `kind`: that of each packet."""

    count: int
    first_seq: int
    steps: bytes
    times: _Times
    kinds: list[tuple[str, int]]
    kind: bytes
    payloads: list[bytes]


def encode(rows: Sequence[PacketRow]) -> bytes:
    """Return the chunk that holds some packets of one session, in the order of their numbers; at least one."""
    by_kind: dict[tuple[str, int], list[bytes]] = defaultdict(list)
    for _, _, char, payload in rows:
        by_kind[char, len(payload)].append(payload)
    kinds = {kind: number for number, kind in enumerate(by_kind)}
    body = _Body(
        count=len(rows),
        first_seq=rows[0][0],
        steps=_by_place([after[0] - before[0] for before, after in pairwise(rows)]),
        times=_times([row[1] for row in rows]),
        kinds=list(kinds),
        kind=_by_place([kinds[char, len(payload)] for _, _, char, payload in rows]),
        payloads=[_transposed(b"".join(payloads), length) for (_, length), payloads in by_kind.items()],
    )
    packed = zlib.compress(msgspec.msgpack.encode(body), _LEVEL)
    return _HEAD.pack(VERSION, zlib.crc32(packed)) + packed


def decode(chunk: bytes) -> list[PacketRow]:
    """Return the packets of a chunk. Raises `DamagedChunkError` where it is damaged or of another format."""
    try:
        version, checksum = _HEAD.unpack_from(chunk)
        packed = chunk[_HEAD.size :]
        if version != VERSION or zlib.crc32(packed) != checksum:
            raise DamagedChunkError("A chunk of packets is damaged, or a later restbeat wrote it. Restore a backup, or update.")
        body = msgspec.msgpack.decode(zlib.decompress(packed), type=_Body)
        return _rows(body)
    except (struct.error, zlib.error, msgspec.MsgspecError, ValueError, LookupError, StopIteration) as error:
        raise DamagedChunkError(f"A chunk of packets is damaged ({error}). Restore a backup.") from error


def _rows(body: _Body) -> list[PacketRow]:
    seqs = accumulate(_from_places(body.steps, body.count - 1), initial=body.first_seq)
    payloads = [
        iter(_split(_transposed_back(data, length), length) if length else [b""] * body.count)
        for (_, length), data in zip(body.kinds, body.payloads, strict=True)
    ]
    kinds = [(char, payload) for (char, _), payload in zip(body.kinds, payloads, strict=True)]
    times = _times_back(body.times, body.count)
    return [
        (seq, t_s, kinds[kind][0], next(kinds[kind][1]))
        for seq, t_s, kind in zip(seqs, times, _from_places(body.kind, body.count), strict=True)
    ]


def _split(data: bytes, length: int) -> list[bytes]:
    return [data[at : at + length] for at in range(0, len(data), length)]


def _times(times: Sequence[float]) -> _Times:
    ratios = [t_s.as_integer_ratio() for t_s in times if math.isfinite(t_s) and not _is_negative_zero(t_s)]
    power = max((denominator.bit_length() - 1 for _, denominator in ratios), default=0)
    if len(ratios) < len(times) or power > _FINEST:
        return _Times(None, 0, 0, _transposed(struct.pack(f"<{len(times)}d", *times), 8))
    units = [numerator << (power - denominator.bit_length() + 1) for numerator, denominator in ratios]
    differences = [after - before for before, after in pairwise(units)]
    median = sorted(differences)[len(differences) // 2] if differences else 0
    if max(map(abs, (units[0], median, *(difference - median for difference in differences)))) >= 1 << 63:
        return _Times(None, 0, 0, _transposed(struct.pack(f"<{len(times)}d", *times), 8))
    return _Times(power, units[0], median, _by_place([difference - median for difference in differences]))


def _times_back(times: _Times, count: int) -> list[float]:
    if times.power is None:
        return list(struct.unpack(f"<{count}d", _transposed_back(times.differences, 8)))
    differences = (difference + times.median for difference in _from_places(times.differences, count - 1))
    unit = 1 << times.power
    return [units / unit for units in accumulate(differences, initial=times.first)]


def _is_negative_zero(value: float) -> bool:
    return value == 0.0 and math.copysign(1.0, value) < 0.0


def _by_place(numbers: Sequence[int]) -> bytes:
    """Return whole numbers below 2 to the power of 63, the sign in the lowest bit: their type, then all bytes of each place."""
    folded = [2 * number if number >= 0 else -2 * number - 1 for number in numbers]
    code = next(code for code, width in _WIDTHS.items() if max(folded, default=0) < 1 << 8 * width)
    return code.encode() + _transposed(struct.pack(f"<{len(folded)}{code}", *folded), _WIDTHS[code])


def _from_places(data: bytes, count: int) -> list[int]:
    code = chr(data[0])
    folded = struct.unpack(f"<{count}{code}", _transposed_back(data[1:], _WIDTHS[code]))
    return [-(number >> 1) - 1 if number & 1 else number >> 1 for number in folded]


def _transposed(data: bytes, length: int) -> bytes:
    return b"".join(data[place::length] for place in range(length))


def _transposed_back(data: bytes, length: int) -> bytes:
    count, rows = len(data) // length, bytearray(len(data))
    for place in range(length):
        rows[place::length] = data[place * count : (place + 1) * count]
    return bytes(rows)
