"""Programs that really crash: ``ftsan run`` prints the triage, names the racing thread if there is one, and keeps a crash folder.

The header of a program says what is expected: the ``verdict``, the ``racing`` thread in the evidence, text that it ``says``, and
what it needs: ``packages`` from the index, an ``extension`` built here, ``env``, ``threads`` that run at once, as they do not with
the GIL; and which CPython does not crash of it: ``fixed``.
"""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import PLAIN, ROOT, Ftsan, Run
from tests.interop.conftest import missing
from tests.python.test_matrix import installed

PROGRAMS = sorted((ROOT / "tests" / "crashes" / "programs").glob("*.py"))


def header(path: Path) -> dict[str, str]:
    """``key: value`` lines of a program's docstring."""
    return dict(re.findall(r"^(\w+): (.*)$", path.read_text().split('"""')[1], re.MULTILINE))


@pytest.fixture(scope="session")
def extensions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the C extensions that the programs import."""
    if shutil.which("cc") is None:
        missing("a C compiler")
    folder = tmp_path_factory.mktemp("extensions")
    for source in (ROOT / "tests" / "crashes" / "programs").glob("*.c"):
        target = folder / (source.stem + sysconfig.get_config_var("EXT_SUFFIX"))
        include = f"-I{sysconfig.get_path('include')}"
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", include, "-o", target, source], check=True)
    return folder


def crash_of(folder: Path) -> dict[str, Any]:
    """The only crash that is kept there."""
    [kept] = folder.iterdir()
    crash: dict[str, Any] = json.loads((kept / "crash.json").read_text())
    return crash


def triaged(path: Path) -> dict[str, Any]:
    """The answer of ``ftsan triage --json``."""
    done = subprocess.run(
        [sys.executable, "-m", "ftsan", "triage", "--json", path], env=PLAIN, capture_output=True, text=True, check=True
    )
    verdict: dict[str, Any] = json.loads(done.stdout)
    return verdict


def verdict_of(folder: Path) -> dict[str, Any]:
    """The verdict on the only crash that is kept there."""
    [kept] = folder.iterdir()
    return triaged(kept)


def run_crashing(ftsan: Ftsan, path: Path, folder: Path, **env: str) -> Run:
    """Run it, and leave its crash in ``folder``."""
    return ftsan("--crash-dir", folder, path, env=env, timeout=120)


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_a_crash_is_triaged(path: Path, ftsan: Ftsan, extensions: Path, tmp_path: Path) -> None:
    expected = header(path)
    if "fixed" in expected and sys.version_info >= tuple(map(int, expected["fixed"].split("."))):
        pytest.skip(f"CPython {expected['fixed']} does not crash of it")
    places = [str(extensions)] if "extension" in expected else []
    if "packages" in expected:
        places.append(installed(expected["packages"]))
    env = dict(word.split("=", 1) for word in expected.get("env", "").split())
    if not sysconfig.get_config_var("Py_GIL_DISABLED"):
        env.pop("PYTHON_GIL", None)  # fatal there
    if "threads" in expected and sys._is_gil_enabled() and "PYTHON_GIL" not in env:
        pytest.skip("one thread at a time does not crash of it")
    folder = tmp_path / "crashes"
    run = run_crashing(ftsan, path, folder, PYTHONPATH=os.pathsep.join(places), **env)
    assert run.status > 128, run.stderr[-2000:]
    verdict, crash = verdict_of(folder), crash_of(folder)
    assert crash["signal"] == signal.Signals(run.status - 128).name
    assert verdict["verdict"] in expected["verdict"].split("|"), verdict
    assert f"died of {crash['signal']}" in run.stderr
    assert crash["python"]["version"].startswith(f"Python {platform.python_version()} ") and crash["command"][-1] == str(path)
    text = " ".join(verdict["evidence"]) + run.stderr
    if "racing" in expected:
        names = [thread["name"] for thread in crash["threads"] if not thread["crashed"]]
        assert any(name.startswith(expected["racing"]) and f"'{name}'" in " ".join(verdict["evidence"]) for name in names), verdict
    assert expected.get("says", "") in text, verdict
    if "extension" in expected:
        [extension] = [one for one in crash["extensions"] if one["path"].startswith(str(extensions))]
        assert extension["declares_free_threading"] is False


def test_other_handlers_still_run_and_the_signal_is_the_same(ftsan: Ftsan, tmp_path: Path) -> None:
    script = "import ctypes, faulthandler; faulthandler.enable(); ctypes.string_at(8)"
    run = ftsan("--crash-dir", tmp_path / "crashes", "-c", script)
    assert run.status == 128 + signal.SIGSEGV
    assert "Fatal Python error: Segmentation fault" in run.stderr and "in string_at" in run.stderr
    crash = crash_of(tmp_path / "crashes")
    assert (crash["code"], crash["address"], crash["missing"]) == (1, 8, [])
    assert [thread["crashed"] for thread in crash_of(tmp_path / "crashes")["threads"]] == [True]


DAMAGED = """
import faulthandler, threading, damages
faulthandler.enable()
def dies():
    {call}
for _ in range(20):
    threading.Thread(target=damages.sleep, daemon=True).start()
thread = threading.Thread(target=dies, name="dying")
thread.start()
thread.join()
"""


def damaged(ftsan: Ftsan, extensions: Path, folder: Path, call: str) -> tuple[Run, dict[str, Any]]:
    """A thread destroys something and dies; how that went, and what is known of it."""
    program = folder / "dies.py"
    program.write_text(DAMAGED.format(call=call))
    run = run_crashing(ftsan, program, folder / "crashes", PYTHONPATH=str(extensions))
    assert run.status == 128 + signal.SIGSEGV, run.stderr[-2000:]
    return run, crash_of(folder / "crashes")


# The pointer to itself, by which errno is found; the table of thread-local variables; the stack protector's secret.
@pytest.mark.parametrize("word", [0, 1, 5], ids=["self", "table", "canary"])
def test_the_handler_needs_nothing_of_the_threads_control_block(ftsan: Ftsan, extensions: Path, tmp_path: Path, word: int) -> None:
    _, crash = damaged(ftsan, extensions, tmp_path, f"damages.control({word})")
    [thread] = [thread for thread in crash["threads"] if thread["crashed"]]
    assert (thread["name"], thread["native"][0]["symbol"], crash["code"], crash["missing"]) == ("dying", "control", 1, [])
    assert {"_PyEval_EvalFrameDefault", "thread_run"} <= {frame["symbol"] for frame in thread["native"]}
    assert thread["python"][0]["function"] == "dies"


def test_a_step_that_crashes_is_left_out_and_other_handlers_still_run(ftsan: Ftsan, extensions: Path, tmp_path: Path) -> None:
    run, crash = damaged(ftsan, extensions, tmp_path, "damages.library('/_native.')")
    [thread] = [thread for thread in crash["threads"] if thread["crashed"]]
    assert crash["missing"] == ["stacks of Python code"]
    assert thread["native"][0]["symbol"] == "library" and thread["name"] == "dying"
    assert "Fatal Python error: Segmentation fault" in run.stderr and "in dies" in run.stderr
    assert "went on" not in run.stderr  # it would run into the library


def test_an_extension_module_needs_no_tag_in_its_name(ftsan: Ftsan, extensions: Path, tmp_path: Path) -> None:
    [library] = extensions.glob("damages.*")
    package = tmp_path / "ours"
    package.mkdir()
    (package / "__init__.py").touch()
    shutil.copy(library, package / "damages.so")
    program = tmp_path / "dies.py"
    program.write_text("from ours import damages\ndamages.library('/nothing')")
    run_crashing(ftsan, program, tmp_path / "crashes")
    verdict, crash = verdict_of(tmp_path / "crashes"), crash_of(tmp_path / "crashes")
    assert (verdict["verdict"], verdict["culprit"]) == ("library-bug", "ours"), verdict
    assert [one["name"] for one in crash["extensions"]] == ["ours.damages"]


# The second one dies at the first instruction of a function, before which another one ends.
@pytest.mark.parametrize("call, name", [("library('/nothing')", "library"), ("at_once()", "at_once")])
def test_a_dump_has_the_names_of_the_files_that_crashed(
    ftsan: Ftsan, extensions: Path, tmp_path: Path, call: str, name: str
) -> None:
    [library] = extensions.glob("damages.*")
    program, dump = tmp_path / "dies.py", tmp_path / "dump.txt"
    program.write_text(f"import damages\ndamages.{call}")
    shutil.copy(library, tmp_path)
    here = {**PLAIN, "PYTHONPATH": str(tmp_path)}
    plain = subprocess.run([sys.executable, "-X", "faulthandler", program], env=here, capture_output=True, text=True)
    assert f"at {name}" not in plain.stderr

    def signature(text: str) -> str:
        dump.write_text(text)
        told: str = triaged(dump)["signature"]
        return told

    run_crashing(ftsan, program, tmp_path / "crashes", PYTHONPATH=str(tmp_path))
    assert signature(plain.stderr) == verdict_of(tmp_path / "crashes")["signature"] == f"SIGSEGV | {name} | <module>"
    # Of another build of the interpreter: what it names is elsewhere in the file that is here.
    assert signature(re.sub(r"at _Py_DumpStack\+0x\w", "at _Py_DumpStack+0x7", plain.stderr)) == "SIGSEGV | [damages] | <module>"
    # No file, or one that is never to be opened.
    (tmp_path / library.name).unlink()
    assert signature(plain.stderr) == "SIGSEGV | [damages] | <module>"
    os.mkfifo(tmp_path / library.name)
    assert signature(plain.stderr) == "SIGSEGV | [damages] | <module>"


NEVER_WRITTEN = """
import ctypes, os
child = os.fork()
if child == 0:
    os.mkfifo(f"{os.environ['FTSAN_RECORDING']}.{os.getpid()}")
    ctypes.string_at(8)
status = os.waitpid(child, 0)[1]
os.unlink(f"{os.environ['FTSAN_RECORDING']}.{child}")
print(os.WTERMSIG(status))
"""


def test_a_step_that_takes_for_ever_is_given_up(ftsan: Ftsan, tmp_path: Path) -> None:
    # Nobody reads from that pipe, so a recording that is written to it is never finished.
    run = ftsan("--crash-dir", tmp_path / "crashes", "-c", NEVER_WRITTEN, timeout=60)
    assert run.stdout == f"{int(signal.SIGSEGV)}\n"


def test_a_forked_child_that_crashes_is_triaged_and_the_status_is_the_programs(ftsan: Ftsan, tmp_path: Path) -> None:
    script = "import ctypes, os\nif os.fork() == 0: ctypes.string_at(8)\nos.wait(); print('went on')"
    run = ftsan("--crash-dir", tmp_path / "crashes", "-c", script)
    assert (run.status, run.stdout) == (0, "went on\n")
    assert "died of SIGSEGV" in run.stderr
    assert crash_of(tmp_path / "crashes")["signal"] == "SIGSEGV"


def test_every_thread_is_shown_where_it_is(ftsan: Ftsan, tmp_path: Path) -> None:
    path = tmp_path / "waiting.py"
    path.write_text(
        "import ctypes, socket, threading, time\n"
        "ours, theirs = socket.socketpair()\n"
        "def wait():\n"
        "    ours.recv(1)  # line 4\n"
        "threading.Thread(target=wait, name='waiting', daemon=True).start()\n"
        "time.sleep(0.2)\n"
        "ctypes.string_at(8)\n"
    )
    run_crashing(ftsan, path, tmp_path / "crashes")
    threads = {thread["name"]: thread for thread in crash_of(tmp_path / "crashes")["threads"]}
    assert threads["waiting"]["inside"].startswith("recv(fd ")
    assert threads["waiting"]["python"][0] | {"line": 4, "function": "wait"} == threads["waiting"]["python"][0]
    assert threads["MainThread"]["crashed"] and threads["MainThread"]["native"]
    assert threads["MainThread"]["python"][-1]["line"] == 7


IN_ONE_OBJECT = """
import ctypes, threading, time, _queue
queue = _queue.SimpleQueue()
def take():
    queue.get()
waiting = threading.Thread(target=take, name="waiting", daemon=True)
waiting.start()
seen = 0
while seen < 5:  # it sleeps in get(), which lasts
    state = open(f"/proc/self/task/{waiting.native_id}/stat").read().rpartition(")")[2].split()[0]
    seen = seen + 1 if state == "S" else 0
    time.sleep(0.02)
ctypes.string_at(8)
"""


def test_the_object_is_noted_whose_method_a_thread_calls(ftsan: Ftsan, tmp_path: Path) -> None:
    path = tmp_path / "shared.py"
    path.write_text(IN_ONE_OBJECT)
    run_crashing(ftsan, path, tmp_path / "crashes")
    crash = crash_of(tmp_path / "crashes")
    [waiting] = [thread for thread in crash["threads"] if thread["name"] == "waiting"]
    assert waiting["python"][0]["function"] == "take"
    assert waiting["calls"]["class"] == "_queue.SimpleQueue" and waiting["calls"]["object"]


def test_only_the_newest_crashes_are_kept(ftsan: Ftsan, tmp_path: Path) -> None:
    folder = tmp_path / "crashes"
    for number in range(12):
        old = folder / f"20200101-0000{number:02}-1"
        old.mkdir(parents=True)
        (old / "crash.json").write_text("{}")
    ftsan("--crash-dir", folder, "-c", "import os; os.abort()")
    kept = sorted(path.name for path in folder.iterdir())
    assert len(kept) == 10 and not kept[-1].startswith("2020")


def test_a_crash_that_cannot_be_kept_is_told_all_the_same(ftsan: Ftsan, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    run = ftsan("--crash-dir", tmp_path / "file", "-c", "import os; os.abort()")
    assert run.status == 128 + signal.SIGABRT
    assert "CRASH: ftsan:" in run.stderr and "cannot keep the crash" in run.stderr
    assert "Traceback" not in run.stderr


def test_ctrl_c_is_no_crash(ftsan: Ftsan, tmp_path: Path) -> None:
    run = ftsan("--crash-dir", tmp_path / "crashes", "-c", "import os, signal; os.kill(os.getpid(), signal.SIGTERM)")
    assert run.status == 128 + signal.SIGTERM
    assert run.stderr == "" and not (tmp_path / "crashes").exists()


def test_the_program_cannot_see_the_handlers(ftsan: Ftsan) -> None:
    script = "import signal; print(*(signal.getsignal(one).name for one in (signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT)))"
    assert ftsan("-c", script).stdout == "SIG_DFL SIG_DFL SIG_DFL\n"


NAMED = """
import ctypes, pickle, threading
shared = pickle.Pickler(open("/dev/null", "wb"))
inside, never = threading.Lock(), threading.Lock()
inside.acquire(), never.acquire()
def holds(local):
    def waits():
        local
        inside.release()
        never.acquire()
    waits()
def uses():
    shared
def calls(function):
    def before_it():
        function
        inside.release()
        never.acquire()
    before_it()
def dies():
    shared
    ctypes.string_at(8)
for target, argument in ((holds, shared), (calls, uses)):
    threading.Thread(target=target, args=(argument,), daemon=True).start()
    inside.acquire()
dies()
"""


def test_objects_that_functions_have_names_for_are_noted(ftsan: Ftsan, tmp_path: Path) -> None:
    ftsan("--crash-dir", tmp_path / "crashes", "-c", NAMED)
    uses = [thread.get("uses", []) for thread in crash_of(tmp_path / "crashes")["threads"]]
    picklers = [{one["object"] for one in of_thread if one["class"] == "_pickle.Pickler"} for of_thread in uses]
    # By a global name in the thread that died, by a variable and by a function that is one in the others.
    assert sorted(map(len, picklers))[-3:] == [1, 1, 1] and len(set.union(*picklers)) == 1, uses
