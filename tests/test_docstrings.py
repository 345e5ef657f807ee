"""Docstrings begin with what a function does, and name the errors of ours that it raises."""

import ast
from pathlib import Path
import re

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ("sensors", "analysis", "service", "web")
NO_FIRST_WORD = {"What", "Whether", "How", "Where", "Who", "Why", "Of", "That", "Those", "This", "They", "One", "By"}


def trees():
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text())


@pytest.fixture(scope="module")
def errors():
    """Every error class of ours, by name, with the names of its bases."""
    found = {}
    for _, tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef) and node.name.endswith("Error"):
                found[node.name] = {base.id for base in node.bases if isinstance(base, ast.Name)}
    return found


def public_functions():
    """Each public function and method: where it is, itself, and the docstring of its class."""
    for where, tree in trees():
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                for method in node.body:
                    if isinstance(method, ast.FunctionDef | ast.AsyncFunctionDef) and not method.name.startswith("_"):
                        yield f"{where}: {node.name}.{method.name}", method, ast.get_docstring(node) or ""
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
                yield f"{where}: {node.name}", node, ""


def is_property(function):
    return any(isinstance(one, ast.Name) and one.id == "property" for one in function.decorator_list)


def raised(function):
    """Names of the errors that the function itself raises, but not those that it catches."""
    for node in ast.walk(function):
        if isinstance(node, ast.Raise) and node.exc is not None:
            error = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
            if isinstance(error, ast.Name):
                yield error.id


def test_a_public_function_names_the_errors_of_ours_that_it_raises(errors):
    silent = []
    for where, function, of_class in public_functions():
        named = set(re.findall(r"`(\w+)`", f"{ast.get_docstring(function) or ''} {of_class}"))
        silent += [
            f"{where} raises {name}" for name in set(raised(function)) & set(errors) if not ({name} | errors[name]) & named
        ]
    assert silent == []


def test_a_function_says_first_what_it_does():
    """Its docstring begins with neither a question word nor a fragment; a property may be a noun phrase."""
    odd = [
        f"{where}: {first}"
        for where, function, _ in public_functions()
        if not is_property(function)
        and (first := (ast.get_docstring(function) or "").split("\n")[0])
        and re.split(r"\W", first, maxsplit=1)[0] in NO_FIRST_WORD
    ]
    assert odd == []


def test_no_module_or_class_begins_with_what():
    odd = [
        f"{where}: {text.splitlines()[0]}"
        for where, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef) and (text := ast.get_docstring(node) or "") and text.startswith("What ")
    ]
    assert odd == []
