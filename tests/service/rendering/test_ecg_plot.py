from restbeat.analysis.polar.polar_signals import Motion, PolarReport, Strip
from restbeat.service.rendering import plain_words
from restbeat.service.rendering.ecg_plot import HEIGHT, WIDTH, traces_of


def a_strip(values, **changes):
    return Strip(at_s=125.0, kind="missed", from_s=-3.0, rate_hz=130.0, signal_uv=values, **changes)


def points(line):
    return [tuple(map(float, point.split(","))) for point in line.split()]


def test_a_trace_stays_within_its_picture_and_breaks_where_samples_were_lost():
    values = [0] * 300 + [1000, None, None, -200] + [0] * 477
    (trace,) = traces_of(PolarReport(strips=[a_strip(values)]))
    assert (trace.at, trace.kind, len(trace.lines)) == ("2:05", "a beat may be missing", 2)
    drawn = [point for line in trace.lines for point in points(line)]
    assert len(drawn) == len(values) - 2
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in drawn)
    assert abs(trace.beat_x - WIDTH / 2) < 2


def test_a_flat_trace_is_a_line_in_the_middle():
    (trace,) = traces_of(PolarReport(strips=[a_strip([5] * 780)]))
    assert {y for _, y in points(trace.lines[0])} == {HEIGHT / 2}


def test_without_a_polar_strap_there_is_no_sentence():
    assert traces_of(None) == ()
    assert plain_words.polar(None, "massage") == ""


def test_the_source_of_the_figures_is_stated():
    motion = [Motion("baseline", 3.0, 14.04), Motion("massage", 30.0, None, "The client moved.")]
    whole = PolarReport(rr_source="ecg", ecg_beats=310, ecg_accepted_pct=99.5, ecg_covers_pct=98.7, motion=motion)
    assert plain_words.polar(whole, "massage") == (
        "These figures come from the strap’s ECG: 310 beats, 99.5 % used, 99 % of the time. "
        "Baseline: 14.0 breaths a minute by its movement."
    )
    holes = PolarReport(ecg_beats=100, ecg_accepted_pct=90.0, ecg_covers_pct=40.0, unreadable_frames=1)
    assert (
        "was not whole enough: these figures come from its RR intervals. 1 frame of it could not be read."
        in plain_words.polar(holes, "rest")
    )
