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
    repeated_packets: Annotated[
        int, msgspec.Meta(description="Packets whose first interval is the last one before, to the unit; a few are chance.")
    ] = 0
    repeats_beats: Annotated[bool, msgspec.Meta(description="Whether the strap sends beats again that it has sent before.")] = (
        False
    )
    left_out_beats: Annotated[
        int, msgspec.Meta(description="Times that the strap left a beat out without a hole between its packets.")
    ] = 0
    surplus_beats: Annotated[
        int, msgspec.Meta(description="Beats sent after a reconnect for which there was no time; they are left out.")
    ] = 0
    rr_in_ms: Annotated[bool, msgspec.Meta(description="Whether the strap sends RR in ms instead of 1/1024 s: 2.4 % short.")] = (
        False
    )
    rr_step_ms: Annotated[
        float, msgspec.Meta(description="Step of the strap's intervals in ms, where it is coarser than 1/1024 s; else 0.")
    ] = 0.0
    no_beats_why: Annotated[str | None, msgspec.Meta(description="Why the sensor's intervals are not those of beats.")] = None
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
        repeated_packets=stream.intervals.repeated_packets,
        repeats_beats=stream.repeats,
        left_out_beats=len(clock.unplaced_gaps_s),
        surplus_beats=clock.left_out_beats,
        rr_in_ms=stream.intervals.in_ms,
        rr_step_ms=round(1000 * stream.intervals.step_s, 3),
        no_beats_why=stream.no_beats_why,
        late_batches=beat_source.late_batches,
        gaps=beat_source.gaps,
        lost_s=round(beat_source.lost_s, 3),
        longest_gap_s=round(beat_source.longest_gap_s, 3),
        rr_sum_s=round(beat_source.rr_sum_s, 3),
        rr_time_s=round(beat_source.rr_time_s, 3),
    )


def why_no_hrv(stream: BeatStream) -> str | None:
    """Return why a whole recording has no HRV, as a sentence; None where its sensor sent the intervals of beats."""
    if any(strap.beats for strap in stream.straps):
        return None
    if not any(strap.heard for strap in stream.straps):
        return "No heartbeat was heard: the strap was dry, or not worn."
    if stream.no_beats_why is not None:
        return f"Heart rate only – no HRV: of this sensor, {stream.no_beats_why}."
    return "The sensor sent heart rate only, no RR intervals: there is no HRV to tell."
