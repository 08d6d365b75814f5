"""``ftsan run``: runs the program as a child, passes on its fate, and has the last word.

The child is started as plain Python would start it, with two more variables in its environment; the watching is switched on by
``ftsan.pth``.  Findings go straight from the watched processes to stderr and into the report, so nothing is lost if this
process is killed.  Terminal, standard streams and process group are the child's as much as ours.
"""

import os
import signal
import sys
import time

from .. import _native
from ..process import HOOKS
from . import complain

#: A run in which nothing could be watched.
NOT_WATCHED = 67

#: Passed on to the child when somebody sends them to us.
FORWARDED = (
    signal.SIGINT,
    signal.SIGTERM,
    signal.SIGHUP,
    signal.SIGQUIT,
    signal.SIGUSR1,
    signal.SIGUSR2,
    signal.SIGWINCH,
    signal.SIGCONT,
)

#: How often ``--confirm`` runs the program again at most.
CONFIRMATIONS = 5

#: ``si_code`` of a signal that the kernel sent: Ctrl-C reaches the whole foreground group, the child included.
SI_KERNEL = 0x80


def run(options: dict[str, str], program: list[str]) -> int:
    """Run ``program`` (the words that python would get); returns the exit status."""
    wrong = _wrong_with(program)
    if wrong:
        return complain(wrong)
    for key in ("suppressions", "declarations", "inventory"):
        if key in options:  # children may run in other folders
            options[key] = os.path.abspath(options[key])
    scratch = os.path.join(os.environ.get("TMPDIR") or "/tmp", f"ftsan-{os.getpid()}-{time.time_ns()}")
    os.mkdir(scratch, 0o700)
    try:
        return _run(options, program, scratch)
    finally:
        _remove(scratch)


def _remove(scratch: str) -> None:
    try:
        for name in os.listdir(scratch):
            os.unlink(os.path.join(scratch, name))
        os.rmdir(scratch)
    except OSError:
        pass  # somebody cleaned up before us


def _wrong_with(program: list[str]) -> str:
    if not program:
        return "no program: give a script, -m MODULE or -c COMMAND"
    if program[0] in ("-m", "-c"):
        return "" if len(program) > 1 else f"{program[0]} needs an argument"
    if program[0].startswith(("-m", "-c")) or os.path.exists(program[0]):
        return ""
    return f"no such script: {program[0]}"


def _run(options: dict[str, str], program: list[str], scratch: str) -> int:
    report = os.path.abspath(options.get("report_json") or os.path.join(scratch, "report.json"))
    environment = _native.encode_options(options | {"report_json": report, "supervisor": str(os.getpid())})
    try:
        exit_code, _ = _native.check_options(environment)
    except ValueError as error:
        return complain(str(error))
    try:
        _native.start_report(report)
    except OSError as error:
        return complain(f"cannot write the report {report}: {error}")
    try:
        if "inventory" in options:
            _native.start_inventory(options["inventory"])
    except OSError as error:
        return complain(f"cannot write the inventory {options['inventory']}: {error}")
    ours = {
        "FTSAN": "1",
        "FTSAN_OPTIONS": environment,
        "FTSAN_RECORDING": os.path.join(scratch, "recording"),
        "LD_PRELOAD": _preload(),
        # Else a child that was built with AddressSanitizer refuses to start.
        "ASAN_OPTIONS": ":".join(filter(None, ["verify_asan_link_order=0", os.environ.get("ASAN_OPTIONS")])),
    }
    child, status = _supervise(program, os.environ | ours)
    if options.get("confirm") == "yes" and os.WIFEXITED(status):
        _confirm(report, options, program, os.environ | ours)
    if os.WIFSIGNALED(status) or any(name.startswith("recording.") for name in os.listdir(scratch)):
        from . import crash_folder

        crash_folder.triage(scratch, child, status, program, report, options.get("crash_dir"))
    _remove_unfinished(report)
    return _verdict(status, report, exit_code)


def _confirm(report: str, options: dict[str, str], program: list[str], environment: dict[str, str]) -> None:
    """Run the program again, with pauses before the writes whose races were not seen to do harm, and say how many were."""
    seed = int(options.get("seed", "0"))
    for attempt in range(CONFIRMATIONS):
        if not (lines := _confirmation(report)[2]):
            break
        ours = {"report_json": report, "supervisor": str(os.getpid()), "text": "none"}
        again = options | ours | {"seed": str(seed + attempt), "confirm_at": ",".join(lines)}
        _supervise(program, environment | {"FTSAN_OPTIONS": _native.encode_options(again)})
    witnessed, found, _ = _confirmation(report)
    if found:
        import shlex

        given = [f"--{key.replace('_', '-')}={value}" for key, value in options.items() if key not in ("confirm", "seed")]
        words = shlex.join(["ftsan", "run", "--confirm", f"--seed={seed}", *given, *program])
        sys.stderr.write(f"ftsan: witnessed {witnessed} of {found}; again: {words}\n")
        if witnessed < found:
            sys.stderr.write(f"ftsan: --seed={seed + CONFIRMATIONS} goes on where this stopped\n")


def _confirmation(report: str) -> tuple[int, int, list[str]]:
    try:
        return _native.confirmation(report)
    except OSError:
        return 0, 0, []


def _remove_unfinished(report: str) -> None:
    """Remove what a process that was killed while it wrote the report has left beside it."""
    folder, name = os.path.split(report)
    for unfinished in os.listdir(folder):
        pid = unfinished.removeprefix(f".{name}.").removesuffix(".tmp")
        if unfinished == f".{name}.{pid}.tmp" and pid.isdigit() and not os.path.exists(f"/proc/{pid}"):
            os.unlink(os.path.join(folder, unfinished))


def _preload() -> str:
    """What is preloaded: whatever the user has there, and the injected library."""
    # Last: a sanitizer's runtime insists on being first.
    return " ".join(filter(None, [os.environ.get("LD_PRELOAD"), HOOKS]))


def _interpreter_flags() -> list[str]:
    """The flags that this interpreter was started with: the program runs under the same."""
    ours = sys.orig_argv[1 : len(sys.orig_argv) - len(sys.argv) + 1]  # flags, then "-m ftsan" or the path of the script
    return ours[:-2] if ours[-2:-1] == ["-m"] else ours[:-1]


def _supervise(program: list[str], environment: dict[str, str]) -> tuple[int, int]:
    """Start the program and wait for it; returns its process id and its wait status."""
    watched = {number for number in FORWARDED if signal.getsignal(number) is not signal.SIG_IGN} | {signal.SIGCHLD}
    command = [sys.executable, *_interpreter_flags(), *program]
    # Blocked before the child exists, so that none is lost; the child gets the mask that we had, and default handlers.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, watched)
    handled = [number for number in watched if callable(signal.getsignal(number))]
    child = os.posix_spawn(sys.executable, command, environment, setsigmask=before, setsigdef=handled)
    while True:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            break
        received = signal.sigwaitinfo(watched)
        if received.si_signo != signal.SIGCHLD and received.si_code != SI_KERNEL and received.si_pid != child:
            os.kill(child, received.si_signo)
    return child, status


def _verdict(status: int, report: str, exit_code: int) -> int:
    code = os.waitstatus_to_exitcode(status)
    if code < 0:
        code = 128 - code
    try:
        serious, processes, off, summary = _native.summarize(report)
    except OSError as error:
        sys.stderr.write(f"ftsan: the report {report} is gone: {error}\n")
        return code or NOT_WATCHED
    if processes == 0:
        summary = "ftsan: nothing was watched: the program did not load ftsan (python -S or -I, or another interpreter?)\n"
    # A clean run says nothing where nobody reads along: its output is the program's alone.
    if serious or off or processes == 0 or "unused suppression" in summary or sys.stderr.isatty():
        sys.stderr.write(summary)
    if code:
        return code
    if serious:
        return exit_code
    return NOT_WATCHED if off or processes == 0 else 0
