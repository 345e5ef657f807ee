"""Packaging: sdist → wheel → an empty environment → a replay; and a newcomer's `make demo` in a clean clone."""

import importlib.util
import json
import os
from pathlib import Path
import re
import shutil
import signal
import subprocess
import sys
from urllib.request import urlopen
import zipfile

import psutil
import pytest

ROOT = Path(__file__).parents[1]
MINUTE = ROOT / "fixtures" / "polar-h10_simulated_one-minute.jsonl"
VENDORED = (ROOT / "web" / "vendor" / "uplot.js").is_file()


def hook():
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(*command, **options):
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False, timeout=900, **options)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return done


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Build the wheel from the sdist, as an installer without a wheel would."""
    out = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", out, ROOT)
    return next(out.glob("*.whl"))


def test_the_wheel_contains_the_folders_with_pages_and_recordings_and_nothing_else(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    folders = {name.split("/")[1] for name in names if name.startswith("restbeat/")}
    assert folders == {"sensors", "analysis", "web", "service", "fixtures"}
    assert {name.split("/")[0] for name in names} == {"restbeat", next(n.split("/")[0] for n in names if ".dist-info" in n)}
    assert any(name.startswith("restbeat/web/templates/") for name in names)
    assert any(name.startswith("restbeat/web/static/") for name in names)
    assert "restbeat/service/rendering/locale/de.po" in names
    if VENDORED:
        assert {name for name in names if "/vendor/" in name} == {f"restbeat/web/vendor/{name}" for name in hook().FILES.values()}
    assert sum(name.endswith("py.typed") for name in names) == 4
    assert not any(name.endswith("fixtures/make.py") for name in names)
    assert wheel.stat().st_size < 1.5e6


@pytest.mark.timeout(900)
def test_the_wheel_installed_into_an_empty_environment_replays(wheel, tmp_path):
    environment = tmp_path / "venv"
    run(sys.executable, "-m", "venv", environment)
    python = environment / "bin" / "python"
    run(python, "-m", "pip", "install", "--disable-pip-version-check", "--constraint", ROOT / "constraints.txt", wheel)
    done = run(environment / "bin" / "restbeat", "replay", MINUTE, "--json", "--data", tmp_path / "data", cwd=tmp_path)
    assert json.loads(done.stdout)["integrity"]["beats"] == 63


def test_no_file_names_a_registry_or_a_machine_path():
    listed = run("git", "ls-files", cwd=ROOT).stdout.splitlines() if (ROOT / ".git").exists() else []
    words = ("regis" + "try.npmjs", "py" + "pi.org", "files.python" + "hosted", "/ro" + "ot/", "/wo" + "rk/", "/ho" + "me/")
    texts = {name: (ROOT / name).read_bytes() for name in listed if (ROOT / name).is_file()}
    assert [(name, word) for name, text in texts.items() for word in words if word.encode() in text] == []


def test_make_names_what_is_missing_in_one_sentence(tmp_path):
    clone = tmp_path / "clone"
    clone.mkdir()
    for name in ("Makefile", "pyproject.toml", "constraints.txt", "hatch_build.py", "package-lock.json"):
        shutil.copy(ROOT / name, clone)
    bare = tmp_path / "python-without-venv"
    bare.write_text(f'#!/bin/sh\ncase "$*" in *venv*) exit 1;; esac\nexec {sys.executable} "$@"\n')
    bare.chmod(0o755)
    done = subprocess.run(["make", "demo", f"PYTHON={bare}"], cwd=clone, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode != 0
    assert "python3-venv is missing: install it" in done.stderr


def test_make_works_without_npm(tmp_path):
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("sh", "chromium", "dbus-daemon", "cc", "pdftoppm", "id", "apt-get"):
        (programs / name).symlink_to("/bin/sh" if name == "sh" else "/bin/true")
    done = run("/bin/sh", ROOT / ".ci" / "tools", cwd=tmp_path, env={"PATH": str(programs)})
    assert done.stderr.startswith("npm is missing")


def a_tree(tmp_path, npm=None):
    """Return a source tree for the build hook, and a PATH that has at most this npm."""
    (tmp_path / "web").mkdir()
    programs = tmp_path / "bin"
    programs.mkdir()
    if npm:
        (programs / "npm").write_text(f"#!/bin/sh\n{npm}\n")
        (programs / "npm").chmod(0o755)
    return str(programs)


def test_uplot_comes_from_npm_without_scripts_and_with_its_licence(tmp_path, monkeypatch):
    files = " ".join(f"node_modules/uplot/{name}" for name in hook().FILES)
    npm = f'echo "$@" > asked; /bin/mkdir -p node_modules/uplot/dist; for f in {files}; do echo "$f" > $f; done'
    monkeypatch.setenv("PATH", a_tree(tmp_path, npm))
    assert hook().bring(tmp_path) is None
    assert (tmp_path / "asked").read_text().split() == ["ci", "--ignore-scripts", "--omit=dev", "--silent"]
    vendor = tmp_path / "web" / "vendor"
    assert {path.name for path in vendor.iterdir()} == set(hook().FILES.values())
    assert "LICENSE" in (vendor / "uplot-licence.txt").read_text()
    shutil.rmtree(tmp_path / "node_modules")
    (tmp_path / "asked").unlink()
    assert hook().bring(tmp_path) is None
    assert not (tmp_path / "asked").exists()  # what is there is not brought again


@pytest.mark.parametrize(("npm", "said"), [(None, "npm is missing"), ("echo no such host >&2; exit 1", "no such host")])
def test_without_npm_or_its_network_the_build_works_and_names_what_is_missing(tmp_path, monkeypatch, npm, said):
    monkeypatch.setenv("PATH", a_tree(tmp_path, npm))
    assert said in hook().bring(tmp_path)
    assert not (tmp_path / "web" / "vendor").exists()


def test_the_readme_lists_every_command_with_its_help_text():
    from restbeat.web.commands import cli

    described = {}
    for line in (ROOT / "README.md").read_text().splitlines():
        if line.startswith("| `restbeat "):
            name, words = (cell.strip() for cell in line.strip("|").split("|"))
            described[name.strip("`").removeprefix("restbeat ")] = words
    assert described == {name: command.help.split("\n\n")[0].replace("\n", " ") for name, command in cli.commands.items()}


def test_every_command_shows_an_example():
    from restbeat.web.commands import cli

    assert [name for name, command in cli.commands.items() if "Example:  restbeat" not in command.help] == []


@pytest.mark.skipif(os.environ.get("CI") != "true", reason="sets up an environment of its own: minutes; CI does it every time")
@pytest.mark.timeout(900)
def test_make_demo_in_a_clean_clone_serves_three_rooms_and_leaves_nothing_at_ctrl_c(tmp_path):
    run("git", "clone", "--quiet", ROOT, tmp_path / "clone")
    demo = subprocess.Popen(
        ["make", "demo", "ARGS=--port 0 --speed 20"],
        cwd=tmp_path / "clone",
        env={name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        described = []
        for line in demo.stdout:
            described.append(line)
            if found := re.search(r"http://127\S+", line):
                break
        else:
            pytest.fail("".join(described))
        assert described[0].startswith("Setting up restbeat")
        with urlopen(found.group(), timeout=10) as page:
            assert all(f"Room {n}" in text for text in [page.read().decode()] for n in (1, 2, 3))
        family = psutil.Process(demo.pid).children(recursive=True)
        os.killpg(demo.pid, signal.SIGINT)
        demo.communicate(timeout=30)
        assert psutil.wait_procs(family, timeout=5)[1] == []
    finally:
        if demo.poll() is None:
            os.killpg(demo.pid, signal.SIGKILL)
            demo.communicate()
