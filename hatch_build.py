"""Brings uPlot from npm into the tree while a package or an editable install is made. Without npm all goes on without it."""

from pathlib import Path
import shutil
import subprocess
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FILES = {"dist/uPlot.iife.min.js": "uplot.js", "dist/uPlot.min.css": "uplot.css", "LICENSE": "uplot-licence.txt"}
NPM_S = 120


class Vendor(BuildHookInterface[Any]):
    """Fills `web/vendor`, which git ignores and the packages hold."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 hatchling's signature
        """Put the files where they are served from, unless they are there."""
        root = Path(self.root)
        if trouble := bring(root):
            self.app.display_warning(f"{trouble} Pages show tables where charts would be; all else works.")


def bring(root: Path) -> str | None:
    """Have `web/vendor` filled; gives a sentence where that cannot be."""
    package, vendor = root / "node_modules" / "uplot", root / "web" / "vendor"
    if not package.is_dir() and not all((vendor / name).is_file() for name in FILES.values()):
        npm = shutil.which("npm")
        if npm is None:
            return "npm is missing, so uPlot is."
        command = [npm, "ci", "--ignore-scripts", "--omit=dev", "--silent"]
        try:
            done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=NPM_S, check=False)  # noqa: S603
        except (OSError, subprocess.TimeoutExpired) as error:
            return f"npm could not bring uPlot: {error}."
        if done.returncode:
            return f"npm could not bring uPlot: {(done.stderr or done.stdout).strip()[:300]}."
    if package.is_dir():
        vendor.mkdir(exist_ok=True)
        for source, name in FILES.items():
            shutil.copyfile(package / source, vendor / name)
    return None
