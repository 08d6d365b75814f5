"""The layers of each crate: an import points down, and no modules form a circle (ARCHITECTURE.md, the head of each lib.rs)."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT

Module = tuple[str, ...]
Graph = dict[Module, set[Module]]

#: From the top to the bottom.  ``api`` may use everything; nothing uses it.
NATIVE_LAYERS = ("api", "launcher", "intercept", "engine", "evidence", "findings", "thread", "interpreter")
CRATES = {
    "core": ROOT / "src",
    "hooks": ROOT / "hooks" / "src",
    "backend": ROOT / "hooks" / "backend" / "src",
    "native": ROOT / "python" / "native" / "src",
}

USE = re.compile(r"^ *(?:pub(?:\([a-z]+\))? )?use ([^;]+);", re.M)
PATH = re.compile(r"(?<![\w:$])(?:\$?crate|super|self)(?:::\w+)+")
COMMENT = re.compile(r"//.*|pub\(in [\w:]+\)")
INLINE = re.compile(r"^(?:pub(?:\([a-z]+\))? )?mod \w+ \{.*?^\}", re.M | re.S)
TESTS = re.compile(
    r"^#\[cfg\(test\)\]\n(?:mod \w+;|(?:pub(?:\(crate\))? )?(?:mod|fn|use|impl|static|const|struct)\b[^{;]*(?:;|\{.*?^\}))",
    re.M | re.S,
)


def leaves(tree: str) -> Iterator[list[str]]:
    """The paths of a use tree: ``a::{b, c::d}`` is ``a::b`` and ``a::c::d``."""
    tree = " ".join(tree.split())
    if not tree.endswith("}"):
        yield [part.strip() for part in tree.split(" as ")[0].split("::")]
        return
    prefix, _, inner = tree.partition("{")
    depth, start = 0, 0
    inner = inner[:-1] + ","
    for position, character in enumerate(inner):
        depth += (character == "{") - (character == "}")
        if character == "," and depth == 0:
            if branch := inner[start:position].strip():
                yield from leaves(prefix.strip() + branch)
            start = position + 1


def module_of(path: Path, root: Path) -> Module:
    parts = path.relative_to(root).with_suffix("").parts
    return parts[:-1] if parts[-1] in ("mod", "lib", "main") else parts


def imports(root: Path) -> Graph:
    """Which module of a crate uses which, tests left out.  A module is a file."""
    files = {module_of(path, root): path for path in root.rglob("*.rs") if "tests" not in path.parts and path.stem != "tests"}
    graph: Graph = {module: set() for module in files}

    def owner(path: list[str], module: Module) -> Module | None:
        base: list[str] = []
        if path[0] in ("super", "self"):
            base = list(module)
            while path and path[0] in ("super", "self"):
                base = base[:-1] if path[0] == "super" else base
                path = path[1:]
        elif path[0] in ("crate", "$crate"):
            path = path[1:]
        elif (*module, path[0]) in files:
            base = list(module)  # a child, named in its parent
        else:
            return None
        full = tuple(base) + tuple(part for part in path if part != "self")
        return next((full[:length] for length in range(len(full), -1, -1) if full[:length] in files), None)

    for module, path in files.items():
        text = TESTS.sub("", COMMENT.sub("", path.read_text()))
        # `super` in a module that is written in the file is the file.
        text = INLINE.sub(lambda inline: inline[0].replace("super::", "self::"), text)
        found = [leaf for use in USE.findall(text) for leaf in leaves(use)]
        text = USE.sub("", text)
        found += [match.split("::") for match in PATH.findall(text)]
        # In a contents page, a child is named without `self::`.
        found += [[child, "x"] for child in re.findall(r"(?<![\w:])([a-z]\w*)::", text) if (*module, child) in files]
        graph[module] = {to for leaf in found if (to := owner(leaf, module)) is not None} - {module}
    return graph


def circles(graph: Graph) -> list[list[str]]:
    """The sets of modules of which each leads to each other (Tarjan's strongly connected components of more than one)."""
    index: dict[Module, int] = {}
    low: dict[Module, int] = {}
    stack: list[Module] = []
    found: list[list[str]] = []

    def visit(module: Module) -> None:
        index[module] = low[module] = len(index)
        stack.append(module)
        for to in graph[module]:
            if to not in index:
                visit(to)
                low[module] = min(low[module], low[to])
            elif to in stack:
                low[module] = min(low[module], index[to])
        if low[module] == index[module]:
            members = []
            while True:
                members.append(stack.pop())
                if members[-1] == module:
                    break
            if len(members) > 1:
                found.append(sorted("::".join(member) for member in members))

    for module in graph:
        if module not in index:
            visit(module)
    return found


def upward(graph: Graph, layers: tuple[str, ...]) -> list[str]:
    rank = {layer: number for number, layer in enumerate(layers)}
    return sorted(
        f"{'::'.join(module)} -> {'::'.join(to)}"
        for module, tos in graph.items()
        for to in tos
        if module and to and rank[to[0]] < rank[module[0]]
    )


def test_no_import_of_the_native_module_points_up() -> None:
    graph = imports(CRATES["native"])
    assert {module[0] for module in graph if module} == set(NATIVE_LAYERS)
    assert upward(graph, NATIVE_LAYERS) == []


@pytest.mark.parametrize("crate", CRATES)
def test_no_modules_form_a_circle(crate: str) -> None:
    assert circles(imports(CRATES[crate])) == []


def test_a_use_that_is_turned_round_is_seen(tmp_path: Path) -> None:
    (tmp_path / "high").mkdir()
    (tmp_path / "lib.rs").write_text("mod high;\nmod low;\n")
    (tmp_path / "high" / "mod.rs").write_text("//! High.\nmod judge;\n")
    (tmp_path / "high" / "judge.rs").write_text("use crate::{\n    low::{self, Fact},\n};\n")
    (tmp_path / "low.rs").write_text("pub struct Fact;\n")
    assert upward(imports(tmp_path), ("high", "low")) == [] == circles(imports(tmp_path))
    (tmp_path / "low.rs").write_text("fn f() { crate::high::judge::g() }\n#[cfg(test)]\nmod tests {\n    use crate::high;\n}\n")
    assert upward(imports(tmp_path), ("high", "low")) == ["low -> high::judge"]
    assert circles(imports(tmp_path)) == [["high::judge", "low"]]


def test_every_path_of_the_map_exists_and_every_folder_is_on_it() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text()
    paths = {path for path in re.findall(r"`([\w./-]+)`", text) if "/" in path or (ROOT / path).exists()}
    assert sorted(path for path in paths if not (ROOT / path).exists()) == []
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    folders = {str(Path(name).parent) for name in listed if name.endswith((".rs", ".py"))} - {"."}
    # A folder is on the map if it, the one above it or the file that it belongs to is named.
    named = {path.rstrip("/").removesuffix(".rs") for path in paths}
    programs = {folder for folder in folders if folder.startswith("tests/programs/")}
    assert sorted(folder for folder in folders - programs if not {folder, str(Path(folder).parent)} & named) == []
