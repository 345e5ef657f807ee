"""Quirks of real straps and Bluetooth stacks, the remedy in restbeat, and the test that fails without it.

Each row names a test and an edit that takes the remedy away; the edited copy of the project must fail that test. The rows
and the table of known straps are in docs/straps.md, which these tests compare with the code (RESTBEAT_UPDATE=1 rewrites it).
"""

from dataclasses import dataclass, replace
from functools import cache
import os
from pathlib import Path
import shutil
import subprocess
import sys

import numpy as np
import pytest

from restbeat.analysis.hrv.time_domain import numpy_time_domain
from restbeat.analysis.session_report import summarise
from restbeat.sensors.bluetooth import connection, error_messages as trouble, reconnect
from restbeat.sensors.model import Phase
from restbeat.sensors.protocols.known_devices import Rr, busy_hint, known_devices, known_names
from restbeat.sensors.recordings.recording import PhaseStart
from restbeat.sensors.source import ConnectionState
from restbeat.service.rooms.room import _SIGNAL_OF_CONNECTION

from ..analysis.beats.odd_straps import LEAD_S, PHASE_S, OddStrap, heart, stream
from .bluetooth.test_reconnect_states import FOLLOWS

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "straps.md"
CONNECTION, CLOCK, RECONNECT = (
    "tests/sensors/bluetooth/test_connection.py",
    "tests/sensors/test_beat_clock.py",
    "tests/sensors/bluetooth/test_reconnect.py",
)
LIVE, ROOM = "tests/analysis/live/test_live_session.py", "tests/service/rooms/test_room.py"


@dataclass(frozen=True)
class Row:
    """A quirk: what is seen, where, what restbeat does, its test, and (file, text, text without the remedy)."""

    seen: str
    where: str
    remedy: str
    test: str
    edit: tuple[str, str, str]


ROWS = (
    Row(
        "About one packet a second with none to several RR, up to 4 s old",
        "polar-ble-sdk #80, #169, #227, #356",
        "beat times come from the RR sum; arrival times only anchor it",
        f"{CLOCK}::test_a_whole_stream_gives_every_beat_at_its_time_and_no_gap",
        ("sensors/beat_clock.py", "self._newest = max(self._newest, self._offset)", "self._newest = t"),
    ),
    Row(
        "The first packets are 3–4 s old, the next are not",
        "polar-ble-sdk #227",
        "the anchor moves back; that alone does not count as a second strap",
        f"{CLOCK}::test_a_strap_whose_first_packets_are_four_seconds_old_is_still_one_strap",
        ("sensors/beat_clock.py", "_SETTLING_S, _CROWDED_EARLY_S = 30.0, 6.0", "_SETTLING_S, _CROWDED_EARLY_S = 0.0, 0.0"),
    ),
    Row(
        "After a connection loss every notification comes twice",
        "bleak #2002",
        "the lost client is disconnected before the next connects",
        f"{CONNECTION}::test_a_lost_connection_is_marked_and_nothing_is_doubled_after_it",
        ("sensors/bluetooth/connection.py", "await client.disconnect()", "pass"),
    ),
    Row(
        "Notifications still come twice",
        "bleak #2002",
        "a payload repeated at once, ahead of the clock, is counted and ignored",
        f"{CLOCK}::test_doubled_packets_change_nothing_but_their_count",
        ("sensors/beat_clock.py", "if since >= _DOUBLE_LATEST_S:", "if True:"),
    ),
    Row(
        "Connected but silent; or bluetoothd is gone without a callback",
        "bleak-retry-connector #228",
        "a watchdog on data, never on `is_connected`",
        f"{CONNECTION}::test_silence_is_noticed_and_the_stream_recovers",
        (
            "sensors/bluetooth/reconnect.py",
            "due_s = stream.last_s + silent_after_s * (2 if stream.silent else 1)",
            "due_s = clock.now() + 1e9",
        ),
    ),
    Row(
        "A strap sends a thousand packets a second",
        "a strap that is broken, or made to harm",
        "what is beyond several times a strap’s rates is left out before it is stored, and told as a gap",
        "tests/sensors/bluetooth/test_packet_limit.py::test_what_was_left_out_is_told_as_a_hint_a_count_and_a_gap",
        ("sensors/bluetooth/packet_limit.py", "if all(room) and size <= LONGEST_PAYLOAD:", "if True:"),
    ),
    Row(
        "Thousands of devices say that they are straps",
        "a crowd, or one radio that is made to harm",
        "the hundred nearest are listed, at a cost that does not depend on their number",
        "tests/sensors/bluetooth/test_nearest.py::test_of_five_thousand_a_watch_keeps_a_hundred_and_the_strap_that_is_near",
        ("sensors/bluetooth/nearest.py", "elif len(self) >= self._most and not self._make_room(tier, now_s):", "elif False:"),
    ),
    Row(
        "A strap does not advertise the heart rate service",
        "OpenTracks #447, InfiniTime #895",
        "it is found by its name, or opened by its address; whether it measures heart rate shows when it is connected",
        "tests/sensors/bluetooth/test_unlisted_straps.py::test_a_strap_that_does_not_say_so_is_found_by_its_name_and_streams",
        (
            "sensors/bluetooth/scanner.py",
            "return self.heart_rate_service or is_sensor_name(self.name)",
            "return self.heart_rate_service",
        ),
    ),
    Row(
        "A device that looks like a strap has no heart rate service",
        "watches, and straps switched off in their app",
        "it is told so in a sentence once it is connected",
        "tests/sensors/bluetooth/test_unlisted_straps.py::test_a_device_without_heart_rate_is_told_so_in_a_sentence",
        ("sensors/bluetooth/connection.py", "raise ConnectError(NO_HEART_RATE)", "pass"),
    ),
    Row(
        "A sensor notifies only when the heart rate changes",
        "PineTime #7, VRCOSC #101",
        "its cadence is learnt: it is neither called silent nor connected anew",
        f"{RECONNECT}::test_a_strap_that_notifies_only_on_a_change_is_dropped_once_and_then_its_cadence_is_known",
        ("sensors/bluetooth/reconnect.py", " * 2.0 ** min(self.dropped_silent, _MOST_DOUBLINGS)", ""),
    ),
    Row(
        "A strap comes back under another address, or is changed for another",
        "qdomyos-zwift #942",
        "the running session goes on with another strap: a gap, a mark, and what it sends judged by itself",
        "tests/service/rooms/test_change_strap.py::test_after_a_crash_the_session_goes_on_with_its_newest_strap",
        (
            "service/sessions/session_store.py",
            'address=newest[1] if newest else row["strap_address"],',
            'address=row["strap_address"],',
        ),
    ),
    Row(
        "A connection that comes up and drops, again and again",
        "seen with weak batteries",
        "the back-off starts afresh only after stable data",
        f"{RECONNECT}::test_connections_that_drop_at_once_are_retried_ever_more_slowly_and_a_stable_one_quickly",
        (
            "sensors/bluetooth/reconnect.py",
            "attempts = 0 if stream.was_stable(timing.stable_after_s) else attempts + 1",
            "attempts = 0",
        ),
    ),
    Row(
        "An H10 has no contact bit",
        "polar-ble-sdk #470, #691",
        "absent is not “no contact”",
        "tests/sensors/protocols/test_heart_rate.py::test_contact_that_is_not_reported_is_not_no_contact",
        ("sensors/protocols/heart_rate.py", "return Contact.NOT_REPORTED", "return Contact.NO"),
    ),
    Row(
        "Values of a strap off the body are wrong",
        "polar-ble-sdk #447",
        "beats measured without skin contact enter no figure",
        f"{LIVE}::test_beats_that_a_strap_counted_off_the_body_reach_no_figure",
        ("analysis/beats/beat_stream.py", "return NO_CONTACT if self.trust_contact", "return None if self.trust_contact"),
    ),
    Row(
        "Contact bits of optical sensors are unreliable",
        "polar-ble-sdk #691",
        "the table of straps lists them",
        f"{LIVE}::test_a_strap_known_to_tell_contact_wrongly_is_not_believed",
        ("analysis/beats/beat_stream.py", "NO_CONTACT if self.trust_contact and", "NO_CONTACT if"),
    ),
    Row(
        "An OH1 smooths its RR",
        "OpenHRV #3",
        "smoothed intervals are not used as beats: heart rate only – no HRV",
        f"{ROOM}::test_smoothed_intervals_are_no_beats",
        ("sensors/protocols/known_devices.py", "return self.rr is Rr.YES", "return True"),
    ),
    Row(
        "A Verity Sense sends no RR",
        "OpenHRV #3, polar-ble-sdk #386",
        "“heart rate only – no HRV” from the first packet on",
        f"{ROOM}::test_an_optical_sensor_is_heart_rate_only_from_its_first_packet",
        (
            "analysis/live/live_session.py",
            "(not stream.trust_rr or stream.heartbeats >= enough)",
            "stream.clock.packets >= _ENOUGH_PACKETS",
        ),
    ),
    Row(
        "The second connection of an H10 is off as delivered",
        "polar-ble-sdk #164, #170",
        "a hint that another app may hold the strap, and where to switch the second on",
        "tests/sensors/protocols/test_known_devices.py::test_an_h10_has_no_contact_bit_and_its_second_connection_is_off",
        ("sensors/protocols/known_devices.py", "return None if row is None or row.slots is None else row.quirk", "return None"),
    ),
    Row(
        "A dropped packet inflates RMSSD",
        "every stack",
        "the gap is detected in the RR sum; no difference is taken across it",
        f"{CLOCK}::test_every_lost_packet_is_a_gap_with_its_seconds",
        ("sensors/beat_clock.py", "if gap and pending and self._last_end is not None:", "if False:"),
    ),
    Row(
        "A dropped packet also inflates the live RMSSD",
        "every stack",
        "no difference of the live window crosses a gap",
        f"{LIVE}::test_lost_packets_leave_the_live_rmssd_as_it_was",
        ("analysis/beats/beat_stream.py", "gap=beat.gap_before or doubt != self._distrusted", "gap=doubt != self._distrusted"),
    ),
    Row(
        "Two straps on one stream give a number that looks normal",
        "two notifications, one handler",
        "more beats than fit in the time: they are rejected, with a message",
        f"{LIVE}::test_two_straps_on_one_stream_leave_no_figure",
        ("analysis/beats/beat_stream.py", "if self.clock.crowded:", "if False:"),
    ),
    Row(
        "The system bus allows a user 256 connections and closes the next",
        "dbus-daemon",
        "the cause is reported, and the connection tried again",
        "tests/sensors/dbus/test_connection_limit.py",
        ("sensors/bluetooth/error_messages.py", "if isinstance(error, EOFError):", "if False:"),
    ),
    Row(
        "AcquireNotify broke some straps",
        "bleak #1942",
        "StartNotify unless configured otherwise",
        f"{CONNECTION}::test_start_notify_is_used_unless_acquire_notify_is_asked_for",
        (
            "sensors/bluetooth/connection.py",
            '"use_start_notify": not self._acquire_notify',
            '"use_start_notify": self._acquire_notify',
        ),
    ),
    Row(
        "A Polar strap whose streams are not stopped stays on",
        "Polar Measurement Data specification",
        "each started stream is stopped before disconnecting",
        "tests/sensors/bluetooth/test_polar_streams.py::test_ecg_and_acceleration_arrive_as_they_were_sent_and_are_stopped_on_leaving",
        ("sensors/bluetooth/connection.py", "            await self._polar.stop()", "            pass"),
    ),
    Row(
        "A strap stops sending RR but still sends heart rate",
        "seen with dry electrodes",
        "no figures from old beats, and the signal is not shown as good",
        f"{ROOM}::test_heart_rate_without_beats_is_no_good_signal",
        ("service/rooms/room.py", "if figures.beats_missing:", "if False:"),
    ),
)


H10 = "Polar H10 A1B2C3D4"
HINTS = (
    ("not heard: out of range, dry, or busy", connection.NOT_HEARD, "test_outages.py[range]"),
    (
        "an H10 that was heard before, or refuses",
        busy_hint(H10),
        "test_an_h10_that_went_off_the_air_may_be_in_use_by_another_app",
    ),
    (
        "refuses, or does not answer",
        trouble.connect_error_text(TimeoutError()),
        "test_a_strap_that_refuses_is_retried_until_it_connects",
    ),
    ("the connection broke", reconnect.LOST_HINT, "test_outages.py[connection]"),
    ("connected, but silent", reconnect.SILENT_HINT, "test_outages.py[silence]"),
    ("the adapter is gone", trouble._NO_ADAPTER, "test_outages.py[adapter]"),
    ("Bluetooth is switched off", trouble._SWITCHED_OFF, "test_outages.py[power]"),
    ("no Bluetooth service", trouble._NO_SERVICE, "test_a_bus_without_bluez_is_reported_in_a_sentence"),
    ("no right to use it", trouble.NOT_ALLOWED, "test_a_user_without_permission_for_bluetooth_is_told_so"),
    ("too many connections on the bus", trouble._CUT_OFF, "test_connection_limit.py"),
    (
        "battery at 15 % or less",
        "The strap’s battery is at 12 %. Change it before the next session.",
        "test_a_low_battery_is_shown_while_the_signal_is_good",
    ),
)
"""Each hint: when it appears, its text, and the test that shows it."""


def connection_table():
    seen = {state: text for state, (_, text) in _SIGNAL_OF_CONNECTION.items()} | {
        ConnectionState.STREAMING: "how good the signal is"
    }
    after = {state: ", ".join(one.value for one in ConnectionState if one in FOLLOWS[state]) for state in ConnectionState}
    states = "".join(f"| {state.value} | {seen[state]} | {after[state] or '–'} |\n" for state in ConnectionState)
    hints = "".join(f"| {when} | {hint} | `{test}` |\n" for when, hint, test in HINTS)
    return (
        "| state | the therapist sees | may become |\n| --- | --- | --- |\n"
        f"{states}\n"
        "Beside a state without data, the page shows for how long it has had none. The hint below it depends on the cause:\n\n"
        f"| when | hint | shown by |\n| --- | --- | --- |\n{hints}"
    )


def table_markdown():
    """Return the table in Markdown, for the documentation."""
    head = (
        "sensor",
        "kind",
        "RR",
        "unit",
        "step",
        "sends every",
        "contact",
        "connections",
        "age of RR on arrival",
        "notes",
        "source",
    )
    rows = [
        (
            row.model,
            row.kind.value,
            row.rr.value,
            "–" if row.rr is Rr.NO else "ms, converted" if row.rr_in_ms else "1/1024 s",
            f"{row.rr_step_ms:g} ms" if row.rr_step_ms else "–",
            f"{row.packet_s:g} s" if row.packet_s else "–",
            row.contact.value if row.contact else "–",
            str(row.slots or "–"),
            f"{row.latency_s:g} s" if row.latency_s else "–",
            row.quirk or "",
            row.source,
        )
        for row in known_devices()
    ]
    lines = [head, ("---",) * len(head), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


PLAIN = OddStrap()
WAYS = (
    ("as the standard asks, once a second", PLAIN),
    ("RR in ms, of a strap that no table lists", replace(PLAIN, unit=1000)),
    *((f"RR in steps of {1000 / grid:.3g} ms", replace(PLAIN, grid=grid)) for grid in (256, 200, 128, 125, 100)),
    ("a clock that runs 500 ppm fast", replace(PLAIN, drift=5e-4)),
    ("a clock that runs 500 ppm slow", replace(PLAIN, drift=-5e-4)),
    *((f"a packet every {every_s:g} s", replace(PLAIN, every_s=every_s)) for every_s in (0.2, 0.5, 2.0, 5.0)),
    ("packets up to 0.5 s late", replace(PLAIN, jitter_s=0.5)),
    ("steps of 7.81 ms, 500 ppm fast, every 2 s, up to 0.5 s late", OddStrap(every_s=2.0, jitter_s=0.5, grid=128, drift=5e-4)),
)
HEARTS = tuple((seed, (50, 62, 75)[seed % 3], (20.0, 30.0, 45.0, 70.0)[seed % 4]) for seed in range(12))
"""Seed, beats a minute and RMSSD (ms) of each simulated heart."""


@cache
def errors_of(strap):
    """Return by how much RMSSD of five minutes is off, in %, for each heart; None where it is withheld."""
    found = []
    for seed, bpm, rmssd_ms in HEARTS:
        rng = np.random.default_rng(seed)
        played = stream(heart(rng, bpm=bpm, rmssd_ms=rmssd_ms), strap, rng)
        events = sorted([*played.recording.events, PhaseStart(LEAD_S, Phase.BASELINE)], key=lambda event: event.t)
        end_s = LEAD_S + PHASE_S
        report = summarise("x", played.recording.header, events, end_s=end_s, compute_time_domain=numpy_time_domain)
        ours_ms = report.figures.phases[-1].rmssd_ms
        found.append(None if ours_ms is None else 100 * (ours_ms / played.rmssd_ms - 1))
    return found


def ways_table():
    lines = ["| it sends | RMSSD is off by, on average | at most | withheld |\n| --- | --- | --- | --- |\n"]
    for words, strap in WAYS:
        errors = errors_of(strap)
        known = [error for error in errors if error is not None]
        mean = f"{np.mean(known):+.1f} %".replace("-0.0", "+0.0").replace("+0.0", "0.0").replace("-", "−")
        lines.append(f"| {words} | {mean} | {max(map(abs, known)):.1f} % | {len(errors) - len(known)} of {len(errors)} |\n")
    return "".join(lines)


def page():
    rows = "".join(f"| {r.seen} | {r.where} | {r.remedy} | `{r.test.split('::')[-1].rsplit('/', 1)[-1]}` |\n" for r in ROWS)
    return (
        "# Quirks of real straps\n\n"
        "A test writes this page (`RESTBEAT_UPDATE=1 make test ARGS=tests/sensors/test_what_straps_do.py`).\n\n"
        "## Quirks of straps and Bluetooth stacks\n\n"
        "Each test named here fails on a copy of restbeat without the remedy.\n\n"
        f"| observed | where | remedy in restbeat | tested by |\n| --- | --- | --- | --- |\n{rows}\n"
        "## The connection\n\n"
        "The connection is a state machine (`sensors/bluetooth/reconnect.py`). Each attempt begins with a scan, and a lost\n"
        "connection is closed before the next attempt. The wait between two attempts doubles from 0.5 to 15 s, ± 25 %, and\n"
        "starts afresh after 10 s of data. `tests/sensors/bluetooth/test_reconnect_states.py` checks it in any sequence of\n"
        "failures.\n\n"
        f"{connection_table()}\n"
        "## Known straps\n\n"
        "From `sensors/protocols/known_devices.toml`. Anything not in it is read from the strap itself.\n\n"
        f"{table_markdown()}\n"
        "## Ways of sending\n\n"
        "What units, steps, clocks and cadences do to RMSSD of five minutes: twelve simulated hearts of 20 to 70 ms for each. A\n"
        "step is known from the intervals themselves, and what it adds is taken out; where it adds more than 8 % of the square,\n"
        "RMSSD is withheld. RR in ms are recognised and said to read 2.4 % short; they are converted where the table above\n"
        "says so.\n\n"
        f"{ways_table()}\n"
        "## Known names\n\n"
        "Sensors of whose intervals nothing is known; by these names they are found though they do not advertise heart rate.\n"
        "`restbeat scan --all` lists every device that is heard, and any can be recorded by its address.\n\n"
        "| sensor | source |\n| --- | --- |\n" + "".join(f"| {row.model} | {row.source} |\n" for row in known_names())
    )


def test_the_page_of_straps_says_what_the_code_does():
    if os.environ.get("RESTBEAT_UPDATE"):
        PAGE.write_text(page())
    assert PAGE.read_text() == page(), "run again with RESTBEAT_UPDATE=1"


@pytest.mark.parametrize(
    ("words", "strap"), [way for way in WAYS if way[1].unit == 1024], ids=[words for words, _ in WAYS if "ms, of" not in words]
)
def test_a_way_of_sending_leaves_rmssd_to_a_percent_on_average(words, strap):
    known = [error for error in errors_of(strap) if error is not None]
    assert len(known) >= len(HEARTS) / 2
    assert abs(np.mean(known)) <= 1.0, words
    assert max(map(abs, known)) <= 1.0 or strap.grid < 1024


def test_the_tests_that_show_the_hints_are_there():
    tests = "".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    for _, _, named in HINTS:
        file, _, case = named.partition(".py")
        assert f"def {named}(" in tests or next((ROOT / "tests").rglob(f"{file}.py"), None), named
        assert not case or f'"{case.strip("[]")}":' in tests, named


@pytest.fixture(scope="session")
def without(tmp_path_factory):
    """Copy the project, and return a function that runs a test in the copy after an edit."""
    copy = tmp_path_factory.mktemp("without") / "project"
    ignored = shutil.ignore_patterns("__pycache__", "artifacts", "*.gz", "golden")
    copy.mkdir()
    for folder in (".dev", "sensors", "analysis", "web", "service", "fixtures", "tests"):
        shutil.copytree(ROOT / folder, copy / folder, symlinks=True, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", copy)

    def run(test):
        environment = os.environ | {"PYTHONPATH": str(copy / ".dev"), "PYTHONDONTWRITEBYTECODE": "1"}
        command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", test]
        return subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, timeout=120, check=False)

    return copy, run


@pytest.mark.dbus
@pytest.mark.parametrize("row", ROWS, ids=[row.seen for row in ROWS])
def test_the_test_of_a_trouble_fails_without_its_remedy(row, without):
    copy, run = without
    name, remedy, none = row.edit
    path = copy / name
    whole = path.read_text()
    assert whole.count(remedy) == 1, f"{name} does not hold {remedy!r} once"
    path.write_text(whole.replace(remedy, none))
    try:
        done = run(row.test)
    finally:
        path.write_text(whole)
    assert done.returncode == 1, done.stdout[-3000:] + done.stderr[-1000:]
    assert " failed" in done.stdout
