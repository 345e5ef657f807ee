"""The command that says what is amiss with a computer, and packs that for whoever is asked for help."""

from collections.abc import Sequence
from contextlib import suppress
from functools import partial
import getpass
import json
from pathlib import Path
import re
import socket
import zipfile

import click
import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..errors import AmissError, OutputError, StorageError
from ..storage.database import DATABASE, summarise_database
from . import checks
from .checks import Check, Finding, State

_STYLES = {State.OK: "green", State.LOOK: "yellow", State.BAD: "bold red"}
_ADDRESS = re.compile(r"\b([0-9A-Fa-f]{2}(?:[:_-][0-9A-Fa-f]{2}){2})((?:[:_-][0-9A-Fa-f]{2}){3})\b")


async def examine(data: Path, *, adapter: str | None, as_json: bool, bundle: Path | None) -> None:
    """Run every check, print the table; raises `AmissError` where something is bad."""
    err = Console(stderr=True, highlight=False)
    findings = [await _one(err, name, check) for name, check in _checks(data, adapter)]
    if as_json:
        click.echo(json.dumps(msgspec.to_builtins(findings), indent=2))
    else:
        Console(highlight=False).print(_table(findings))
    if bundle:
        await checks.aside(partial(_pack, bundle, findings, data))
        click.echo(
            f"Wrote {bundle}: no client, no strap's own address, no user or computer name is in it. Look before you send it.",
            err=True,
        )
    bad = [finding.check for finding in findings if finding.state is State.BAD]
    if bad:
        raise AmissError(f"Amiss: {', '.join(bad)}. The hints say what to do; recordings replay all the same.")


def _checks(data: Path, adapter: str | None) -> list[tuple[str, Check]]:
    return [
        ("Python", checks.python),
        ("Libraries", checks.libraries),
        ("D-Bus", checks.bus),
        ("BlueZ", checks.bluez),
        ("Adapter", checks.adapter(adapter)),
        ("Permissions", checks.permissions(adapter)),
        ("Data folder", checks.disk(data)),
        ("Database", checks.database(data)),
        ("In use", checks.holder(data)),
        ("Clock", checks.clock),
        ("Port", checks.port(8080)),
    ]


async def _one(console: Console, name: str, check: Check) -> Finding:
    with console.status(f"Looking at: {name}"):
        return await checks.run(name, check)


def _table(findings: Sequence[Finding]) -> Table:
    table = Table(title="restbeat doctor", title_justify="left")
    for heading in ("Check", "State", "Found", "What to do"):
        table.add_column(heading, overflow="fold")
    for finding in findings:
        state = Text(finding.state.value, style=_STYLES[finding.state])
        table.add_row(finding.check, state, Text(finding.found), Text(finding.hint))
    return table


def _pack(bundle: Path, findings: Sequence[Finding], data: Path) -> None:
    told = [{name: redacted(value, data) for name, value in msgspec.to_builtins(finding).items()} for finding in findings]
    parts = {"findings.json": json.dumps(told, indent=2, ensure_ascii=False)}
    if (data / DATABASE).exists():
        with suppress(StorageError):
            seen = summarise_database(data)
            parts["schema.sql"] = redacted(";\n".join(seen.schema) + ";\n", data)
            parts["counts.json"] = json.dumps({"sessions": seen.sessions, "packets": seen.packets, "size_mb": seen.size_mb})
    try:
        with zipfile.ZipFile(bundle, "w", zipfile.ZIP_DEFLATED) as pack:
            for name, text in parts.items():
                pack.writestr(zipfile.ZipInfo(name), text)
    except OSError as error:
        raise OutputError(f"{bundle} could not be written: {error.strerror}. Choose another place.") from error


def redacted(text: str, data: Path) -> str:
    """The text without this user, this computer, its folders, and the half of an address that tells one strap from another."""
    secrets = {str(data): "(data folder)", str(data.resolve()): "(data folder)", str(Path.home()): "(home)"}
    with suppress(Exception):
        secrets[getpass.getuser()] = "(user)"
    host = socket.gethostname()
    secrets |= {host: "(computer)", host.partition(".")[0]: "(computer)"}
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) > 1:
            text = re.sub(rf"(?<![^\W_]){re.escape(secret)}(?![^\W_])", secrets[secret], text, flags=re.IGNORECASE)
    return _ADDRESS.sub(r"\1:xx:xx:xx", text)
