"""What a device, a file or a person called something, on the terminal: shown as it is, without markup or control characters."""

from pathlib import Path
import re

import pytest
from rich.table import Table

from restbeat.service.terminal.console import PlainConsole
from restbeat.service.terminal.printable_text import printable
from restbeat.service.terminal.signals import print_line

ROOT = Path(__file__).parents[3]
HOSTILE = [
    "[/nope]",
    "[bold]loud[/bold]",
    "\x1b[31mred\x1b[0m",
    "\x9b31mred",
    "\x1b]0;title\x07",
    ":smile:",
    "a\u202eb",
    "bell\x07",
    "a\rb",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_is_printed_as_it_is_in_lines_titles_and_cells(capsys, name):
    out = PlainConsole()
    table = Table("Name", title=f"Straps of {name}")
    table.add_row(name)
    out.print(table)
    out.print(f"asking {name} ...")
    print_line(f"heard {name}")
    shown = capsys.readouterr().out
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", shown)
    assert shown.count(printable(name)) >= 3 if len(name) < 12 else printable(name) in shown


def test_line_ends_and_letters_of_any_language_stay():
    assert printable("Käthe\n日本\tИван – „é“") == "Käthe\n日本\tИван – „é“"


def test_every_console_is_the_plain_one():
    files = [path for folder in ("service", "web") for path in (ROOT / folder).rglob("*.py") if path.name != "console.py"]
    assert [str(path) for path in files if re.search(r"(?<!Plain)Console\(", path.read_text())] == []
