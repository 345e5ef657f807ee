"""The grammar of faults, and the effect of each on a recording: in order, seeded, composable, documented."""

from itertools import pairwise
import os
from pathlib import Path

from hypothesis import HealthCheck, given, settings, strategies as st
import pytest

from restbeat.sensors.errors import FaultError, PayloadError
from restbeat.sensors.model import Contact
from restbeat.sensors.protocols.heart_rate import parse
from restbeat.sensors.recordings.fault_grammar import KINDS, FaultSpec, parse_faults
from restbeat.sensors.recordings.fault_injection import fault_lines, with_faults
from restbeat.sensors.recordings.recording import HEART_RATE, ConnectionEvent, Fault, Packet, read, write

ROOT = Path(__file__).parents[3]
FIXTURES = sorted((ROOT / "fixtures").glob("*.jsonl*"))
PAGE = ROOT / "docs" / "faults.md"
CLEAR = next(path for path in FIXTURES if "clear" in path.name)
OTHER = next(path for path in FIXTURES if "sleepy" in path.name)
EXAMPLES = [kind.example for kind in KINDS.values()]


@pytest.fixture(scope="module")
def clear():
    return read(CLEAR)


def put(recording, *texts, seed=1):
    return with_faults([recording], parse_faults(texts), seed=seed)[0]


def packets(recording, char=HEART_RATE):
    return [event for event in recording.events if isinstance(event, Packet) and event.char == char]


def truth(recording, kind=None):
    return [event for event in recording.events if isinstance(event, Fault) and kind in {None, event.kind}]


def rr_sum(recording):
    return sum(sum(parse(event.payload).rr_1024) for event in packets(recording))


@pytest.mark.parametrize("text", EXAMPLES)
def test_every_example_of_the_grammar_is_read_and_does_something(text, clear):
    changed = put(clear, text)
    assert changed.events != clear.events
    assert truth(changed)
    assert sum(fault.count or 0 for fault in truth(changed)) > 0
    assert changed.header.extra["faults"] == [text]
    assert fault_lines(changed)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", None),
        ("rain@3:4", "no fault that is known"),
        ("drop", "wants a time"),
        ("drop@3", "wants a length"),
        ("drop@x:3", "wants a time"),
        ("drop@3:x", "no length"),
        ("drop@3:0", "a length of 0 s"),
        ("late@99999999:3", "beyond any recording"),
        ("ectopic", "wants a share"),
        ("ectopic:2", "wants a share"),
        ("ectopic:60%", "at most 50"),
        ("ectopic:0%", "above 0"),
        ("swap", "wants a time"),
        ("double@-3", "wants a time"),
    ],
)
def test_what_is_not_in_the_grammar_is_refused_with_an_example(text, why):
    if why is None:
        assert parse_faults([text]) == ()
        return
    with pytest.raises(FaultError, match=why) as caught:
        parse_faults([text])
    assert "example" in str(caught.value) or "There are" in str(caught.value)


def test_faults_are_separated_by_commas_or_given_one_by_one():
    assert parse_faults(["drop@1:2, double@3"]) == parse_faults(["drop@1:2", "double@3"])
    assert parse_faults(["ectopic:2%@60:300"]) == (FaultSpec("ectopic:2%@60:300", "ectopic", 60.0, 300.0, 0.02),)


@settings(max_examples=int(os.environ.get("RESTBEAT_EXAMPLES", "1000")), deadline=None)
@given(st.text(max_size=24) | st.from_regex(r"(drop|late|ectopic|swap|double)[@:][0-9@:.%a]{0,10}", fullmatch=True))
def test_any_text_is_faults_or_a_fault_error(text):
    try:
        faults = parse_faults([text])
    except FaultError:
        return
    assert all(fault.kind in KINDS for fault in faults)


def test_no_fault_changes_nothing(clear):
    assert with_faults([clear], (), seed=1) == [clear]


TEXTS = st.lists(
    st.sampled_from([*EXAMPLES, "drop@0:5", "late@1190:30", "silence@125:3", "missed:20%", "double@0:10"]), max_size=5
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TEXTS, st.integers(0, 2**31))
def test_any_faults_on_a_recording_keep_it_in_order_and_are_the_same_for_the_same_seed(texts, seed):
    recording = read(CLEAR)
    faults = parse_faults(texts)
    changed = with_faults([recording, read(OTHER)], faults, seed=seed)
    assert changed == with_faults([recording, read(OTHER)], faults, seed=seed)
    for one in changed:
        times = [event.t for event in one.events]
        assert times == sorted(times)
        assert [e for e in one.events if not isinstance(e, Packet | Fault | ConnectionEvent)]


def test_another_seed_changes_other_beats(clear):
    assert put(clear, "ectopic:2%", seed=1).events != put(clear, "ectopic:2%", seed=2).events


@pytest.mark.parametrize("kind", ["ectopic", "missed", "extra"])
def test_changed_beats_keep_the_sum_of_rr_and_their_number_is_as_specified(kind, clear):
    changed = put(clear, f"{kind}:2%")
    beats = sum(len(parse(event.payload).rr_1024) for event in packets(clear))
    lines = truth(changed, kind)
    assert len(lines) == pytest.approx(0.02 * beats, abs=1)
    assert rr_sum(changed) == rr_sum(clear)
    after = sum(len(parse(event.payload).rr_1024) for event in packets(changed))
    assert after - beats == {"ectopic": 0, "missed": -len(lines), "extra": len(lines)}[kind]


def test_a_share_within_a_span_changes_only_beats_of_that_span(clear):
    changed = put(clear, "ectopic:5%@60:120")
    assert truth(changed, "ectopic")
    assert all(60 <= fault.t < 180 for fault in truth(changed, "ectopic"))


def test_a_drop_loses_the_connection_and_what_was_sent(clear):
    changed = put(clear, "drop@120:15")
    assert [e for e in changed.events if isinstance(e, ConnectionEvent)] == [
        ConnectionEvent(120.0, up=False),
        ConnectionEvent(135.0, up=True),
    ]
    assert not [e for e in packets(changed) if 120 <= e.t < 135]
    (line,) = truth(changed)
    assert (line.kind, line.t, line.until_s) == ("drop", 120.0, 135.0)
    assert line.count == sum(isinstance(e, Packet) and 120 <= e.t < 135 for e in clear.events)


def test_silence_leaves_the_connection_alone(clear):
    changed = put(clear, "silence@200:20")
    assert not [e for e in packets(changed) if 200 <= e.t < 220]
    assert [e for e in changed.events if isinstance(e, ConnectionEvent)] == [
        e for e in clear.events if isinstance(e, ConnectionEvent)
    ]


def test_doubled_packets_come_twice_at_once(clear):
    changed = packets(put(clear, "double@300:10"))
    twice = [b for a, b in pairwise(changed) if a.payload == b.payload and b.t - a.t < 0.01]
    assert len(twice) == sum(300 <= e.t < 310 for e in packets(clear))


def test_late_packets_come_all_at_once_and_all_of_them(clear):
    changed = put(clear, "late@60:4")
    assert sorted(e.payload for e in packets(changed)) == sorted(e.payload for e in packets(clear))
    assert not [e for e in packets(changed) if 60 <= e.t < 64]


def test_no_rr_keeps_heart_rate_and_contact(clear):
    changed = {e.t: parse(e.payload) for e in packets(put(clear, "no-rr@90:30"))}
    for event in packets(clear):
        before, after = parse(event.payload), changed[event.t]
        assert (after.hr_bpm, after.contact) == (before.hr_bpm, before.contact)
        assert after.rr_1024 == (() if 90 <= event.t < 120 else before.rr_1024)


def test_contact_off_reports_no_contact_for_its_span(clear):
    changed = [(e.t, parse(e.payload).contact) for e in packets(put(clear, "contact-off@400:10"))]
    assert all((contact is Contact.NO) == (400 <= t < 410) for t, contact in changed)


def test_garbage_cannot_be_parsed_and_its_fault_holds_the_original(clear):
    changed = put(clear, "garbage:2%")
    unreadable = 0
    for event in packets(changed):
        try:
            parse(event.payload)
        except PayloadError:
            unreadable += 1
    lines = truth(changed, "garbage")
    assert 0 < unreadable <= len(lines)
    assert all(fault.detail.startswith("was 1") for fault in lines)


def test_a_swap_exchanges_two_straps(clear):
    other = read(OTHER)
    first, second = with_faults([clear, other], parse_faults(["swap@500"]), seed=1)
    assert [e for e in packets(first) if e.t < 500] == [e for e in packets(clear) if e.t < 500]
    assert [e for e in packets(first) if e.t >= 500] == [e for e in packets(other) if e.t >= 500]
    assert [e for e in packets(second) if e.t >= 500] == [e for e in packets(clear) if e.t >= 500]


def test_a_swap_may_name_a_file(clear):
    changed = put(clear, f"swap@500:{OTHER}")
    assert [e.payload for e in packets(changed) if e.t >= 500] == [e.payload for e in packets(read(OTHER)) if e.t >= 500]


def test_a_recording_with_faults_is_written_and_read_back(clear, tmp_path):
    changed = put(clear, "drop@120:15", "ectopic:2%", "garbage:1%")
    write(tmp_path / "r.jsonl", changed.header, list(changed.events))
    back = read(tmp_path / "r.jsonl")
    assert (back.header, back.events) == (changed.header, changed.events)


def grammar_markdown():
    """Return the grammar as a table in Markdown, for the documentation."""
    rows = "".join(f"| `{kind.example}` | {kind.what} |\n" for kind in KINDS.values())
    return f"| fault | what happens |\n| --- | --- |\n{rows}"


def test_the_page_of_faults_says_what_the_grammar_is():
    # the figures are `tests/analysis/test_figures_under_faults.py`'s
    figures = PAGE.read_text().partition("<!-- figures -->")[2].partition("<!-- /figures -->")[0] or "\n"
    text = (
        "# Fault injection\n\n"
        'Tests write this page (`RESTBEAT_UPDATE=1 make test ARGS="tests/sensors/recordings/test_fault_injection.py '
        'tests/analysis/test_figures_under_faults.py"`).\n\n'
        "`--fault` of `replay`, `demo` and `virtual-sensor` injects faults into a recording or a virtual strap. It may be given\n"
        "several times, and does the same for the same `--seed`. Each fault is noted in a line of the recording:\n"
        '`{"t": 120.0, "fault": {"kind": "drop", "until_s": 135.0, "count": 15}}`. Times and lengths are in s of the recording.\n'
        "A share may be limited to a span: `ectopic:2%@60:300`.\n\n"
        "    restbeat replay fixtures/polar-h10_simulated_clear.jsonl.gz --fault drop@120:15 --fault ectopic:2%\n\n"
        "With `--keep troubled.jsonl` the recording is also written as it is played, with the faults and their ground truth.\n\n"
        f"{grammar_markdown()}\n"
        "## Effect on the figures\n\n"
        "Each fault is injected into five simulated sessions of 20 min, which the whole of restbeat processes. “RMSSD error” is\n"
        "the largest deviation, in any phase of any of the five, from the RMSSD of the beats that the fault left. “Error, s” is\n"
        "the largest difference between lost and counted seconds in any of the five. The other columns are of `clear`. A fault\n"
        "that loses no beat loses no time.\n\n"
        f"<!-- figures -->{figures}<!-- /figures -->\n"
    )
    if os.environ.get("RESTBEAT_UPDATE"):
        PAGE.write_text(text)
    assert PAGE.read_text() == text, "run again with RESTBEAT_UPDATE=1"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("drop@1200:15", "after the end of what is played, at 1200 s"),
        ("double@3000", "after the end"),
        ("ectopic:2%@3000", "after the end"),
        ("garbage:0.01%", "its share is less than one"),
        ("missed:1%@60:5", "its share is less than one"),
        ("silence@10.2:0.1", "nothing of that kind"),
    ],
)
def test_a_fault_that_would_change_nothing_is_refused(text, why, clear):
    with pytest.raises(FaultError, match=why):
        put(clear, text)


def test_a_fault_that_another_leaves_nothing_to_change_is_accepted(clear):
    assert truth(put(clear, "drop@120:15", "silence@125:3"), "silence")[0].count == 0


def test_a_fault_after_the_end_of_one_of_two_recordings_is_recorded_in_the_other_alone(clear):
    minute = read(next(path for path in FIXTURES if "one-minute" in path.name))
    short, long = with_faults([minute, clear], parse_faults(["drop@120:15"]), seed=1)
    assert short.events == minute.events
    assert truth(long)


@pytest.mark.parametrize("text", ["drop@1190:60", "late@1190:60", "silence@1190:60", "no-rr@1190:60", "merge@1190:60"])
def test_no_fault_makes_a_recording_longer(text, clear):
    assert put(clear, text).events[-1].t == clear.events[-1].t
