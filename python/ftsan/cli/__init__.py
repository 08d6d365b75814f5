"""The command line: one command per file; options and help come from the table in ``src/options.rs``.

Imports are what a run's start-up is spent on: each command is imported when it is called, and none imports more than it needs.
"""

import sys

from .. import _native


def complain(message: str) -> int:
    """Say in one line what is wrong; returns the exit status for it."""
    sys.stderr.write(f"ftsan: {message}\n")
    return 2


def main(arguments: list[str]) -> int:
    """Run the command line; returns the exit status."""
    try:
        command, options, words = _native.parse_command_line(arguments)
    except ValueError as error:
        return complain(str(error))
    if command == "run":
        from .run import run

        return run(options, words)
    if command == "explain":
        from .explain import explain

        return explain(words[0])
    if command == "triage":
        from .triage import triage

        return triage(*words)
    if command == "doctor":
        from .doctor import doctor

        return doctor()
    print(words[0], end="")
    return 0
