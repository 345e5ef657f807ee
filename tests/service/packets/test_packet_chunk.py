import math
import struct

from hypothesis import example, given, strategies as st
import pytest

from restbeat.service.errors import DamagedChunkError
from restbeat.service.packets.packet_chunk import decode, encode

ROWS = st.lists(
    st.tuples(
        st.integers(0, 2**62),
        st.floats(allow_nan=False),
        st.sampled_from(["2a37", "2a19", "fb005c82-02e7-f387-1cad-8acd2d8df0c8"]) | st.text(max_size=3),
        st.binary(max_size=20),
    ),
    min_size=1,
    max_size=40,
    unique_by=lambda row: row[0],
)


def exactly(rows):
    return [(seq, struct.pack("<d", t_s), char, payload) for seq, t_s, char, payload in rows]


@given(ROWS)
@example([(0, -0.0, "2a37", b""), (1, 0.0, "2a37", b"")])
@example([(0, 5e-324, "", b""), (3, math.inf, "", b"\0" * 600)])
@example([(0, 1e300, "2a37", b"a"), (1, 2.0**-60, "2a37", b"b")])
@example([(n, 0.1 + n * 1.0000001, "2a37", bytes([n % 256])) for n in range(1000)])
def test_packets_read_back_bit_for_bit(rows):
    rows.sort(key=lambda row: row[0])
    assert exactly(decode(encode(rows))) == exactly(rows)


@given(st.data())
def test_a_damaged_chunk_is_noticed(data):
    chunk = bytearray(encode([(n, n * 1.01, "2a37", b"\x10\x40\x00\x04") for n in range(50)]))
    place = data.draw(st.integers(0, len(chunk) - 1))
    chunk[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(DamagedChunkError):
        decode(bytes(chunk))


@pytest.mark.parametrize("length", [0, 1, 4, 5, 9, 60])
def test_a_chunk_that_is_cut_off_is_noticed(length):
    with pytest.raises(DamagedChunkError):
        decode(encode([(n, n * 1.01, "2a37", b"\x10\x40\x00\x04") for n in range(50)])[:length])
