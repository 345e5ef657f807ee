"""Rules of imports: each external library in one module only, nothing heavy in the server, no circular imports."""

import ast
from pathlib import Path
import subprocess
import sys

import grimp
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
    "dbus_fast": {
        path.relative_to(ROOT).as_posix() for folder in ("dbus", "virtual") for path in (ROOT / "sensors" / folder).glob("*.py")
    },
    "neurokit2": {"analysis/hrv/neurokit.py", "analysis/polar/ecg_beats.py"},
    "scipy": {"analysis/response/distributions.py", "analysis/response/drift.py", "analysis/polar/ecg_beats.py"},
    "edfio": {"service/exchange/edf.py"},
    "fitdecode": {"service/exchange/programs/fit.py"},
    "matplotlib": {"service/rendering/session_plot.py"},
    "aiosmtplib": {"service/follow_up/smtp.py"},
    "argon2": {"service/accounts/passwords.py"},
    "babel": {"service/rendering/translations.py"},
    "wfdb": {"service/exchange/programs/wfdb_annotations.py"},
    "weasyprint": {"service/rendering/pdf.py"},
    "cryptography": {"service/storage/encryption.py"},
    "itsdangerous": {"service/follow_up/link_tokens.py"},
    "segno": {"service/rendering/qr_code.py"},
    "sqlite_utils": {"service/storage/sqlite.py"},
    "sqlite3": {
        "service/backups/backup.py",
        "service/backups/salvage.py",
        "service/doctor/checks.py",
        "service/doctor/database_summary.py",
        "service/storage/database.py",
        "service/storage/database_file.py",
        "service/storage/reader.py",
        "service/storage/trouble.py",
        "service/storage/writer.py",
    },
    "click": {
        "service/commands/main.py",
        "service/commands/options.py",
        "web/commands.py",
        "service/commands/data.py",
        "service/commands/recordings.py",
        "service/commands/replay.py",
        "service/commands/verify.py",
        "service/commands/reanalyse.py",
        "service/commands/convert.py",
        "service/commands/anonymise.py",
        "service/doctor/doctor.py",
        "service/commands/backups.py",
        "service/commands/privacy.py",
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
def test_a_library_is_imported_only_by_its_own_module(library):
    found = set(importers(library))
    assert found
    assert found <= DOORS[library]


@pytest.mark.parametrize("module", ["restbeat.web.server", "restbeat.web.demo"])
def test_heavy_libraries_stay_out_of_the_server(module):
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
        "wfdb",
    )
    program = f"import sys, {module}; print(*[name for name in {heavy} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.strip() == ""


def circles(edges):
    """Return the groups of nodes that reach each other, by Tarjan's algorithm."""
    index, low, stack, found = {}, {}, [], []

    def visit(node):
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in edges.get(node, ()):
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            group = stack[stack.index(node) :]
            del stack[stack.index(node) :]
            if len(group) > 1:
                found.append(sorted(group))

    for node in sorted(edges):
        if node not in index:
            visit(node)
    return found


@pytest.fixture(scope="module")
def import_graph():
    graph = grimp.build_graph("restbeat.sensors", "restbeat.analysis", "restbeat.service", "restbeat.web")
    return {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}


def test_no_modules_import_each_other_in_a_circle(import_graph):
    assert circles(import_graph) == []


def test_no_folders_import_each_other_in_a_circle(import_graph):
    folders = {}
    for module, imported in import_graph.items():
        folder = ".".join(module.split(".")[:3])
        folders.setdefault(folder, set()).update({".".join(other.split(".")[:3]) for other in imported} - {folder})
    assert circles(folders) == []


def test_a_circular_import_is_found():
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == [["b", "c"]]


@pytest.mark.parametrize("folder", ["sensors", "analysis", "service", "web"])
def test_a_folder_holds_at_most_twelve_modules(folder):
    for package in {path.parent for path in (ROOT / folder).rglob("*.py")}:
        modules = [path.name for path in package.glob("*.py") if path.name != "__init__.py"]
        assert len(modules) <= 12, package
