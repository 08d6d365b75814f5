"""The injected library in programs of every kind: they notice nothing, get the same results, and leave nothing behind.

``--storms 10`` tries as hard as is promised: 500 forks, 200 storms of threads, 10,000 dlopens.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from ftsan.library import HOOKS

from tests.conftest import PLAIN, ROOT, Ftsan

PROGRAMS = ROOT / "tests" / "preload"

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="there is no LD_PRELOAD")

Compiled = Callable[..., str]


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Compiled:
    """Compile a program of tests/preload once; skip the test where that is not possible."""
    folder = tmp_path_factory.mktemp("programs")
    known: dict[tuple[str, ...], str] = {}

    def compile_it(name: str, *flags: str) -> str:
        compiler = shutil.which("cc")
        if not compiler:
            pytest.skip("no C compiler")
        if (name, *flags) not in known:
            program = folder / f"{len(known)}-{name}"
            command = [compiler, "-w", "-O1", "-pthread", "-o", str(program), str(PROGRAMS / f"{name}.c"), *flags]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode != 0:
                pytest.skip(f"cannot be compiled here: {done.stderr.splitlines()[-1]}")
            known[name, *flags] = str(program)
        return known[name, *flags]

    return compile_it


@pytest.fixture
def storms(pytestconfig: pytest.Config) -> int:
    """How many times as many."""
    return int(pytestconfig.getoption("--storms"))


def run(*command: str, preload: str = HOOKS, timeout: float = 120, **variables: str) -> tuple[int, str, str]:
    """Status, output and errors of a program that is preloaded and, unless ``FTSAN`` says otherwise, switched on."""
    environment = PLAIN | {"LD_PRELOAD": preload, "FTSAN": "1"} | variables
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=timeout, check=False)
    return done.returncode, done.stdout, done.stderr


def bare(*command: str) -> tuple[int, str, str]:
    done = subprocess.run(command, env=PLAIN, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr


def test_it_exports_what_it_hooks_and_nothing_else() -> None:
    if not shutil.which("nm"):
        pytest.skip("no nm")
    listed = subprocess.run(["nm", "-D", "--defined-only", "--format=posix", HOOKS], capture_output=True, text=True, check=True)
    names = sorted(line.split()[0] for line in listed.stdout.splitlines())
    assert names == (ROOT / "hooks" / "exports.txt").read_text().split()


@pytest.mark.parametrize("recording", [False, True], ids=["in memory", "in a file"])
@pytest.mark.parametrize("switch", ["0", "1"], ids=["inert", "on"])
def test_every_call_has_the_same_result_and_leaves_errno_alone(
    compiled: Compiled, tmp_path: Path, switch: str, recording: bool
) -> None:
    program = compiled("results")
    file = {"FTSAN_RECORDING": str(tmp_path / "recording")} if recording else {}
    plain = bare(program)
    assert plain[0] == 0
    assert run(program, FTSAN=switch, **file) == plain


@pytest.mark.parametrize(
    "command",
    [
        ["/bin/true"],
        ["/bin/false"],
        ["/bin/sh", "-c", "echo a b | tr a c | { read x y; echo $y $x; }; (exit 3) & wait $!"],
        [
            "bash",
            "-c",
            "diff <(seq 5 | tac) <(seq 5) | wc -l; cat <<< here; exec 5</dev/null 6<&5 5<&-; coproc cat; kill -9 $!; exit 4",
        ],
        ["bash", "-c", "for i in {1..20}; do /bin/true | cat; done; ulimit -n 20; echo {1..5} | xargs -n1 -P3 echo | sort"],
    ],
    ids=["true", "false", "sh", "bash", "pipelines"],
)
def test_programs_without_python(command: list[str], tmp_path: Path) -> None:
    if not shutil.which(command[0]):
        pytest.skip(f"no {command[0]}")
    assert run(*command, FTSAN_RECORDING=str(tmp_path / "recording")) == bare(*command)


def test_a_static_program_and_its_child(compiled: Compiled) -> None:
    assert run(compiled("static", "-static")) == (0, "Child\nparent\n", "")


def test_without_the_switch_nothing_is_recorded(tmp_path: Path) -> None:
    file = str(tmp_path / "recording")
    for switch in ("", "0", "2", "11"):
        assert run("/bin/sh", "-c", "echo x | cat", FTSAN=switch, FTSAN_RECORDING=file) == (0, "x\n", "")
        assert list(tmp_path.iterdir()) == []
    # Not by its absence either.
    environment = PLAIN | {"LD_PRELOAD": HOOKS, "FTSAN_RECORDING": file}
    subprocess.run(["/bin/sh", "-c", "echo x | cat"], env=environment, capture_output=True, check=True)
    assert list(tmp_path.iterdir()) == []


KEEPS_ITS_RECORDING = """
import os, subprocess, sys
if os.fork() == 0:
    sys.exit(0)
os.wait()
subprocess.run(["/bin/sh", "-c", "/bin/true"])
subprocess.run([sys.executable, "-c", "import os; os._exit(0)"])
folder, name = os.path.split(os.environ["FTSAN_RECORDING"])
print(os.path.exists(f"{folder}/{name}.{os.getpid()}"))
print(folder)
"""


def test_the_recording_is_there_while_the_process_lives(ftsan: Ftsan) -> None:
    """Children of a fork that exit, and programs that were started, leave it alone; afterwards nothing is left."""
    done = ftsan("-c", KEEPS_ITS_RECORDING)
    there, folder = done.stdout.splitlines()
    assert (done.status, there, done.stderr) == (0, "True", "")
    assert not Path(folder).exists()


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user may enter."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        yield Path(folder)


def test_a_setuid_program_is_left_alone(compiled: Compiled, open_folder: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can make another user's program")
    library, program, recordings = open_folder / "libftsan_hooks.so", open_folder / "program", open_folder / "recordings"
    shutil.copy(HOOKS, library)
    recordings.mkdir()
    recordings.chmod(0o777)
    shutil.copy(compiled("setuid", "-Wl,--no-as-needed", str(library)), program)
    environment = PLAIN | {"FTSAN": "1", "FTSAN_RECORDING": f"{recordings}/recording"}
    for mode, secure, left in ((0o4755, 1, 0), (0o755, 0, 1)):
        program.chmod(mode)
        done = subprocess.run([str(program)], env=environment, user=65534, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGABRT, f"secure {secure}\n", "")
        assert len(list(recordings.iterdir())) == left


def other_preloads() -> list[str]:
    patterns = ["libjemalloc.so.2", "faketime/libfaketimeMT.so.1", "faketime/libfaketime.so.1"]
    return [str(path) for pattern in patterns for path in Path("/usr/lib").glob(f"*/{pattern}")]


@pytest.mark.parametrize(
    "other", other_preloads() or [pytest.param("", marks=pytest.mark.skip(reason="neither jemalloc nor faketime"))]
)
@pytest.mark.parametrize("first", [True, False], ids=["we first", "we last"])
def test_with_another_preload(compiled: Compiled, other: str, first: bool) -> None:
    preload = f"{HOOKS} {other}" if first else f"{other} {HOOKS}"
    for mode in ("threads", "fork", "vfork", "cancel", "signals"):
        assert run(compiled("storms"), mode, "10", preload=preload) == (0, "ok\n", "")
    assert run(sys.executable, "-I", "-S", "-c", "import socket; print(socket.socketpair() and 1)", preload=preload) == (
        0,
        "1\n",
        "",
    )


@pytest.mark.parametrize("order", ["{hooks}", "{asan} {hooks}"], ids=["we first", "asan first"])
def test_under_address_sanitizer(compiled: Compiled, order: str) -> None:
    program = compiled("storms", "-fsanitize=address", "-g")
    asan = subprocess.run(["cc", "-print-file-name=libasan.so"], capture_output=True, text=True, check=True).stdout.strip()
    # It insists on being first, whoever else is preloaded.
    options = "verify_asan_link_order=0:detect_leaks=0"
    # Not "fork": with AddressSanitizer alone, too, some of the children that are forked while threads run hang.
    for mode in ("threads", "vfork", "cancel", "leave", "signals"):
        assert run(program, mode, "10", preload=order.format(hooks=HOOKS, asan=asan), ASAN_OPTIONS=options) == (0, "ok\n", "")


@pytest.mark.parametrize("first", [True, False], ids=["we first", "we last"])
def test_a_constructor_that_makes_calls(compiled: Compiled, first: bool) -> None:
    early = compiled("early", "-shared", "-fPIC")
    preload = f"{HOOKS} {early}" if first else f"{early} {HOOKS}"
    assert run("/bin/true", preload=preload) == (0, "early\n", "")


@pytest.mark.parametrize(
    ("mode", "count"),
    [
        ("fork", 50),
        ("fork-in-thread", 50),
        ("vfork", 50),
        ("vfork-in-thread", 50),
        ("threads", 20),
        ("crowd", 40),
        ("cancel", 140),
        ("leave", 100),
        ("signals", 90),
        ("exec", 1),
        ("high", 1),
        ("little", 1),
    ],
)
def test_storms(compiled: Compiled, storms: int, mode: str, count: int, tmp_path: Path) -> None:
    """Forks, threads, cancellation, exits, signals; see tests/preload/storms.c."""
    most = 400 if mode == "crowd" else count * storms  # more threads at once than are recorded
    status, output, errors = run(compiled("storms"), mode, str(most), timeout=60 * storms)
    if output == "no permission\n":
        pytest.skip("the limit of open files is below 65536, and cannot be raised")
    assert (status, output, errors) == (0, "ok\n", "")


PYTHON_STORMS = [("forks", 15), ("vforks", 30), ("dlopens", 1000), ("wakeups", 20)]


@pytest.mark.parametrize(("program", "count"), PYTHON_STORMS)
def test_storms_of_python_programs(ftsan: Ftsan, storms: int, program: str, count: int) -> None:
    done = ftsan(PROGRAMS / f"{program}.py", str(count * storms), timeout=60 * storms)
    assert (done.status, done.stdout, done.stderr, done.findings) == (0, "ok\n", "", [])


@pytest.mark.parametrize(("program", "count"), PYTHON_STORMS)
def test_storms_through_the_import_tables(storms: int, program: str, count: int) -> None:
    command = [sys.executable, str(PROGRAMS / f"{program}.py"), str(count * storms)]
    done = subprocess.run(command, env=PLAIN | {"FTSAN": "1"}, capture_output=True, text=True, timeout=60 * storms, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "ok\n", "")


CLOSED_WHILE_USED = """
import os, socket, threading, time
here, there = socket.socketpair()
thread = threading.Thread(target=here.recv, args=(1,))
thread.start()
time.sleep(0.2)
os.close(here.detach())
there.send(b"x")
there.close()
thread.join(1)
"""


def test_the_import_tables_hook_as_much() -> None:
    """Of libraries that are loaded, and of those that are loaded later: socket is imported when we are there already."""
    done = subprocess.run(
        [sys.executable, "-c", CLOSED_WHILE_USED],
        env=PLAIN | {"FTSAN": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "FT201" in done.stderr


QUIET = {
    "a loop that is stopped by another thread and closes itself": """
import asyncio, threading
def run(loop, ready):
    loop.call_soon(ready.set)
    loop.run_forever()
    loop.close()
for _ in range(300):
    loop, ready = asyncio.new_event_loop(), threading.Event()
    thread = threading.Thread(target=run, args=(loop, ready))
    thread.start()
    ready.wait()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
""",
    "a reader that closes when it has got the answer": """
import socket, threading
for _ in range(300):
    here, there = socket.socketpair()
    def answer():
        there.recv(100)
        there.sendall(b"answer")
    def read():
        here.recv(100)
        here.close()
    threads = [threading.Thread(target=each) for each in (answer, read)]
    for each in threads:
        each.start()
    here.sendall(b"request")
    for each in threads:
        each.join()
    there.close()
""",
    "a reader that sends the next message itself": """
import socket, threading
here, there = socket.socketpair()
def answer():
    while there.recv(100):
        there.sendall(b"answer")
def read():
    while here.recv(100):
        here.sendall(b"confirmed")
        here.recv(100)
        turn.release()
turn = threading.Semaphore()
for each in (answer, read):
    threading.Thread(target=each, daemon=True).start()
for _ in range(300):
    turn.acquire()
    here.sendall(b"request")
""",
}


@pytest.mark.parametrize("program", QUIET.values(), ids=QUIET.keys())
def test_who_is_on_its_way_out_of_a_call_is_not_in_it(ftsan: Ftsan, program: str) -> None:
    """On one processor whoever wakes another thread up is often still in its call when that one closes the socket."""
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(allowed)})
    try:
        done = ftsan("-c", program)
    finally:
        os.sched_setaffinity(0, allowed)
    assert (done.status, done.findings) == (0, [])


def test_a_handler_that_overflows_its_stack_ends_the_process(compiled: Compiled) -> None:
    program = compiled("overflows")
    assert run(program) == bare(program) == (-signal.SIGSEGV, "", "")


def test_a_misuse_in_a_signal_handler(compiled: Compiled, ftsan: Ftsan) -> None:
    """It is not told: the handler may have interrupted anything."""
    done = ftsan(PROGRAMS / "handler.py", compiled("handler", "-shared", "-fPIC"))
    assert (done.status, done.stdout, done.stderr) == (0, "ok\n", "")


@pytest.mark.parametrize("function", ["close_there", "close_there_now"])
@pytest.mark.parametrize("options", [(), ("--on-finding", "raise")], ids=["log", "raise"])
def test_a_misuse_in_a_thread_without_python(compiled: Compiled, ftsan: Ftsan, function: str, options: tuple[str, ...]) -> None:
    """Another thread judges it as it comes by, or the last one at the end; an exception would be none of its business."""
    library = compiled("closes", "-shared", "-fPIC")
    done = ftsan(*options, PROGRAMS / "closes.py", library, function)
    assert (done.status, done.rules, "Traceback" in done.stderr) == (66, ["FT201"], False), done.stderr
    offending, *others = done.findings[0]["accesses"]
    assert (offending["operation"], offending["thread"]["name"]) == ("close", "closer")
    assert [(frame["file"], frame["function"]) for frame in offending["stack"]] == [(library, "closer")]
    assert [access["role"] for access in others] == ["owner", "earlier", "created"]


def test_a_misuse_in_a_thread_without_python_is_judged_by_its_victim(compiled: Compiled, ftsan: Ftsan) -> None:
    """There is no other thread: it has just come from the poll."""
    done = ftsan(PROGRAMS / "closes_polled.py", compiled("closes", "-shared", "-fPIC"))
    assert (done.status, done.rules) == (66, ["FT201"]), done.stderr
    offending, owner, *_ = done.findings[0]["accesses"]
    assert (offending["thread"]["name"], owner["thread"]["name"], owner["operation"]) == ("closer", "MainThread", "epoll_wait")
    line = (PROGRAMS / "closes_polled.py").read_text().splitlines().index("poller.poll()") + 1
    assert [frame["line"] for frame in owner["stack"]] == [line]


SUBINTERPRETERS = {
    "isolated": "from concurrent import interpreters; i = interpreters.create(); i.exec('import socket'); i.close(); print('ok')",
    "legacy": "import _testcapi; print('ok' if _testcapi.run_in_subinterp('import selectors') == 0 else 'failed')",
}


@pytest.mark.parametrize("kind", SUBINTERPRETERS)
def test_subinterpreters(ftsan: Ftsan, kind: str) -> None:
    """They run as without ftsan; that one is made by the program's own means is said, because nothing is watched in it."""
    done = ftsan("-c", SUBINTERPRETERS[kind])
    said = ["sub-interpreters: what runs in them is not watched"] if kind == "isolated" else []
    assert (done.status, done.stdout, done.report["watched"]["off"]) == (67 if said else 0, "ok\n", said)
    assert [line for line in done.stderr.splitlines() if "not watched" in line] == [f"ftsan: not watched: {off}" for off in said]
