"""The beat clock on a simulated strap with known beats: one packet per second with the beats that ended since the last."""

from itertools import pairwise

import numpy as np
import pytest

from restbeat.sensors.beat_clock import BeatClock

RATES = (45, 62, 75, 120)


def strap(seed, rate_bpm, minutes=8, jitter_s=0.02):
    """Simulate a strap; return arrivals (s), RR tuples, and the true ends of all beats (s)."""
    rng = np.random.default_rng(seed)
    beats = int(minutes * rate_bpm * 1.2)
    swing = 1 + 0.05 * np.sin(np.arange(beats) * 90 / rate_bpm) + 0.01 * rng.standard_normal(beats)
    rr = np.round(60 / rate_bpm * swing * 1024).astype(int)
    ends = rng.uniform(0, 1) + np.cumsum(rr) / 1024
    seconds = np.arange(1, int(minutes * 60) + 1)
    last = np.searchsorted(ends, seconds, side="right")
    packets = [tuple(int(x) for x in rr[a:b]) for a, b in pairwise([0, *last])]
    return seconds + np.abs(rng.normal(0, jitter_s, seconds.size)), packets, ends[: last[-1]]


def play(arrivals, packets, end_s):
    clock = BeatClock()
    beats = [beat for t, rr in zip(arrivals, packets, strict=True) for beat in clock.push(float(t), repr(rr).encode(), rr)]
    return clock, beats + clock.flush(end_s)


@pytest.mark.parametrize("rate", RATES)
def test_a_whole_stream_gives_every_beat_at_its_time_and_no_gap(rate):
    arrivals, packets, ends = strap(1, rate)
    clock, beats = play(arrivals, packets, arrivals[-1])
    assert (clock.gaps, clock.lost_s, clock.duplicate_packets) == (0, 0.0, 0)
    assert len(beats) == len(ends)
    assert abs(np.median([b.end_s for b in beats] - ends)) < 0.3
    assert not any(b.gap_before for b in beats)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("seed", range(5))
def test_every_lost_packet_is_a_gap_with_its_seconds(rate, seed):
    arrivals, packets, _ = strap(seed, rate)
    dropped = {100, 200, 300, 301, 302, 400}
    holding = [i for i in sorted(dropped) if packets[i]]
    keep = [i for i in range(len(packets)) if i not in dropped]
    clock, _ = play(arrivals[keep], [packets[i] for i in keep], arrivals[-1])
    lost_s = sum(sum(packets[i]) for i in dropped) / 1024
    runs = sum(1 for i in holding if i - 1 not in dropped or not packets[i - 1])
    assert abs(clock.gaps - runs) <= 1
    assert clock.lost_s == pytest.approx(lost_s, abs=1.0)


@pytest.mark.parametrize("rate", [40, 45, 50, 55, 62])
def test_a_lost_packet_followed_by_one_without_rr_is_a_gap_at_a_slow_heart_rate(rate):
    arrivals, packets, _ = strap(6, rate)
    before_empty = 0
    for lost in (i for i in range(60, 440, 7) if packets[i]):
        before_empty += not packets[lost + 1]
        keep = [i for i in range(len(packets)) if i != lost]
        clock, _ = play(arrivals[keep], [packets[i] for i in keep], arrivals[-1])
        assert clock.gaps == 1, lost
        assert clock.lost_s == pytest.approx(sum(packets[lost]) / 1024, abs=1.0), lost
    assert before_empty or rate > 60


@pytest.mark.parametrize("rate", RATES)
def test_doubled_packets_change_nothing_but_their_count(rate):
    arrivals, packets, _ = strap(2, rate)
    _, once = play(arrivals, packets, arrivals[-1])
    twice = sorted((float(t) + d, n) for n, t in enumerate(arrivals) for d in (0.0, 0.002))
    clock, beats = play([t for t, _ in twice], [packets[n] for _, n in twice], arrivals[-1])
    assert [b.rr_1024 for b in beats] == [b.rr_1024 for b in once]
    assert clock.duplicate_packets == len(packets)
    assert clock.gaps == 0


@pytest.mark.parametrize("rate", RATES)
def test_a_late_batch_is_no_gap(rate):
    arrivals, packets, ends = strap(3, rate)
    for first, last in ((100, 104), (200, 203)):
        arrivals[first:last] = arrivals[last] - np.linspace(0.05, 0.02, last - first)
    clock, beats = play(arrivals, packets, arrivals[-1])
    assert clock.gaps == 0
    assert len(beats) == len(ends)


def test_the_same_payload_at_the_normal_cadence_is_no_duplicate():
    clock = BeatClock()
    beats = [b for t in range(1, 61) for b in clock.push(float(t), b"same", (1024,))]
    assert len(beats) == 60
    assert clock.duplicate_packets == 0


def test_a_lost_connection_is_a_gap_with_its_seconds():
    clock = BeatClock()
    beats = [b for t in range(1, 31) for b in clock.push(float(t), bytes([t]), (1000 + t,))]
    beats += clock.connection_lost()
    beats += [b for t in range(50, 81) for b in clock.push(float(t), bytes([t]), (1000 + t,))]
    assert [b.index for b in beats if b.gap_before] == [30]
    assert clock.gaps == 1
    assert clock.lost_s == pytest.approx(19, abs=1)


def test_a_strap_that_sends_faster_after_a_reconnect_is_not_waited_for():
    clock = BeatClock()
    for t in range(1, 31):
        clock.push(float(t), bytes([t]), (1024,))
    clock.connection_lost()
    beats = [b for n in range(80) for b in clock.push(40.0 + n / 4, bytes([n]), (1020 + n % 9,) if n % 4 == 0 else ())]
    assert len(beats) >= 15


def test_silence_to_the_end_counts_as_lost_time():
    clock = BeatClock()
    for t in range(1, 31):
        clock.push(float(t), bytes([t]), (1000 + t,))
    clock.flush(60.0)
    assert (clock.gaps, round(clock.lost_s)) == (1, 30)


@pytest.mark.parametrize("odd", [0, 1, 65535])
def test_an_impossible_interval_does_not_shift_the_beats_after_it(odd):
    clock = BeatClock()
    for t in range(1, 121):
        for beat in clock.push(float(t), bytes([t]), (odd if t == 60 else 1024,)):
            assert beat.end_s <= t
    assert clock.beats == 120


@pytest.mark.parametrize("rate", RATES)
def test_at_sixty_times_the_speed_a_stall_of_the_computer_is_no_gap(rate):
    arrivals, packets, ends = strap(4, rate)
    for first, stalled in ((100, 20), (200, 10)):  # a third of a second of wall time, late all along
        late = slice(first, first + stalled)
        arrivals[late] += 4.0
        arrivals[late.stop : late.stop + 4] = arrivals[late.stop - 1] + np.linspace(0.02, 0.06, 4)
    clock, beats = BeatClock.at_speed(60.0), []
    for t, rr in zip(arrivals, packets, strict=True):
        beats += clock.push(float(t), repr(rr).encode(), rr)
    beats += clock.flush(float(arrivals[-1]))
    assert (clock.gaps, clock.lost_s) == (0, 0.0)
    assert len(beats) == len(ends)


def test_at_sixty_times_the_speed_lost_packets_are_still_a_gap():
    arrivals, packets, _ = strap(5, 75)
    keep = [i for i in range(len(packets)) if not 200 <= i < 210]
    clock = BeatClock.at_speed(60.0)
    for i in keep:
        clock.push(float(arrivals[i]), repr(packets[i]).encode(), packets[i])
    clock.flush(float(arrivals[-1]))
    assert clock.gaps == 1
    assert clock.lost_s == pytest.approx(10, abs=1)


def merged(ours, theirs, begin_s, end_s):
    """Merge two straps into one stream from `begin_s` to `end_s`."""
    there = [(t + 0.137, rr) for t, rr in zip(*theirs[:2], strict=True) if begin_s <= t < end_s]
    both = sorted([*zip(*ours[:2], strict=True), *there])
    return [t for t, _ in both], [rr for _, rr in both]


@pytest.mark.parametrize(("rate", "other"), [(45, 62), (62, 75), (75, 62), (120, 75)])
def test_two_straps_on_one_stream_are_noticed_within_six_seconds_and_forgotten_within_half_a_minute(rate, other):
    clock = BeatClock()
    crowded = []
    for t, rr in zip(*merged(strap(1, rate), strap(2, other), 200, 260), strict=True):
        clock.push(float(t), repr(rr).encode(), rr)
        if clock.crowded:
            crowded.append(t)
    assert 200 < crowded[0] < 206
    assert 258 < crowded[-1] < 290
    assert clock.rr_sum_s > 1.1 * clock.rr_time_s


@pytest.mark.parametrize("rate", RATES)
def test_a_strap_whose_first_packets_are_four_seconds_old_is_still_one_strap(rate):
    arrivals, packets, _ = strap(3, rate)
    clock = BeatClock()
    for n, (t, rr) in enumerate(zip(arrivals, packets, strict=True)):
        clock.push(max(float(t), 5.0 + n / 100), repr(rr).encode(), rr)
        assert not clock.crowded
    assert clock.rr_sum_s == pytest.approx(clock.rr_time_s, rel=0.01)


def test_the_intervals_fill_the_time_between_gaps():
    arrivals, packets, _ = strap(4, 62)
    kept = [(t, rr) for t, rr in zip(arrivals, packets, strict=True) if not 200 <= t < 220]
    clock, _ = play(*zip(*kept, strict=True), arrivals[-1])
    assert clock.rr_sum_s == pytest.approx(clock.rr_time_s, rel=0.005)
    assert clock.longest_gap_s == pytest.approx(20, abs=1)


def test_late_batches_are_counted():
    arrivals, packets, _ = strap(5, 62)
    late = [204.2 if 200.5 <= t < 204 else t for t in arrivals]
    clock, _ = play(late, packets, arrivals[-1])
    assert (clock.late_batches, clock.gaps) == (1, 0)


@pytest.mark.parametrize("seed", range(5))
def test_at_sixty_times_the_speed_a_stall_at_the_start_is_no_second_strap(seed):
    arrivals, packets, _ = strap(seed, 62)
    stalled = [max(t, 20.0) for t in arrivals]
    clock = BeatClock.at_speed(60.0)
    for t, rr in zip(stalled, packets, strict=True):
        clock.push(float(t), repr(rr).encode(), rr)
        assert not clock.crowded
