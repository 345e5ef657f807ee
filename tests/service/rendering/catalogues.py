"""The catalogues of the client's pages beside the messages in the code: compared by tests, written by `make messages`."""

from io import BytesIO
from pathlib import Path
import re
import sys

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "service" / "rendering" / "locale"
_WHERE = [
    ("service/**.py", "python"),
    ("web/**.py", "python"),
    ("service/**.html", "jinja2"),
    ("web/templates/**.html", "jinja2"),
]
_CALLS = {"say": None, "say_count": (1, 2), "marked": None}
_NOISE = re.compile(rb'^"(POT-Creation-Date|PO-Revision-Date|Last-Translator|Language-Team|Generated-By):.*\n', re.MULTILINE)


def extracted() -> Catalog:
    """Every message in the code and the templates."""
    catalogue = Catalog(project="restbeat", version="", fuzzy=False)
    for name, line, message, comments, context in sorted(
        extract_from_dir(ROOT, _WHERE, keywords=_CALLS), key=lambda found: found[:2]
    ):
        catalogue.add(message, None, [(name, line)], auto_comments=comments, context=context)
    return catalogue


def catalogue_of(path: Path) -> Catalog:
    """One language as it is in the tree."""
    with path.open("rb") as file:
        return read_po(file, locale=path.stem, ignore_obsolete=False)


def update(path: Path) -> int:
    """Bring a catalogue up to the messages in the code; gives how many wait for a translation."""
    catalogue = catalogue_of(path) if path.exists() else Catalog(locale=path.stem, fuzzy=False)
    catalogue.update(extracted(), no_fuzzy_matching=True)
    catalogue.project, catalogue.version, catalogue.fuzzy = "restbeat", "", False
    catalogue.header_comment = (
        f"# What restbeat says to a client, in {catalogue.locale.english_name}. `make messages` keeps it complete."
    )
    written = BytesIO()
    write_po(written, catalogue, width=130, ignore_obsolete=True, no_location=True)
    path.write_bytes(_NOISE.sub(b"", written.getvalue()))
    return sum(1 for message in catalogue if message.id and not all(_strings(message)))


def _strings(message):
    return message.string if isinstance(message.string, tuple) else (message.string,)


if __name__ == "__main__":
    for language in sys.argv[1:] or sorted(path.stem for path in FOLDER.glob("*.po")):
        waiting = update(FOLDER / f"{language}.po")
        sys.stdout.write(
            f"service/rendering/locale/{language}.po: {waiting or 'no'} message{'' if waiting == 1 else 's'} to translate\n"
        )
