"""The program under test and its surroundings: how it is started, streams, disks, privileges, names, sudden ends.

Real processes, each beside what plain Python does.
"""

from __future__ import annotations

import json
import os
import pty
import re
import resource
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import PLAIN, Ftsan
from tests.python.host import RACE, ftsan_run, needs_root, run, shared_library, watched

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


def test_a_program_sees_the_name_that_python_has_beside_ftsan() -> None:
    show = "import sys; print(sys.executable)"
    script, python = (Path(sys.executable).with_name(name) for name in ("ftsan", "python"))
    assert run(script, "run", "-c", show).stdout == run(python, "-c", show).stdout


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
    # The file that it opens first gets the number of the stream that is closed, and none of our text.
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
        done = run("bash", "-c", f"set -o pipefail; unset PYTHONUNBUFFERED; {sys.executable} -m ftsan {command}", cwd=race.parent)
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
        assert any("FT401 S.hits" in line or "could not be written to the report" in line for line in last)


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
    [finding] = done.report["findings"]
    assert (done.status, done.stdout) == (66, "3 0\n")
    assert [location["what"] for location in finding["locations"]] == ["S.hits", "S.misses"]


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

    def last_words(done: subprocess.CompletedProcess[str]) -> list[str]:
        # Which of the two threads comes first, and how often they meet, is not the same in every run.
        lines = [re.split(r";| \(\d+ times\)", line)[0] for line in done.stderr.splitlines() if line.startswith("ftsan: ")]
        return [re.sub(r"Thread-\d", "Thread-N", line) for line in lines]

    enabled = tmp_path / "enabled.py"
    enabled.write_text("import ftsan; ftsan.enable()\n" + f"exec(compile(open({str(race)!r}).read(), {str(race)!r}, 'exec'))")
    for done in (run(sys.executable, race, env=watched()), run(sys.executable, enabled)):
        assert done.returncode == launched.returncode == 66
        assert last_words(done) == last_words(launched)
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
    library = shared_library()
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
    words = [f"-I{sysconfig.get_paths()['include']}", f"-Wl,-rpath,{library.parent}"]
    subprocess.run(["cc", *words, source, "-o", tmp_path / "twice", library], check=True)
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


def test_shadow_memory_is_not_there_before_it_is_used() -> None:
    read = "print(open('/proc/self/status').read().split('VmRSS:')[1].split()[0])"
    small, large = (int(ftsan_run("--shadow-mb", size, "-c", read).stdout) for size in ("16", "2048"))
    assert large - small < 64 << 10, "kB: as nothing was accessed"


@pytest.mark.parametrize(("megabytes", "accesses", "is_there"), [("16", 10, False), ("16", 1000, True), ("2048", 1000, False)])
def test_shadow_memory_is_there_when_a_thread_has_made_many_accesses(megabytes: str, accesses: int, is_there: bool) -> None:
    program = (
        "import threading\n"
        "size = lambda: int(open('/proc/self/status').read().split('VmRSS:')[1].split()[0])\n"
        f"shared, lock, before = dict.fromkeys(range({accesses}), 0), threading.Lock(), size()\n"
        "def count():\n"
        " for key in shared:\n"
        "  with lock: shared[key] += 1\n"
        "threads = [threading.Thread(target=count) for _ in range(2)]\n"
        "for thread in threads: thread.start()\n"
        "for thread in threads: thread.join()\n"
        "print(size() - before)"
    )
    grown = int(ftsan_run("--shadow-mb", megabytes, "-c", program).stdout)
    assert (grown > 12 << 10) == is_there, "kB: the whole table, if it is no larger than a program is likely to use"
