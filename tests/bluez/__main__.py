"""Real bluetoothd on a virtual radio: boots the machine, gathers the figures, judges them, writes them into docs/bluez.md."""

from datetime import UTC, datetime
from importlib.metadata import version
import json
import os
from pathlib import Path
import re
import sys
from threading import Timer
import time

from figures import judged, table
from machine import MachineError, build, install, missing, running

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "bluez.md"
WORK = ROOT / "artifacts" / "bluez"
LONGEST_S = 480.0


def main():
    """Exit with 1 where the machine gave no result, or one that is out of bounds."""
    try:
        install(missing())
        kernel, initramfs = build(WORK, (sys.executable, Path(__file__).with_name("guest.py")))
    except MachineError as error:
        sys.exit(str(error))
    console = WORK / "console.log"
    found, took_s = gather(kernel, initramfs, console)
    if ("machine", "done") not in found:
        say(console.read_text(errors="replace")[-4000:])
        sys.exit(f"The machine gave no whole result in {took_s:.0f} s; all that it said is in {console.relative_to(ROOT)}.")
    lines, good = judged(found)
    text = f"{conditions(found, took_s)}\n\n{table(lines)}\n"
    say(f"\n{text}")
    PAGE.write_text(re.sub(r"(?s)(<!-- figures -->\n).*(<!-- /figures -->)", lambda m: m[1] + text + m[2], PAGE.read_text()))
    if not good:
        sys.exit(f"A figure is out of its bounds; what the machine said is in {console.relative_to(ROOT)}.")


def gather(kernel, initramfs, console):
    """What the guest told, by part and step, and the seconds it took; ends the machine after `LONGEST_S`."""
    found = {}
    start = time.monotonic()
    with running(kernel, initramfs, console) as machine:
        limit = Timer(LONGEST_S, machine.kill)
        limit.start()
        try:
            for line in machine.stdout:
                if line.startswith("{"):
                    say(f"{time.monotonic() - start:6.1f} s  {line.strip()}")
                    figures = json.loads(line)
                    found.setdefault((figures.pop("part"), figures.pop("step")), figures)
        finally:
            limit.cancel()
    return found, time.monotonic() - start


def conditions(found, took_s):
    """On what, when and how fast the machine ran."""
    booted, bluetoothd = found["machine", "booted"], found["machine", "bluetoothd"]
    versions = ", ".join(f"{name} {version(name)}" for name in ("restbeat", "bleak", "bumble"))
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, QEMU without KVM; Linux {booted['kernel']}, BlueZ "
        f"{bluetoothd['version']}, Python {sys.version.split()[0]}, {versions}. Booted in {booted['boot_s']:.1f} s, bluetoothd "
        f"and its adapter ready in {bluetoothd['up_s']:.1f} s, {took_s:.0f} s in all."
    )


def say(text):
    """Print at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
