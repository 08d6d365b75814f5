"""The command line: one command per file, options from the table in ``src/options.rs``."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable

from .. import _native


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, with status 2."""

    def error(self, message: str) -> None:  # type: ignore[override]
        """One line instead of the usage."""
        sys.stderr.write(f"{self.prog}: {message} (see {self.prog} --help)\n")
        sys.exit(2)


def add_options(add: Callable[..., object], prefix: str = "") -> None:
    """Declare every public option of the table with ``add`` (``add_argument`` or pytest's ``addoption``).

    Values stay text: the native parser judges them.
    """
    for key, value, default, help_, public in _native.options():
        if public:
            shown = f" (default {default})" if default else ""
            option = "--" + (prefix + key).replace("_", "-")
            add(option, dest=prefix + key, metavar=value, default=None, help=(help_ + shown).replace("%", "%%"))


def given_options(namespace: argparse.Namespace, prefix: str = "") -> dict[str, str]:
    """The options that were given, as key -> text; files as absolute paths, for children with another working directory."""
    given = {}
    for key, value, _, _, public in _native.options():
        text = getattr(namespace, prefix + key, None) if public else None
        if text is not None:
            given[key] = os.path.abspath(text) if value == "FILE" else text
    return given


def main(arguments: list[str]) -> int:
    """Run the command line; returns the exit status."""
    parser = Parser(
        prog="ftsan",
        description="The sanitizer for free-threaded Python: says, with both stacks, where threads step on each other.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"ftsan {_native.__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True, parser_class=Parser)
    run = commands.add_parser(
        "run",
        help="run a program and report",
        description="Runs a program, unmodified, and reports on stderr what its threads do wrong.",
        usage="ftsan run [options] [-m MODULE | -c COMMAND | SCRIPT] [ARGS...]",
        allow_abbrev=False,
    )
    add_options(run.add_argument)
    run.add_argument("-m", dest="module", nargs=argparse.REMAINDER, metavar="MODULE", help="run a module, as python -m does")
    run.add_argument("-c", dest="code", nargs=argparse.REMAINDER, metavar="COMMAND", help="run a program passed as text")
    run.add_argument("script", nargs=argparse.REMAINDER, metavar="SCRIPT", help="the program and its arguments")
    explain = commands.add_parser("explain", help="explain a rule", allow_abbrev=False)
    explain.add_argument("rule", metavar="RULE|all", help="id or name of a rule, or all")
    commands.add_parser("doctor", help="check that everything works here, with a canary of every rule", allow_abbrev=False)
    options = parser.parse_args(arguments)
    if options.command == "run":
        from .run import run as run_command

        return run_command(run, options)
    if options.command == "explain":
        from .explain import explain as explain_command

        return explain_command(options.rule)
    from .doctor import doctor

    return doctor()
