"""Which code is watched for data races, wherever it comes from and whenever it is made."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from ftsan import _native

from tests.conftest import PLAIN, Ftsan, Run

#: Says of functions whether they have probes: what they run, and what that refers to, is not hidden from the collector.  That knows
#: nothing of code objects where there is the GIL: their constants are the first that lies behind their head.
PROBED = """
import ctypes, gc

def has_probes(function):
    code = next(part for part in gc.get_referents(function) if type(part) is type(function.__code__))
    constants = (gc.get_referents(code) or [ctypes.py_object.from_address(id(code) + object.__basicsize__ + 8).value])[0]
    return any(type(constant).__module__ == "ftsan._native" for constant in constants)
"""

MODULE = "def f(a): return a.x\nclass C:\n    def m(self): self.n = self.n + 1\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A program with packages beside it, installed ones and a script."""
    folder = tmp_path / "project"
    installed = folder / "lib" / "site-packages"
    for package in (folder / "own", folder / "own" / "inner", installed / "foreign"):
        package.mkdir(parents=True)
        (package / "__init__.py").write_text(MODULE)
        (package / "deep.py").write_text(MODULE)
        (package / "__main__.py").write_text("import app\n")
    (folder / "probed.py").write_text(PROBED)
    (folder / "app.py").write_text(
        "import sys; sys.path[1:1] = [__file__.rpartition('/')[0] + '/lib/site-packages']\n"
        "import own.deep, own.inner.deep, foreign.deep, queue, probed\n"
        "for module in (own, own.deep, own.inner.deep, foreign, foreign.deep):\n"
        "    print(module.__name__, probed.has_probes(module.f), probed.has_probes(module.C.m))\n"
        "print('queue', probed.has_probes(queue.Queue.put))\n"
        "def f(a): return a.x\n"
        "print('main', probed.has_probes(f))\n"
    )
    return folder


def watched(run: Run) -> set[str]:
    """Names of what the program printed as having probes."""
    assert run.stderr == ""
    lines = [line.split() for line in run.stdout.splitlines()]
    assert all(len(set(rest)) == 1 for _, *rest in lines)
    return {name for name, *rest in lines if rest[0] == "True"}


FIRST_PARTY = {"own", "own.deep", "own.inner.deep", "main"}


@pytest.mark.parametrize(
    ("options", "program", "expected"),
    [
        ([], ["app.py"], FIRST_PARTY),
        ([], ["-m", "app"], FIRST_PARTY),
        ([], ["-m", "own"], FIRST_PARTY),
        ([], ["-m", "foreign"], FIRST_PARTY),
        ([], ["-c", "import app"], FIRST_PARTY),
        (["--races", "foreign"], ["app.py"], {"foreign", "foreign.deep"}),
        (["--races", "own.inner,queue"], ["app.py"], {"own.inner.deep", "queue"}),
        (["--races", "first-party,foreign.deep"], ["app.py"], FIRST_PARTY | {"foreign.deep"}),
        (["--races", "all"], ["app.py"], FIRST_PARTY | {"foreign", "foreign.deep", "queue"}),
        (["--races", "none"], ["app.py"], set()),
        (["--races-exclude", "own.inner,__main__"], ["app.py"], {"own", "own.deep"}),
    ],
)
def test_code_is_chosen_by_where_it_is(
    options: list[str], program: list[str], expected: set[str], project: Path, ftsan: Ftsan
) -> None:
    path = {"PYTHONPATH": str(project / "lib" / "site-packages")}
    assert watched(ftsan(*options, *program, cwd=project, env=path)) == expected


def test_packages_in_a_folder_of_any_name_are_watched_but_for_what_is_compiled(project: Path, ftsan: Ftsan) -> None:
    """As `pip install --target` makes them for an application: Python code is first-party, what is compiled was not asked for."""
    target = (project / "lib" / "site-packages").rename(project / "target")
    (target / "foreign-1.0.dist-info").mkdir()
    (target / "compiled.cpython-314t-x86_64-linux-gnu.so").symlink_to(next(Path(_native.__file__).parent.glob("_native.*.so")))
    (target / "compiled.py").touch()
    importing = (
        "import importlib.machinery as m, importlib.util as u, sys\n"
        "spec = m.ModuleSpec('compiled', None, origin=u.find_spec('compiled').origin)\n"
        "sys.modules['compiled'] = u.module_from_spec(spec)\n"
    )
    (project / "app.py").write_text((project / "app.py").read_text().replace("import own", importing + "import own", 1))
    run = ftsan("app.py", cwd=project, env={"PYTHONPATH": str(target)})
    assert (watched(run), run.report["watched"]["off"]) == (FIRST_PARTY | {"foreign", "foreign.deep"}, [])


def test_the_report_names_what_is_watched(project: Path, ftsan: Ftsan) -> None:
    packages = ftsan("app.py", cwd=project).report["watched"]["packages"]
    assert {name for name in packages if name.endswith("(races)")} == {"__main__ (races)", "own (races)", "probed (races)"}


def test_functions_are_left_out_by_name(project: Path, ftsan: Ftsan) -> None:
    (project / "script.py").write_text(
        "import probed, own\n"
        "def f(a):\n    def inner(): return a.x\n    return inner\n"
        "def g(a): return a.x\n"
        "for name, function in dict(f=f, inner=f(1), g=g, method=own.C.m, other=own.f).items():\n"
        "    print(name, probed.has_probes(function))\n"
    )
    run = ftsan("--races-exclude", "__main__:f,own:C", "script.py", cwd=project)
    assert watched(run) == {"g", "other"}


@pytest.mark.parametrize("wrong", ["my-app", "none,own", "own:f"])
def test_a_name_that_is_none_is_refused(wrong: str, ftsan: Ftsan) -> None:
    run = ftsan("--races", wrong, "-c", "pass")
    assert run.status == 2
    assert run.stderr.startswith("ftsan: races: ") and run.stderr.count("\n") == 1


MADE = """
import collections, dataclasses, types, probed

class A:
    x = y = 1

@dataclasses.dataclass
class Made:
    x: list
    def __post_init__(self): self.y = self.x

named = {"__name__": "named", "__file__": "/usr/lib/python3/dist-packages/named.py"}
bare, given = {}, {"__name__": "given"}
text = "def f(a):\\n    a.x = a.y\\n    return lambda: a.x[0]"
for space in (named, bare, given, globals()):
    exec(text, space)
def run(text, space):
    exec(text, space)
    return space

plain = run(text, {})
again = types.FunctionType(named["f"].__code__, globals())
for name, function in {
    "installed": named["f"], "bare": bare["f"], "given": given["f"], "own": globals()["f"], "lambda": globals()["f"](A),
    "eval": eval("lambda a: a.x"), "type": again, "dataclass": Made.__eq__, "post": Made.__post_init__,
    "plain": plain["f"], "namedtuple": collections.namedtuple("N", "a").__new__,
}.items():
    print(name, probed.has_probes(function))
"""


def test_code_that_is_made_belongs_to_who_makes_it(project: Path, ftsan: Ftsan) -> None:
    (project / "script.py").write_text(MADE)
    run = ftsan("script.py", cwd=project)
    assert watched(run) == {"bare", "given", "plain", "own", "lambda", "eval", "type", "dataclass", "post"}


ENABLED = """
import gc, sys, own, probed, ftsan

@ftsan.norace
def early(a): return a.x

def f(a): return a.x
def waiting(a):
    yield a.x
    yield lambda: a.x

before = waiting(own)
own.x = next(before) if hasattr(own, "x") else 1
class A: x = 3
calls = [f(A), own.f(A)]
ftsan.enable("report_json={report}:text=none")

@ftsan.norace
def late(a):
    def inner(): return a.x
    return inner

def later(a): return a.x
print("own", probed.has_probes(own.f)), print("method", probed.has_probes(own.C.m)), print("f", probed.has_probes(f))
print("early", probed.has_probes(early)), print("late", probed.has_probes(late)), print("inner", probed.has_probes(late(1)))
print("later", probed.has_probes(later)), print("sum", sum([*calls, f(A), own.f(A), late(A)(), early(A)]) != 18)
"""


def test_what_is_imported_when_the_watching_begins_is_watched(project: Path) -> None:
    (project / "script.py").write_text(ENABLED.replace("{report}", str(project / "report.json")))
    done = subprocess.run(
        [sys.executable, "script.py"], cwd=project, env=PLAIN, capture_output=True, text=True, timeout=60, check=False
    )
    assert watched(Run(done.returncode, done.stdout, done.stderr, {})) == {"own", "method", "f", "later"}


def test_norace_does_nothing_to_a_process_that_is_not_watched() -> None:
    program = (
        "import sys, ftsan\n"
        "@ftsan.norace\ndef f(): pass\n"
        "code = f.__code__\nassert ftsan.norace(f) is f and f.__code__ is code\n"
        "del f\nimport gc; gc.collect()\nassert not ftsan._not_raced\n"
        "assert 'ftsan._native' not in sys.modules\n"
        "try: ftsan.norace(print)\nexcept TypeError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], env=PLAIN, capture_output=True, text=True, timeout=60, check=False)
    wanted = "norace takes a function that is written in Python, not builtin_function_or_method\n"
    assert (done.stdout, done.stderr) == (wanted, "")
