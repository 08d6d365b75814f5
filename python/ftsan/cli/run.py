"""``ftsan run``: runs the program as a child, passes on its fate, and has the last word.

The child is started as plain Python would start it, with two more variables in its environment; the watching is switched on by
``ftsan.pth``.  Findings go straight from the watched processes to stderr and into the report, so nothing is lost if this
process is killed.  Terminal, standard streams and process group are the child's as much as ours.
"""

import os
import sys

from .. import _native
from ..library import HOOKS
from ..scratch import make, remove, remove_left_over, tally_in
from . import begin_report, complain, say

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from collections.abc import Callable

    from .hangs import Watchdog
else:
    import _signal as signal  # the same functions without enumerations, which take 2.5 ms to make

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


def run(options: dict[str, str], interpreter: list[str], program: list[str]) -> int:
    """Run ``program``, with these options of python's before it; returns the exit status."""
    try:
        command = _command(interpreter, program)
    except ValueError as error:
        return complain(str(error))
    try:
        options = _native.configured(options)
    except (OSError, ValueError) as error:
        return complain(str(error))
    try:
        scratch = make()
    except OSError as error:
        return complain(f"no folder for temporary files: {error}")
    try:
        remove_left_over(os.path.dirname(scratch))
        return _run(options, command, scratch)
    finally:
        remove(scratch)


def _command(interpreter: list[str], program: list[str]) -> list[str]:
    """The words to execute: python's for what python would run, else a command that is looked for where the shell would.

    :raises ValueError: there is no such program; one line.
    """
    if not program:
        raise ValueError("no program: give a script, -m MODULE or -c COMMAND")
    first = program[0]
    python = [_interpreter(), *_interpreter_flags(), *interpreter]
    if first.startswith("-") and first != "-":
        if first[-1] in "mc" and len(program) == 1:
            raise ValueError(f"{first} needs an argument")
        return [*python, *program]
    if first == "-" or _is_for_python(first):
        return [*python, *program]
    if interpreter:
        raise ValueError(f"{interpreter[0]} is for python, but {first} is run as a command")
    return [_find_command(first), *program[1:]]


def _interpreter() -> str:
    """The interpreter by the name that is typed without ftsan: programs see it as ``sys.executable``.

    The first line of an installed script has another one, ``python3.14t``, say, for the ``python`` beside it.
    """
    beside = os.path.join(os.path.dirname(sys.executable), "python")
    is_script = len(sys.orig_argv) > 1 and "-m" not in sys.orig_argv[1 : len(sys.orig_argv) - len(sys.argv) + 1]
    try:
        return beside if is_script and os.path.samefile(beside, sys.executable) else sys.executable
    except OSError:
        return sys.executable


def _is_for_python(path: str) -> bool:
    """Whether this is something that python runs, be it with an error: a file, or a folder or archive with ``__main__`` in it."""
    if os.path.isdir(path):
        return os.path.exists(os.path.join(path, "__main__.py"))
    if not os.path.isfile(path):
        return os.path.exists(path)  # a FIFO, say, is python's to read
    try:
        with open(path, "rb") as file:
            start = file.readline(256)
    except OSError:
        return True
    is_other_script = start.startswith(b"#!") and b"python" not in start
    return not (os.access(path, os.X_OK) and (start.startswith(b"\x7fELF") or is_other_script))


def _find_command(name: str) -> str:
    """The path of a command, which is looked for beside this interpreter first: the environment need not be activated.

    :raises ValueError: there is none; one line.
    """
    folders = [os.path.dirname(sys.executable), *os.get_exec_path()]
    for path in [name] if os.path.isfile(name) or os.sep in name else [os.path.join(folder, name) for folder in folders]:
        if os.path.isfile(path) and os.access(path, os.X_OK):
            return path
    raise ValueError(f"no such script: {name}")


def _run(options: dict[str, str], command: list[str], scratch: str) -> int:
    report = options.get("report_json", "").replace("%p", str(os.getpid())) or os.path.join(scratch, "report.json")
    ours = {"report_json": report, "tally": tally_in(scratch), "supervisor": str(os.getpid())}
    encoded = _native.encode_options(options | ours)
    if (wrong := begin_report(report, encoded)) is not None:
        return complain(wrong)
    try:
        if "inventory" in options:
            _native.start_inventory(options["inventory"])
    except OSError as error:
        return complain(f"cannot write the inventory {options['inventory']}: {error}")
    environment = os.environ | {
        "FTSAN": "1",
        "FTSAN_OPTIONS": encoded,
        "FTSAN_RECORDING": os.path.join(scratch, "recording"),
        "LD_PRELOAD": _preload(),
        # Else a child that was built with AddressSanitizer refuses to start.
        "ASAN_OPTIONS": ":".join(filter(None, ["verify_asan_link_order=0", os.environ.get("ASAN_OPTIONS")])),
    }
    try:
        child, status = _supervise(command, environment, _watchdog(options, scratch, command, report))
    except OSError as error:
        return complain(f"cannot run {command[0]}: {error.strerror}")
    if options.get("confirm") == "yes" and os.WIFEXITED(status):
        _confirm(report, options, command, environment)
    if os.WIFSIGNALED(status) or any(name.startswith("recording.") for name in os.listdir(scratch)):
        from . import crash_folder

        crash_folder.triage(scratch, child, status, command, report, options.get("crash_dir"))
    try:
        _native.finish_report(report)
    except OSError as error:
        say(f"ftsan: cannot complete the report {_native.printable(report)}: {error}; what it lacks is in the .journal beside it\n")
    code = os.waitstatus_to_exitcode(status)
    if code and options.get("update_baseline") == "yes":
        # A program that failed may not have come to it: it is not gone.
        say(f"ftsan: the program failed: the baseline {_native.printable(options['baseline'])} stays as it is\n")
        encoded = _native.encode_options(options | ours | {"update_baseline": "no"})
    # A clean run says nothing where nobody reads along: its output is the program's alone.
    replacing, summary, is_news = _native.conclude(report, encoded)
    if is_news or (sys.stderr is not None and sys.stderr.isatty()):
        say(summary)
        if "perturb" in options:
            say(f"ftsan: again: {_again(options, command)}\n")
    return 128 - code if code < 0 else code or replacing


def _confirm(report: str, options: dict[str, str], command: list[str], environment: dict[str, str]) -> None:
    """Run the program again, with pauses before the writes whose races were not seen to do harm, and say how many were."""
    from . import progress

    seed = int(options.get("seed", "0"))
    for attempt in range(CONFIRMATIONS):
        if not (lines := _confirmation(report)[2]):
            break
        if progress.is_seen():
            say(f"ftsan: {len(lines)} to confirm: the program runs again, {attempt + 1} of at most {CONFIRMATIONS} times\n")
        ours = {"report_json": report, "supervisor": str(os.getpid()), "text": "none"}
        again = options | ours | {"seed": str(seed + attempt), "confirm_at": ",".join(lines)}
        _supervise(command, environment | {"FTSAN_OPTIONS": _native.encode_options(again)})
    witnessed, found, _ = _confirmation(report)
    if found:
        words = _again(options | {"confirm": "yes", "seed": str(seed)}, command)
        say(f"ftsan: witnessed {witnessed} of {found}; again: {words}\n")
        if witnessed < found:
            say(f"ftsan: --seed={seed + CONFIRMATIONS} goes on where this stopped\n")


def _again(options: dict[str, str], command: list[str]) -> str:
    """What to type to run this once more, with these first."""
    import shlex

    order = ("confirm", "seed", "perturb")
    given = sorted(options.items(), key=lambda option: order.index(option[0]) if option[0] in order else len(order))
    words = ["--confirm" if key == "confirm" else f"--{key.replace('_', '-')}={value}" for key, value in given]
    return _native.printable(shlex.join(["ftsan", "run", *words, *_as_given(command)]))


def _as_given(command: list[str]) -> list[str]:
    """The words after ``ftsan run`` that lead to this command."""
    ours = len(_interpreter_flags()) + 1
    return command[ours:] if command[0] == _interpreter() else command


def _confirmation(report: str) -> tuple[int, int, list[str]]:
    try:
        return _native.confirmation(report)
    except OSError:
        return 0, 0, []


def _preload() -> str:
    """What is preloaded: whatever the user has there, and the injected library."""
    # Last: a sanitizer's runtime insists on being first.
    return " ".join(filter(None, [os.environ.get("LD_PRELOAD"), HOOKS]))


def _interpreter_flags() -> list[str]:
    """The flags that this interpreter was started with: the program runs under the same."""
    ours = sys.orig_argv[1 : len(sys.orig_argv) - len(sys.argv) + 1]  # flags, then "-m ftsan" or the path of the script
    return ours[:-2] if ours[-2:-1] == ["-m"] else ours[:-1]


def _watchdog(options: dict[str, str], scratch: str, command: list[str], report: str) -> Callable[[int], Watchdog] | None:
    """What makes the watchdog of ``--on-hang`` for a child, if there is to be one."""
    if "on_hang" not in options:
        return None
    from .hangs import Watchdog

    return lambda child: Watchdog(child, float(options["on_hang"]), scratch, command, report)


def _supervise(
    command: list[str], environment: dict[str, str], watchdog_of: Callable[[int], Watchdog] | None = None
) -> tuple[int, int]:
    """Start the program and wait for it; returns its process id and its wait status."""
    # Those that we ignore, too, as what a shell runs in the background does with SIGINT: the program may have a handler.
    watched = {*FORWARDED, signal.SIGCHLD}
    # Blocked before the child exists, so that none is lost; the child gets the mask that we had, and default handlers.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, watched)
    handled = [number for number in watched if callable(signal.getsignal(number))]
    try:
        child = os.posix_spawn(command[0], command, environment, setsigmask=before, setsigdef=handled)
    except OSError:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        raise
    watchdog = watchdog_of(child) if watchdog_of else None
    while True:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            break
        received = signal.sigtimedwait(watched, watchdog.interval) if watchdog else signal.sigwaitinfo(watched)
        if watchdog:
            watchdog.look()
        if received is None:
            continue
        if received.si_signo != signal.SIGCHLD and received.si_code != SI_KERNEL and received.si_pid != child:
            os.kill(child, received.si_signo)
    return child, status
