"""What each fault does to the figures: nothing where no true beat is lost, and the truth as far as beats survive."""

from pathlib import Path

import pytest

from restbeat.analysis.session import summarise
from restbeat.analysis.simulate import simulate
from restbeat.sensors.fault_grammar import parse_faults
from restbeat.sensors.faults import with_faults
from restbeat.sensors.heart_rate import parse
from restbeat.sensors.recording import HEART_RATE, Packet, Recording, read

FIXTURES = Path(__file__).parents[2] / "fixtures"
NAMES = ("clear", "none", "opposite", "sleepy", "slow-breathing")
HARMLESS = ("double@0", "double@300", "double@400:200", "late@60:4", "late@400:10", "late@320:2", "double@100,late@500:4")
LOSING = ("drop@120:15", "silence@200:20", "no-rr@390:30", "contact-off@400:10", "garbage:0.5%", "drop@350:5,silence@700:40")
SEEDS = (3, 8, 21)


def fixture(name):
    return read(next(FIXTURES.glob(f"*simulated_{name}.*")))


def simulated(seed):
    header, events = simulate("clear", seed=seed, minutes=(5, 10, 5))
    return Recording(header, tuple(events))


def report(recording, *texts, seed=1):
    (troubled,) = with_faults([recording], parse_faults(texts), seed=seed)
    return summarise("fault", troubled.header, troubled.events)


def beats_s(recording):
    """All beats that were sent, in s."""
    heard = (parse(event.payload) for event in recording.events if isinstance(event, Packet) and event.char == HEART_RATE)
    return sum(sum(measurement.rr_1024) for measurement in heard) / 1024


def rmssd(one):
    return {phase.phase: phase.rmssd_ms for phase in one.figures.phases}


@pytest.mark.parametrize("fault", HARMLESS)
@pytest.mark.parametrize("name", NAMES)
def test_a_fault_that_loses_no_beat_moves_no_rmssd(name, fault):
    whole, troubled = report(fixture(name)), report(fixture(name), fault)
    assert rmssd(troubled) == pytest.approx(rmssd(whole), rel=0.01)
    assert troubled.figures.integrity.lost_s == pytest.approx(whole.figures.integrity.lost_s, abs=1)


@pytest.mark.parametrize("fault", LOSING)
@pytest.mark.parametrize("name", NAMES)
def test_a_fault_that_loses_beats_leaves_the_truth_of_the_others(name, fault):
    whole, troubled = report(fixture(name)), report(fixture(name), fault)
    assert rmssd(troubled) == pytest.approx(rmssd(whole), rel=0.08)


@pytest.mark.parametrize("fault", ["ectopic:2%", "missed:1%", "extra:1%"])
@pytest.mark.parametrize("name", NAMES)
def test_beats_that_are_wrong_are_left_out(name, fault):
    for seed in (1, 2):
        whole, troubled = report(fixture(name)), report(fixture(name), fault, seed=seed)
        assert troubled.figures.integrity.rejected_beats > 0
        assert rmssd(troubled) == pytest.approx(rmssd(whole), rel=0.08)


@pytest.mark.parametrize("name", NAMES)
def test_two_straps_on_one_stream_are_no_figure_that_looks_normal(name):
    whole, troubled = report(fixture(name)), report(fixture(name), "merge@310:240")
    massage = next(phase for phase in troubled.figures.phases if phase.phase == "massage")
    assert troubled.stream.two_straps_beats > 150
    assert massage.rmssd_ms is None or massage.rmssd_ms == pytest.approx(rmssd(whole)["massage"], rel=0.15)


@pytest.mark.parametrize("seconds", [2, 3, 5, 8, 15, 25, 40])
@pytest.mark.parametrize("kind", ["drop", "silence"])
@pytest.mark.parametrize("seed", SEEDS)
def test_lost_seconds_are_counted_to_a_second(seed, kind, seconds):
    recording = simulated(seed)
    for at in (130.4, 471.0, 905.7):
        (troubled,) = with_faults([recording], parse_faults([f"{kind}@{at}:{seconds}"]), seed=1)
        lost_s = summarise("fault", troubled.header, troubled.events).figures.integrity.lost_s
        assert lost_s == pytest.approx(beats_s(recording) - beats_s(troubled), abs=1.0), (at, lost_s)
        assert lost_s == pytest.approx(seconds, abs=1.2), (at, lost_s)
