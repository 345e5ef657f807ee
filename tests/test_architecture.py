"""The page on how restbeat is built: its picture is that of the imports, and every path on it is there."""

from itertools import pairwise
import os
from pathlib import Path
import re

import grimp
import pytest

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "architecture.md"
BEGIN, END = "<!-- house -->\n", "<!-- /house -->"
LAYERS = ("web", "service", "analysis", "sensors")


@pytest.fixture(scope="module")
def imports():
    """The folders that each folder imports, its own layer's alone; a module beside the folders counts as one."""
    graph = grimp.build_graph(*(f"restbeat.{layer}" for layer in LAYERS))
    found = {}
    for module in graph.modules:
        if module.count(".") < 2:
            continue
        layer, folder = module.split(".")[1:3]
        known = found.setdefault((layer, folder), set())
        for imported in graph.find_modules_directly_imported_by(module):
            if imported.count(".") >= 2 and imported.split(".")[1] == layer:
                known.add((layer, imported.split(".")[2]))
    return {node: others - {node} for node, others in found.items() if node[1] != "errors"}


def reached(edges, node, without=None):
    found, waiting = set(), [other for other in edges[node] if other != without]
    while waiting:
        other = waiting.pop()
        if other in edges and other not in found:
            found.add(other)
            waiting += edges[other]
    return found


def house(imports):
    """The folders as Mermaid, with the arrows that no longer way makes needless."""
    lines = ["```mermaid", "flowchart TD"]
    for layer in LAYERS:
        folders = sorted(folder for one, folder in imports if one == layer and (ROOT / layer / folder).is_dir())
        names = [*folders, "practice"] if layer == "service" else folders
        lines += [
            f"  subgraph {layer}",
            *(f"    {layer}_{name}[{name}{'.py' if name == 'practice' else ''}]" for name in names),
            "  end",
        ]
        drawn = {(layer, name) for name in names}
        edges = {node: imports[node] & drawn for node in drawn}
        for node in sorted(drawn):
            for other in sorted(edges[node]):
                if other not in reached(edges, node, without=other):
                    lines.append(f"  {layer}_{node[1]} --> {layer}_{other[1]}")
    lines += [f"  {one} ==> {other}" for one, other in pairwise(LAYERS)]
    return "\n".join([*lines, "```", ""])


def test_the_picture_is_that_of_the_imports(imports):
    before, _, rest = PAGE.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    text = before + BEGIN + house(imports) + END + after
    if os.environ.get("RESTBEAT_UPDATE"):
        PAGE.write_text(text)
    assert PAGE.read_text() == text, "run again with RESTBEAT_UPDATE=1"


def test_an_arrow_that_a_longer_way_makes_needless_is_left_out():
    edges = {"a": {"b", "c"}, "b": {"c"}, "c": set()}
    assert [other for other in edges["a"] if other not in reached(edges, "a", without=other)] == ["b"]


@pytest.mark.parametrize(
    "page", ["docs/architecture.md", "CONTRIBUTING.md", "README.md", "docs/decisions/0003-the-pages-stand-on-the-program.md"]
)
def test_every_path_on_the_page_is_there(page):
    text = (ROOT / page).read_text()
    paths = set(re.findall(r"(?<![\w/])(?:sensors|analysis|service|web|tests|docs|bench|fixtures)/[\w/.-]*\w/?", text))
    assert paths
    assert {path for path in paths if not (ROOT / path).exists() and path != "web/vendor"} == set()
