"""Annotations of PhysioNet's WFDB format (.atr, .qrs, .ecg …): beats by their labels, at the rate of the file or its header.

The files have no mark of their own: one is known by decoding to its end ("annot(5)" of the WFDB applications guide): words of 16
bits, a code in the upper 6 and the samples since the last annotation in the lower 10; SKIP (59) and AUX (63) have bytes behind
them; a word of 0 ends the file. Read by the library wfdb, an extra.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
import re
from typing import Any, Final

import numpy as np

from ....sensors.errors import RecordingError
from ..annotated_beats import AnnotatedBeat, between_beats
from ..packet_reconstruction import ImportedFile, Interval, Series, from_intervals
from ..reading.found_file import FoundFile, Source, text_of
from ..reading.refusals import FEWEST, check_intervals

_SKIP, _AUX, _LONGEST_AUX, _LAST_LABEL, _MODIFIERS = 59, 63, 255, 49, frozenset({60, 61, 62})
_TEXT: Final = re.compile(rb"[\x20-\x7e\s]*\x00*")
_BEAT_CODES: Final = frozenset({*range(1, 14), 25, 30, 34, 35, 38, 41})
_NORMAL: Final = frozenset("NLRB·.")
_BEATS: Final = frozenset("NLRB·.aAJSVrFejnE/fQ?")
_DISTURBED: Final = frozenset("|~![]")
"""Isolated artifacts, changes of the signal's quality, flutter: between two beats, they say that beats may be hidden there."""


def is_wfdb_annotations(raw: bytes) -> bool:
    """Return whether bytes decode to their end as annotations, of which most are beats, and most of those of one label."""
    if len(raw) % 2 or raw[-2:] != b"\0\0" or len(raw) < 2 * FEWEST or _TEXT.fullmatch(raw):
        return False
    at, labels, last = 0, Counter[int](), len(raw) - 2
    while at < last:
        word = raw[at] | raw[at + 1] << 8
        code, low = word >> 10, word & 0x3FF
        at += 2
        if code == _SKIP:
            at += 4
        elif code == _AUX and low <= _LONGEST_AUX:
            at += low + low % 2
        elif 0 < code <= _LAST_LABEL:
            labels[code] += 1
        elif code not in _MODIFIERS and (code or not low):
            return False
    beats = {code: count for code, count in labels.items() if code in _BEAT_CODES}
    all_beats = sum(beats.values())
    return at == last and all_beats >= max(FEWEST, labels.total() / 2) and max(beats.values()) > all_beats / 2


def read_wfdb_annotations(path: Path) -> FoundFile:
    """Read a file of annotations, whose header may lie beside it.

    Raises `RecordingError` where it cannot be read, its sampling rate is not known, or the extra is not installed.
    """
    name = path.name
    annotations = _read(path)
    rate_hz = annotations.fs
    if not rate_hz or rate_hz <= 0:
        raise RecordingError(
            f"{name} holds WFDB annotations whose sampling rate is not known: put its header, {path.stem}.hea, beside it."
        )
    beats = _beats([sample / rate_hz for sample in annotations.sample.tolist()], annotations.symbol)
    intervals = between_beats(beats)
    check_intervals(name, [one.rr_ms for one in intervals])
    doubted = sum(one.doubted for one in intervals)
    source = Source(
        kind="RR intervals",
        unit="s",
        times=f"the beats' own times, at {rate_hz:g} Hz",
        rows=len(beats),
        evidence=(
            f"WFDB annotations: {_counted(annotations.symbol)}.",
            *([f"{doubted} intervals beside beats that are not normal, or beside noise, are no heartbeats."] if doubted else []),
        ),
    )
    arrival = "the beats' own times"

    def make() -> Any:
        return ImportedFile(name, from_intervals(intervals), source=source.fields()).recording("WFDB", arrival=arrival)

    return FoundFile(make, source, None if doubted else text_of(_columns(intervals), ()))


def _columns(intervals: Sequence[Interval]) -> Series:
    end_s, rr_ms, gaps, doubted = zip(*intervals, strict=True)
    return Series(np.array(end_s), np.array(rr_ms), np.array(gaps), np.array(doubted))


def _read(path: Path) -> Any:
    try:
        import wfdb
    except ImportError as error:
        raise RecordingError(
            f"{path.name} holds WFDB annotations. To read them, install the extra: pip install 'restbeat[wfdb]'."
        ) from error
    try:
        return wfdb.rdann(str(path.resolve().with_suffix("")), path.suffix.removeprefix("."))
    except Exception as error:  # a parser of foreign bytes may raise anything
        raise RecordingError(f"{path.name} is no readable WFDB file: {str(error)[:120] or type(error).__name__}.") from error


def _beats(times_s: Sequence[float], symbols: Sequence[str]) -> list[AnnotatedBeat]:
    beats: list[AnnotatedBeat] = []
    disturbed = False
    for t, symbol in zip(times_s, symbols, strict=True):
        if symbol in _BEATS:
            beats.append(AnnotatedBeat(t, symbol in _NORMAL, disturbed))
            disturbed = False
        else:
            disturbed = disturbed or symbol in _DISTURBED
    return beats


def _counted(symbols: Sequence[str]) -> str:
    counts = Counter(symbol for symbol in symbols if symbol in _BEATS)
    return ", ".join(f"{count} beats labelled {symbol}" for symbol, count in counts.most_common())
