"""The laws of the house, held by a test (CONTRIBUTING.md, "Invariants")."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import sys
import sysconfig
import tomllib
import warnings
from pathlib import Path
from typing import Any

import ftsan._native
import pytest
from ftsan.watch import LIBRARIES, table_of

from tests import found as found_
from tests import packages
from tests.conftest import PLAIN, ROOT, is_fact, left_out
from tests.interop.conftest import needs

RUST = sorted(path for folder in ("src", "hooks", "python/native/src") for path in (ROOT / folder).rglob("*.rs"))
FOLDERS = ((ROOT / "python" / "ftsan").rglob, (ROOT / "tests").rglob, (ROOT / "docs").glob, (ROOT / "examples").glob)
PYTHON = sorted(path for files in FOLDERS for path in files("*.py"))
SOURCES = [path for path in RUST + PYTHON if path.read_text()]


def names(paths: list[Path]) -> list[str]:
    return [str(path.relative_to(ROOT)) for path in paths]


def test_every_file_opens_with_what_it_is() -> None:
    assert names([path for path in SOURCES if not path.read_text().startswith(("//!", '"""'))]) == []


def test_no_file_is_longer_than_600_lines() -> None:
    assert names([path for path in SOURCES if path.read_text().count("\n") > 600]) == []


def test_nothing_is_left_to_do_without_an_issue() -> None:
    pattern = re.compile(r"\b(TODO|FIXME|XXX)\b(?! ?\(?#\d)")
    assert names([path for path in SOURCES if path.name != "test_tidy.py" and pattern.search(path.read_text())]) == []


def test_what_miri_is_to_run_is_there() -> None:
    # cargo says nothing where a name matches no test.
    filters = re.findall(r"\b((?:\w+::)+)tests::(\w+)", (ROOT / "Makefile").read_text())
    assert len(filters) >= 6
    for modules, test in filters:
        path = ROOT / "src" / modules.replace("::", "/").rstrip("/")
        files = [file for file in (path.with_suffix(".rs"), path / "mod.rs", path / "tests.rs") if file.is_file()]
        assert any(f"fn {test}" in file.read_text() for file in files), f"{modules}tests::{test}"


def test_the_core_knows_no_python_and_no_libc_and_has_no_unsafe_code() -> None:
    manifest = tomllib.loads((ROOT / "Cargo.toml").read_text())
    assert set(manifest["dependencies"]) == {
        "askama",
        "cpp_demangle",
        "regex-lite",
        "rustc-demangle",
        "rustix",
        "serde",
        "serde_json",
        "strsim",
        "toml",
        "zerocopy",
    }
    assert "#![forbid(unsafe_code)]" in (ROOT / "src" / "lib.rs").read_text()
    core = [path for path in RUST if path.is_relative_to(ROOT / "src")]
    assert names([path for path in core if re.search(r"static mut|\bpyo3\b|\blibc::", path.read_text())]) == []


def used_modules(path: Path, crate: Path) -> set[Path]:
    """The files of a crate that the ``use`` lines of one name by ``crate::`` paths, as far as the paths lead to a file."""
    used = set()
    for tree in re.findall(r"\buse (crate::[^;]+);", path.read_text()):
        for branch in branches(tree):
            words = branch.split("::")[1:]
            for depth in range(len(words), 0, -1):
                file = crate.joinpath(*words[:depth]).with_suffix(".rs")
                if file.is_file():
                    used.add(file)
                    break
    return used - {path}


def branches(tree: str) -> list[str]:
    """``a::{b, c::d}`` as ``a::b`` and ``a::c::d``."""
    head, brace, rest = re.sub(r"\s+", "", tree).partition("{")
    if not brace:
        return [head.removesuffix("::self")]
    depth, part, parts = 0, "", []
    for character in rest.removesuffix("}"):
        depth += (character == "{") - (character == "}")
        if character == "," and depth == 0:
            parts.append(part)
            part = ""
        else:
            part += character
    return [found for one in [*parts, part] if one for found in branches(head + one)]


def test_the_layers_of_the_injected_library_use_what_is_below_them() -> None:
    crate = ROOT / "hooks" / "src"
    layers = re.findall(r"^//! \| \[`(\w+)`\] \|", (crate / "lib.rs").read_text(), re.MULTILINE)
    files = [path for path in crate.rglob("*.rs") if path.name not in ("lib.rs", "mod.rs")]

    def layer(path: Path) -> int:
        return layers.index(path.relative_to(crate).parts[0].removesuffix(".rs"))

    arrows = {path: used_modules(path, crate) for path in files}
    assert sum(map(len, arrows.values())) > 20
    assert [f"{a} uses {b}" for a, used in arrows.items() for b in used if layer(b) < layer(a)] == []
    # Within a layer: a file that uses nothing that is left goes first, until nothing is left.
    left = dict(arrows)
    while free := [path for path, used in left.items() if not used & left.keys()]:
        for path in free:
            del left[path]
    assert names([*left]) == []


def test_interpreter_layouts_have_one_home() -> None:
    home = ROOT / "python" / "native" / "src" / "interpreter"
    outside = [path for path in RUST if not path.is_relative_to(home)]
    assert names([path for path in outside if re.search(r"_PyRuntime|debug_offsets\.", path.read_text())]) == []


def test_interpreter_versions_are_compared_in_one_place() -> None:
    package = [path for path in PYTHON if path.is_relative_to(ROOT / "python") and path.name != "env.py"]
    assert names([path for path in package if "version_info" in path.read_text()]) == []


def test_every_rule_has_a_file_and_programs_that_fire_and_stay_quiet() -> None:
    rules = {name.replace("-", "_"): id_ for id_, name, _ in ftsan._native.rules_table()}
    files = [path for path in (ROOT / "src" / "rules").glob("*.rs") if "static RULE: Rule" in path.read_text()]
    assert {path.stem: re.findall(r'id: "(FT\d{3})"', path.read_text()) for path in files} == {
        name: [id_] for name, id_ in rules.items()
    }
    fixes = {rules[path.stem]: re.findall(r'name: "(\w+)",\s*operations:', path.read_text()) for path in files}
    for rule in rules.values():
        fixed = [path.stem for path in (ROOT / "tests" / "programs" / rule).glob("fixed_*.py")]
        assert sorted(fixed) == sorted(f"fixed_{name}" for name in fixes[rule]), f"{rule}: fixes and the programs that follow them"
        programs = [path.name for path in (ROOT / "tests" / "programs" / rule).glob("*.py")]
        for verdict in ("fires_", "quiet_"):
            assert any(name.startswith(verdict) for name in programs), f"{rule}: no {verdict} program"


def test_the_native_module_is_declared_as_it_is() -> None:
    tree = ast.parse((ROOT / "python" / "ftsan" / "_native.pyi").read_text())
    declared = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    only_with_gil = {"share_births"} if sysconfig.get_config_var("Py_GIL_DISABLED") else set()
    assert declared - only_with_gil == {name for name in vars(ftsan._native) if not name.startswith("_")}


@pytest.mark.parametrize(("ci", "outcome"), [("true", "1 failed, 1 skipped"), ("", "2 skipped")])
def test_a_test_that_lacks_something_fails_in_ci(ci: str, outcome: str, tmp_path: Path) -> None:
    path = tmp_path / "test_it.py"
    path.write_text(
        "import pytest\ndef test_lacks(): pytest.importorskip('no_such_module')\ndef test_fact(): pytest.skip('the GIL is on')\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.conftest", "-c", "/dev/null", "--rootdir", tmp_path, path]
    done = subprocess.run(command, env=PLAIN | {"CI": ci}, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.stdout.splitlines()[-1].startswith(outcome), done.stdout + done.stderr


def test_a_package_may_be_missing_in_ci_only_where_the_requirements_leave_it_out() -> None:
    assert left_out({"python_version": "3.14"}) == set()
    assert is_fact("gevent (PyPI) is missing", {"python_version": "3.15"})
    assert not is_fact("gevent (PyPI) is missing", {"python_version": "3.14"})
    assert not is_fact("trio (PyPI) is missing", {"python_version": "3.15"})


def test_every_native_function_is_used() -> None:
    text = "\n".join(path.read_text() for path in PYTHON)
    assert [name for name in vars(ftsan._native) if not name.startswith("_") and f"_native.{name}" not in text] == []


@pytest.mark.parametrize("library", LIBRARIES)
def test_what_is_remembered_has_its_birth_watched(library: str) -> None:
    needs(library)
    # A remembered object at a reused address would be taken for its predecessor (the kinds in watch.rs).
    table = table_of(library)
    births = [*getattr(table, "BIRTHS", ()), *table_of("greenlet").BIRTHS]
    born = {class_ for _, path in births if (class_ := lookup(path)) is not None}
    for _, owner, path, methods in getattr(table, "METHODS", ()):
        remembered = owner.partition(":")[0] in ("attribute", "first-use", "thread", "hub")
        if not remembered or (":" in owner and owner.startswith("first-use")) or path.endswith((":", "_LoopBoundMixin")):
            continue
        for class_ in lookup(path).__mro__:
            if class_ in born:
                break
            own = vars(class_).get("__init__")
            if hasattr(own, "__code__") and "__init__" not in own.__code__.co_names:
                raise AssertionError(f"{path}: {class_} is born unseen")
        else:
            raise AssertionError(f"{path}: {methods}")


def lookup(path: str) -> Any:
    """The object that a path of a table leads to; ``None`` for one that this version does not have."""
    module, _, attributes = path.rstrip("?").partition(":")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found: Any = importlib.import_module(module)
    for attribute in attributes.split("."):
        found = getattr(found, attribute, None)
    return found


def test_bugs_of_packages_have_their_programs() -> None:
    judged = [verdict for suite in packages.PACKAGES.values() for verdict in suite.judged.values()]
    assert {kind for kind, _ in judged} == {packages.TRUE, packages.TEST, packages.HARMLESS}
    named = {reason.partition(":")[0] for kind, reason in judged if kind == packages.TRUE}
    assert named <= {found.path.name for found in found_.programs()}
    assert found_.PAGE.read_text() == found_.page(), "make bless"


def test_nothing_generated_is_committed() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    assert [name for name in listed if name.endswith((".so", ".pyc")) or name.startswith(("target/", ".venv/"))] == []


def test_a_contents_page_names_all_of_its_modules() -> None:
    missing = []
    for page in (path for path in RUST if path.name == "mod.rs" and "//! |---|" in path.read_text()):
        text = page.read_text()
        modules = re.findall(r"^(?:pub(?:\([^)]*\))? )?mod (\w+);", re.sub(r"#\[cfg\(test\)\]\nmod \w+;", "", text), re.MULTILINE)
        named = re.findall(r"`(\w+)`", text)
        missing += [f"{page.relative_to(ROOT)}: {module}" for module in modules if module not in named]
    # Forms of crash dumps and hooked calls are tables of their own.
    assert [name for name in missing if not name.startswith(("src/triage/forms", "hooks/src"))] == []
