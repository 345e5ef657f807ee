"""The outcome of reading a file of another program: a recording, and the intervals to the digit where nothing else is in it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import msgspec
import numpy as np

from ....sensors.recordings.recording import Recording
from ....sensors.recordings.rr_text import RrText
from ..packet_reconstruction import ImportedFile, Interval, Series, from_intervals
from .intervals import Beats


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """The kind, unit and times as which a file was read, and why."""

    kind: str
    """`RR intervals`, `beat times`, `pulse intervals` or `heart rates`."""
    unit: str
    """Unit of the values in the file."""
    times: str
    """Where the times of the beats come from."""
    rows: int
    """Rows with values."""
    dropped: int = 0
    """Rows that could not be read."""
    evidence: tuple[str, ...] = ()
    """Why the file was read so, a sentence each."""

    def lines(self) -> Sequence[str]:
        """Return the whole in lines for a person."""
        dropped = f", {self.dropped} of them left out" if self.dropped else ""
        return [f"Read as {self.kind} in {self.unit}; times: {self.times}; {self.rows} rows{dropped}.", *self.evidence]

    def fields(self) -> dict[str, Any]:
        """Return the whole for a header or JSON."""
        return {**msgspec.to_builtins(self), "evidence": list(self.evidence)}


@dataclass(slots=True)
class FoundFile:
    """A file as it was read."""

    make: Callable[[], Recording]
    """Makes the recording; where only figures are wanted, `text` needs none."""
    source: Source | None = None
    """How it was read; None of restbeat's own files."""
    text: RrText | None = None
    """The intervals to the digit, where they need no packets: those hold them in 1/1024 s."""
    _made: Recording | None = None

    @property
    def recording(self) -> Recording:
        """The file as a recording. Raises `RecordingError` where it would hold nothing to play."""
        if self._made is None:
            self._made = self.make()
        return self._made

    @property
    def warnings(self) -> tuple[str, ...]:
        """What could not be read."""
        return self.recording.warnings if self.text is None else self.text.warnings


def text_of(series: Series, warnings: Sequence[str]) -> RrText:
    """Return intervals with times to the digit."""
    starts_s = series.end_s - series.rr_ms / 1000
    gap_s: list[float | None] = [None] * series.rr_ms.size
    gaps = series.gap_before.tolist()
    gaps[0] = False
    for n in (np.flatnonzero(series.gap_before[1:]) + 1).tolist():
        gap_s[n] = max(float(starts_s[n] - series.end_s[n - 1]), 0.0)
    return RrText(tuple(series.rr_ms.tolist()), tuple(gaps), tuple(warnings), tuple(gap_s))


def found_beats(name: str, format_name: str, beats: Beats, warnings: Sequence[str], dropped: int = 0) -> FoundFile:
    """Return intervals without times of their own, one after the other; a gap of unknown length is one interval long."""
    source = Source(
        kind=beats.kind,
        unit=beats.unit,
        times="the sum of the intervals",
        rows=len(beats.rr_ms),
        dropped=dropped,
        evidence=beats.evidence,
    )
    text = RrText(tuple(beats.rr_ms), tuple(beats.gap_before), tuple(warnings), tuple(beats.gap_s))

    def make() -> Recording:
        imported = ImportedFile(name, from_intervals(_one_after_the_other(beats)), list(warnings), source=source.fields())
        return imported.recording(format_name, arrival=source.times)

    return FoundFile(make, source, text)


def _one_after_the_other(beats: Beats) -> list[Interval]:
    typical_s, end_s = median(beats.rr_ms) / 1000, 0.0
    intervals: list[Interval] = []
    for rr_ms, gap, lost_s in zip(beats.rr_ms, beats.gap_before, beats.gap_s, strict=True):
        if gap:
            end_s += typical_s if lost_s is None else lost_s
        end_s += rr_ms / 1000
        intervals.append(Interval(end_s, rr_ms, gap))
    return intervals
