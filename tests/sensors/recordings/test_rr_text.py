import pytest

from restbeat.sensors.errors import RecordingError
from restbeat.sensors.recordings.rr_text import read_rr_text


def given_text(tmp_path, text):
    path = tmp_path / "rr.txt"
    path.write_bytes(text)
    return path


def test_one_interval_per_line_is_read_with_any_line_ending_and_decimal_comma(tmp_path):
    text = read_rr_text(given_text(tmp_path, b"\xef\xbb\xbf812\r\n799.5\r\n\r\n801,25\r\n"))
    assert text.rr_ms == (812.0, 799.5, 801.25)
    assert not text.warnings


def test_a_line_of_words_is_skipped_and_leaves_a_gap(tmp_path):
    text = read_rr_text(given_text(tmp_path, b"RR (ms)\n812\nartefact\n799\n801\n"))
    assert text.rr_ms == (812.0, 799.0, 801.0)
    assert text.gap_before == (False, True, False)
    assert ["line 1" in text.warnings[0], "line 3" in text.warnings[1]] == [True, True]


def test_a_comment_is_ignored_and_a_gap_comment_gives_its_length(tmp_path):
    text = read_rr_text(
        given_text(tmp_path, b"# made by hand\n# gap 3 s\n812\n799\n# gap 18.25 s\n801\n#gap\n802\n# gapless\n803\n")
    )
    assert text.rr_ms == (812.0, 799.0, 801.0, 802.0, 803.0)
    assert text.gap_before == (False, False, True, True, False)
    assert text.gap_s == (None, None, 18.25, None, None)
    assert not text.warnings


@pytest.mark.parametrize(
    "text", [b"", b"\n", b"no numbers\nhere\n", b"nan\ninf\n-800\n1e300\n", b"0.812\n0.799\n", bytes(range(256))]
)
def test_a_text_without_intervals_in_ms_is_refused_with_a_sentence(tmp_path, text):
    with pytest.raises(RecordingError, match="ms"):
        read_rr_text(given_text(tmp_path, text))
