from dataclasses import replace
from itertools import pairwise
import math

import numpy as np
import pytest

from restbeat.analysis.errors import AnalysisError
from restbeat.analysis.simulation.heart_model import HeartState, rmssd_by_formula, simulate_heart
from restbeat.analysis.simulation.labelled_faults import with_artifacts, with_duplicate_packets
from restbeat.analysis.simulation.scenarios import SCENARIOS, simulate
from restbeat.analysis.simulation.strap_packets import simulate_packets
from restbeat.sensors.model import Contact, Phase
from restbeat.sensors.protocols.heart_rate import parse
from restbeat.sensors.recordings.recording import HEART_RATE, ConnectionEvent, Header, Packet, PhaseStart, dump, read, write

CHOMPOOPAN_BEFORE = HeartState(rr_s=0.80, hf_amplitude=0.0377, lf_amplitude=0.02, breathing_hz=0.25)
CHOMPOOPAN_AFTER = replace(CHOMPOOPAN_BEFORE, hf_amplitude=0.0546)


def packets(events):
    return [(event.t, parse(event.payload)) for event in events if isinstance(event, Packet) and event.char == HEART_RATE]


def rr_ms(events):
    return np.array([rr for _, measured in packets(events) for rr in measured.rr_1024]) * 1000 / 1024


def rmssd(intervals):
    return math.sqrt(float(np.mean(np.diff(intervals) ** 2)))


def truth(scenario="none", **options):
    return simulate(scenario, **{"seed": 1, "minutes": (5, 5, 5)} | options)[0].extra["truth"]


@pytest.mark.parametrize(("state", "published_ms"), [(CHOMPOOPAN_BEFORE, 24.23), (CHOMPOOPAN_AFTER, 34.49)])
def test_formula_and_beats_reproduce_the_published_change_after_thai_massage(state, published_ms):
    assert rmssd_by_formula(state) == pytest.approx(published_ms, rel=0.002)
    heart = simulate_heart([(0.0, state)], 1200.0, np.random.default_rng(1), tau_s=150.0, drift_sd=0.0)
    assert rmssd(np.diff(heart.beats_s) * 1000) == pytest.approx(published_ms, rel=0.02)


@pytest.mark.parametrize("scenario", ["clear", "none", "opposite", "sleepy", "slow-breathing"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_packets_have_the_rmssd_of_the_formula_without_drift(scenario, seed):
    header, events = simulate(scenario, seed=seed, minutes=(10, 20, 10), drift=False)
    phases = header.extra["truth"]["phases"]
    for phase in phases:
        assert phase["rmssd_ms"] == pytest.approx(phase["rmssd_formula_ms"], rel=0.03)
    assert rmssd(rr_ms(events)[: phases[0]["beats"]]) == pytest.approx(phases[0]["rmssd_formula_ms"], rel=0.03)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_seed_determines_every_byte(scenario):
    first, again, other = (dump(*simulate(scenario, seed=seed, minutes=(1, 2, 1))) for seed in (5, 5, 6))
    assert first == again
    assert first != other


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_written_simulation_is_read_back_without_a_warning(scenario, tmp_path):
    header, events = simulate(scenario, seed=2, minutes=(1, 2, 1))
    write(tmp_path / "x.jsonl", header, events)
    recording = read(tmp_path / "x.jsonl")
    assert recording.warnings == ()
    assert recording.events == tuple(events)
    assert recording.header == header


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_truth_counts_packets_and_beats(scenario):
    header, events = simulate(scenario, seed=3, minutes=(2, 5, 2))
    known = header.extra["truth"]
    assert known["packets"] == len(packets(events))
    assert known["beats_sent"] == rr_ms(events).size
    assert [event for event in events if isinstance(event, PhaseStart)] == [
        PhaseStart(0.0, Phase.BASELINE),
        PhaseStart(120.0, Phase.MASSAGE),
        PhaseStart(420.0, Phase.RECOVERY),
        PhaseStart(540.0, Phase.ENDED),
    ]
    if scenario not in {"noisy", "optical"}:
        true_beats = sum(phase["beats"] for phase in known["phases"])
        assert 0 <= true_beats - known["beats_sent"] <= 3  # the last ones ended after the last packet


def test_packets_come_once_a_second_and_hold_only_completed_beats():
    _, events = simulate("none", seed=4, minutes=(5, 5, 5))
    sent = packets(events)
    assert {round(later[0] - earlier[0]) for earlier, later in pairwise(sent)} == {1}
    assert {len(measured.rr_1024) for _, measured in sent} == {1, 2}
    assert {measured.contact for _, measured in sent} == {Contact.NOT_REPORTED}
    until = 0.0
    for t, measured in sent:
        until += sum(measured.rr_1024) / 1024
        assert until - 1.5 < t  # the first interval began up to 1.5 s before the recording
    assert until == pytest.approx(sent[-1][0], abs=2.5)


def test_a_second_without_a_beat_has_a_packet_without_intervals():
    sent = packets(simulate_packets(np.arange(40) * 1.3, 40.0, np.random.default_rng(0)).packets)
    assert {(measured.rr_flag, len(measured.rr_1024)) for _, measured in sent} == {(True, 1), (False, 0)}
    assert len(sent) == 39


def test_rounding_errors_do_not_add_up():
    beats_s = np.arange(4000) * (0.9 + 0.49 / 1024)
    sent = simulate_packets(beats_s, 3600.0, np.random.default_rng(0))
    total = sum(rr for _, measured in packets(sent.packets) for rr in measured.rr_1024)
    assert total / 1024 == pytest.approx(beats_s[sent.beats[-1]] - beats_s[sent.beats[0] - 1], abs=1 / 1024)


def test_an_optical_sensor_sends_heart_rate_and_contact_but_no_intervals():
    _, events = simulate("optical", seed=1, minutes=(1, 1, 1))
    measured = [m for _, m in packets(events)]
    assert {(m.rr_flag, m.rr_1024, m.contact) for m in measured} == {(False, (), Contact.YES)}
    assert all(40 < m.hr_bpm < 120 for m in measured)


def test_a_noisy_session_labels_each_artifact_at_its_interval():
    header, events = simulate("noisy", seed=6, minutes=(5, 10, 5))
    artifacts = header.extra["truth"]["artifacts"]
    assert {a["kind"] for a in artifacts} == {"missed", "extra", "ectopic"}
    (lost, back) = [event for event in events if isinstance(event, ConnectionEvent)]
    assert (lost.up, back.up) == (False, True)
    assert back.t - lost.t == header.extra["truth"]["lost_s"] == 35.0
    assert not [t for t, _ in packets(events) if lost.t <= t < back.t]
    before = [a for a in artifacts if a["t"] < lost.t - 3]
    intervals = rr_ms([event for event in events if event.t < lost.t])
    ends = np.cumsum(intervals) / 1000
    ends += before[0]["t"] - ends[np.argmin(np.abs(ends - before[0]["t"]))]
    for artifact in before:
        k = int(np.argmin(np.abs(ends - artifact["t"])))
        ratio = intervals[k] / np.median(intervals)
        assert 1.5 < ratio < 2.6 if artifact["kind"] == "missed" else ratio < 0.9, artifact


def test_missed_extra_and_ectopic_beats_keep_the_total_time():
    beats_s = np.arange(500) * 0.9
    for kind, change in (("missed", -5), ("extra", 5), ("ectopic", 0)):
        labelled = with_artifacts(beats_s, np.random.default_rng(1), shares={kind: 0.01})
        assert len(labelled.artifacts) == 5
        assert labelled.beats_s.size == 500 + change
        assert labelled.beats_s[-1] == beats_s[-1]
        assert np.all(np.diff(labelled.beats_s) > 0)


def test_only_heart_rate_packets_are_duplicated_and_in_order():
    _, events = simulate("none", seed=1, minutes=(1, 1, 1))
    twice = with_duplicate_packets(events, from_s=60.0)
    late = sum(t >= 60.0 for t, _ in packets(events))
    assert len(twice) == len(events) + late
    assert all(a.t <= b.t for a, b in pairwise(twice))
    assert isinstance(twice[-1], PhaseStart)


def test_scenarios_change_the_heart_as_their_names_say():
    none, clear, opposite = (truth(name, drift=False)["phases"] for name in ("none", "clear", "opposite"))
    slow, sleepy = (truth(name, drift=False)["phases"] for name in ("slow-breathing", "sleepy"))
    assert none[1]["rmssd_formula_ms"] == pytest.approx(none[0]["rmssd_formula_ms"], rel=0.01)
    assert clear[1]["rmssd_formula_ms"] > 1.4 * clear[0]["rmssd_formula_ms"]
    assert opposite[1]["rmssd_formula_ms"] < 0.8 * opposite[0]["rmssd_formula_ms"]
    assert slow[1]["resp_per_min"] < slow[0]["resp_per_min"] - 2
    assert sleepy[1]["mean_rr_ms"] > 1.03 * sleepy[0]["mean_rr_ms"]


def test_a_session_too_short_for_a_response_class_expects_insufficient():
    assert truth("clear")["expected"] == {"massage": ["clear"]}
    assert truth("clear", minutes=(2, 3, 1))["expected"] == {"massage": ["insufficient"]}


def test_changes_come_slowly():
    states = [(0.0, CHOMPOOPAN_BEFORE), (300.0, CHOMPOOPAN_AFTER)]
    heart = simulate_heart(states, 900.0, np.random.default_rng(1), tau_s=150.0, drift_sd=0.0)

    def at(t):
        return heart.rmssd_ms[np.searchsorted(heart.grid_s, t)]

    assert at(300.0) == pytest.approx(24.23, rel=0.01)
    assert at(300.0 + 150.0) == pytest.approx(24.23 * (34.49 / 24.23) ** 0.632, rel=0.02)
    assert at(890.0) == pytest.approx(34.49, rel=0.02)


def test_rmssd_cannot_fall_below_that_of_the_slow_tone():
    state = CHOMPOOPAN_BEFORE.with_rmssd(1.0)
    assert 0 < state.hf_amplitude < 0.002
    assert rmssd_by_formula(CHOMPOOPAN_BEFORE.with_rmssd(40.0)) == pytest.approx(40.0)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"scenario": "bliss"}, "no scenario 'bliss'; there are clear, none, opposite"),
        ({"seed": -1}, "seed -1 is no whole number"),
        ({"seed": 1.5}, "seed 1.5 is no whole number"),
        ({"minutes": (5, 0, 5)}, "three numbers above 0"),
        ({"minutes": (5, math.nan, 5)}, "three numbers above 0"),
        ({"minutes": (5, 5)}, "three numbers above 0"),
        ({"minutes": (5, 5000, 5)}, "up to 240"),
    ],
)
def test_invalid_arguments_raise_an_error_with_a_sentence(arguments, sentence):
    with pytest.raises(AnalysisError, match=sentence):
        simulate(**{"scenario": "none", "seed": 1, "minutes": (5, 5, 5)} | arguments)


def test_the_header_says_that_the_client_is_simulated():
    header, _ = simulate("none", seed=9, minutes=(1, 1, 1))
    assert isinstance(header, Header)
    assert header.client == "simulated-9"
    assert "simulated" in header.device.name
    assert header.licence == "CC0-1.0"
