"""The parts of the documentation that come from the code, as Markdown: each fact is said in one place, which is not here."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from ftsan import _native
from ftsan.watch import LIBRARIES, table_of

from tests import found

ROOT = Path(__file__).resolve().parents[1]
COSTS = Path(__file__).with_name("costs.txt")


def table(head: str, rows: Iterable[Iterable[str]]) -> str:
    """A table of Markdown, whose cells may have bars in them: in code they end no cell."""

    def cell(text: str) -> str:
        return re.sub(r"(`+).*?\1|\|", lambda match: "\\|" if match[0] == "|" else match[0], text)

    columns = head.split(" | ")
    lines = [columns, ["---"] * len(columns), *(map(cell, row) for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def options() -> str:
    """The public options, from ``src/options/mod.rs``."""

    def shown(value: str) -> str:
        return "" if value == "yes|no" else " " + value

    rows = [
        (f"`--{key.replace('_', '-')}{shown(value)}`", help_, default or "none")
        for key, value, default, help_, public in _native.options()
        if public
    ]
    return table("option | meaning | default", rows)


def statuses() -> str:
    """The exit statuses of a run, from ``src/statuses.rs``."""
    return table("status | when", _native.statuses())


def rules() -> str:
    """The rules with links to their pages, from ``src/rules/``."""
    rows = [(f"[{id_}]({id_}.md)", name, first_sentence(page)) for id_, name, page in _native.rules_table()]
    return table("rule | name | finds", rows)


def first_sentence(page: str) -> str:
    """What a rule finds, in a sentence."""
    found_ = re.search(r"## What it finds\n\n(.*?)(?:[.:](?=\s)|\n\n)", page, re.DOTALL)
    assert found_, page
    return " ".join(found_[1].split())


def libraries() -> str:
    """The libraries, from ``python/ftsan/watch/``."""
    rows = []
    for library in LIBRARIES:
        watched = table_of(library)
        names = sorted({row[0] for row in getattr(watched, "METHODS", ()) if "born" not in row[1]})
        if names:
            versions = ", ".join(version + "x" for version in watched.VERSIONS) or "CPython 3.14t's, 3.15t's"
            rows.append((library, versions, ", ".join(names)))
    return table("library | versions | rules", rows)


def forms() -> str:
    """Forms of crashes that ``ftsan triage`` reads, from ``src/triage/forms/``."""
    return table("form | recognised by", _native.forms_table())


def formats() -> str:
    """Formats of ``ftsan report --to``, from ``src/report/render/``."""
    rows = [(f"`{name}`", what, f"`--report-{name}`" if at_the_end else "") for name, what, at_the_end in _native.report_formats()]
    return table("format | what it is | option of a run", rows)


def page_of_rule(id_: str, name: str, page: str) -> str:
    """The manual page of a rule as a page of the site: its fixes are a list, and what it misses is said."""
    title, _, rest = page.partition("\n")
    severity = title.rpartition("(")[2].rstrip(")")
    text, *fixes = re.split(r"^Fix(?= \(|:)", rest, flags=re.MULTILINE)
    advice = [re.match(r"(?: \((.*?)\))?: (.*)", fix, re.DOTALL) for fix in fixes]
    listed = [f"- {f'`{one[1]}`: ' if one[1] else ''}{' '.join(one[2].split())}" for one in advice if one]
    assert len(listed) == len(fixes), page
    parts = [
        f"# {id_} {name}",
        f"Severity: {severity}.  In the terminal: `ftsan explain {id_}`.",
        text.strip(),
        "## Fix",
        "\n".join(listed),
    ]
    if missed := misses(id_):
        parts += ["## Not found", "\n".join(f"- {said}" for _, said in missed)]
    return "\n\n".join(parts) + "\n"


def misses(rule: str) -> list[tuple[str, str]]:
    """The known misses of a rule: the programs of it that are there, and what they say of themselves."""
    said = []
    for path in sorted((ROOT / "tests" / "programs" / rule).glob("known_miss_*.py")):
        text = ast.get_docstring(ast.parse(path.read_text())) or ""
        text = re.sub(r"^(?:ALSO|OPTIONS|SINCE): .*$", "", text, flags=re.MULTILINE)
        said.append((str(path.relative_to(ROOT)), " ".join(text.split())))
    return said


def limits() -> str:
    """What is known not to be found, rule by rule, from ``tests/programs/*/known_miss_*.py``."""
    rows = [(f"[{id_}](rules/{id_}.md)", said, f"`{path}`") for id_, _, _ in _native.rules_table() for path, said in misses(id_)]
    return table("rule | misses | program", rows)


def bugs() -> str:
    """Bugs of packages that were found, from the headers of ``examples/found/``."""
    rows = [(bug.package, bug.what.replace("``", "`"), bug.wrong, bug.known, f"`{bug.path.name}`") for bug in found.programs()]
    return table("package | what goes wrong | how often | known | program", rows)


def costs() -> str:
    """The measurements: ``costs.txt``, which is what ``make bench`` printed."""
    return f"```text\n{COSTS.read_text().rstrip()}\n```"


def help_of_all() -> str:
    """What ``ftsan help`` and ``ftsan help COMMAND`` print."""
    env = os.environ | {"COLUMNS": "100"}
    commands = ["", *re.findall(r"^  (\w+) ", _help("", env), re.MULTILINE)]
    commands.remove("help")
    return "\n\n".join(f"## ftsan {name}".rstrip() + f"\n\n```text\n{_help(name, env)}```" for name in commands)


def _help(command: str, env: dict[str, str]) -> str:
    words = [sys.executable, "-m", "ftsan", "help", *filter(None, [command])]
    return subprocess.run(words, env=env, capture_output=True, text=True, check=True).stdout


def changes() -> str:
    """``CHANGELOG.md`` without its title."""
    return (ROOT / "CHANGELOG.md").read_text().partition("\n")[2].strip()


def readme(section: str) -> str:
    """The text of a section of the README; ``intro`` is the one below its title."""
    text = (ROOT / "README.md").read_text()
    pattern = r"\A# .*?\n(.*?)^## " if section == "intro" else rf"^## {re.escape(section)}\n(.*?)(?=^## |\Z)"
    found_ = re.search(pattern, text, re.MULTILINE | re.DOTALL)
    if not found_:
        raise ValueError(f"the README has no section {section}")
    return found_[1].strip().replace("](docs/pages/", "](")


#: What a page asks for as ``<!-- NAME -->``.
GENERATED: dict[str, Callable[[], str]] = {
    "options": options,
    "statuses": statuses,
    "rules": rules,
    "libraries": libraries,
    "forms": forms,
    "formats": formats,
    "limits": limits,
    "bugs": bugs,
    "costs": costs,
    "commands": help_of_all,
    "changes": changes,
}
