"""Annotations of PhysioNet's WFDB format, written by its own library."""

import gzip
import sys

import numpy as np
import pytest
import wfdb

from restbeat.service.exchange.formats import write_as
from restbeat.service.exchange.programs.wfdb_annotations import is_wfdb_annotations

from ..reading.test_random_files import figures_of
from ..sessions import CLEAR, session
from .made import AT_S, RR, assert_same, read_as, refusal
from .test_fit import activity_of

RATE_HZ = 1000
SAMPLES = np.rint(RATE_HZ * np.concatenate([[0.5], 0.5 + AT_S])).astype(int)
HEADER = f"made 1 {RATE_HZ} 300000\nmade.dat 16 200 16 0 0 0 0 ECG\n"


def annotations(tmp_path, *, labels=None, samples=SAMPLES, rate_hz=None):
    """Return the bytes of a file of annotations, normal beats but for `labels`, with its own sampling rate or without one."""
    symbols = ["N"] * len(samples)
    for at, label in (labels or {}).items():
        symbols[at] = label
    wfdb.wrann("made", "atr", np.asarray(samples), symbol=symbols, fs=rate_hz, write_dir=str(tmp_path))
    return (tmp_path / "made.atr").read_bytes()


def test_the_intervals_are_read_at_the_rate_of_the_header_beside(tmp_path):
    """WFDB applications guide, annot(5) and header(5): samples since the last annotation; the header's first line has a rate."""
    (tmp_path / "made.hea").write_text(HEADER)
    found = read_as(tmp_path, "made.atr", annotations(tmp_path))
    assert_same(found)
    assert found.source.times == "the beats' own times, at 1000 Hz"
    assert "301 beats labelled N" in found.source.evidence[0]


@pytest.mark.parametrize("ending", ["qrs", "ecg", "bin"])
def test_a_rate_in_the_file_itself_needs_no_header_and_the_ending_does_not_matter(tmp_path, ending):
    """annot(5): a note at 0, “## time resolution: 1000”, is the rate of the annotations."""
    assert_same(read_as(tmp_path, f"made.{ending}", annotations(tmp_path, rate_hz=RATE_HZ)))


def test_without_a_rate_it_is_refused_and_its_header_is_asked_for(tmp_path):
    told = refusal(tmp_path, "made.atr", annotations(tmp_path))
    assert "sampling rate is not known: put its header, made.hea, beside it" in told


def test_the_header_by_itself_is_refused_and_the_annotations_are_asked_for(tmp_path):
    assert "take the file of annotations beside it" in refusal(tmp_path, "made.hea", HEADER)


@pytest.mark.parametrize("label", ["V", "A", "F", "a", "J", "S", "E", "e", "/", "f", "Q", "?"])
def test_intervals_beside_beats_that_are_not_normal_are_no_heartbeats(tmp_path, label):
    """annot(5), “Annotation codes”: V, A, F … are beats, of which only N, L, R and B are conducted from the sinus."""
    found = read_as(tmp_path, "made.atr", annotations(tmp_path, labels=dict.fromkeys(range(20, 300, 40), label), rate_hz=RATE_HZ))
    assert f"7 beats labelled {label}" in found.source.evidence[0]
    figures = figures_of(found)
    assert figures.accepted_pct == pytest.approx(100 * (1 - 14 / RR.size))
    assert figures.rmssd_ms == pytest.approx(31, rel=0.05)


@pytest.mark.parametrize("label", ["~", "|", "!", "["])
def test_an_interval_with_noise_or_flutter_in_it_is_no_heartbeat(tmp_path, label):
    """annot(5): ~ a change of the signal's quality, | an isolated artifact, ! a wave of flutter, [ its beginning."""
    found = read_as(tmp_path, "made.atr", annotations(tmp_path, labels=dict.fromkeys(range(20, 300, 40), label), rate_hz=RATE_HZ))
    assert "7 intervals" in found.source.evidence[1]
    assert figures_of(found).rmssd_ms == pytest.approx(31, rel=0.05)


def test_waves_and_changes_of_rhythm_between_beats_do_not_count(tmp_path):
    """annot(5): p, t, u, (, ), + and comments are no beats."""
    between = SAMPLES[:-1] + 300
    samples = np.sort(np.concatenate([SAMPLES, between]))
    labels = {n: "pt+"[n % 3] for n in range(1, samples.size, 2)}
    found = read_as(tmp_path, "made.atr", annotations(tmp_path, samples=samples, labels=labels, rate_hz=RATE_HZ))
    assert_same(found)


def test_a_long_time_without_annotation_is_a_gap(tmp_path):
    found = read_as(tmp_path, "made.atr", annotations(tmp_path, samples=np.delete(SAMPLES, range(100, 112)), rate_hz=RATE_HZ))
    assert sum(found.text.gap_before) == 1
    assert max(found.text.gap_s, key=lambda each: each or 0) == pytest.approx((SAMPLES[112] - SAMPLES[99]) / RATE_HZ)


def test_without_the_extra_the_sentence_says_how_to_install_it(tmp_path, monkeypatch):
    raw = annotations(tmp_path, rate_hz=RATE_HZ)
    monkeypatch.setitem(sys.modules, "wfdb", None)
    assert "pip install 'restbeat[wfdb]'" in refusal(tmp_path, "made.atr", raw)


def test_packed_annotations_are_asked_for_unpacked(tmp_path):
    assert "unpack them" in refusal(tmp_path, "made.atr.gz", gzip.compress(annotations(tmp_path)))


def test_nothing_else_is_taken_for_annotations(tmp_path):
    """They have no mark of their own, so only what decodes to its end, to beats, is taken for them."""
    raw = annotations(tmp_path)
    rng = np.random.default_rng(1)
    noise = [rng.bytes(2 * int(rng.integers(20, 400))) + b"\0\0" for _ in range(2000)]
    others = [write_as(form, session(CLEAR)) for form in ("edf", "csv", "rr", "recording.gz")] + [activity_of(CLEAR)]
    text = ["812\n799\n" * 50, "812 799 " * 50]
    texts = [each.encode(encoding) + end for each in text for encoding in ("utf-8", "utf-16") for end in (b"", b"\0\0")]
    assert is_wfdb_annotations(raw)
    assert not any(map(is_wfdb_annotations, [raw[:-2], raw[:-1], raw + b"\1\2", b"\0" * 400, *noise, *others, *texts]))
