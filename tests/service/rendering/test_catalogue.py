"""Every catalogue says all that the code says, and loses nothing on the way."""

import ast
from string import Formatter

import pytest

from restbeat.service.rendering.vocabulary import CLIENT_NOTES, WORDS
from restbeat.service.sessions.screening import POSTURES
from restbeat.service.settings import Settings

from .catalogues import FOLDER, ROOT, catalogue_of, extracted, update

CATALOGUES = sorted(FOLDER.glob("*.po"))
CALLS = {"say": 1, "say_count": 2, "marked": 1}


def strings(message):
    return message.string if isinstance(message.string, tuple) else (message.string,)


def ids(message):
    return message.id if isinstance(message.id, tuple) else (message.id,)


def fields(text):
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def test_there_is_a_german_catalogue():
    assert [path.stem for path in CATALOGUES] == ["de"]


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.stem)
def test_every_message_is_translated_and_none_is_left_over(path):
    wanted = {message.id for message in extracted() if message.id}
    catalogue = catalogue_of(path)
    there = {message.id for message in catalogue if message.id and all(strings(message)) and not message.fuzzy}
    assert len(wanted) > 200
    assert wanted - there == set()
    assert there - wanted == set()
    assert not catalogue.obsolete


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.stem)
def test_every_placeholder_survives(path):
    for message in catalogue_of(path):
        if message.id:
            needed = set.union(*map(fields, ids(message)))
            assert set.union(*map(fields, strings(message))) == needed, message.id
            assert fields(strings(message)[-1]) == needed, message.id


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.stem)
def test_a_catalogue_is_as_make_messages_writes_it(path, tmp_path):
    copy = tmp_path / path.name
    copy.write_bytes(path.read_bytes())
    assert update(copy) == 0
    assert copy.read_bytes() == path.read_bytes()


def test_messages_are_literals_in_the_code_and_are_extracted():
    """A message within an f-string, or put together, would be found by no tool."""
    known = {text for message in extracted() if message.id for text in ids(message)}
    for path in (path for folder in ("service", "web") for path in (ROOT / folder).rglob("*.py")):
        tree = ast.parse(path.read_text())
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if name not in CALLS or path.name == "translations.py":
                continue
            for argument in node.args[: CALLS[name]]:
                if isinstance(argument, ast.Constant):
                    assert argument.value in known, f"{path.name}: {argument.value!r} is not found"
                else:
                    assert ast.unparse(argument) == "NAMES[kind]", f"{path.name}:{node.lineno}"


def test_the_default_words_of_a_practice_are_translated():
    settings = Settings()
    for word in (*settings.techniques, *settings.regions, *settings.pressures, *POSTURES):
        assert word in WORDS
    assert {word.casefold() for word in WORDS} >= CLIENT_NOTES
