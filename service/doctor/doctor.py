"""The command that reports what is amiss with a computer, and can write that to a support file."""

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

from ..backups.daemon_thread import in_daemon_thread
from ..errors import AmissError, OutputError, StorageError
from ..storage.database import DATABASE
from ..terminal.console import PlainConsole
from . import checks
from .checks import Check, Finding, State
from .database_summary import summarise_database

_STYLES = {State.OK: "green", State.LOOK: "yellow", State.BAD: "bold red", State.UNTRIED: "dim"}
_ADDRESS = re.compile(r"\b([0-9A-Fa-f]{2}(?:[:_-][0-9A-Fa-f]{2}){2})((?:[:_-][0-9A-Fa-f]{2}){3})\b")


async def examine(data: Path, *, adapter: str | None, as_json: bool, bundle: Path | None) -> None:
    """Run every check and print the table or JSON; with `bundle` also write a support file.

    Raises `AmissError` where a check is bad, and `OutputError` where the support file cannot be written.
    """
    err = PlainConsole(stderr=True)
    findings = [await _run_check(err, name, check) for name, check in _checks(data, adapter)]
    if as_json:
        click.echo(json.dumps(msgspec.to_builtins(findings), indent=2))
    else:
        PlainConsole().print(_table(findings))
    if bundle:
        await in_daemon_thread(partial(_write_bundle, bundle, findings, data))
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
        ("Backups", checks.backups(data)),
        ("In use", checks.data_folder_use(data)),
        ("Clock", checks.clock),
        ("Port", checks.port(8080)),
    ]


async def _run_check(console: Console, name: str, check: Check) -> Finding:
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


def _write_bundle(bundle: Path, findings: Sequence[Finding], data: Path) -> None:
    redacted_findings = [
        {name: redacted(value, data) for name, value in msgspec.to_builtins(finding).items()} for finding in findings
    ]
    parts = {"findings.json": json.dumps(redacted_findings, indent=2, ensure_ascii=False)}
    if (data / DATABASE).exists():
        with suppress(StorageError):
            contents = summarise_database(data)
            parts["schema.sql"] = redacted(";\n".join(contents.schema) + ";\n", data)
            parts["counts.json"] = json.dumps(
                {"sessions": contents.sessions, "packets": contents.packets, "size_mb": contents.size_mb}
            )
    try:
        with zipfile.ZipFile(bundle, "x", zipfile.ZIP_DEFLATED) as pack:
            for name, text in parts.items():
                pack.writestr(zipfile.ZipInfo(name), text)
    except FileExistsError as error:
        raise OutputError(f"{bundle} is there already and was left as it is. Choose another name.") from error
    except OSError as error:
        raise OutputError(f"{bundle} could not be written: {error.strerror}. Choose another place.") from error


def redacted(text: str, data: Path) -> str:
    """Return a text without names of user, computer and folders, and without the half of an address that identifies a strap."""
    secrets = {str(data): "(data folder)", str(data.resolve()): "(data folder)", str(Path.home()): "(home)"}
    with suppress(Exception):
        secrets[getpass.getuser()] = "(user)"
    host = socket.gethostname()
    secrets |= {host: "(computer)", host.partition(".")[0]: "(computer)"}
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) > 1:
            text = re.sub(rf"(?<![^\W_]){re.escape(secret)}(?![^\W_])", secrets[secret], text, flags=re.IGNORECASE)
    return _ADDRESS.sub(r"\1:xx:xx:xx", text)
