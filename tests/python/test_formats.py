"""Formats that other programs read: each is held to the schema of those who made it."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests import obtained
from tests.conftest import PLAIN, Ftsan, Run
from tests.interop.conftest import needs

#: Two misuses, of which one is to be accepted.
PROGRAM = """
import asyncio, threading

class Counter:
    n = 0
    def bump(self):
        for _ in range(100):
            self.n += 1

async def main():
    loop = asyncio.get_running_loop()
    counter = Counter()
    threads = [threading.Thread(target=counter.bump, name=f"bumper <{i}> & co") for i in range(2)]
    threads.append(threading.Thread(target=lambda: loop.call_soon(int)))
    for thread in threads:
        thread.start()
    for thread in threads:
        await asyncio.to_thread(thread.join)

asyncio.run(main())
"""


@pytest.fixture
def reported(ftsan: Ftsan, tmp_path: Path) -> Run:
    """A run with one finding and one that is accepted; its report is in the folder."""
    (tmp_path / ".git").mkdir()
    (tmp_path / "my app.py").write_text(PROGRAM)
    (tmp_path / "accepted.toml").write_text("[[suppress]]\nrule = 'FT101'\nfunction = '*lambda*'\nreason = 'a test'\n")
    run = ftsan("--suppressions", "accepted.toml", tmp_path / "my app.py")
    assert (run.status, run.rules) == (66, ["FT401"])
    assert [(finding["rule"], finding["accepted"]) for finding in run.report["accepted"]] == [
        ("FT101", {"by": "suppression", "reason": "a test"})
    ]
    return run


def converted(folder: Path, format: str, report: str = "report.json") -> str:
    command = [sys.executable, "-m", "ftsan", "report", report, "--to", format]
    return subprocess.run(command, env=PLAIN, cwd=folder, capture_output=True, text=True, check=True).stdout


def validate(log: dict[str, Any]) -> None:
    needs("jsonschema")
    import jsonschema

    if shutil.which("npm") is None:
        pytest.skip("the schema is in a package of npm, which is not here")
    path = obtained.from_npm("@microsoft/jest-sarif", "1.0.0-beta.0", obtained.CACHE, "lib/schemas/sarif-2.1.0-rtm.5.json")
    schema = json.loads(path.read_text())
    jsonschema.validators.validator_for(schema)(schema).validate(log)


def test_sarif_is_what_its_schema_says(reported: Run, tmp_path: Path) -> None:
    log = json.loads(converted(tmp_path, "sarif"))
    validate(log)
    run = log["runs"][0]
    found, accepted = run["results"]
    assert found["locations"][0]["physicalLocation"]["artifactLocation"] == {"uri": "my%20app.py", "uriBaseId": "SRCROOT"}
    assert run["originalUriBaseIds"]["SRCROOT"]["uri"] == tmp_path.as_uri() + "/"
    assert len(found["codeFlows"][0]["threadFlows"]) >= 2
    assert found["relatedLocations"][0]["physicalLocation"]["region"]["startLine"] == 8
    assert "suppressions" not in found
    assert accepted["suppressions"][0]["justification"] == "a test"
    rule = run["tool"]["driver"]["rules"][found["ruleIndex"]]
    assert (rule["id"], "## Why it matters" in rule["help"]["markdown"]) == ("FT401", True)
    with pytest.raises(Exception, match=r"is not of type|is not one of|required"):
        validate(log | {"version": 2})


def test_sarif_of_every_rule_and_of_empty_reports_validates(reported: Run, tmp_path: Path) -> None:
    template = reported.findings[0]
    from ftsan import _native

    findings = [template | {"rule": id_, "name": name, "fingerprint": id_} for id_, name, _ in _native.rules_table()]
    strange = template | {"rule": "FT999", "accesses": [], "loop": None}
    watched = reported.report["watched"] | {"off": ["races: nothing"]}
    for name, more in (("all", {"findings": [*findings, strange], "watched": watched}), ("none", {"findings": [], "accepted": []})):
        (tmp_path / f"{name}.json").write_text(json.dumps(reported.report | more | {"baseline": "known.toml"}))
        log = json.loads(converted(tmp_path, "sarif", f"{name}.json"))
        validate(log)
        results = log["runs"][0]["results"]
        assert all(result["locations"] and result["baselineState"] == "new" for result in results)
        assert log["runs"][0]["invocations"][0]["executionSuccessful"] == (name == "none")


def test_junit_is_what_its_schema_says(reported: Run, tmp_path: Path) -> None:
    xmlschema = pytest.importorskip("xmlschema")
    wanted = "testing/example_scripts/junit-10.xsd"
    folder = obtained.sources("pytest", "9.2.0", obtained.CACHE, wanted)
    schema = xmlschema.XMLSchema(str(folder / wanted))
    text = converted(tmp_path, "junit")
    schema.validate(io.StringIO(text))
    assert "bumper &lt;0&gt; &amp; co" in text
    with pytest.raises(xmlschema.XMLSchemaException):
        schema.validate(io.StringIO(text.replace("<testcase ", "<testcase line='1' ")))


def test_annotations_of_github_are_at_the_line_of_the_repository(reported: Run, tmp_path: Path) -> None:
    [line] = converted(tmp_path, "github").splitlines()
    assert line.startswith("::error file=my app.py,line=8,title=FT401 lost-update::Counter.n: ")
    assert "%0AFix: " in line
