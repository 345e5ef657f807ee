"""A paced replay in a real terminal: keys steer it, and the terminal is as before afterwards."""

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
import time

import pytest
from rich.console import Console

from restbeat.sensors.recordings.recording import read
from restbeat.service.commands.options import FIXTURES
from restbeat.service.errors import CutError
from restbeat.service.testbench.paced_replay import Cut, play_paced
from restbeat.service.testbench.recording_player import NoLog

MINUTE = FIXTURES / "polar-h10_simulated_one-minute.jsonl"


class Terminal:
    """`restbeat replay` on a pseudo-terminal; what it prints on stderr comes from a pipe."""

    def __init__(self, data, *options):
        self.ours, self.theirs = pty.openpty()
        self.before = termios.tcgetattr(self.theirs)
        command = [sys.executable, "-m", "restbeat.web", "replay", str(MINUTE), "--data", str(data), "--json", *options]
        self.process = subprocess.Popen(command, stdin=self.theirs, stdout=subprocess.PIPE, stderr=self.theirs)
        self.seen = ""

    def until(self, pattern, timeout_s=60):
        deadline = time.monotonic() + timeout_s
        while not (found := re.search(pattern, self.seen)):
            left_s = deadline - time.monotonic()
            assert left_s > 0, f"{pattern} in {self.seen[-2000:]}"
            if select.select([self.ours], [], [], left_s)[0]:
                self.seen += os.read(self.ours, 65536).decode(errors="replace")
        self.seen = self.seen[found.end() :]
        return found

    def press(self, keys):
        os.write(self.ours, keys.encode())

    def finish(self):
        out, _ = self.process.communicate(timeout=60)
        return json.loads(out)

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.ours)
        os.close(self.theirs)


@pytest.fixture
def terminal(tmp_path):
    opened = []

    def start(*options):
        opened.append(Terminal(tmp_path / "data", *options))
        return opened[0]

    yield start
    opened[0].close()


def test_space_pauses_arrows_seek_plus_is_faster_and_q_ends(terminal):
    run = terminal("--speed", "1")
    run.until("Space pauses")
    run.press(" ")
    run.until("paused")
    run.press("\x1b[C" * 3)
    run.until(r"\b3\d of 60 s")
    run.press("\x1b[D")
    run.until(r"\b2\d of 60 s")
    run.press("+ ")
    run.until("× 2")
    run.press("q")
    figures = run.finish()
    assert run.process.returncode == 0
    assert figures["integrity"]["packets"] in range(28, 40), "as far as it came, each packet once"
    assert termios.tcgetattr(run.theirs) == run.before


def test_ctrl_c_ends_the_replay_and_restores_the_terminal(terminal):
    run = terminal("--speed", "1", "--from", "20", "--loop")
    run.until("round 1")
    run.press("-")
    run.until(r"× 0\.5")
    run.process.send_signal(2)
    assert run.finish()["integrity"]["packets"] >= 19
    assert termios.tcgetattr(run.theirs) == run.before


async def test_after_the_replay_ctrl_c_ends_the_program_again():
    before = signal.getsignal(signal.SIGINT)
    handled = []

    class Looking(NoLog):
        def append(self, session, event, key=None):
            handled.append(signal.getsignal(signal.SIGINT) is not before)
            return super().append(session, event, key)

    await play_paced(Console(quiet=True), read(MINUTE), 1, Looking(), 1000.0, Cut())
    assert any(handled), "while it plays, Ctrl-C ends it in order"
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_cut_holds_the_requested_part_and_refuses_an_empty_one():
    recording = read(MINUTE)
    assert Cut().of(recording) is recording
    assert Cut(until_s=30).of(recording).events[-1].t <= 30
    with pytest.raises(CutError, match="does not come after"):
        Cut(from_s=30, until_s=30).of(recording)
    with pytest.raises(CutError, match="ends at 60 s"):
        Cut(from_s=90).of(recording)
