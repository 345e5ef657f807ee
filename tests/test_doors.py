"""Each external library has one door, and what is heavy stays out of the server."""

import ast
from pathlib import Path
import subprocess
import sys

import pytest

ROOT = Path(__file__).parents[1]
DOORS = {
    "bleak": {
        "sensors/ble.py",
        "sensors/bleak_bus.py",
        "sensors/discovery.py",
        "sensors/link.py",
        "sensors/polar_link.py",
        "sensors/proxies_hearing.py",
        "sensors/proxies_strap.py",
        "sensors/proxies_watch.py",
        "sensors/proxy.py",
    },
    "bleak_esphome": {"sensors/proxy.py"},
    "habluetooth": {"sensors/proxy.py"},
    "aioesphomeapi": {"sensors/proxy.py"},
    "bluetooth_adapters": {"sensors/proxy.py"},
    "dbus_fast": {f"sensors/virtual/{path.name}" for path in (ROOT / "sensors" / "virtual").glob("*.py")},
    "neurokit2": {"analysis/hrv.py", "analysis/ecg.py"},
    "scipy": {"analysis/distributions.py", "analysis/drift.py", "analysis/ecg.py"},
    "edfio": {"service/exchange/edf.py"},
    "fitdecode": {"service/exchange/fit.py"},
    "matplotlib": {"web/charts.py"},
    "argon2": {"service/passwords.py"},
    "cryptography": {"service/seal.py"},
    "sqlite_utils": {"service/sqlite.py"},
    "sqlite3": {"service/backup.py", "service/database.py", "service/writer.py"},
    "click": {
        "service/cli.py",
        "service/cli_options.py",
        "service/data_commands.py",
        "service/recording_commands.py",
        "service/playback.py",
        "service/verify.py",
        "service/archive.py",
        "service/convert.py",
        "service/fixture.py",
        "service/doctor.py",
        "service/keeping.py",
        "service/rights.py",
    },
}


def importers(library):
    for folder in ("sensors", "analysis", "web", "service"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                if isinstance(node, ast.ImportFrom) and not node.level:
                    names = [node.module]
                if any(name.split(".")[0] == library for name in names):
                    yield path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("library", DOORS)
def test_a_library_is_imported_through_its_door_alone(library):
    found = set(importers(library))
    assert found
    assert found <= DOORS[library]


@pytest.mark.parametrize("module", ["restbeat.service.server", "restbeat.service.demo"])
def test_what_is_heavy_stays_out_of_the_server(module):
    heavy = (
        "neurokit2",
        "scipy",
        "matplotlib",
        "pandas",
        "sklearn",
        "bleak_esphome",
        "habluetooth",
        "aioesphomeapi",
        "edfio",
        "fitdecode",
    )
    program = f"import sys, {module}; print(*[name for name in {heavy} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.strip() == ""
