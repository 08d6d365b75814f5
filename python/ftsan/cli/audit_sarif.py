"""``ftsan audit --sarif``: its rows as SARIF 2.1.0, as code scanning reads it.

A reason to look at a distribution is a result: at the line of the file of requirements that names it, or at its own file.
"""

import json
import os
from pathlib import Path
from typing import Any

from .. import __version__, _native
from .audit_table import Rows

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"

#: What files of the repository are relative to.
ROOT = "SRCROOT"

#: What is said of a distribution: its level, and in words.
RULES = {
    "known-crash": ("error", "This version is known to crash without the GIL."),
    "gil-switched-on": (
        "warning",
        "An extension module that does not declare that it can do without the GIL switches it on.",
    ),
    "not-known": ("note", "It could not be found out whether an extension module can do without the GIL."),
    "shared-state": ("note", "Functions change a global variable: to be watched for data races."),
}


def sarif(interpreter: dict[str, str], rows: Rows, missing: list[str]) -> str:
    """A log with one run; distributions that are not installed are its notifications."""
    here = Path.cwd()
    root = next((folder for folder in (here, *here.parents) if (folder / ".git").exists()), here)
    notes = [{"level": "error", "message": {"text": f"not installed: {_native.printable(name)}"}} for name in missing]
    run = {
        "tool": {"driver": {"name": "ftsan audit", "version": __version__, "rules": [_rule(id_) for id_ in RULES]}},
        "automationDetails": {"id": "ftsan-audit/"},
        "invocations": [{"executionSuccessful": not notes, "toolExecutionNotifications": notes}],
        "originalUriBaseIds": {ROOT: {"uri": root.as_uri().rstrip("/") + "/"}},
        "columnKind": "unicodeCodePoints",
        "results": [_result(id_, text, file, line, root) for row in rows for id_, text, file, line in _said(row)],
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=1) + "\n"


def _rule(id_: str) -> dict[str, Any]:
    level, text = RULES[id_]
    return {"id": id_, "shortDescription": {"text": text}, "defaultConfiguration": {"level": level}}


def _said(row: dict[str, Any]) -> list[tuple[str, str, str, int]]:
    """The rules, texts, files and lines of a row's results."""
    called = f"{row['name']} {row['version']}"
    files = {module["module"]: module["file"] for module in row["modules"]}
    said = []
    for one in row["known"]:
        text = f"{called} is known to crash: {one['name']} ({one['issue']}, fixed in {one['fixed_in']})"
        said.append(("known-crash", text, *(row["required"] or (next(iter(files.values()), row["root"]), 1))))
    switches = [("gil-switched-on", module, "switches the GIL on") for module in row["undeclared"]]
    for id_, module, verb in switches + [("not-known", module, "may need the GIL: it is not known") for module in row["unknown"]]:
        said.append((id_, f"{module} of {called} {verb}", *(row["required"] or (files[module], 1))))
    for one in row["state"]:
        text = f"{one['name']} is changed by {', '.join(dict.fromkeys(one['written_by']))}"
        said.append(("shared-state", text, os.path.join(row["root"], one["file"]), one["line"]))
    return said


def _result(id_: str, text: str, file: str, line: int, root: Path) -> dict[str, Any]:
    path = Path(os.path.abspath(file))
    inside = path.is_relative_to(root)
    # A relative path is quoted as a part of an address, without the slash that an address begins its path with.
    uri = Path("/", path.relative_to(root)).as_uri().removeprefix("file:///") if inside else path.as_uri()
    artifact = {"uri": uri, "uriBaseId": ROOT} if inside else {"uri": uri}
    return {
        "ruleId": id_,
        "ruleIndex": list(RULES).index(id_),
        "level": RULES[id_][0],
        "message": {"text": _native.printable(text)},
        "locations": [{"physicalLocation": {"artifactLocation": artifact, "region": {"startLine": line}}}],
    }
