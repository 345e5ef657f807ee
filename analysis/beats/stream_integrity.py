"""How whole the stream of a strap was: told live, in the summary, and to whoever asks why a figure is missing."""

import msgspec

from .beat_stream import BeatStream

_ENOUGH_S = 60.0
"""Below it the few seconds by which RR intervals come late weigh too much."""


class StreamIntegrity(msgspec.Struct, frozen=True, kw_only=True):
    """What arrived, and what was wrong with it."""

    packets: int = 0
    unreadable_packets: int = 0
    duplicate_packets: int = 0
    """Passed over: no beat of them reaches a figure."""
    no_rr_packets: int = 0
    """Without RR, from a strap that had sent RR before."""
    no_contact_packets: int = 0
    beats: int = 0
    rejected_beats: int = 0
    two_straps_beats: int = 0
    """Rejected because more beats came than time has room for."""
    late_batches: int = 0
    gaps: int = 0
    lost_s: float = 0.0
    longest_gap_s: float = 0.0
    rr_sum_s: float = 0.0
    rr_time_s: float = 0.0
    """The time that the RR intervals should fill, without the gaps."""

    @property
    def rr_fills_pct(self) -> float | None:
        """Sum of the RR intervals against the clock; about 100, or something is wrong; None in the first minute."""
        return 100 * self.rr_sum_s / self.rr_time_s if self.rr_time_s >= _ENOUGH_S else None


def integrity_of(stream: BeatStream) -> StreamIntegrity:
    """How whole a stream has been so far."""
    clock = stream.clock
    placed = stream.pulse or clock
    return StreamIntegrity(
        packets=clock.packets,
        unreadable_packets=stream.unreadable_packets,
        duplicate_packets=clock.duplicate_packets,
        no_rr_packets=stream.no_rr_packets,
        no_contact_packets=stream.no_contact_packets,
        beats=placed.beats,
        rejected_beats=stream.rejected,
        two_straps_beats=stream.two_straps_beats,
        late_batches=placed.late_batches,
        gaps=placed.gaps,
        lost_s=round(placed.lost_s, 3),
        longest_gap_s=round(placed.longest_gap_s, 3),
        rr_sum_s=round(placed.rr_sum_s, 3),
        rr_time_s=round(placed.rr_time_s, 3),
    )
