"""``ftsan audit``, ``ftsan issue`` and ``ftsan env``: on distributions made for it, and on those that are installed here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ftsan import _native
from ftsan.cli import audit_native
from ftsan.cli.audit_python import shared_state
from ftsan.env import gil_state

from tests.conftest import PLAIN, Ftsan, needs_free_threading
from tests.python.test_formats import validate
from tests.python.test_runtime import DECLARED, EXTENSION, build

#: Initialised in one phase: what it declares is not to be seen in its file.
SINGLE = """
#include <Python.h>
static struct PyModuleDef definition = {{PyModuleDef_HEAD_INIT, .m_name = "{name}", .m_size = -1}};
PyMODINIT_FUNC PyInit_{name}(void) {{
    PyObject *module = PyModule_Create(&definition);
    {gil}
    return module;
}}
"""


def ftsan_(*words: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ftsan", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, env=PLAIN, cwd=cwd, check=False)


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with distributions of one kind each."""
    folder = tmp_path_factory.mktemp("audit") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    [site] = folder.glob("lib/python*/site-packages")
    build(site, "declared", DECLARED)
    build(site, "undeclared")
    calls = "PyUnstable_Module_SetGIL(module, Py_MOD_GIL_NOT_USED);"
    for name, gil in (("called", calls), ("silent", "")):
        build(site, name, gil, SINGLE)
    build(site, "broken", DECLARED)
    (site / "broken.so").write_bytes((site / "broken.so").read_bytes()[:4096])
    (site / "pure.py").write_text("CACHE = {}\nNAMES = ()\n\n\ndef add(name):\n    CACHE[name] = 1\n")
    for name in ("declared", "undeclared", "called", "silent", "broken"):
        (site / f"{name}.c").unlink()
        distribution(site, name, "1.0", f"{name}.so")
    packaged = site / "packaged"
    (packaged / "tests").mkdir(parents=True)
    (packaged / "__init__.py").write_text("import nothing_of_the_kind\n")
    build(packaged, "inner", calls, SINGLE)
    build(packaged / "tests", "helper")
    distribution(site, "packaged", "1.0", "packaged/inner.so,,\npackaged/tests/helper.so", tag="cp314-cp314t-linux_x86_64")
    distribution(site, "pure", "2.0", "pure.py", tag="py3-none-any")
    distribution(site, "greenlet", "3.5.2", "", tag="py3-none-any")
    return folder


def distribution(site: Path, name: str, version: str, file: str, tag: str = "cp314-cp314t-manylinux_2_17_x86_64") -> None:
    note = site / f"{name}-{version}.dist-info"
    note.mkdir()
    stable = "Programming Language :: Python :: Free Threading :: 3 - Stable"
    (note / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nClassifier: {stable}\n")
    (note / "WHEEL").write_text(f"Wheel-Version: 1.0\nTag: {tag}\n")
    (note / "RECORD").write_text(f"{file},,\n" if file else "")


def rows(run: subprocess.CompletedProcess[str]) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in json.loads(run.stdout)["distributions"]}


@needs_free_threading
def test_each_kind_of_distribution_has_its_row(environment: Path) -> None:
    run = ftsan_("audit", "--venv", environment.name, "--json", cwd=environment.parent)
    found = rows(run)
    assert run.returncode == 66, run.stderr
    said = {name: [(module["declares"], module["by"]) for module in row["modules"]] for name, row in found.items()}
    assert said == {
        "declared": [(True, "its file")],
        "undeclared": [(False, "its file")],
        "called": [(True, "an import")],
        "silent": [(False, "an import")],
        "broken": [],
        # Its package cannot be imported, and modules that only its tests load are no matter.
        "packaged": [(True, "an import"), (False, "its file")],
        "pure": [],
        "greenlet": [],
    }
    assert found["declared"]["risk"] == "declares that it can do without the GIL; its authors: 3 - Stable"
    assert (found["packaged"]["risk"], found["packaged"]["status"]) == (found["declared"]["risk"], 0)
    wheels = {found[name]["wheel"] for name in ("declared", "packaged", "pure")}
    assert wheels == {"cp314-cp314t-manylinux_2_17_x86_64", "cp314-cp314t-linux_x86_64 (built here)", "any"}
    assert found["undeclared"]["risk"] == "switches the GIL on: undeclared"
    assert "greenlet#513, fixed in 3.5.3" in found["greenlet"]["risk"]
    assert found["pure"]["state"] == [{"file": "pure.py", "name": "CACHE", "line": 1, "written_by": ["add"]}]


@pytest.mark.parametrize(
    ("words", "status"),
    [
        pytest.param(["declared", "called", "pure"], 0, marks=needs_free_threading),
        (["undeclared"], 66),
        pytest.param(["silent"], 66, marks=needs_free_threading),
        (["greenlet"], 66),
        (["--no-import", "silent"], 67),
    ],
)
def test_the_status_says_whether_anything_is_to_be_done(environment: Path, words: list[str], status: int) -> None:
    run = ftsan_("audit", "--venv", environment, *words)
    assert run.returncode == status, run.stdout + run.stderr
    assert run.stderr == ""


def test_requirements_are_read_and_what_is_missing_is_said(environment: Path, tmp_path: Path) -> None:
    (tmp_path / "more.txt").write_text("Pure==2.0  # fine\n--index-url https://example.org\n")
    (tmp_path / "requirements.txt").write_text("declared[extra]>=1 ; python_version > '3'\n-r more.txt\nnothing-of-the-kind\n")
    run = ftsan_("audit", "--venv", environment, "-r", tmp_path / "requirements.txt", "--json")
    assert (set(rows(run)), json.loads(run.stdout)["not_installed"]) == ({"declared", "pure"}, ["nothing-of-the-kind"])


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["nothing-of-the-kind"], "not installed for"),
        (["-r", "/nowhere.txt"], "cannot read /nowhere.txt: No such file or directory"),
        (["--venv", "/nowhere"], "/nowhere cannot be asked:"),
    ],
)
def test_what_cannot_be_looked_at_is_said_in_one_line(words: list[str], line: str) -> None:
    run = ftsan_("audit", *words)
    assert (run.returncode, run.stdout, run.stderr.count("\n")) == (2, "", 1)
    assert line in run.stderr


def test_a_table_of_markdown_has_a_line_for_each(environment: Path) -> None:
    run = ftsan_("audit", "--venv", environment, "--markdown", "declared", "undeclared")
    lines = [line for line in run.stdout.splitlines() if line.startswith("|")]
    assert len(lines) == 4 and len({line.count("|") for line in lines}) == 1


def test_code_scanning_shows_what_is_required_at_its_line(environment: Path, tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    listed = tmp_path / "of the server" / "requirements.txt"
    listed.parent.mkdir()
    listed.write_text("# all of it\ngreenlet==3.5.2\nundeclared\nno-such\n")
    words = ["--venv", environment, "--sarif", "--no-import", "-r", listed, "pure", "silent"]
    run = ftsan_("audit", *words, cwd=listed.parent)
    log = json.loads(run.stdout)
    validate(log)
    [run] = log["runs"]
    places = {}
    for result in run["results"]:
        place = result["locations"][0]["physicalLocation"]
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        places[result["message"]["text"]] = (result["ruleId"], place["artifactLocation"], place["region"]["startLine"])
    required = {"uri": "of%20the%20server/requirements.txt", "uriBaseId": "SRCROOT"}
    [site] = environment.glob("lib/python*/site-packages")
    crashes = {text: places.pop(text) for text in list(places) if text.startswith("greenlet 3.5.2 is known to crash: ")}
    assert any(text.endswith("(greenlet#513, fixed in 3.5.3)") for text in crashes)
    assert [*crashes.values()] == [("known-crash", required, 2)] * len(crashes)
    assert places == {
        "undeclared of undeclared 1.0 switches the GIL on": ("gil-switched-on", required, 3),
        "silent of silent 1.0 may need the GIL: it is not known": ("not-known", {"uri": (site / "silent.so").as_uri()}, 1),
        "CACHE is changed by add": ("shared-state", {"uri": (site / "pure.py").as_uri()}, 1),
    }
    assert run["originalUriBaseIds"]["SRCROOT"]["uri"] == tmp_path.as_uri() + "/"
    [invocation] = run["invocations"]
    assert [note["message"]["text"] for note in invocation["toolExecutionNotifications"]] == ["not installed: no-such"]
    assert not invocation["executionSuccessful"]


def test_variables_that_each_thread_has_its_own_of_are_not_counted(tmp_path: Path) -> None:
    variables = "static {kind}char {name}[1 << 16]; char *{name}_at(int i) {{ return {name} + i; }}\n"
    sizes = []
    for number, kind in enumerate(("", "static", "_Thread_local")):
        text = variables.format(kind="_Thread_local " if kind == "_Thread_local" else "", name="them") if kind else ""
        file = build(tmp_path, f"kind{number}", DECLARED, EXTENSION + text.replace("{", "{{").replace("}", "}}"))
        sizes.append(_native.read_extension(str(file))[3])
    assert sizes[1] - sizes[0] >= 1 << 16
    assert sizes[2] - sizes[0] < 1 << 10


@needs_free_threading
def test_no_file_says_what_an_import_denies() -> None:
    """Every extension module that is installed here: what its file shows is what it declares when it is imported."""
    listed = audit_native.ask(sys.executable, "list")["distributions"]
    compared = 0
    for one in listed:
        modules = [module for module in audit_native.look(sys.executable, one, may_import=False) if module["declares"] is not None]
        if not modules:
            continue
        loaded = audit_native.ask(sys.executable, "import", *(f"{module['module']}={module['file']}" for module in modules))[
            "loaded"
        ]
        known = [module for module in modules if os.path.realpath(module["file"]) in loaded]
        assert [(m["module"], m["declares"]) for m in known] == [(m["module"], loaded[os.path.realpath(m["file"])]) for m in known]
        compared += len(known)
    assert compared > 20


def test_shared_state_is_what_functions_change() -> None:
    source = """
cache, names = {}, ()
seen: set[str] = set()
plain = []
count = 0
made = make()

def one(key, plain):
    cache[key] = 1
    plain.append(key)

class C:
    def two(self):
        global count, late
        count += 1
        late = seen.add(1)

def three():
    seen = set()
    seen.add(1)
    made.append(2)
"""
    found = [(one["name"], one["line"], one["written_by"]) for one in shared_state(source)]
    assert found == [("late", 0, ["C.two"]), ("seen", 3, ["C.two"]), ("count", 5, ["C.two"])]


def test_versions_that_crash_are_those_of_the_table() -> None:
    assert ("greenlet", None, "3.5.3", "greenlet#513") in [row[:4] for row in _native.bad_versions()]


def test_an_issue_has_what_maintainers_ask_for(ftsan: Ftsan, race: Path, tmp_path: Path) -> None:
    run = ftsan(race)
    assert run.rules == ["FT401"]
    issue = ftsan_("issue", tmp_path / "report.json", "--command", "race.py --fast")
    assert issue.returncode == 0, issue.stderr
    version = sys.version.replace("\n", " ")
    for line in (f"Python {version}", f"GIL: {gil_state()}", run.findings[0]["title"], "ftsan run --races all race.py --fast"):
        assert line in issue.stdout
    tag = f"cp{sys.version_info.major}{sys.version_info.minor}"
    assert f"greenlet-3.5.6-{tag}-{tag}{sys.abiflags}-" in issue.stdout or sys.version_info >= (3, 15)
    assert (
        ftsan_("issue", tmp_path / "report.json", "--finding", run.findings[0]["fingerprint"]).stdout
        == ftsan_("issue", tmp_path / "report.json").stdout
    )


def test_an_issue_of_no_report_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.json").write_text("{}")
    for words in (["issue", "/nowhere.json"], ["issue", tmp_path / "empty.json"]):
        run = ftsan_(*words)
        assert (run.returncode, run.stdout, run.stderr.count("\n")) == (2, "", 1)


def test_what_env_prints_for_a_shell_switches_ftsan_on_in_every_process(race: Path, tmp_path: Path) -> None:
    """Each process that is not the child of a watched one has a report of its own."""
    reports = tmp_path / "reports of mine"
    reports.mkdir()
    printed = ftsan_("env", "--reports", reports).stdout
    script = f"{printed}\n{sys.executable} {race} & {sys.executable} {race} & wait"
    subprocess.run(["sh", "-c", script], env=PLAIN, capture_output=True, check=True)
    written = [json.loads(path.read_text()) for path in reports.glob("ftsan-*.json")]
    assert [[finding["rule"] for finding in report["findings"]] for report in written] == [["FT401"], ["FT401"]]


@pytest.mark.parametrize(
    ("host", "line"),
    [
        ("apache", "export FTSAN=1"),
        ("systemd", 'Environment="FTSAN_OPTIONS=report_json=/reports/ftsan-%%25p.json"'),
        ("docker", 'ENV FTSAN="1"'),
    ],
)
def test_env_speaks_the_language_of_the_host(host: str, line: str) -> None:
    run = ftsan_("env", host, "--reports", "/reports")
    assert (run.returncode, run.stderr) == (0, "")
    assert line in run.stdout.splitlines()
