import msgspec
import pytest

from restbeat.analysis.figures import Integrity, PhaseFigures, ResponseFigures, SessionFigures
from restbeat.analysis.golden_figures import differences

BASELINE = PhaseFigures(phase="baseline", start_s=0.0, end_s=300.0, beats=324, rmssd_ms=40.0, hf_ms2=850.0, accepted_pct=100.0)
MASSAGE = ResponseFigures(phase="massage", delta_ln_rmssd=0.5, half_width=0.3, percent=64.9, class_="clear", why="Higher.")
GOLDEN = SessionFigures(
    recording="x",
    device={"name": "H10"},
    phases=[BASELINE],
    responses=[MASSAGE],
    integrity=Integrity(packets=300, beats=324, lost_s=2.0),
)


def changed(**parts):
    phases = [msgspec.structs.replace(BASELINE, **parts.pop("baseline", {}))]
    responses = [msgspec.structs.replace(MASSAGE, **parts.pop("massage", {}))]
    return msgspec.structs.replace(GOLDEN, phases=phases, responses=responses, **parts)


def test_equal_figures_do_not_differ_even_after_json():
    assert differences(msgspec.json.decode(msgspec.json.encode(GOLDEN), type=SessionFigures), GOLDEN) == []


@pytest.mark.parametrize(
    "parts",
    [
        {"baseline": {"rmssd_ms": 40.00001}},
        {"baseline": {"hf_ms2": 850.5}},
        {"massage": {"delta_ln_rmssd": 0.50005, "percent": 64.93}},
        {"integrity": Integrity(packets=300, beats=324, lost_s=2.005)},
    ],
)
def test_a_figure_within_its_tolerance_does_not_differ(parts):
    assert differences(GOLDEN, changed(**parts)) == []


@pytest.mark.parametrize(
    ("parts", "field"),
    [
        ({"baseline": {"rmssd_ms": 40.001}}, "baseline.rmssd_ms"),
        ({"baseline": {"rmssd_ms": None}}, "baseline.rmssd_ms"),
        ({"baseline": {"hf_ms2": 852.0}}, "baseline.hf_ms2"),
        ({"baseline": {"beats": 323}}, "baseline.beats"),
        ({"massage": {"class_": "slight"}}, "response to massage.class"),
        ({"massage": {"why": "Lower."}}, "response to massage.why"),
        ({"integrity": Integrity(packets=301, beats=324, lost_s=2.0)}, "integrity.packets"),
        ({"device": {"name": "H9"}}, "device.name"),
        ({"algorithm": "restbeat-0"}, "algorithm"),
    ],
)
def test_a_figure_beyond_its_tolerance_is_named_with_both_values(parts, field):
    assert [difference.field for difference in differences(GOLDEN, changed(**parts))] == [field]


def test_a_missing_phase_is_reported_in_all_its_fields():
    found = differences(GOLDEN, msgspec.structs.replace(GOLDEN, phases=[]))
    assert found[0] == ("phases", ["baseline"], [])
    assert ("baseline.beats", 324, None) in found
