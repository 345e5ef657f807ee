"""When each pulse of an optical sensor ended: its intervals come every few seconds, in one piece or not at all."""

from collections.abc import Sequence
from dataclasses import dataclass

_LATE_S = 4.0
"""Intervals that end so long before they arrive have lost others before them: a sensor keeps them back for a second or two."""


@dataclass(slots=True)
class PulseClock:
    """Push intervals in order of arrival, get their ends on the session's clock; intervals lost before them are a gap."""

    gaps: int = 0
    lost_s: float = 0.0
    longest_gap_s: float = 0.0
    beats: int = 0
    rr_sum_s: float = 0.0
    _end_s: float | None = None
    _first_s: float = 0.0
    _broken: bool = False

    def push(self, t: float, pp_ms: Sequence[int]) -> list[tuple[float, bool]]:
        """Take intervals (ms) that arrived at `t` (s), oldest first; gives the end of each, and whether a gap is before it."""
        whole_s = sum(pp_ms) / 1000
        gap = False
        if self._end_s is None:
            self._end_s = self._first_s = t - whole_s
        else:
            late_s = t - whole_s - self._end_s
            gap = self._broken or late_s > _LATE_S
            if gap:
                self._lose(max(late_s, 0.0))
            if gap or late_s < 0:
                self._end_s += late_s
        self._broken = False
        out: list[tuple[float, bool]] = []
        for pp in pp_ms:
            self._end_s += pp / 1000
            out.append((self._end_s, gap))
            gap = False
        self.beats += len(pp_ms)
        self.rr_sum_s += whole_s
        return out

    def broken(self) -> None:
        """The link was lost: what comes next does not continue what came before."""
        self._broken = self._end_s is not None

    @property
    def rr_time_s(self) -> float:
        """The time that the intervals should fill."""
        return 0.0 if self._end_s is None else max(self._end_s - self._first_s - self.lost_s, 0.0)

    def _lose(self, seconds: float) -> None:
        self.gaps += 1
        self.lost_s += seconds
        self.longest_gap_s = max(self.longest_gap_s, seconds)
