"""``ftsan audit``: what the files of extension modules say, and the interpreter that loads those whose files do not."""

import json
import mmap
import os
import re
import subprocess
import tempfile
from typing import Any

from .. import _native
from .c_api import BORROWED, UNSAFE

PROBE = os.path.join(os.path.dirname(__file__), "audit_probe.py")

#: How long the interpreter may take to import what a distribution has, in seconds.
PATIENCE = 120

#: By what is in a file, what has made it; a group is its version.
GENERATORS = (
    ("Cython", rb"_cython_(\d+_\d+(?:_\d+)?\w*)"),
    ("Cython", rb"__pyx_capi__|__pyx_unpickle"),
    ("PyO3", rb"pyo3-(\d+\.\d+\.\d+)"),
    ("PyO3", rb"pyo3_runtime\.PanicException"),
    ("nanobind", rb"__nb_internals_v(\d+)|nanobind_v\w+"),
    ("pybind11", rb"__pybind11_internals_v(\d+)"),
    ("mypyc", rb"mypyc_\w+|CPyStatics"),
    ("f2py", rb"f2py"),
    ("SWIG", rb"swig_runtime_data(\d+)|SwigPyObject"),
    ("cffi", rb"_cffi_backend"),
)


def ask(python: str, *words: str) -> dict[str, Any]:
    """What the probe answers in this interpreter.

    :raises OSError: it could not be run, or took too long, or died; one line.
    """
    with tempfile.TemporaryDirectory(prefix="ftsan-audit-") as scratch:
        answer = os.path.join(scratch, "answer.json")
        task, *modules = words
        # Isolated, also from PYTHON_GIL: the question is what the modules do by themselves.
        command = [python, "-I", "-W", "ignore", PROBE, task, answer, *modules]
        try:
            done = subprocess.run(
                command,
                cwd=scratch,
                env=_environment(),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=PATIENCE,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise OSError(f"took more than {PATIENCE} seconds") from None
        try:
            with open(answer) as file:
                result: dict[str, Any] = json.load(file)
        except OSError, ValueError:
            last = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:] or [f"status {done.returncode}"]
            raise OSError(last[0]) from None
        return result


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("FTSAN", "PYTHON", "LD_PRELOAD"))}


def _module(file: str, root: str) -> str:
    """The name that a file is imported by."""
    folder, _, name = os.path.relpath(file, root).rpartition(os.sep)
    return ".".join(filter(None, [*folder.split(os.sep), name.partition(".")[0]]))


def generator(file: str) -> str:
    """The tool that made an extension module, with its version where that is written down; empty for C by hand, or if not known."""
    with open(file, "rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as text:
        for name, pattern in GENERATORS:
            found = re.search(pattern, text)
            if found:
                version = (found[1] or b"").decode().replace("_", ".") if found.re.groups else ""
                return f"{name} {version}".strip()
    return ""


def look(python: str, distribution: dict[str, Any], may_import: bool) -> list[dict[str, Any]]:
    """The extension modules of a distribution, in the order of their files."""
    modules = []
    for file in distribution["files"]:
        if not file.endswith(".so"):
            continue
        try:
            names, declares, uses, writable = _native.read_extension(file)
        except OSError, ValueError:
            continue  # no ELF file, as in a package of test data
        if not uses:
            continue  # a library that knows nothing of Python
        modules.append(
            {
                "module": _module(file, distribution["root"]) if names else "",
                "file": file,
                "declares": declares if names else None,
                "by": "its file" if declares is not None else "",
                "generator": generator(file),
                "borrowed": sorted(BORROWED.intersection(uses)),
                "unsafe": sorted(UNSAFE.intersection(uses)),
                "writable": writable,
            }
        )
    unknown = [module for module in modules if module["module"] and module["declares"] is None]
    if unknown and may_import:
        _load(python, unknown)
    return modules


def _load(python: str, modules: list[dict[str, Any]]) -> None:
    """Fill in what modules declare whose files do not show it."""
    try:
        answer = ask(python, "import", *(f"{module['module']}={module['file']}" for module in modules))
    except OSError as error:
        for module in modules:
            module["error"] = f"the interpreter that imported it: {error}"
        return
    for module in modules:
        declares = answer["loaded"].get(os.path.realpath(module["file"]))
        if declares is None:
            module["error"] = answer["errors"].get(module["module"], "it was not loaded")
        else:
            module.update(declares=declares, by="an import")
