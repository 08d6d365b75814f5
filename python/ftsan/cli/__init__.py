"""The command line: one command per file; options and help come from the table in ``src/options/mod.rs``.

Imports are what a run's start-up is spent on: each command is imported when it is called, and none imports more than it needs.
"""

import os
import sys

from .. import _native


def say(text: str) -> None:
    """Write to stderr, if there is one: it may be closed, full, or a pipe that nobody reads."""
    if sys.stderr is not None:
        try:
            sys.stderr.write(text)
            sys.stderr.flush()
        except OSError:
            _forget(sys.stderr.fileno())
        except ValueError:
            pass


def _forget(descriptor: int) -> None:
    """Send the rest of a stream's buffer nowhere: at the end Python would flush it, fail, and give a status of its own."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)


def show(text: str) -> int:
    """Write what was asked for to stdout; returns the exit status."""
    if sys.stdout is None:
        return complain("stdout is closed")
    try:
        sys.stdout.buffer.write(text.encode("utf-8", "replace"))
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        _forget(sys.stdout.fileno())  # the reader has seen enough
    except OSError as error:
        return complain(f"cannot write to stdout: {error.strerror}")
    return 0


def complain(message: str) -> int:
    """Say in one line what is wrong; returns the exit status for it."""
    say(f"ftsan: {_native.printable(message)}\n")
    return 2


def begin_report(report: str, encoded: str) -> str | None:
    """Check the options of a run and begin its report; returns what is wrong with either, if something is."""
    try:
        _native.check_options(encoded)
        _native.check_formats(encoded)
    except ValueError as error:
        return str(error)
    try:
        _native.start_report(report)
    except OSError as error:
        return f"cannot write the report {report}: {error}"
    return None


def main(arguments: list[str]) -> int:
    """Run the command line; returns the exit status."""
    try:
        command, options, interpreter, words = _native.parse_command_line(arguments)
    except ValueError as error:
        return complain(str(error))
    if command == "run":
        from .run import run

        return run(options, interpreter, words)
    if command == "attach":
        from .attach import attach

        return attach(options, *words)
    if command == "top":
        from .top import top

        return top(*words)
    if command == "explain":
        from .explain import explain

        return explain(*words)
    if command == "triage":
        from .triage import triage

        return triage(*words)
    if command == "report":
        from .report import report

        return report(*words)
    if command == "merge":
        from .merge import merge

        return merge(*words)
    if command == "audit":
        from .audit import audit

        return audit(*words)
    if command == "issue":
        from .issue import issue

        return issue(*words)
    if command == "env":
        from .environment import env

        return env(*words)
    if command == "doctor":
        from .doctor import doctor

        return doctor()
    return show(words[0])
