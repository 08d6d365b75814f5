"""The GIL, extension modules and forks, where a program of ``tests/programs`` is not enough."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.conftest import PLAIN, Ftsan, needs_free_threading, needs_gil_off
from tests.interop.conftest import needs

#: An extension module; ``{gil}`` is a slot or nothing.
EXTENSION = """
#include <Python.h>
static PyModuleDef_Slot slots[] = {{
    {{Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED}},
    {gil}
    {{0, NULL}}
}};
static struct PyModuleDef definition = {{PyModuleDef_HEAD_INIT, .m_name = "{name}", .m_slots = slots}};
PyMODINIT_FUNC PyInit_{name}(void) {{ return PyModuleDef_Init(&definition); }}
"""
DECLARED = "{Py_mod_gil, Py_MOD_GIL_NOT_USED},"


def build(folder: Path, name: str, gil: str = "", text: str = EXTENSION) -> Path:
    """Compile an extension module into a folder; skips the test where there is no compiler."""
    compiler = shutil.which("cc")
    if compiler is None or not Path(sysconfig.get_path("include"), "Python.h").exists():
        pytest.skip("no C compiler, or no headers of this Python")
    source, target = folder / f"{name}.c", folder / f"{name}.so"
    source.write_text(text.format(name=name, gil=gil))
    command = [
        compiler,
        "-shared",
        "-fPIC",
        "-DPy_GIL_DISABLED=1",
        f"-I{sysconfig.get_path('include')}",
        "-o",
        str(target),
        str(source),
    ]
    subprocess.run(command, check=True)
    return target


@needs_gil_off
def test_the_import_statement_is_named_through_other_modules(ftsan: Ftsan, tmp_path: Path) -> None:
    build(tmp_path, "undeclared")
    build(tmp_path, "declared", DECLARED)
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__init__.py").write_text("import declared\nfrom . import inner\n")
    (tmp_path / "package" / "inner.py").write_text("import undeclared\n")
    program = tmp_path / "program.py"
    program.write_text("import sys\n\nimport package\nassert package and sys._is_gil_enabled()\n")
    run = ftsan(program)
    [finding] = run.findings
    assert (run.status, finding["rule"], finding["severity"], run.report["gil"]) == (0, "FT601", "info", "re-enabled by undeclared")
    stack = [(Path(frame["file"]).name, frame["line"]) for frame in finding["accesses"][0]["stack"]]
    assert stack == [("inner.py", 1), ("__init__.py", 2), ("program.py", 3)]
    assert "FT601 the GIL was switched on by undeclared" in run.stderr  # also where nobody sits at a terminal


@needs_gil_off
def test_gevent_is_named_with_its_version_and_who_imports_it(ftsan: Ftsan, tmp_path: Path) -> None:
    needs("gevent")
    program = tmp_path / "program.py"
    program.write_text("import gevent\n")
    run = ftsan("--require-gil-disabled", program)
    finding = run.findings[0]
    assert (run.status, finding["rule"], finding["severity"]) == (66, "FT601", "error")
    assert f"gevent.libev.corecext of gevent {version('gevent')}" in finding["title"]
    stack = finding["accesses"][0]["stack"]
    assert (stack[-1]["file"], stack[-1]["line"]) == (str(program), 1)
    assert not [frame for frame in stack if "importlib" in frame["file"] or "/ftsan/" in frame["file"]]
    assert {other["rule"] for other in run.findings[1:]} == {"FT602"}


@needs_gil_off
def test_a_child_of_a_process_with_the_gil_says_so(ftsan: Ftsan, tmp_path: Path) -> None:
    build(tmp_path, "undeclared")
    program = tmp_path / "program.py"
    program.write_text("import os\n\nimport undeclared\nif not os.fork():\n    os._exit(0)\nos.wait()\nassert undeclared\n")
    run = ftsan(program)
    assert (run.rules, run.report["gil"], run.report["watched"]["processes"]) == (["FT601"], "re-enabled by undeclared", 2)


@pytest.mark.parametrize(("mode", "state"), [("1", "enabled"), pytest.param("0", "disabled", marks=needs_free_threading)])
def test_the_gil_that_was_asked_for_is_no_fault(ftsan: Ftsan, tmp_path: Path, mode: str, state: str) -> None:
    (tmp_path / "program.py").write_text("")
    run = ftsan(tmp_path / "program.py", env={"PYTHON_GIL": mode})
    assert (run.status, run.findings, run.report["gil"]) == (0, [], state)


@needs_free_threading
def test_a_program_that_must_not_have_the_gil_is_told_why_it_has(ftsan: Ftsan, tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text("")
    run = ftsan("--require-gil-disabled", tmp_path / "program.py", env={"PYTHON_GIL": "1"})
    assert (run.status, run.rules) == (66, ["FT604"])
    assert "the process has begun with the GIL on: PYTHON_GIL=1" in run.stderr


@needs_gil_off
def test_a_module_that_must_not_be_loaded_is_refused_if_that_is_asked_for(ftsan: Ftsan, tmp_path: Path) -> None:
    build(tmp_path, "undeclared")
    program = tmp_path / "program.py"
    program.write_text(
        "import sys\n\nimport ftsan\ntry:\n    import undeclared\nexcept ftsan.Misuse as misuse:\n    print(str(misuse)[:6])\n"
        "print('undeclared' in sys.modules)\n"
    )
    run = ftsan("--require-gil-disabled", "--on-finding", "raise", program)
    assert (run.stdout, run.status, run.rules) == ("FT601:\nFalse\n", 66, ["FT601"])


@needs_gil_off
def test_what_the_program_makes_of_the_warning_is_its_own(ftsan: Ftsan, tmp_path: Path) -> None:
    """An error that comes of the warning is raised as without ftsan, and the module is not there."""
    build(tmp_path, "undeclared")
    program = tmp_path / "program.py"
    program.write_text("try:\n    import undeclared\nexcept RuntimeWarning as error:\n    print(str(error)[:20])\n")
    plain = subprocess.run(
        [sys.executable, "-W", "error", program], capture_output=True, text=True, env=PLAIN | {"PYTHONPATH": os.fspath(tmp_path)}
    )
    run = ftsan("-W", "error", program)
    assert (run.stdout, run.status) == (plain.stdout, plain.returncode) == ("The global interpret\n", 0)
