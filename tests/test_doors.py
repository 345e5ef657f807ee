"""Each external library has one door, and what is heavy stays out of the server."""

import ast
from pathlib import Path
import subprocess
import sys

import pytest

ROOT = Path(__file__).parents[1]
DOORS = {
    "bleak": {
        "sensors/bluetooth/scanner.py",
        "sensors/bluetooth/dbus_override.py",
        "sensors/bluetooth/discovery.py",
        "sensors/bluetooth/connection.py",
        "sensors/bluetooth/polar_streams.py",
        "sensors/proxies/signal_levels.py",
        "sensors/proxies/strap.py",
        "sensors/proxies/scanner.py",
        "sensors/proxies/proxies.py",
    },
    "bleak_esphome": {"sensors/proxies/proxies.py"},
    "habluetooth": {"sensors/proxies/proxies.py"},
    "aioesphomeapi": {"sensors/proxies/proxies.py"},
    "bluetooth_adapters": {"sensors/proxies/proxies.py"},
    "dbus_fast": {f"sensors/virtual/{path.name}" for path in (ROOT / "sensors" / "virtual").glob("*.py")},
    "neurokit2": {"analysis/hrv/neurokit.py", "analysis/polar/ecg_beats.py"},
    "scipy": {"analysis/response/distributions.py", "analysis/response/drift.py", "analysis/polar/ecg_beats.py"},
    "edfio": {"service/exchange/edf.py"},
    "fitdecode": {"service/exchange/fit.py"},
    "matplotlib": {"web/charts.py"},
    "aiosmtplib": {"service/smtp.py"},
    "argon2": {"service/passwords.py"},
    "babel": {"web/speech.py"},
    "weasyprint": {"service/paper.py"},
    "cryptography": {"service/seal.py"},
    "itsdangerous": {"service/link_keys.py"},
    "segno": {"web/qr.py"},
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
        "aiosmtplib",
        "segno",
        "weasyprint",
    )
    program = f"import sys, {module}; print(*[name for name in {heavy} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.strip() == ""
