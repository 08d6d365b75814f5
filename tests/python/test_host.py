"""The program under test and its surroundings: streams, disks, privileges, names, planted files, and how it is started.

Real processes, each beside what plain Python does.
"""

from __future__ import annotations

import json
import os
import pty
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import PLAIN, ROOT, Ftsan

RACE = """
import threading
class S: pass
s = S(); s.hits = 0
b = threading.Barrier(2)
def w():
    b.wait()
    for _ in range(100): s.hits += 1
ts = [threading.Thread(target=w) for _ in range(2)]
[t.start() for t in ts]; [t.join() for t in ts]
"""

STALE = """
import threading, os, sys, signal
class S: last = None
s = S()
def put():
    for i in range(50): s.last = ("x", i)
def look():
    for i in range(50): s.last
ts = [threading.Thread(target=f) for f in (put, look)]
[t.start() for t in ts]; [t.join() for t in ts]
"""

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


def watched(options: str = "", **environment: str) -> dict[str, str]:
    """The environment of a process that is watched without a launcher."""
    return PLAIN | {"FTSAN": "1", "FTSAN_OPTIONS": options} | environment


def run(*command: str | bytes | Path, env: dict[str, str] = PLAIN, **others: Any) -> subprocess.CompletedProcess[Any]:
    others = {"capture_output": True, "text": True, "timeout": 60, "check": False} | others
    return subprocess.run(list(command), env=env, **others)


def ftsan_run(*words: str | bytes | Path, **others: Any) -> subprocess.CompletedProcess[Any]:
    return run(sys.executable, "-m", "ftsan", "run", *words, **others)


@pytest.fixture
def race(tmp_path: Path) -> Path:
    """A program with one lost update."""
    path = tmp_path / "race.py"
    path.write_text(RACE)
    return path


# How the program is started.

SHOW = "import sys; print(sys.argv, sys.flags.optimize, sys.flags.utf8_mode, sys.warnoptions, sorted(sys._xoptions), __name__)"


@pytest.mark.parametrize(
    "words",
    [
        ["show.py", "a"],
        ["-W", "ignore", "-X", "dev", "-OO", "show.py", "-W", "y"],
        ["-Werror", "-Xutf8", "-B", "show.py"],
        ["-Om", "show", "--", "-x"],
        ["-Ouc", SHOW, "-c"],
        ["-", "x"],
    ],
)
def test_pythons_own_options_mean_what_they_mean_to_python(words: list[str], tmp_path: Path) -> None:
    (tmp_path / "show.py").write_text(SHOW)
    plain = run(sys.executable, *words, cwd=tmp_path, input=SHOW)
    done = ftsan_run(*words, cwd=tmp_path, input=SHOW)
    assert plain.returncode == 0
    assert (done.returncode, done.stdout, done.stderr) == (0, plain.stdout, plain.stderr)


def test_what_python_would_run_can_be_given_as_to_a_shell(tmp_path: Path) -> None:
    (tmp_path / "show.py").write_text(SHOW)
    plain = run(sys.executable, "-O", "show.py", "x", cwd=tmp_path)
    for words in (["python", "-O", "show.py", "x"], ["-O", "--", "show.py", "x"], ["--", "python", "-O", "show.py", "x"]):
        assert ftsan_run(*words, cwd=tmp_path).stdout == plain.stdout
    refused = ftsan_run("-O", "python", "show.py", cwd=tmp_path)
    assert (refused.returncode, refused.stderr) == (2, "ftsan: -O is for python, but python is run as a command\n")


def test_a_command_that_is_written_in_python_is_found_on_the_path_and_watched(tmp_path: Path) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    command = folder / "serve"
    command.write_text(f"#!{sys.executable}\n{RACE}\nimport sys; print(sys.argv[1:])\n")
    command.chmod(0o755)
    (tmp_path / "serve").mkdir()  # a package of the same name where it is started
    env = PLAIN | {"PATH": f"{folder}:{os.environ['PATH']}"}
    done = ftsan_run("serve", "app:app", env=env, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (66, "['app:app']\n")
    assert "FT401" in done.stderr


def test_a_program_that_is_not_pythons_is_run_and_said_not_to_be_watched(tmp_path: Path) -> None:
    script = tmp_path / "hello"
    script.write_text("#!/bin/sh\necho hello\n")
    script.chmod(0o755)
    for words in (["./hello"], ["/bin/echo", "hello"]):
        done = ftsan_run(*words, cwd=tmp_path)
        assert (done.returncode, done.stdout) == (67, "hello\n")
        assert done.stderr.startswith("ftsan: nothing was watched")


def test_a_script_is_read_from_a_pipe_once(tmp_path: Path) -> None:
    done = run("bash", "-c", f"{sys.executable} -m ftsan run <(echo 'print(40 + 2)')")
    assert (done.returncode, done.stdout) == (0, "42\n")


# Streams, names, folders.


@pytest.mark.parametrize("closed", ["2>&-", ">&-", "<&-", "<&- >&- 2>&-"])
def test_closed_standard_streams_are_the_programs_business(closed: str, race: Path, tmp_path: Path) -> None:
    # What it opens first gets the number of the stream that is closed, and none of our text.
    race.write_text(
        "import os\nfirst = os.open('first', os.O_WRONLY | os.O_CREAT)\n" + RACE + "os.write(first, b'own'); print(first)"
    )
    plain = run("bash", "-c", f"{sys.executable} race.py {closed}", cwd=tmp_path)
    first = (tmp_path / "first").read_text()
    (tmp_path / "first").unlink()
    done = run("bash", "-c", f"{sys.executable} -m ftsan run race.py {closed}", cwd=tmp_path)
    assert (plain.returncode, done.returncode) == (0, 66)
    assert (done.stdout, (tmp_path / "first").read_text()) == (plain.stdout, first)
    assert ("FT401" in done.stderr) == ("2>" not in closed)


def test_the_launcher_survives_streams_that_take_nothing(race: Path) -> None:
    for command in ("run race.py 2>/dev/full", "explain all | true", "run -- race.py 2>&1 | true", "frobnicate 2>&-"):
        done = run("bash", "-c", f"set -o pipefail; {sys.executable} -m ftsan {command}", cwd=race.parent)
        assert done.returncode == (2 if "frobnicate" in command else 0 if "explain" in command else 66)
        assert "Traceback" not in done.stderr and "Exception" not in done.stderr


def test_words_that_are_not_utf_8_arrive(tmp_path: Path) -> None:
    name = b"race-\xff\xfe.py"
    (Path(os.fsdecode(tmp_path)) / os.fsdecode(name)).write_text("import sys, os; print(os.fsencode(sys.argv[1]))" + RACE)
    report = os.fsencode(tmp_path) + b"/report-\xff:\n.json"
    done = ftsan_run("--report-json", report, name, b"word-\xff", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (66, "b'word-\\xff'\n")
    assert [finding["rule"] for finding in json.loads(Path(os.fsdecode(report)).read_text())["findings"]] == ["FT401"]
    refused = ftsan_run(b"no-such-\xff")
    assert (refused.returncode, refused.stderr) == (2, "ftsan: no such script: no-such-\ufffd\n")


@pytest.mark.parametrize("folder", [b"not-utf-8-\xff", b"does-not-exist", b""])
def test_any_tmpdir_will_do(folder: bytes, race: Path, tmp_path: Path) -> None:
    if folder.startswith(b"not"):
        os.mkdir(os.fsencode(tmp_path) + b"/" + folder)
    done = ftsan_run(
        "race.py", cwd=tmp_path, env=PLAIN | {"TMPDIR": os.fsdecode(os.fsencode(tmp_path) + b"/" + folder if folder else b"")}
    )
    assert done.returncode == 66
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        ["race.py", *([os.fsdecode(folder)] if folder[:3] == b"not" else [])]
    )


def test_a_colon_in_an_option_can_be_escaped(race: Path, tmp_path: Path) -> None:
    for written in (r"a\:b.json", "a%3Ab.json"):
        done = run(sys.executable, race, env=watched(f"report_json={tmp_path}/{written}"))
        assert done.returncode == 66
        assert json.loads((tmp_path / "a:b.json").read_text())["findings"]
        (tmp_path / "a:b.json").unlink()


# Nothing is lost, nothing is hidden.


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder of two pages."""
    folder = tmp_path / "small"
    folder.mkdir()
    if run("mount", "-t", "tmpfs", "-o", "size=8k", "tmpfs", folder).returncode:
        pytest.skip("cannot mount")
    yield folder
    run("umount", folder)


@needs_root
def test_a_full_disk_hides_no_finding(small_disk: Path, race: Path) -> None:
    for words, env in (([], {"TMPDIR": str(small_disk)}), (["--report-json", small_disk / "report.json"], {})):
        done = ftsan_run(*words, race, env=PLAIN | env)
        assert done.returncode == 66
        assert "ERROR: ftsan: FT401" in done.stderr
        # The last words have it from the journal, or say that it is nowhere.
        last = [line for line in done.stderr.splitlines() if line.startswith("ftsan: ")]
        assert any("FT401 S.hits" in line or "1 finding could not be written to the report" in line for line in last)


def test_a_limit_on_files_hides_no_finding(race: Path) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1024, 1024))

    race.write_text("import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (1024, 1024))" + RACE)
    assert ftsan_run(race).returncode == 66


@needs_root
@pytest.mark.parametrize("forks", [False, True])
def test_a_server_that_gives_up_its_privileges_hides_no_finding(forks: bool, race: Path) -> None:
    drop = "import os, threading\nos.setgid(65534); os.setuid(65534)\n"
    if forks:  # as gunicorn --user does
        race.write_text("import os\npid = os.fork()\nif pid: os.waitpid(pid, 0); os._exit(0)\n" + drop + RACE)
    else:
        race.write_text(drop + RACE)
    done = ftsan_run(race)
    assert done.returncode == 66
    assert "ERROR: ftsan: FT401" in done.stderr


def test_a_daemon_that_closes_every_descriptor_finds_none_of_our_text_in_its_files(ftsan: Ftsan, tmp_path: Path) -> None:
    again = RACE.replace("hits", "misses")
    code = RACE + "import os; first = os.open('/', 0); os.closerange(3, 4096)\n"
    code += "own = [os.open(f'own-{i}', os.O_RDWR | os.O_CREAT) for i in range(700)]\n" + again
    code += "print(first, sum(os.fstat(fd).st_size for fd in own))"
    done = ftsan("-c", code)
    assert (done.status, done.stdout, done.rules) == (66, "3 0\n", ["FT401", "FT401"])


@pytest.mark.parametrize(
    ("end", "status"),
    [
        ("os._exit(0)", 0),
        ("os.execv('/bin/true', ['true'])", 0),
        ("os.execvpe('true', ['true'], {})", 0),
        ("pid = os.fork()\nif pid: os.waitpid(pid, 0)\nos._exit(0)", 0),
    ],
)
def test_what_is_only_worth_knowing_survives_a_sudden_end(end: str, status: int, ftsan: Ftsan) -> None:
    done = ftsan("-c", STALE + end)
    assert (done.status, done.rules) == (status, ["FT407"])


def test_a_program_that_goes_on_as_another_one_is_one_run(tmp_path: Path) -> None:
    (tmp_path / "race.py").write_text(RACE)
    again = f"import os, sys; os.execv({sys.executable!r}, [{sys.executable!r}, 'race.py'])"
    done = run(sys.executable, "-c", again, env=watched(), cwd=tmp_path)
    assert done.returncode == 66
    assert done.stderr.count("ftsan: 1 finding; watched") == 1


def test_status_and_last_words_are_the_same_without_a_launcher(race: Path, tmp_path: Path) -> None:
    launched = ftsan_run(race)
    summary = [line.partition(";")[0] for line in launched.stderr.splitlines() if line.startswith("ftsan: ")][-2:]
    enabled = tmp_path / "enabled.py"
    enabled.write_text("import ftsan; ftsan.enable()\n" + f"exec(compile(open({str(race)!r}).read(), {str(race)!r}, 'exec'))")
    for done in (run(sys.executable, race, env=watched()), run(sys.executable, enabled)):
        assert done.returncode == launched.returncode == 66
        assert [line.partition(";")[0] for line in done.stderr.splitlines() if line.startswith("ftsan: ")] == summary
    assert run(sys.executable, race, env=watched("exit_code=99")).returncode == 99
    race.write_text(RACE + "raise SystemExit(3)")
    assert run(sys.executable, race, env=watched()).returncode == 3
    race.write_text(RACE + "import os; os._exit(0)")
    assert run(sys.executable, race, env=watched()).returncode == 66
    race.write_text(RACE + "import os; os._exit(5)")
    assert run(sys.executable, race, env=watched()).returncode == 5
    assert run(sys.executable, "-c", "", env=watched("races=no_such_package")).returncode == 67


def test_only_the_first_process_of_a_tree_speaks_for_it(race: Path) -> None:
    parent = f"""
import multiprocessing, subprocess, sys
if __name__ == "__main__":
    print(subprocess.run([sys.executable, {str(race)!r}]).returncode)
    child = multiprocessing.get_context("spawn").Process(target=exec, args=(open({str(race)!r}).read(), {{}}))
    child.start(); child.join(); print(child.exitcode)
"""
    script = race.with_name("parent.py")
    script.write_text(parent)
    done = run(sys.executable, script, env=watched())
    assert (done.returncode, done.stdout) == (66, "0\n0\n")
    assert done.stderr.count("; watched ") == 1


def test_a_clean_run_says_on_a_terminal_what_it_looked_at(tmp_path: Path) -> None:
    for command, env in (([sys.executable, "-m", "ftsan", "run", "-c", ""], PLAIN), ([sys.executable, "-c", ""], watched())):
        ours, theirs = pty.openpty()
        assert subprocess.run(command, env=env, stdin=theirs, stdout=theirs, stderr=theirs, timeout=60, check=False).returncode == 0
        os.close(theirs)
        assert os.read(ours, 4096).startswith(b"ftsan: 0 findings; watched ")
        os.close(ours)
    assert run(sys.executable, "-c", "", env=watched()).stderr == ""


def test_the_resource_tracker_says_nothing_after_the_end(tmp_path: Path) -> None:
    script = tmp_path / "shared.py"
    script.write_text(
        "from multiprocessing import shared_memory\n"
        "if __name__ == '__main__':\n m = shared_memory.SharedMemory(create=True, size=64); m.close(); m.unlink()\n"
    )
    for command, env in (([sys.executable, "-m", "ftsan", "run", script], PLAIN), ([sys.executable, script], watched())):
        with (tmp_path / "stderr").open("w+") as stderr:
            assert subprocess.run(command, env=env, stderr=stderr, timeout=60, check=False).returncode == 0
            for _ in range(100):  # it ends after everybody who has its pipe
                trackers = run("pgrep", "-f", "multiprocessing.resource_tracker").stdout.split()
                if not any(
                    str(tmp_path) in os.readlink(f"/proc/{pid}/fd/2") for pid in trackers if os.path.exists(f"/proc/{pid}/fd/2")
                ):
                    break
                time.sleep(0.05)
            stderr.seek(0)
            assert stderr.read() == ""


def test_a_second_interpreter_in_the_process_is_said_not_to_be_watched(tmp_path: Path) -> None:
    base = Path(sys.base_prefix)
    library = next(base.glob("lib/libpython3.*t.so"), None)
    if library is None or shutil.which("cc") is None:
        pytest.skip("no shared libpython, or no compiler")
    source = tmp_path / "twice.c"
    source.write_text(
        """
#include <Python.h>
int main(int count, char **words) {
    for (int i = 0; i < 2; i++) {
        PyConfig config;
        PyConfig_InitPythonConfig(&config);
        PyConfig_SetBytesString(&config, &config.executable, words[1]);
        if (PyStatus_Exception(Py_InitializeFromConfig(&config))) return 9;
        PyRun_SimpleString("exec(open('race.py').read()); print('ran', flush=True)");
        if (Py_FinalizeEx()) return 8;
    }
    return 0;
}
"""
    )
    include = next(base.glob("include/python3.*t"))
    name = library.name.removeprefix("lib").removesuffix(".so")
    linked = [f"-I{include}", f"-L{base}/lib", f"-l{name}", f"-Wl,-rpath,{base}/lib"]
    subprocess.run(["cc", source, "-o", tmp_path / "twice", *linked], check=True)
    line = "ftsan: not watched: Python was initialised a second time in this process: only the first interpreter is watched\n"
    race = tmp_path / "race.py"
    for program, status in ("import threading", 67), (RACE, 66):
        race.write_text(program)
        done = run("./twice", sys.executable, env=watched(), cwd=tmp_path)
        assert (done.returncode, done.stdout, done.stderr.count(line)) == (status, "ran\nran\n", 1)
        done = ftsan_run("./twice", sys.executable, cwd=tmp_path)
        assert (done.returncode, done.stdout, done.stderr.count(line)) == (status, "ran\nran\n", 1)


def test_more_shadow_memory_than_there_is_ends_no_program(race: Path) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))

    assert ftsan_run("--shadow-mb", "60000", race).returncode == 66
    done = ftsan_run("--shadow-mb", "60000", "-c", "", preexec_fn=limit)
    assert done.returncode == 67
    assert "ftsan: not watched: races: 60000 MB of shadow memory cannot be had" in done.stderr


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
