"""``ftsan run``: the program notices nothing, its fate is passed on, and what is wrong is said in one line."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from ftsan import _native

from tests.conftest import PLAIN, ROOT, Ftsan

MISUSE = """
import asyncio, threading
async def main():
    loop = asyncio.get_running_loop()
    thread = threading.Thread(target=lambda: loop.call_soon(int))
    thread.start()
    await asyncio.to_thread(thread.join)
asyncio.run(main())
"""


def ftsan_command(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ftsan", *arguments]
    return subprocess.run(command, env=PLAIN, capture_output=True, text=True, check=False, cwd=cwd)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["run"], "ftsan: no program: give a script, -m MODULE or -c COMMAND"),
        (["run", "--reprot-json", "x", "y.py"], "ftsan: unexpected argument '--reprot-json' found"),
        (["run", "no-such.py"], "ftsan: no such script: no-such.py"),
        (["run", "-m"], "ftsan: -m needs an argument"),
        (["run", "--exit-code", "300", "-c", ""], 'ftsan: exit_code: "300" is not a number from 1 to 255'),
        (["run", "--on-finding", "stop", "-c", ""], 'ftsan: on_finding: "stop" is not log|raise|abort'),
        (["run", "--report-json", "/no/such/report", "-c", ""], "ftsan: cannot write the report /no/such/report: No such file"),
        (["run", "--suppressions", "/no/such/file", "-c", ""], "ftsan: suppressions: cannot read /no/such/file: No such file"),
        (["explain", "FT999"], 'ftsan: no rule "FT999"'),
        (["frobnicate"], "ftsan: unrecognized subcommand 'frobnicate'"),
    ],
)
def test_what_is_wrong_is_one_line_and_status_2(arguments: list[str], line: str) -> None:
    done = ftsan_command(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(line)
    assert done.stderr.count("\n") == 1


def test_a_suppression_with_a_typo_is_named_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "accepted.toml"
    file.write_text("[[suppress]]\nrule = 'FT101'\nraeson = 'x'\n")
    done = ftsan_command("run", "--suppressions", str(file), "-c", "")
    assert done.returncode == 2
    assert done.stderr.startswith(f"ftsan: suppressions: {file}:3: unknown field `raeson`")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("other", "line"),
    [
        ("sys.version_info = (3, 13, 1)", "needs CPython 3.14 or 3.15, with the GIL or without; "),
        ("sys.implementation.name = 'pypy'", "needs CPython 3.14 or 3.15, with the GIL or without; this is pypy 3."),
        ("sys.platform = 'darwin'", "needs Linux: on darwin event loops wait by kqueue, which is not watched\n"),
        ("sys.platform = 'freebsd15'", "needs Linux: on freebsd15 event loops wait by kqueue, which is not watched\n"),
        ("sys.platform = 'win32'", "needs Linux: on win32 event loops wait by IOCP, which is not watched\n"),
    ],
)
def test_an_interpreter_that_is_not_watched_gets_a_clear_line(other: str, line: str) -> None:
    code = (
        f"import runpy, sys; {other}; sys.argv[1:] = ['run', '-c', '']\n"
        "runpy.run_module('ftsan', run_name='__main__', alter_sys=False)"
    )
    done = subprocess.run([sys.executable, "-c", code], env=PLAIN, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith(f"ftsan: {line}")
    assert done.stderr.count("\n") == 1


def test_any_python_can_read_the_line_that_refuses_it() -> None:
    older = shutil.which("python3", path="/usr/bin:/usr/local/bin")
    if older is None:
        pytest.skip("no other Python")
    done = subprocess.run(
        [older, "-m", "ftsan", "run", "x.py"],
        env=PLAIN | {"PYTHONPATH": str(ROOT / "python"), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if b"3.14" in subprocess.check_output([older, "--version"]):
        pytest.skip("the other Python is as new")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
    assert done.stderr.startswith("ftsan: needs CPython 3.14 or 3.15, with the GIL or without; ")


def test_the_program_is_started_as_python_starts_it(ftsan: Ftsan, tmp_path: Path) -> None:
    code = "import sys, __main__; print(sys.argv, __name__, sys.path[0] == {!r}, sys.flags.safe_path, __main__.__spec__)"
    script = tmp_path / "script.py"
    script.write_text(code.format(str(tmp_path)))
    run = ftsan(script, "--report-json", "-m", "--", "-x")
    assert run.stdout == f"['{script}', '--report-json', '-m', '--', '-x'] __main__ True False None\n"
    assert (run.status, run.stderr) == (0, "")
    run = ftsan("-c", code.format(""), "-m")
    assert run.stdout.startswith("['-c', '-m'] __main__ True")
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__main__.py").write_text("import sys; print(sys.argv[1:], __spec__.name)")
    assert ftsan("-m", "package", "--help").stdout == "['--help'] package.__main__\n"


def test_it_imports_nothing_that_the_program_does_not(ftsan: Ftsan) -> None:
    code = "import sys; print(sorted(name for name in sys.modules if not name.startswith('ftsan')), len(sys.meta_path) < 6)"
    plain = subprocess.run([sys.executable, "-c", code], env=PLAIN, capture_output=True, text=True, check=True)
    assert ftsan("-c", code).stdout == plain.stdout


def test_an_imported_asyncio_looks_untouched(ftsan: Ftsan) -> None:
    code = (
        "import asyncio, sys, inspect, pickle; "
        "print(type(asyncio.__spec__.loader), type(asyncio.__loader__), inspect.signature(asyncio.Queue.put_nowait), "
        "inspect.getsource(asyncio.Event.set)[:20], pickle.dumps(asyncio.Queue.get), asyncio.Lock.acquire.__code__.co_firstlineno, "
        "inspect.iscoroutinefunction(asyncio.Lock.acquire))"
    )
    plain = subprocess.run([sys.executable, "-c", code], env=PLAIN, capture_output=True, text=True, check=True)
    run = ftsan("-c", code)
    assert (run.stdout, run.stderr) == (plain.stdout, plain.stderr)


def test_the_status_is_passed_on_and_replaced_only_if_it_is_0(ftsan: Ftsan) -> None:
    assert ftsan("-c", "raise SystemExit(3)").status == 3
    assert ftsan("-c", MISUSE).status == 66
    assert ftsan("--exit-code", "99", "-c", MISUSE).status == 99
    assert ftsan("-c", MISUSE + "raise SystemExit(4)").status == 4
    assert ftsan("-c", "import os; os.kill(os.getpid(), 15)").status == 128 + 15


def test_a_traceback_is_the_programs_own(ftsan: Ftsan, tmp_path: Path) -> None:
    script = tmp_path / "fails.py"
    script.write_text("import asyncio\nasync def main():\n    asyncio.Queue().get_nowait()\nasyncio.run(main())\n")
    plain = subprocess.run([sys.executable, script], env=PLAIN, capture_output=True, text=True, check=False)
    run = ftsan(script)
    assert (run.status, run.stderr) == (plain.returncode, plain.stderr)


def test_what_was_found_survives_sigkill_of_the_program(ftsan: Ftsan) -> None:
    run = ftsan("-c", MISUSE + "import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    assert (run.status, run.rules) == (128 + 9, ["FT101"])


def test_what_was_found_survives_sigkill_of_the_launcher_and_the_program_dies_with_it(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    code = MISUSE + "import os, time; print(os.getpid(), flush=True); time.sleep(60)"
    command = [sys.executable, "-m", "ftsan", "run", "--report-json", str(report), "-c", code]
    with subprocess.Popen(command, env=PLAIN, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as launcher:
        assert launcher.stdout is not None
        child = int(launcher.stdout.readline())
        launcher.kill()
    for _ in range(100):
        if not Path(f"/proc/{child}").exists() or "Z" in Path(f"/proc/{child}/stat").read_text().split()[2]:
            break
        time.sleep(0.05)
    else:
        pytest.fail("the program outlived its launcher")
    assert [finding["rule"] for finding in json.loads(report.read_text())["findings"]] == ["FT101"]


@pytest.mark.parametrize("trap", ["-", "''"], ids=["default", "ignored"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGUSR1])
def test_signals_are_passed_on_once(number: signal.Signals, trap: str) -> None:
    """Also one that the launcher ignores, as what a shell runs in the background does with SIGINT."""
    code = (
        f"import signal, time\nseen = []\nsignal.signal({number.value}, lambda *_: seen.append(1))\nprint('ready', flush=True)\n"
        "end = time.monotonic() + 10\n"
        "while not seen and time.monotonic() < end: time.sleep(0.01)\ntime.sleep(0.2); print(len(seen))"
    )
    shell = ["sh", "-c", f'trap {trap} {number.value}; exec "$@"', "sh"]
    with subprocess.Popen(
        [*shell, sys.executable, "-m", "ftsan", "run", "-c", code], env=PLAIN, stdout=subprocess.PIPE, text=True
    ) as launcher:
        assert launcher.stdout is not None
        assert launcher.stdout.readline() == "ready\n"
        os.kill(launcher.pid, number)
        assert launcher.stdout.read() == "1\n"
        assert launcher.wait() == 0


def test_a_program_ignores_what_its_launcher_ignores() -> None:
    code = "import signal; print(signal.getsignal(signal.SIGINT) == signal.SIG_IGN); signal.raise_signal(signal.SIGINT)"
    command = [sys.executable, "-m", "ftsan", "run", "-c", code]
    done = subprocess.run(["sh", "-c", "trap '' INT; exec \"$@\"", "sh", *command], env=PLAIN, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "True\n", "")


def test_misuse_is_raised_before_the_state_is_touched(ftsan: Ftsan) -> None:
    code = """
import asyncio, threading, ftsan
async def main():
    future = asyncio.get_running_loop().create_future()
    event = asyncio.Event()
    seen = []
    def worker():
        for misuse in (lambda: future.set_result(1), event.set, future.get_loop().stop):
            try:
                misuse()
            except ftsan.Misuse as error:
                seen.append(str(error)[:5])
    thread = threading.Thread(target=worker)
    thread.start()
    await asyncio.to_thread(thread.join)
    print(seen, future.done(), event.is_set())
asyncio.run(main())
"""
    run = ftsan("--on-finding", "raise", "-c", code)
    assert run.stdout == "['FT102', 'FT106', 'FT101'] False False\n"
    assert run.status == 66


def test_abort_ends_the_process_with_the_report_written(ftsan: Ftsan) -> None:
    run = ftsan("--on-finding", "abort", "-c", MISUSE)
    assert (run.status, run.rules) == (128 + signal.SIGABRT, ["FT101"])


def test_suppressions_accept_findings_and_unused_ones_are_listed(ftsan: Ftsan, tmp_path: Path) -> None:
    file = tmp_path / "accepted.toml"
    file.write_text(
        "[[suppress]]\nrule = 'FT101'\nfunction = 'main.*'\nreason = 'known'\n"
        "[[suppress]]\nrule = 'FT105'\nfile = '*/gone.py'\nreason = 'fixed long ago'\n"
    )
    run = ftsan("--suppressions", file, "-c", MISUSE)
    assert (run.status, run.findings) == (0, [])
    assert [entry["used"] for entry in run.report["suppressions"]] == [1, 0]
    assert "ftsan: unused suppression: FT105 */gone.py (fixed long ago)" in run.stderr
    assert "ERROR" not in run.stderr


def test_a_run_that_could_not_watch_says_so_and_exits_67(ftsan: Ftsan) -> None:
    # The child is another interpreter flag away from loading ftsan.pth.
    done = subprocess.run(
        [
            sys.executable,
            "-S",
            "-c",
            "import sys; sys.path[:0] = " + repr(sys.path) + "\n"
            "sys.argv = ['x', 'run', '-c', 'print(1)']; sys.orig_argv = [sys.executable, '-S', 'x', 'run', '-c', 'print(1)']\n"
            "from ftsan.__main__ import main; sys.exit(main())",
        ],
        env=PLAIN,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (67, "1\n")
    assert done.stderr.startswith("ftsan: nothing was watched")


def test_many_processes_report_into_one_file(ftsan: Ftsan) -> None:
    code = MISUSE.replace("asyncio.run(main())", "") + (
        "import multiprocessing\n"
        "if __name__ == '__main__':\n"
        "    context = multiprocessing.get_context('fork')\n"
        "    children = [context.Process(target=lambda: asyncio.run(main())) for _ in range(8)]\n"
        "    [child.start() for child in children]; [child.join() for child in children]\n"
    )
    run = ftsan("-c", code)
    assert run.rules == ["FT101"]
    assert run.findings[0]["count"] == 8


MANY = """
import asyncio, os, signal, sys, threading
functions = {{}}
exec("".join(f"def f{{n}}(loop): loop.call_soon(int)\\n" for n in range({count})), functions)
def misuse():
    async def main():
        loop = asyncio.get_running_loop()
        thread = threading.Thread(target=lambda: [functions[f"f{{n}}"](loop) for n in range({count})])
        thread.start()
        await asyncio.to_thread(thread.join)
    asyncio.run(main())
"""

WRITTEN = "misuse()\nprint(*[line.split()[1] for line in open('/proc/self/io') if line.startswith(('wchar', 'syscw'))])\n"


def test_what_is_written_for_a_finding_does_not_grow_with_their_number(ftsan: Ftsan) -> None:
    written = []
    for count in (50, 400):
        run = ftsan("-c", MANY.format(count=count) + WRITTEN)
        assert len(run.findings) == count
        written.append([int(number) / count for number in run.stdout.split()])
    (few_bytes, few_calls), (many_bytes, many_calls) = written
    # A journal is folded into the report when it has become as large: each byte is written twice at most, whenever that happens.
    assert many_bytes < 2 * few_bytes and many_calls < 2 * few_calls, written


def test_killed_processes_leave_what_they_found_and_spoil_nothing(ftsan: Ftsan) -> None:
    code = MANY.format(count=20) + (
        "children = []\n"
        "for number in range(12):\n"
        "    pid = os.fork()\n"
        "    if pid == 0:\n"
        "        misuse()\n"
        "        os.kill(os.getpid(), signal.SIGKILL) if number % 2 else os._exit(0)\n"
        "    children.append(pid)\n"
        "print([os.waitpid(pid, 0)[1] for pid in children] == [0, 9] * 6)\n"
    )
    run = ftsan("-c", code)
    assert (run.stdout, run.status) == ("True\n", 66)
    assert sorted(finding["count"] for finding in run.findings) == [12] * 20
    assert run.report["watched"]["processes"] == 13


def test_without_a_launcher_the_report_is_complete_at_the_end_of_each_process(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    for processes in (1, 2):
        environment = PLAIN | {"FTSAN": "1", "FTSAN_OPTIONS": f"report_json={report}"}
        done = subprocess.run([sys.executable, "-c", MISUSE], env=environment, stderr=subprocess.DEVNULL, check=False)
        assert done.returncode == 66
        found = json.loads(report.read_text())
        assert [(finding["rule"], finding["count"]) for finding in found["findings"]] == [("FT101", processes)]
        assert found["watched"]["processes"] == processes
        assert os.listdir(tmp_path) == ["report.json"]


def test_a_journal_that_nobody_completed_is_read_with_its_report(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    code = MANY.format(count=9) + "misuse()\nos.kill(os.getpid(), signal.SIGKILL)\n"
    environment = PLAIN | {"FTSAN": "1", "FTSAN_OPTIONS": f"report_json={report}"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, stderr=subprocess.DEVNULL, check=False)
    assert done.returncode == -signal.SIGKILL
    assert json.loads(report.read_text())["schema"] == 1
    assert len(json.loads(_native.read_report(str(report)))["findings"]) == 9


def test_a_storm_of_misuse_is_one_finding_with_its_count(ftsan: Ftsan) -> None:
    code = MISUSE.replace("loop.call_soon(int)", "[loop.call_soon(int) for _ in range(5000)]")
    run = ftsan("-c", code)
    assert [(finding["rule"], finding["count"]) for finding in run.findings] == [("FT101", 5000)]


def test_explain_and_doctor() -> None:
    page = ftsan_command("explain", "foreign-await")
    assert page.returncode == 0
    assert page.stdout.startswith("FT104 foreign-await (error)")
    every = ftsan_command("explain", "all").stdout
    assert all(f"FT{number}" in every for number in (101, 102, 103, 104, 105, 106, 107, 109))
    doctor = ftsan_command("doctor")
    assert doctor.returncode == 0, doctor.stdout
    assert "MISSED" not in doctor.stdout and doctor.stdout.endswith("all is well\n")


def test_a_report_is_shown_in_every_format_at_the_end_and_afterwards(ftsan: Ftsan, tmp_path: Path) -> None:
    from xml.etree import ElementTree

    sarif, junit, html = tmp_path / "report.sarif", tmp_path / "report.xml", tmp_path / "report.html"
    run = ftsan("--report-sarif", sarif, "--report-junit", junit, "--report-html", html, "-c", MISUSE)
    assert (run.status, run.rules) == (66, ["FT101"])
    [result] = json.loads(sarif.read_text())["runs"][0]["results"]
    assert (result["ruleId"], result["partialFingerprints"]["ftsan/v1"]) == ("FT101", run.findings[0]["fingerprint"])
    [case] = ElementTree.parse(junit).iter("testcase")
    assert case.find("failure").get("message") == run.findings[0]["title"]  # type: ignore[union-attr]
    formats = [name for name, _, _ in _native.report_formats()]
    shown = {name: ftsan_command("report", "report.json", "--to", name, cwd=tmp_path) for name in formats}
    assert {done.returncode for done in shown.values()} == {0}
    assert json.loads(shown["sarif"].stdout) == json.loads(sarif.read_text())
    assert json.loads(shown["json"].stdout) == run.report
    assert shown["junit"].stdout == junit.read_text()
    assert shown["html"].stdout == html.read_text()
    assert run.findings[0]["title"] in shown["text"].stdout
    assert ftsan_command("report", "no-such-file").returncode == 2
