"""One number a line, or all in one line: what is read, and what is refused."""

import numpy as np
import pytest

from restbeat.sensors.errors import RecordingError
from restbeat.service.exchange.formats import read_file


def read_text(tmp_path, raw, name="rr.txt"):
    path = tmp_path / name
    path.write_bytes(raw if isinstance(raw, bytes) else raw.encode())
    return read_file(path)


def test_one_interval_per_line_is_read_with_any_line_ending_and_decimal_comma(tmp_path):
    found = read_text(tmp_path, b"\xef\xbb\xbf812\r\n799.5\r\n\r\n801,25\r\n")
    assert found.text.rr_ms == (812.0, 799.5, 801.25)
    assert not found.recording.warnings


def test_a_heading_is_passed_over_and_a_line_of_words_leaves_a_gap(tmp_path):
    found = read_text(tmp_path, b"RR (ms)\n812\nartefact\n799\n801\n")
    assert found.text.rr_ms == (812.0, 799.0, 801.0)
    assert found.text.gap_before == (False, True, False)
    assert ["line 3" in warning for warning in found.recording.warnings] == [True]


def test_a_comment_is_ignored_and_a_gap_comment_gives_its_length(tmp_path):
    found = read_text(tmp_path, b"# made by hand\n# gap 3 s\n812\n799\n# gap 18.25 s\n801\n#gap\n802\n# gapless\n803\n")
    assert found.text.rr_ms == (812.0, 799.0, 801.0, 802.0, 803.0)
    assert found.text.gap_before == (False, False, True, True, False)
    assert found.text.gap_s == (None, None, 18.25, None, None)
    assert not found.recording.warnings


def test_lines_may_end_with_a_carriage_return_alone(tmp_path):
    assert read_text(tmp_path, b"812\r799\r801\r").text.rr_ms == (812.0, 799.0, 801.0)


def test_intervals_in_seconds_are_read_and_said(tmp_path):
    found = read_text(tmp_path, "0.812\n0.799\n0.801\n")
    assert found.text.rr_ms == pytest.approx((812, 799, 801))
    assert found.source.unit == "s"


@pytest.mark.parametrize("text", [b"", b"\n", b"no numbers\nhere\n", b"nan\ninf\n-800\n1e300\n", bytes(range(256))])
def test_a_text_without_intervals_is_refused_with_a_sentence(tmp_path, text):
    with pytest.raises(RecordingError, match=r"rr\.txt"):
        read_text(tmp_path, text)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([812], "one interval"),
        (range(1, 200), "count up"),
        (range(0, 2000, 10), "count up"),
        ([60 + n % 9 for n in range(300)], "heart rates in beats a minute"),
        ([1, 2, 3, 2, 1, 2, 2, 3, 4, 5, 3, 2, 1] * 9, "zones"),
        ([3.9, 4.2, 4.0, 3.8, 4.4, 4.1, 3.9, 3.7] * 9, "breaths"),
        ([3900, 4200, 4000, 3800, 4400, 4100, 3900, 3700] * 9, "breaths"),
        ([210, 190, 205, 200, 212, 199, 195] * 9, "beats a minute"),
        (["RR (ms)", *[210, 190, 205, 200, 212, 199, 195] * 9], "bpm"),
        ((535 + 90 * np.sin(np.arange(1500) / 8) + 30 * np.sin(np.arange(1500) / 4)).round().tolist(), "samples of a pulse"),
        ((50_000 + np.cumsum([30, 32, 31, 29, 33] * 20)).tolist(), "sampling rate"),
    ],
)
def test_numbers_that_are_no_intervals_are_refused_by_what_they_seem_to_be(tmp_path, values, words):
    with pytest.raises(RecordingError, match=words):
        read_text(tmp_path, "\n".join(str(value) for value in values))


def test_more_than_one_line_in_twenty_that_is_no_number_is_an_error(tmp_path):
    lines = [str(800 + n % 20) if n % 15 else "x" for n in range(1, 301)]
    with pytest.raises(RecordingError, match="20 of 300 rows"):
        read_text(tmp_path, "\n".join(lines))


@pytest.mark.parametrize("noise_ms", [2, 4, 8])
@pytest.mark.parametrize("rate_per_min", [3, 4, 6, 9, 12])
def test_a_heart_that_breathes_slowly_and_deeply_is_no_pulse_wave(tmp_path, rate_per_min, noise_ms):
    at, rng = np.cumsum(np.full(400, 0.85)), np.random.default_rng(2)
    rr = 850 + 120 * np.sin(2 * np.pi * at * rate_per_min / 60) + rng.normal(0, noise_ms, at.size)
    assert len(read_text(tmp_path, "\n".join(f"{one:.0f}" for one in rr)).text.rr_ms) == 400


@pytest.mark.parametrize("bpm", [52, 66, 96])
@pytest.mark.parametrize("rate_hz", [25, 64, 100, 250])
def test_a_pulse_wave_at_any_rate_is_none(tmp_path, rate_hz, bpm):
    phase = 2 * np.pi * bpm / 60 * np.arange(3000) / rate_hz
    wave = 600 + 200 * np.sin(phase) + 80 * np.sin(2 * phase + 1) + 30 * np.sin(3 * phase)
    with pytest.raises(RecordingError, match="samples of a pulse"):
        read_text(tmp_path, "\n".join(f"{one:.0f}" for one in wave + np.random.default_rng(3).normal(0, 1, wave.size)))
