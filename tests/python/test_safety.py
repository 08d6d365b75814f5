"""Planted files, hostile names, private folders; code objects, packages and start-up as the program finds them.  Real processes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import PLAIN, ROOT
from tests.python.host import RACE, ftsan_run, needs_root, run, watched

# Security.


@pytest.mark.parametrize("kind", ["link", "dangling", "fifo", "device", "folder", "program"])
def test_a_report_replaces_nothing_but_a_report(kind: str, race: Path, tmp_path: Path) -> None:
    report, victim = tmp_path / "report.json", tmp_path / "victim"
    make: dict[str, Callable[[], object]] = {
        "link": lambda: (victim.write_text("precious"), report.symlink_to(victim)),
        "dangling": lambda: report.symlink_to(victim),
        "fifo": lambda: os.mkfifo(report),
        "device": lambda: os.mknod(report, 0o20666, os.makedev(1, 3)) if os.geteuid() == 0 else report.symlink_to("/dev/null"),
        "folder": report.mkdir,
        "program": lambda: report.write_text("import app\n"),
    }
    make[kind]()
    before = (os.lstat(report).st_mode, os.lstat(report).st_ino)
    start = time.monotonic()
    enabled = f"import ftsan; ftsan.enable('report_json={report}')"
    refusals = [
        ftsan_run("--report-json", report, race),
        ftsan_run("--inventory", report, race),
        run(sys.executable, race, env=watched(f"report_json={report}")),
        run(sys.executable, "-m", "pytest", "--ftsan", "--ftsan-report-json", report, race, env=PLAIN, cwd=tmp_path),
        run(sys.executable, "-c", enabled),
    ]
    assert time.monotonic() - start < 60
    for done in refusals[:3]:
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith("ftsan: cannot write the ")
        assert done.stderr.count("\n") == 1
    assert refusals[3].returncode == pytest.ExitCode.USAGE_ERROR
    assert "ValueError: cannot write the report" in refusals[4].stderr
    assert (os.lstat(report).st_mode, os.lstat(report).st_ino) == before
    assert sorted(
        path.name for path in tmp_path.iterdir() if path.name != "__pycache__" and not path.name.startswith(".")
    ) == sorted(["race.py", "report.json", *(["victim"] if kind == "link" else [])])
    if kind == "link":
        assert victim.read_text() == "precious"


def test_links_planted_beside_the_report_are_not_followed(race: Path, tmp_path: Path) -> None:
    shared, victim = tmp_path / "shared", tmp_path / "victim"
    shared.mkdir(0o777)
    victim.write_text("precious")
    for pid in range(os.getpid(), os.getpid() + 2000):
        (shared / f".r.json.{pid}.tmp").symlink_to("../victim")
    assert ftsan_run("--report-json", shared / "r.json", race).returncode == 66
    assert victim.read_text() == "precious"
    assert len(json.loads((shared / "r.json").read_text())["findings"]) == 1


@pytest.mark.parametrize("option", ["suppressions", "declarations"])
def test_files_that_are_read_are_regular_and_bounded(option: str, tmp_path: Path) -> None:
    fifo, large = tmp_path / "fifo", tmp_path / "large"
    os.mkfifo(fifo)
    large.write_bytes(b"#" * (5 << 20))
    for path, why in ((fifo, "it is a FIFO"), (Path("/dev/zero"), "it is a device"), (large, "it is larger than")):
        for done in (ftsan_run(f"--{option}", path, "-c", ""), run(sys.executable, "-c", "", env=watched(f"{option}={path}"))):
            assert done.returncode == 2
            assert done.stderr.startswith(f"ftsan: {option}: cannot read {path}: {why}")


@pytest.mark.parametrize("flag", ["-I", "-E", "-Es"])
def test_an_isolated_interpreter_does_not_look_at_the_environment(flag: str, tmp_path: Path) -> None:
    for options in (f"report_json={tmp_path}/owned.json", "nonsense"):
        done = run(sys.executable, flag, "-c", "import sys; print('ftsan' in sys.modules)", env=watched(options))
        assert (done.returncode, done.stdout, done.stderr) == (0, "False\n", "")
    assert list(tmp_path.iterdir()) == []
    done = ftsan_run(flag, "-c", "")
    assert done.returncode == 67
    assert done.stderr.startswith("ftsan: nothing was watched: the program did not load ftsan (python -S, -E or -I")


def test_nothing_that_the_program_named_reaches_the_terminal_as_it_is(tmp_path: Path) -> None:
    evil = "\\x1b[2J\\x1b]0;pwn\\x07\\nERROR: ftsan: fake \\x9b31m\\u202e"
    program = tmp_path / "hostile.py"
    program.write_text(
        "import threading\n"
        f'd = {{"{evil}": 0}}\n'
        "def v():\n"
        f'    for _ in range(1000): d["{evil}"] += 1\n'
        f'ts = [threading.Thread(target=v, name="{evil}") for _ in range(2)]\n'
        "[t.start() for t in ts]; [t.join() for t in ts]\n"
    )
    done = ftsan_run(program)
    assert done.returncode == 66
    assert [c for c in done.stderr if c != "\n" and not c.isprintable()] == []
    assert not any(line.startswith("ERROR: ftsan: fake") for line in done.stderr.splitlines())
    assert "\\x1b[2J" in done.stderr
    assert "\x1b" not in ftsan_run("no\x1b[2Jscript").stderr


@needs_root
def test_nothing_of_a_crash_folder_is_readable_to_others(tmp_path: Path) -> None:
    folder = tmp_path / "state" / "crashes"
    done = ftsan_run("--crash-dir", folder, "-c", "import os; os.abort()", umask=0)
    assert done.returncode == 128 + 6
    made = [folder, *folder.rglob("*")]
    assert len(made) >= 3
    assert [path for path in made if path.stat().st_mode & 0o077] == []


def test_folders_of_runs_that_were_killed_are_removed_by_the_next_run(tmp_path: Path) -> None:
    env = PLAIN | {"TMPDIR": str(tmp_path)}
    command = [sys.executable, "-m", "ftsan", "run", "-c", "import time; print('ready', flush=True); time.sleep(60)"]
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE) as alive:
        assert alive.stdout is not None
        alive.stdout.readline()
        with subprocess.Popen(command, env=env, stdout=subprocess.PIPE) as killed:
            assert killed.stdout is not None
            killed.stdout.readline()
            killed.kill()
        assert len(list(tmp_path.iterdir())) == 2
        (tmp_path / "ftsan-run.unrelated").mkdir()
        assert ftsan_run("-c", "", env=env).returncode == 0
        left = sorted(path.name for path in tmp_path.iterdir())
        assert len(left) == 2, "the one that is alive, and what is none of ours"
        assert f".{alive.pid}." in left[0]
        alive.kill()
    run(sys.executable, "-c", "", env=watched(TMPDIR=str(tmp_path)))
    assert [path.name for path in tmp_path.iterdir()] == ["ftsan-run.unrelated"]


# Code objects.

KEYED = """
import asyncio, sys, types
known = []
def note(function):
    known.append(function.__code__)
    return function
@note
def f(o):
    o.x = 1
    return sys._getframe().f_code
@note
def outer():
    def inner(o): o.y = 1; return sys._getframe().f_code
    return inner
@note
def numbers(o):
    o.z = 1
    yield sys._getframe().f_code
@note
async def wait(o):
    o.w = 1
    return sys._getframe().f_code
class O: pass
def look():
    inner, generator, coroutine = outer(), numbers(O()), wait(O())
    codes = [f(O()), f.__code__, outer.__code__, next(generator), generator.gi_code, coroutine.cr_code, asyncio.run(coroutine)]
    nested = [inner.__code__, inner(O()), next(c for c in outer.__code__.co_consts if isinstance(c, types.CodeType))]
    return [[code is one for one in known].index(True) for code in codes], len({id(code) for code in nested})
print(look())
import ftsan
ftsan.enable("text=none:races=first-party")
print(look())
g = f.__code__.replace(co_name="g")
f.__code__ = g
print(f(O()) is g, f.__code__ is g)
"""


def test_functions_keep_the_code_that_the_program_has_seen(tmp_path: Path) -> None:
    script = tmp_path / "keyed.py"
    script.write_text(KEYED)
    done = run(sys.executable, script)
    seen = "([0, 0, 1, 2, 2, 3, 3], 1)\n"
    assert (done.stdout, done.stderr) == (seen + seen + "True True\n", "")


def test_code_that_is_assigned_to_a_function_is_watched(tmp_path: Path) -> None:
    script = tmp_path / "assigned.py"
    copied = "\nw = lambda: None\nw.__code__ = code_of_w.__code__.replace()\nts = "
    script.write_text(RACE.replace("def w():", "def code_of_w():").replace("\nts = ", copied))
    assert ftsan_run(script).returncode == 66


# Packages.


def test_packages_that_never_came_are_said(tmp_path: Path) -> None:
    for words, why in (
        (["--races", "json,no_such_package"], "races: no Python code of no_such_package ran"),
        (["--races", "json", "--races-exclude", "json.tool"], "races_exclude: there was nothing of json.tool to leave out"),
        (["--races", "_json"], "races: no Python code of _json ran"),
    ):
        done = ftsan_run(*words, "-c", "import json")
        assert done.returncode == 67
        assert f"ftsan: not watched: {why}" in done.stderr
    assert ftsan_run("--races", "json", "--races-exclude", "json.decoder", "-c", "import json").returncode == 0


def test_modules_that_were_compiled_are_said(tmp_path: Path) -> None:
    import _json

    package = tmp_path / "fast"
    package.mkdir()
    (package / "__init__.py").write_text("from fast import _json\ndef f(): pass\n")
    compiled = Path(_json.__file__)
    shutil.copy(compiled, package / compiled.name)
    assert ftsan_run("--races", "fast", "-c", "import fast", cwd=tmp_path).returncode == 0, "an extension"
    (package / "_json.py").write_text("")
    for races in ("fast", "first-party"):
        done = ftsan_run("--races", races, "-c", "import fast", cwd=tmp_path)
        assert done.returncode == 67
        assert "ftsan: not watched: races: fast: 1 of its modules were compiled" in done.stderr


# Start-up and installation.


def test_start_up_is_by_a_pth_file_now_and_by_a_start_file_later() -> None:
    import _ftsan_start

    folder = Path(_ftsan_start.__file__).parent
    lines = (folder / "ftsan.start").read_text().splitlines()
    assert [line for line in lines if not line.startswith("#")] == ["_ftsan_start:start"]
    # What Python 3.15 does with it.
    code = "import pkgutil, sys; pkgutil.resolve_name('_ftsan_start:start')(); print([m for m in sys.modules if 'ftsan' in m])"
    assert run(sys.executable, "-c", code).stdout == "[]\n"
    watched_here = "import sys; import pkgutil; pkgutil.resolve_name('_ftsan_start:start')(); print('ftsan.process' in sys.modules)"
    done = run(sys.executable, "-S", "-c", f"import sys; sys.path[:0] = {sys.path!r}; {watched_here}", env=watched())
    assert (done.stdout, done.stderr) == ("True\n", "")


def test_a_process_that_is_not_watched_loads_nothing_of_ours() -> None:
    code = "import sys; print([name for name in sys.modules if 'ftsan' in name])"
    assert run(sys.executable, "-c", code).stdout == "[]\n"
    assert (ROOT / "python" / "data" / "purelib" / "ftsan.pth").read_text().count("\n") == 1


def test_locks_are_watched_where_threads_cannot_be_kept_in_order(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    path = tmp_path / "program.py"
    path.write_text(
        "import ftsan, threading\n"
        "from ftsan import _native\n"
        "def start_races(): raise RuntimeError('no room')\n"
        "_native.start_races = start_races\n"
        f"ftsan.enable('report_json={report}:text=none')\n"
        "a, b = threading.Lock(), threading.RLock()\n"
        "def work(first, second):\n"
        "    with first:\n"
        "        with second:\n"
        "            pass\n"
        "for pair in ((a, b), (b, a)):\n"
        "    thread = threading.Thread(target=work, args=pair)\n"
        "    thread.start(); thread.join()\n"
    )
    subprocess.run([sys.executable, path], env=PLAIN, check=False)
    said = json.loads(report.read_text())
    assert [finding["rule"] for finding in said["findings"]] == ["FT501"]
    assert said["watched"]["off"] == ["races: RuntimeError: no room"]
