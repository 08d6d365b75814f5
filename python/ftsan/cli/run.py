"""``ftsan run``: runs the program as a child, passes on its fate, and has the last word.

The child is started as plain Python would start it, with two more variables in its environment; the watching is switched on by
``ftsan.pth``.  Findings go straight from the watched processes to stderr and into the report, so nothing is lost if this
process is killed.  Terminal, standard streams and process group are the child's as much as ours.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile

from .. import _native
from . import given_options

#: A run in which nothing could be watched.
NOT_WATCHED = 67

#: Passed on to the child when somebody sends them to us.
FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2, signal.SIGWINCH, signal.SIGCONT)

#: ``si_code`` of a signal that the kernel sent: Ctrl-C reaches the whole foreground group, the child included.
SI_KERNEL = 0x80


def run(parser: argparse.ArgumentParser, options: argparse.Namespace) -> int:
    """Run the program of the command line; returns the exit status."""
    program = _program(parser, options)
    given = given_options(options)
    with tempfile.TemporaryDirectory(prefix="ftsan-") as scratch:
        wanted = given.get("report_json")
        report = wanted or os.path.join(scratch, "report.json")
        environment = _native.encode_options(given | {"report_json": report, "supervisor": str(os.getpid())})
        try:
            exit_code, _ = _native.check_options(environment)
        except ValueError as error:
            parser.error(str(error))
        try:
            _native.start_report(report)
        except OSError as error:
            parser.error(f"cannot write the report {wanted}: {error}")
        status = _supervise(program, os.environ | {"FTSAN": "1", "FTSAN_OPTIONS": environment})
        return _verdict(status, report, exit_code)


def _program(parser: argparse.ArgumentParser, options: argparse.Namespace) -> list[str]:
    for flag, words in (("-m", options.module), ("-c", options.code)):
        if words is not None:
            if not words:
                parser.error(f"argument {flag}: expected one argument")
            return [flag, *words]
    if not options.script:
        parser.error("no program: give a script, -m MODULE or -c COMMAND")
    script = options.script[0]
    if script.startswith("-"):
        parser.error(f"unknown option {script}")
    if not os.path.exists(script):
        parser.error(f"no such script: {script}")
    return list(options.script)


def _supervise(program: list[str], environment: dict[str, str]) -> int:
    """Start the program and wait for it; returns its wait status."""
    watched = {number for number in FORWARDED if signal.getsignal(number) is not signal.SIG_IGN} | {signal.SIGCHLD}
    command = [sys.executable, *subprocess._args_from_interpreter_flags(), *program]  # type: ignore[attr-defined]
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
    return status


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
