"""``make bless``: writes the README's generated tables, the page of bugs that were found and golden reports; tests compare them."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from ftsan import _native
from ftsan.watch import LIBRARIES, table_of

from tests import found, golden

README = Path(__file__).resolve().parents[1] / "README.md"


def options_table() -> str:
    """The public options, from ``src/options/mod.rs``."""

    def shown(value: str) -> str:
        return "" if value == "yes|no" else " " + value.replace("|", chr(92) + "|")

    rows = [
        f"| `--{key.replace('_', '-')}{shown(value)}` | {help_} | {default or 'none'} |"
        for key, value, default, help_, public in _native.options()
        if public
    ]
    return "\n".join(["| option | meaning | default |", "|---|---|---|", *rows])


def statuses_table() -> str:
    """The exit statuses of a run, from ``src/statuses.rs``."""
    return "\n".join(["| status | when |", "|---|---|", *(f"| {status} | {when} |" for status, when in _native.statuses())])


def rules_table() -> str:
    """The rules, from ``src/rules/``."""
    return "\n".join(["| rule | name |", "|---|---|", *(f"| {id_} | {name} |" for id_, name, _ in _native.rules_table())])


def libraries_table() -> str:
    """The libraries, from ``python/ftsan/watch/``."""
    rows = ["| library | versions | rules |", "|---|---|---|"]
    for library in LIBRARIES:
        table = table_of(library)
        rules = sorted({row[0] for row in getattr(table, "METHODS", ()) if "born" not in row[1]})
        if rules:
            versions = ", ".join(version + "x" for version in table.VERSIONS) or "CPython 3.14t's, 3.15t's"
            rows.append(f"| {library} | {versions} | {', '.join(rules)} |")
    return "\n".join(rows)


def forms_table() -> str:
    """Forms of crashes that ``ftsan triage`` reads, from ``src/triage/forms/``."""
    return "\n".join(["| form | recognised by |", "|---|---|", *(f"| {name} | {sign} |" for name, sign in _native.forms_table())])


def blessed() -> str:
    """The README with its tables brought up to date."""
    text = README.read_text()
    for name, table in (
        ("options", options_table()),
        ("statuses", statuses_table()),
        ("rules", rules_table()),
        ("libraries", libraries_table()),
        ("forms", forms_table()),
    ):
        text = re.sub(rf"(<!-- {name} -->\n).*?(\n<!-- end -->)", lambda m, t=table: m[1] + t + m[2], text, flags=re.S)
    return text


if __name__ == "__main__":
    README.write_text(blessed())
    found.PAGE.write_text(found.page())
    with tempfile.TemporaryDirectory() as scratch:
        golden.bless(Path(scratch))
