"""Polar data frames and control replies, as sent by real sensors and as in the manufacturer's own tests."""

from hypothesis import given, strategies as st
import numpy as np
import pytest

from restbeat.sensors.errors import PayloadError
from restbeat.sensors.model import Contact
from restbeat.sensors.protocols.polar_control import (
    ALREADY_IN_STATE,
    IN_CHARGER,
    OK,
    ControlReply,
    Features,
    Settings,
    parse_features,
    parse_reply,
    parse_settings,
    settings_command,
    start_command,
    stop_command,
)
from restbeat.sensors.protocols.polar_frames import (
    AccFrame,
    EcgFrame,
    Ppi,
    PpiFrame,
    Stream,
    encode_acc,
    encode_ecg,
    encode_ppi,
    parse_frame,
)

# two notifications of an H10, one behind the other (phdiethelm/h10_ecg, exploration with gatttool)
H10_ECG = bytes.fromhex(
    "0091f770aa30495208007a0000670000830000ac0000ac0000a10000a50000a10000a80000ac00009a0000910000750000320000df000094"
    "0300390700b90800070600520100fafeff64ffffabffff5fffff7dffffa2ffff8dffff76ffff64ffff79ffff9dffffa2ffffb0ffffc7ffff"
    "d5ffffecfffff0ffffe7ffffecffffecffffeefffffefffffafffff7ffff000000f7fffff7ffff060000f7ffffd7ffffbeffffabffffa7ff"
    "ffb7ffffc0ffffbbffffc9ffffdcffffdcffffecfffffcfffff0ffffe7ffffe5ffffdeffffd7ffffd9ffffd7ffffd0ffffd7ffffe5ffffec"
    "ffffecffff"
)
H10_ECG_NEXT = bytes.fromhex("007c3bdecb3049520800eefffff5fffff5fffff5ffff000000020000e3ffffa0ffff")
# of the makers' own tests (polarofficial/polar-ble-sdk): 2 s after 2000-01-01
STAMP = "0094357700000000"
ACC_DELTAS = bytes.fromhex(
    "7107f06a9e8d0a38be5cbeba2f96b3ee4be5adfb42b9ebbe4cfeba2f92bfee4be4b1fb12b9ecbd3c3ebb2f8fd3de4be3b5f7d2b8edbd307e"
    "7b2f8be3ce8be2baf7a2b8eebc20be7b2f88f3cecbe1bdef52f8efbc18fe3b2f8403bfcbe0c2ef32b8f0bb044ebc2e8113af0be0c6eff2f7"
    "f1b9fc7dbc2e7d279f4bdfcaebc2f7f2b8eccd7c2e7b378f4bdecee392f7f3b8e00dfd2d774b7fcbddd2df6237f5b7d44dbd2d745b6fcbdc"
    "d7d73237f6b5c88d7d2d716b4f4bdcdcd3f236f7b4bcddfd2c6f7b3f4bdbe0cfd236f8b2b02dbe2c6c8f1fcbdae3c7a276f9"
)
STAMPS = st.integers(0, 2**64 - 1)
INT16 = st.integers(-(2**15), 2**15 - 1)


def test_a_frame_of_a_real_h10_is_an_r_wave_in_microvolts():
    frame = parse_frame(H10_ECG)
    assert isinstance(frame, EcgFrame)
    assert frame.samples_uv.size == 73
    assert frame.samples_uv.dtype == np.int32
    assert list(frame.samples_uv[:3]) == [122, 103, 131]
    assert (frame.samples_uv.argmax(), frame.samples_uv.max()) == (17, 2233)
    assert frame.samples_uv[-1] == -20


def test_the_next_frame_of_that_h10_is_73_samples_of_130_hz_later():
    first, second = parse_frame(H10_ECG), parse_frame(H10_ECG_NEXT)
    assert (second.timestamp_ns - first.timestamp_ns) / 1e9 == pytest.approx(73 / 130, rel=0.01)


def test_ecg_has_a_sign():
    frame = parse_frame(bytes.fromhex("00" + STAMP + "00" + "0280ff028000"))
    assert frame.timestamp_ns == 2_000_000_000
    assert list(frame.samples_uv) == [-32766, 32770]


def test_acceleration_comes_in_three_axes():
    frame = parse_frame(bytes.fromhex("02" + STAMP + "01" + "f7ffffffe703f8fffeffe503"))
    assert isinstance(frame, AccFrame)
    assert frame.samples_mg.tolist() == [[-9, -1, 999], [-8, -2, 997]]


def test_acceleration_may_come_in_single_and_in_three_bytes():
    assert parse_frame(bytes.fromhex("02" + STAMP + "00" + "ff0180")).samples_mg.tolist() == [[-1, 1, -128]]
    assert parse_frame(bytes.fromhex("02" + STAMP + "02" + "ffffff010000000080")).samples_mg.tolist() == [[-1, 1, -(2**23)]]


def test_compressed_acceleration_is_a_reference_and_its_deltas():
    frame = parse_frame(bytes.fromhex("02" + "6600000000000000" + "81" + "f1ff1400f003" + "0601" + "7b0f08"))
    assert frame.timestamp_ns == 102
    assert frame.samples_mg.tolist() == [[-15, 20, 1008], [-20, 17, 1008]]


def test_compressed_acceleration_in_counts_is_given_in_mg_of_the_eight_g_range():
    frame = parse_frame(bytes.fromhex("02" + STAMP + "80") + ACC_DELTAS)
    counts = np.array([[1905, 27376, -29282], [1905 + 190, 27376 - 105, -29282 - 85]])
    assert frame.samples_mg.shape == (57, 3)
    assert np.abs(frame.samples_mg[:2] - counts * 0.244).max() < 5
    assert np.abs(frame.samples_mg).max() <= 8000


def test_a_pulse_interval_tells_movement_and_contact():
    frame = parse_frame(bytes.fromhex("03" + STAMP + "00" + "8080808080ff" + "000100010000"))
    assert frame == PpiFrame(
        2_000_000_000,
        (Ppi(128, 32896, 32896, blocker=True, contact=Contact.YES), Ppi(0, 1, 1, blocker=False, contact=Contact.NOT_REPORTED)),
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "00" + STAMP,
        "00" + STAMP + "00",
        "00" + STAMP + "00" + "0000",
        "00" + STAMP + "80" + "000000",
        "02" + STAMP + "01" + "0000000000",
        "02" + STAMP + "01" + "00000000",
        "02" + STAMP + "03" + "00" * 12,
        "02" + STAMP + "81" + "0000",
        "02" + STAMP + "81" + "000000000000" + "08",
        "02" + STAMP + "81" + "000000000000" + "0001",
        "02" + STAMP + "81" + "000000000000" + "0800",
        "02" + STAMP + "81" + "000000000000" + "0801" + "0000",
        "02" + STAMP + "81" + "000000000000" + "2101" + "00" * 13,
        "02" + STAMP + "81" + "000000000000" + "2002" + "ffffff7f" * 6,
        "03" + STAMP + "00" + "0000000000",
        "01" + STAMP + "00" + "000000",
        "3f" + STAMP + "00" + "000000",
    ],
)
def test_a_malformed_frame_is_a_payload_error(text):
    with pytest.raises(PayloadError):
        parse_frame(bytes.fromhex(text))


@given(STAMPS, st.lists(st.integers(-(2**23), 2**23 - 1), min_size=1, max_size=80))
def test_ecg_is_read_back_as_it_was_written(timestamp_ns, samples):
    frame = parse_frame(encode_ecg(timestamp_ns, np.array(samples)))
    assert (frame.timestamp_ns, list(frame.samples_uv)) == (timestamp_ns, samples)


@given(STAMPS, st.lists(st.tuples(INT16, INT16, INT16), min_size=1, max_size=80), st.booleans())
def test_acceleration_is_read_back_as_it_was_written(timestamp_ns, samples, compressed):
    frame = parse_frame(encode_acc(timestamp_ns, np.array(samples), compressed=compressed))
    assert (frame.timestamp_ns, frame.samples_mg.tolist()) == (timestamp_ns, [list(row) for row in samples])


def test_more_deltas_than_one_block_can_hold_go_into_several():
    samples = np.cumsum(np.ones((600, 3), int), axis=0)
    payload = encode_acc(1, samples, compressed=True)
    assert (parse_frame(payload).samples_mg == samples).all()
    assert len(payload) < 600


@given(
    STAMPS,
    st.lists(
        st.builds(
            Ppi,
            hr_bpm=st.integers(0, 255),
            pp_ms=st.integers(0, 65535),
            error_ms=st.integers(0, 65535),
            blocker=st.booleans(),
            contact=st.sampled_from(Contact),
        ),
        min_size=1,
        max_size=9,
    ).map(tuple),
)
def test_pulse_intervals_are_read_back_as_they_were_written(timestamp_ns, samples):
    assert parse_frame(encode_ppi(timestamp_ns, samples)) == PpiFrame(timestamp_ns, samples)


@pytest.mark.parametrize(
    "write",
    [
        lambda: encode_ecg(-1, np.array([1])),
        lambda: encode_ecg(1, np.array([], int)),
        lambda: encode_ecg(1, np.array([2**23])),
        lambda: encode_acc(1, np.array([1, 2, 3])),
        lambda: encode_acc(1, np.array([[1, 2, 2**15]])),
        lambda: encode_ppi(1, ()),
        lambda: encode_ppi(1, (Ppi(300, 1, 1, blocker=False, contact=Contact.NO),)),
        lambda: start_command(Stream.ECG, Settings(rates_hz=(70_000,))),
    ],
)
def test_values_that_do_not_fit_are_not_encoded(write):
    with pytest.raises(PayloadError):
        write()


def test_an_h10_offers_ecg_and_acceleration():
    assert parse_features(bytes.fromhex("0f05") + bytes(15)) == Features(frozenset({Stream.ECG, Stream.ACC}))


def test_the_settings_of_an_h10s_ecg_start_it():
    reply = parse_reply(bytes.fromhex("f00100000000018200 01010e00"))
    assert reply == ControlReply(1, Stream.ECG.value, OK, more=False, parameters=bytes.fromhex("0001820001010e00"))
    settings = parse_settings(reply.parameters)
    assert settings == Settings(rates_hz=(130,), resolutions_bit=(14,))
    assert start_command(Stream.ECG, settings) == bytes.fromhex("02000001820001010e00")
    assert parse_settings(parse_reply(bytes.fromhex("f00200000000")).parameters) == Settings()


def test_one_of_each_setting_is_chosen():
    offered = parse_settings(bytes.fromhex("0004c80064003200 1900 01011000 0203020004000800"))
    assert offered == Settings(rates_hz=(200, 100, 50, 25), resolutions_bit=(16,), ranges_g=(2, 4, 8))
    chosen = offered.chosen(25)
    assert chosen == Settings(rates_hz=(25,), resolutions_bit=(16,), ranges_g=(2,))
    assert start_command(Stream.ACC, chosen) == bytes.fromhex("02020001190001011000 02010200")
    assert offered.chosen(60).rates_hz == (100,)
    assert offered.chosen(999).rates_hz == (200,)


def test_four_ranges_and_three_channels_are_read():
    settings = parse_settings(bytes.fromhex("000134000101100002 04f500f401e803d007 040103"))
    assert settings == Settings(rates_hz=(52,), resolutions_bit=(16,), ranges_g=(245, 500, 1000, 2000), channels=(3,))


def test_the_factor_of_a_start_is_a_float():
    assert parse_settings(bytes.fromhex("0501") + np.float32(2.44e-4).tobytes()).factor == pytest.approx(2.44e-4)


def test_an_unknown_setting_ends_the_parsing():
    assert parse_settings(bytes.fromhex("00013400 6601ffff")) == Settings(rates_hz=(52,))


@pytest.mark.parametrize("text", ["0302ffffffffff0000", "0303ffffffffff000000 01010e", "0002 8200", "0501 000000"])
def test_settings_that_are_cut_off_are_a_payload_error(text):
    with pytest.raises(PayloadError):
        parse_settings(bytes.fromhex(text))


@pytest.mark.parametrize(("status", "text"), [(ALREADY_IN_STATE, "already"), (IN_CHARGER, "charger"), (200, "200")])
def test_a_refusal_has_its_reason_in_words(status, text):
    assert text in parse_reply(bytes([0xF0, 2, 0, status, 0])).text


@pytest.mark.parametrize("text", ["", "f0", "f00200", "010102"])
def test_what_is_no_reply_is_a_payload_error(text):
    with pytest.raises(PayloadError):
        parse_reply(bytes.fromhex(text))


@pytest.mark.parametrize("text", ["", "0f", "f005"])
def test_a_value_without_features_is_a_payload_error(text):
    with pytest.raises(PayloadError):
        parse_features(bytes.fromhex(text))


def test_commands_name_their_stream():
    assert (settings_command(Stream.ACC), stop_command(Stream.PPI)) == (b"\x01\x02", b"\x03\x03")
    assert start_command(Stream.PPI, Settings()) == b"\x02\x03"
