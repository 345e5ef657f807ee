"""Counts of what a strap's stream delivered and what it lost, for the live view, the summary and the reasons for gaps."""

from typing import Annotated

import msgspec

from .beat_stream import BeatStream

_ENOUGH_S = 60.0
"""Least time for a share; below it the few seconds by which RR intervals arrive late weigh too much."""


class StreamIntegrity(msgspec.Struct, frozen=True, kw_only=True):
    """Packets and beats received, and what was wrong with them."""

    packets: int = 0
    unreadable_packets: int = 0
    duplicate_packets: Annotated[
        int, msgspec.Meta(description="Duplicates, which are ignored: none of their beats reaches a figure.")
    ] = 0
    no_rr_packets: Annotated[int, msgspec.Meta(description="Packets without RR from a strap that had sent RR before.")] = 0
    no_contact_packets: int = 0
    beats: int = 0
    rejected_beats: int = 0
    two_straps_beats: Annotated[int, msgspec.Meta(description="Beats rejected because more arrived than fit into the time.")] = 0
    late_batches: int = 0
    gaps: int = 0
    lost_s: float = 0.0
    longest_gap_s: float = 0.0
    rr_sum_s: float = 0.0
    rr_time_s: Annotated[float, msgspec.Meta(description="Time that the RR intervals should fill, without the gaps.")] = 0.0

    @property
    def rr_fills_pct(self) -> float | None:
        """Sum of the RR intervals as a percentage of the time they should fill; about 100; None in the first minute."""
        return 100 * self.rr_sum_s / self.rr_time_s if self.rr_time_s >= _ENOUGH_S else None


def integrity_of(stream: BeatStream) -> StreamIntegrity:
    """Return the integrity counts of a stream up to now."""
    clock = stream.clock
    beat_source = stream.pulse or clock
    return StreamIntegrity(
        packets=clock.packets,
        unreadable_packets=stream.unreadable_packets,
        duplicate_packets=clock.duplicate_packets,
        no_rr_packets=stream.no_rr_packets,
        no_contact_packets=stream.no_contact_packets,
        beats=beat_source.beats,
        rejected_beats=stream.rejected,
        two_straps_beats=stream.two_straps_beats,
        late_batches=beat_source.late_batches,
        gaps=beat_source.gaps,
        lost_s=round(beat_source.lost_s, 3),
        longest_gap_s=round(beat_source.longest_gap_s, 3),
        rr_sum_s=round(beat_source.rr_sum_s, 3),
        rr_time_s=round(beat_source.rr_time_s, 3),
    )
