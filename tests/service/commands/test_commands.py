"""The commands on files, as a person types them: their own process, their own data folder."""

import gzip
import json
from pathlib import Path
import subprocess
import sys

import numpy as np
import pytest

from restbeat.analysis.simulation.scenarios import SCENARIOS
from restbeat.service.storage.database import open_readonly

from ...analysis.beats.odd_straps import heart

FIXTURES = Path(__file__).parents[3] / "fixtures"
MINUTE = FIXTURES / "polar-h10_simulated_one-minute.jsonl"
HEADER = '{"format": "restbeat-recording", "version": 1}'
PHASE_KEYS = [
    *(
        "phase",
        "start_s",
        "end_s",
        "beats",
        "accepted_pct",
        "rhythm",
        "mean_hr_bpm",
        "mean_rr_ms",
        "rmssd_ms",
        "ln_rmssd",
        "sdnn_ms",
    ),
    *("pnn50_pct", "sd1_ms", "sd2_ms", "lf_ms2", "hf_ms2", "resp_per_min", "clean_segments"),
]
PACKETS = [
    json.dumps({"t": float(t), "char": "2a37", "hex": "1040" + (1009 + 30 * (t % 2)).to_bytes(2, "little").hex()})
    for t in range(1, 61)
]


@pytest.fixture
def restbeat(tmp_path):
    def run(*arguments, code=0):
        command = [sys.executable, "-m", "restbeat.web", *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False, timeout=120)
        assert done.returncode == code, done.stderr
        assert "Traceback" not in done.stderr
        return done

    return run


@pytest.fixture
def replayed(restbeat, tmp_path):
    def run(path):
        done = restbeat("replay", path, "--json", "--data", tmp_path / "data")
        return json.loads(done.stdout), done.stderr

    return run


def given(tmp_path, *lines, name="given.jsonl"):
    path = tmp_path / name
    path.write_text("\n".join(lines) + "\n")
    return path


def test_replay_prints_exactly_the_promised_object(replayed):
    figures, progress = replayed(MINUTE)
    assert list(figures) == ["recording", "device", "phases", "responses", "integrity", "algorithm"]
    assert figures["recording"] == MINUTE.name
    assert [phase["phase"] for phase in figures["phases"]] == ["baseline", "massage", "recovery"]
    assert all(list(phase) == PHASE_KEYS for phase in figures["phases"])
    assert [list(r) for r in figures["responses"]] == [["phase", "delta_ln_rmssd", "half_width", "percent", "class", "why"]] * 2
    assert [r["class"] for r in figures["responses"]] == ["insufficient", "insufficient"]
    assert all("24" in r["why"] for r in figures["responses"])
    assert list(figures["integrity"]) == ["packets", "beats", "rejected_beats", "gaps", "duplicate_packets", "lost_s"]
    assert "Playing" in progress


def test_replay_prints_a_table_and_stores_the_session(restbeat, tmp_path):
    first = restbeat("replay", MINUTE, "--data", tmp_path / "data")
    second = restbeat("replay", MINUTE, "--data", tmp_path / "data")
    assert "RMSSD" in first.stdout
    assert "session 1" in first.stdout
    assert "session 2" in second.stdout
    db = open_readonly(tmp_path / "data")
    assert db.execute("SELECT session, wording FROM consent").fetchall() == [(1, "imported"), (2, "imported")]
    db.close()


def test_a_paced_replay_gives_the_figures_of_a_flat_out_one(restbeat, tmp_path):
    flat, paced = (
        json.loads(restbeat("replay", MINUTE, "--json", "--data", tmp_path / "data", *speed).stdout)
        for speed in ((), ("--speed", 100))
    )
    assert flat == paced


def test_beats_of_a_phase_are_those_that_end_in_it(replayed, tmp_path):
    lines = [HEADER, '{"t": 0.5, "phase": "baseline"}', *PACKETS[:30], '{"t": 30.5, "phase": "massage"}', *PACKETS[30:]]
    figures, _ = replayed(given(tmp_path, *lines))
    settle, baseline, massage = figures["phases"]
    assert (settle["beats"], settle["end_s"], baseline["start_s"], massage["end_s"]) == (0, 0.5, 0.5, 60.0)
    assert baseline["beats"] + massage["beats"] == figures["integrity"]["beats"] == 60
    assert baseline["rmssd_ms"] == pytest.approx(30 * 1000 / 1024)


@pytest.mark.parametrize(
    "odd",
    [
        "no json",
        '{"t": 20.5, "char": "2a37", "hex": "10"}',
        '{"t": 20.5, "char": "2a37", "hex": "zz"}',
        '{"t": 20.5, "char": "beef", "hex": "00"}',
        '{"t": 3, "char": "2a37", "hex": "1046b603"}',
        '{"t": 20.5, "phase": "sauna"}',
        '{"t": 20.5, "char": "2a37"',
    ],
)
def test_a_malformed_line_is_a_warning_and_the_rest_is_kept(replayed, tmp_path, odd):
    figures, errors = replayed(given(tmp_path, HEADER, *PACKETS[:20], odd, *PACKETS[20:]))
    assert figures["integrity"]["beats"] == 60
    assert "Warning" in errors


@pytest.mark.parametrize("rr", [0, 1, 65535])
def test_an_impossible_interval_is_rejected_and_disturbs_nothing(replayed, tmp_path, rr):
    odd = json.dumps({"t": 20.5, "char": "2a37", "hex": "1046" + rr.to_bytes(2, "little").hex()})
    figures, _ = replayed(given(tmp_path, HEADER, *PACKETS[:20], odd, *PACKETS[20:]))
    (settle,) = figures["phases"]
    assert settle["rmssd_ms"] == pytest.approx(30 * 1000 / 1024, rel=0.02)
    assert figures["integrity"]["rejected_beats"] <= 3


def test_a_truncated_last_line_is_a_warning(replayed, tmp_path):
    path = given(tmp_path, HEADER, *PACKETS)
    path.write_bytes(path.read_bytes()[:-10])
    figures, errors = replayed(path)
    assert figures["integrity"]["beats"] == 59
    assert "cut off" in errors


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n",
        b"words\n",
        b"[]\n",
        HEADER.replace("1}", "2}").encode(),
        HEADER.encode(),
        gzip.compress(b"", mtime=0),
        b"\x1f\x8bbroken",
    ],
)
def test_where_nothing_can_be_computed_replay_says_so_and_exits_1(restbeat, tmp_path, content):
    path = tmp_path / "bad.jsonl"
    path.write_bytes(content)
    done = restbeat("replay", path, "--data", tmp_path / "data", code=1)
    assert done.stderr.startswith("restbeat: bad.jsonl")
    assert done.stdout == ""


def test_heart_rate_only_gives_the_heart_rate_and_says_why_no_more(replayed):
    figures, _ = replayed(FIXTURES / "verity-sense_simulated_optical.jsonl.gz")
    assert all(phase["mean_hr_bpm"] and phase["rmssd_ms"] is None for phase in figures["phases"])
    assert all("heart rate only" in response["why"] for response in figures["responses"])


def test_analyse_gives_the_fields_of_one_phase_and_the_duration(restbeat, tmp_path):
    text = given(tmp_path, *(str(812 + 30 * (n % 2)) for n in range(200)), name="rr.txt")
    figures = json.loads(restbeat("analyse", text, "--json").stdout)
    assert list(figures) == [*PHASE_KEYS, "duration_s", "source"]
    assert figures["rmssd_ms"] == pytest.approx(30)
    assert figures["duration_s"] == pytest.approx(165.4)
    assert figures["source"]["kind"] == "RR intervals"
    assert figures["source"]["unit"] == "ms"
    assert "RMSSD" in restbeat("analyse", text).stdout


def test_analyse_reads_a_recording_too(restbeat):
    figures = json.loads(restbeat("analyse", MINUTE, "--json").stdout)
    assert figures["beats"] == 63


def test_analyse_does_not_take_smoothed_intervals_for_beats(restbeat, tmp_path):
    header = HEADER.replace("1}", '1, "device": {"name": "Polar OH1 21A3F22B"}}')
    done = restbeat("analyse", given(tmp_path, header, *PACKETS), "--json")
    figures = json.loads(done.stdout)
    assert (figures["mean_hr_bpm"], figures["rmssd_ms"]) == (64, None)
    assert "heart rate only" in done.stderr


def test_analyse_withholds_hrv_of_plain_intervals_that_are_means_of_several_beats(restbeat, tmp_path):
    rr = 1000 * np.diff(heart(np.random.default_rng(1), bpm=66, rmssd_ms=55.0, end_s=900))
    means = np.convolve(rr, np.ones(8) / 8, "valid")
    done = restbeat("analyse", given(tmp_path, *(f"{one:.0f}" for one in means), name="rr.txt"), "--json")
    figures = json.loads(done.stdout)
    assert (figures["rmssd_ms"], figures["sdnn_ms"], figures["beats"]) == (None, None, means.size)
    assert figures["mean_hr_bpm"] == pytest.approx(60_000 / means.mean(), rel=0.001)
    assert "its intervals are means of about 8 beats" in done.stderr


def test_analyse_survives_impossible_intervals_and_words(restbeat, tmp_path):
    intervals = [str(812 + 30 * (n % 2)) for n in range(200)]
    text = given(tmp_path, "RR", *intervals[:100], "0", "70000", "oops", *intervals[100:], name="rr.txt")
    done = restbeat("analyse", text, "--json")
    assert json.loads(done.stdout)["rmssd_ms"] == pytest.approx(30, rel=0.02)
    assert done.stderr.count("Warning") == 1
    assert "1 of them left out" in done.stderr


def test_analyse_without_any_interval_exits_1(restbeat, tmp_path):
    assert "no RR interval" in restbeat("analyse", given(tmp_path, "words", name="rr.txt"), code=1).stderr


def test_simulate_writes_a_recording_with_its_truth_that_replays(restbeat, replayed, tmp_path):
    out = tmp_path / "clear.jsonl"
    restbeat("simulate", "--scenario", "clear", "--seed", "3", "--minutes", "1,1,1", "--out", out)
    again = restbeat("simulate", "--scenario", "none", "--minutes", "1,1,1", "--out", out, code=1)
    assert "is there already and was left as it is" in again.stderr
    truth = json.loads(out.read_text().splitlines()[0])["truth"]
    figures, _ = replayed(out)
    assert truth["scenario"] == "clear"
    assert [phase["end_s"] for phase in figures["phases"]] == [60, 120, 180]
    restbeat("simulate", "--scenario", "none", "--minutes", "1,1,1", "--out", out, "--force")
    assert json.loads(out.read_text().splitlines()[0])["truth"]["scenario"] == "none"


@pytest.mark.parametrize(
    "arguments",
    [
        ["replay"],
        ["replay", "none.jsonl"],
        ["replay", str(MINUTE), "--speed", "0"],
        ["simulate", "--scenario", "clear", "--out", "x.jsonl", "--minutes", "1,2"],
        ["sing"],
        ["serve", "--port", "70000"],
        ["serve", "--bench-folder", "."],
    ],
)
def test_wrong_usage_exits_2(restbeat, arguments):
    assert "Usage" in restbeat(*arguments, code=2).stderr


def test_an_unknown_scenario_is_refused_with_the_list_of_scenarios(restbeat, tmp_path):
    done = restbeat("simulate", "--scenario", "sauna", "--out", tmp_path / "x.jsonl", code=2)
    assert all(scenario in done.stderr for scenario in SCENARIOS)


def test_a_place_that_cannot_be_written_is_said(restbeat, tmp_path):
    (tmp_path / "file").touch()
    done = restbeat("simulate", "--scenario", "clear", "--minutes", "1,1,1", "--out", tmp_path / "file" / "x.jsonl", code=1)
    assert "could not be written" in done.stderr
    done = restbeat("replay", MINUTE, "--data", tmp_path / "file", code=1)
    assert "--data" in done.stderr
