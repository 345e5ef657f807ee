"""The demo as a newcomer runs it: in a process of its own, with a real browser, until Ctrl-C."""

from contextlib import contextmanager
import json
import os
from pathlib import Path
import re
import signal
import subprocess
import sys
from threading import Timer
import time
from urllib.request import Request, urlopen

import playwright.sync_api
import psutil
import pytest

from .chromium import ARGUMENTS, CHROMIUM

ROOT = Path(__file__).parents[1]
ARTIFACTS = ROOT / "artifacts"


@contextmanager
def running(*arguments, command=(sys.executable, "-m", "restbeat.web"), **options):
    """Start a server and yield (process, address); afterwards check that nothing of it is left."""
    process = subprocess.Popen(
        [*command, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        **options,
    )
    family = []
    limit = Timer(120, process.kill)  # one that says nothing and does not end fails, with what it said
    limit.start()
    try:
        lines = []
        for line in process.stdout:
            lines.append(line)
            if found := re.search(r"http://\S+", line):
                break
        else:
            pytest.fail("".join(lines) + process.stderr.read())
        limit.cancel()
        yield process, found.group()
        if process.poll() is None:
            family = psutil.Process(process.pid).children(recursive=True)
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=30)
            assert process.returncode == 0, errors
            assert "Traceback" not in errors
            _, alive = psutil.wait_procs(family, timeout=5)
            assert alive == []
    finally:
        limit.cancel()
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        process.stdout.close()
        process.stderr.close()


def get(address, body=None):
    data = None if body is None else json.dumps(body).encode()
    headers = {} if body is None else {"Content-Type": "application/json", "Origin": "/".join(address.split("/")[:3])}
    with urlopen(Request(address, data, headers), timeout=60) as answer:
        return answer.read().decode()


@contextmanager
def page_at(address, width=1280, height=800):
    """Yield a page in a real Chromium; a console error or an unhandled exception fails the test."""
    troubles = []
    with playwright.sync_api.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_page(viewport={"width": width, "height": height})
        page.on("console", lambda message: message.type == "error" and troubles.append(message.text))
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.goto(address)
        yield page
        browser.close()
    assert troubles == []


def until_ended(page, address, sessions):
    """Reload the list of sessions until that many have ended."""
    page.goto(address + "/sessions")
    playwright.sync_api.expect(page.locator("li.session")).to_have_count(sessions)
    deadline = time.monotonic() + 90
    while page.locator('.state[data-state="ended"]').count() < sessions:
        assert time.monotonic() < deadline, page.locator("ul.sessions").inner_text()
        page.wait_for_timeout(500)
        page.reload()


def shoot(page, name):
    ARTIFACTS.mkdir(exist_ok=True)
    page.screenshot(path=ARTIFACTS / f"{name}.png", full_page=True)


def without_dbus_daemon(tmp_path):
    """Return the environment of a computer that has Python, but no dbus-daemon."""
    folder = tmp_path / "bin"
    folder.mkdir()
    return os.environ | {"PATH": str(folder)}


@pytest.mark.browser
@pytest.mark.dbus
def test_three_rooms_run_in_a_browser_from_virtual_straps_to_their_summaries(tmp_path):
    with running("demo", "--port", 0, "--speed", 60) as (_, address), page_at(address) as page:
        tiles = page.locator("article.tile")
        playwright.sync_api.expect(tiles).to_have_count(3)
        for n in range(3):
            rate = tiles.nth(n).locator(".rate span").first
            playwright.sync_api.expect(rate).to_have_text(re.compile(r"^\d{2,3}$"), timeout=20_000)
        first = [tiles.nth(n).inner_text() for n in range(3)]
        for n in range(3):
            playwright.sync_api.expect(tiles.nth(n)).not_to_have_text(first[n], timeout=20_000)
        shoot(page, "demo-rooms")
        tiles.first.get_by_role("link").first.click()
        playwright.sync_api.expect(page.locator("#rate")).to_have_text(re.compile(r"^\d{2,3}$"), timeout=20_000)
        playwright.sync_api.expect(page.locator("#phase")).to_have_text("Recovery", timeout=60_000)
        shoot(page, "demo-room")
        until_ended(page, address, 3)
        page.goto(address + "/sessions/1")
        playwright.sync_api.expect(page.locator("table.figures tbody tr")).to_have_count(3)
        playwright.sync_api.expect(page.locator(".verdict").first).to_have_attribute("data-class", "clear")
        assert page.locator("img.picture").evaluate("image => image.decode().then(() => image.naturalWidth)") > 100
        shoot(page, "demo-summary")


def test_without_a_dbus_daemon_the_demo_replays_its_recordings(tmp_path):
    with running("demo", "--port", 0, "--speed", 60, env=without_dbus_daemon(tmp_path)) as (_, address):
        seen = set()
        deadline = time.monotonic() + 40
        while len(seen) < 3:
            assert time.monotonic() < deadline, seen
            time.sleep(0.2)
            seen |= {tile for tile in re.findall(r"(room-\d)", get(address)) if "Signal good" in get(f"{address}/rooms/{tile}")}


def test_a_session_cut_off_by_a_kill_is_there_at_the_next_start(tmp_path):
    with running("demo", "--port", 0, "--speed", 20, "--data", tmp_path) as (process, address):
        deadline = time.monotonic() + 40
        while "Signal good" not in get(f"{address}/rooms/room-1"):
            assert time.monotonic() < deadline
            time.sleep(0.2)
        time.sleep(2)
        family = psutil.Process(process.pid).children(recursive=True)
        process.kill()
        process.wait()
        assert psutil.wait_procs(family, timeout=10)[1] == []
    with running("serve", "--port", 0, "--data", tmp_path, "--no-login") as (_, address):
        page = get(address + "/sessions")
        assert page.count('data-state="interrupted"') == 3
        get(address + "/api/v1/sessions/1/close", {})
        assert get(address + "/sessions").count('data-state="interrupted"') == 2
        assert "beats" in get(address + "/sessions/1")


def test_serve_starts_without_an_adapter_and_says_so(tmp_path):
    environment = os.environ | {"DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={tmp_path}/none"}
    with running("serve", "--port", 0, "--data", tmp_path, "--no-login", env=environment) as (process, address):
        assert "There is no login" in process.stdout.readline()
        assert "adapter" in process.stdout.readline()
        assert "adapter" in get(address)


@pytest.mark.parametrize("command", [["scan", "--seconds", "1"], ["record", "--address", "A0:9E:1A:00:00:01", "out.jsonl"]])
def test_without_an_adapter_scan_and_record_explain_what_to_do(tmp_path, command):
    environment = os.environ | {"DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={tmp_path}/none"}
    done = subprocess.run(
        [sys.executable, "-m", "restbeat.web", *command],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env=environment,
        timeout=90,
    )
    assert done.returncode == 1
    assert "adapter" in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_other_computers_are_never_served_without_a_login(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "restbeat.web", "serve", "--no-login", "--host", "0.0.0.0", "--data", tmp_path],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, list(tmp_path.iterdir())) == (1, [])
    assert "Without a login restbeat serves this computer only" in done.stderr


def test_a_port_in_use_is_reported(tmp_path):
    with running("serve", "--port", 0, "--data", tmp_path / "one") as (_, address):
        port = address.rsplit(":", 1)[1]
        done = subprocess.run(
            [sys.executable, "-m", "restbeat.web", "serve", "--port", port, "--data", tmp_path / "two"],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    assert done.returncode == 1
    assert f"Port {port} is in use" in done.stderr
    assert "--port" in done.stderr


@contextmanager
def on_the_air(*arguments):
    """Run virtual straps in a process of their own; yield (environment to reach them, address of the first)."""
    sensor = subprocess.Popen(
        [sys.executable, "-m", "restbeat.web", "virtual-sensor", *map(str, arguments)], stdout=subprocess.PIPE, text=True
    )
    with sensor:
        try:
            bus = sensor.stdout.readline().strip().split("DBUS_SYSTEM_BUS_ADDRESS=")[1]
            yield os.environ | {"DBUS_SYSTEM_BUS_ADDRESS": bus}, sensor.stdout.readline().split()[0]
            sensor.send_signal(signal.SIGINT)
            assert sensor.wait(20) == 0
        finally:
            sensor.kill()


@pytest.mark.browser
@pytest.mark.dbus
def test_a_therapist_starts_a_session_on_a_strap_and_runs_it_to_its_summary(tmp_path):
    expect = playwright.sync_api.expect
    with (
        on_the_air(ROOT / "fixtures" / "polar-h10_simulated_clear.jsonl.gz") as (environment, _),
        running("serve", "--port", 0, "--data", tmp_path, env=environment) as (process, address),
        page_at(address) as page,
    ):
        page.get_by_role("link", name="Make the first one").click()
        page.get_by_label("Code").fill(process.stdout.readline().split("code ")[1].split()[0])
        page.get_by_label("Your name").fill("Ada")
        page.get_by_label("Password").fill("correct horse battery")
        page.get_by_role("button", name="Make the account").click()
        page.get_by_role("link", name="Start a session").click()
        page.get_by_role("button", name="Add M-001").click()
        page.get_by_label("M-001 agrees to be recorded").check()
        page.get_by_role("button", name="Start the session").click()
        expect(page.locator("#rate")).to_have_text(re.compile(r"^\d{2,3}$"), timeout=20_000)
        expect(page.locator("#who")).to_contain_text("M-001")
        for phase, following in (("Settling", "baseline"), ("Baseline", "massage"), ("Massage", "recovery"), ("Recovery", None)):
            expect(page.locator("#phase")).to_have_text(phase)
            expect(page.locator("#next")).to_be_enabled()
            expect(page.locator("#next-word")).to_have_text(f"Begin {following}" if following else "End session")
            page.wait_for_timeout(2500)  # heartbeats of this phase
            page.locator("#next").click()
            if phase == "Baseline":
                page.locator("#early-begin").click()
        expect(page.locator("#signal-text")).to_have_text("Session ended")
        until_ended(page, address, 1)
        page.locator("a.open").click()
        expect(page.locator("table.figures tbody tr")).to_have_count(4)
        expect(page.locator(".verdict").first).to_have_attribute("data-class", "insufficient")


@pytest.mark.dbus
def test_virtual_straps_are_scanned_and_recorded_as_they_send(tmp_path):
    minute = ROOT / "fixtures" / "polar-h10_simulated_one-minute.jsonl"
    with on_the_air(minute, "--speed", 20) as (environment, address):

        def restbeat(*arguments):
            command = [sys.executable, "-m", "restbeat.web", *arguments]
            done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, env=environment, timeout=90)
            assert done.returncode == 0, done.stderr
            return done

        out = tmp_path / "out.jsonl"
        recorded = restbeat("record", "--address", address, "out.jsonl", "--minutes", "0.08")
        assert "Wrote out.jsonl" in recorded.stderr
        sent = [line["hex"] for line in map(json.loads, minute.read_text().splitlines()[1:]) if line.get("char") == "2a37"]
        got = [line for line in map(json.loads, out.read_text().splitlines()) if line.get("char") == "2a37"]
        assert [line["hex"] for line in got] == sent
        header = json.loads(out.read_text().splitlines()[0])
        assert header["device"]["model"] == "H10"
        assert address in restbeat("scan", "--seconds", "2").stdout
