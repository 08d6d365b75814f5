"""README and site: every command in them is run, and every page is made."""

from __future__ import annotations

import ast
import html
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from ftsan import _native

from docs import console, tables
from tests import found
from tests.conftest import PLAIN, ROOT, Ftsan
from tests.interop.conftest import needs

WRITTEN = [ROOT / "README.md", *sorted(console.PAGES.rglob("*.md"))]
OPTIONS = {key.replace("_", "-"): value for key, value, _, _, public in _native.options() if public}


def fences(language: str) -> list[tuple[Path, str, str]]:
    """(page, title, text) of the fences of a language."""
    return [
        (path, title, text) for path in WRITTEN for of, title, text in console.FENCE.findall(path.read_text()) if of == language
    ]


@pytest.mark.skipif(sys._is_gil_enabled(), reason="pages show what is printed where the GIL is off")
@pytest.mark.parametrize("page", console.pages(), ids=lambda page: page.stem)
def test_commands_print_what_their_page_says(page: Path, tmp_path: Path) -> None:
    for command, actual in console.steps(page.read_text(), console.Session(tmp_path)):
        if not console.fits(actual, command.expected):
            assert actual == command.expected, f"{command.line} (make bless)"


def test_a_page_is_compared_line_by_line(tmp_path: Path) -> None:
    assert console.fits("a\nb\nc\n", "a\n...\nc\n") and console.fits("a\nc\n", "a\n...\nc\n")
    assert not console.fits("a\nb\n", "a\n") and not console.fits("ab\n", "a.\n") and not console.fits("a\nb\nd\n", "a\n...\nc\n")
    session = console.Session(tmp_path)
    page = '```text title="a.txt"\nin 1.25s\n```\n\n```console\n$ cat a.txt; exit 3\nold\n$ echo $?\n```\n'
    assert console.blessed(page, session) == page.replace("old\n", "in 0.10s\n").replace("$?\n", "$?\n3\n")


def is_understood(words: list[str]) -> str | None:
    """The complaint about words that are no command; nothing if they are one."""
    program, *rest = words
    if program == "ftsan":
        try:
            _native.parse_command_line(["help", *rest] if len(rest) == 1 else rest)
        except ValueError as error:
            return str(error)
        return None
    if program == "make":
        return None if re.search(rf"^{rest[0]}:", (ROOT / "Makefile").read_text(), re.MULTILINE) else "no such target"
    if program == "pytest":
        ours = [word.removeprefix("--ftsan-").partition("=")[0] for word in rest if word.startswith("--ftsan-")]
        return next((word for word in ours if word not in OPTIONS.keys() | {"concurrent", "repeat"}), None)
    # tests/wheel.py installs the wheel; the targets of make install from the checkout.
    return None if words[:2] == ["pip", "install"] else "no test knows it"


def test_every_command_that_is_only_shown_is_one() -> None:
    shown = [(path.name, line) for path, _, text in fences("sh") for line in text.splitlines()]
    inline = [
        (path.name, word)
        for path in WRITTEN
        for word in re.findall(
            r"`((?:ftsan|make|pytest) [a-z-][^`]*)`", re.sub(r"```.*?```", "", path.read_text(), flags=re.DOTALL)
        )
    ]
    assert len(shown) > 10 and len(inline) > 10
    commands = [(name, re.sub(r"\[.*?\]|\bPID\b", "1", " ".join(line.split())).strip()) for name, line in [*shown, *inline]]
    wrong = {(name, line): is_understood(shlex.split(line, comments=True)) for name, line in commands}
    assert {line: why for line, why in wrong.items() if why} == {}


def test_options_that_are_named_exist() -> None:
    own = {"ftsan", "ftsan-", "ftsan-concurrent", "ftsan-repeat", "help", "version"}
    known = own | OPTIONS.keys() | {f"ftsan-{name}" for name in OPTIONS} | set(re.findall(r"--([a-z-]+)", tables.help_of_all()))
    named = {(path.name, name) for path in WRITTEN for name in re.findall(r"[`\s]--([a-z][a-z-]*)", path.read_text())}
    assert len(named) > 20
    assert {(page, name) for page, name in named if name not in known and page != "install.md"} == {("ci.md", "python")}


def recipes() -> list[tuple[str, str]]:
    """The scripts of the recipes for CI, as YAML has them."""
    needs("mkdocs")  # which brings yaml
    import yaml

    action = yaml.safe_load((ROOT / "action.yml").read_text())
    scripts = []
    for _, title, text in fences("yaml"):
        recipe = yaml.safe_load(text)
        for job in (recipe.get("jobs") or recipe).values():
            for step in job.get("steps", []):
                if step.get("uses", "").startswith("ftsan/ftsan@"):
                    assert step["with"].keys() <= action["inputs"].keys(), title
                    scripts.append((title, step["with"]["run"]))
                elif "run" in step:
                    scripts.append((title, step["run"]))
            if "script" in job:
                scripts.append((title, "\n".join(job["script"])))
    return scripts


def test_recipes_find_the_race_of_the_tutorial(tmp_path: Path) -> None:
    scripts = recipes()
    assert [title for title, _ in scripts] == [".github/workflows/ftsan.yml", ".gitlab-ci.yml"]
    for number, (title, script) in enumerate(scripts):
        folder = tmp_path / str(number)
        folder.mkdir()
        session = console.Session(folder, {"FTSAN_SARIF": str(folder / "ftsan.sarif")})
        list(console.steps("<!-- after tutorial.md -->\n", session))
        # The installers are not there in a test; the environment is.
        for name in ("bin/pip", "bin/uv", ".venv/bin/activate"):
            console.write(session, name, "#!/bin/sh\n")
            (folder / name).chmod(0o755)
        session.env["PATH"] = f"{folder}/bin:{session.env['PATH']}"
        printed = session.run(f"set -eu\n{script}")
        assert session.status == 1 and "FT401 lost-update" in printed, (title, printed)
        reports = {report.name for report in folder.glob("ftsan.*")}
        assert reports == ({"ftsan.sarif"} if "SARIF" in script else {"ftsan.json", "ftsan.xml"}), title


def test_examples_of_configuration_are_taken(ftsan: Ftsan, tmp_path: Path) -> None:
    given = {"tool": "--config", "type": "--declarations"}
    (tmp_path / "ftsan-baseline.toml").write_text("")
    seen = []
    for number, (_, _, text) in enumerate(fences("toml")):
        path = tmp_path / f"{number}" / "pyproject.toml"
        path.parent.mkdir()
        (path.parent / "ftsan-baseline.toml").write_text("")
        path.write_text(text)
        [kind] = tomllib.loads(text)
        seen.append(kind)
        run = ftsan(given[kind], path, *([] if kind == "type" else ["--races=none"]), "-c", "")
        assert (run.status, run.stdout) == (0, ""), run.stderr
    assert sorted(seen) == ["tool", "type"]


def test_examples_of_python_are_python() -> None:
    for path, _, text in fences("python"):
        ast.parse(text, path.name)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built so that a warning is an error."""
    needs("mkdocs", "mkdocs-material")
    folder = tmp_path_factory.mktemp("site")
    status, output = built(ROOT / "docs", folder)
    assert status == 0 and "WARNING" not in output, output
    return folder


def built(docs: Path, folder: Path) -> tuple[int, str]:
    """The status and the output of building a site.  Not quietly: mkdocs does not count what it does not say."""
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-f", docs / "mkdocs.yml", "-d", folder]
    done = subprocess.run(command, cwd=ROOT, env=PLAIN | {"NO_MKDOCS_2_WARNING": "1"}, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def text_of(page: Path) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", "", page.read_text())).split())


def test_the_site_has_every_row_of_the_tables(site: Path) -> None:
    expected: dict[str, list[str]] = {
        "options.html": [f"--{name} {value}".removesuffix(" yes|no") for name, value in OPTIONS.items()],
        "statuses.html": [when for _, when in _native.statuses()],
        "rules/index.html": [f"{id_} {name}" for id_, name, _ in _native.rules_table()],
        "crashes.html": [name for name, _ in _native.forms_table()],
        "reports.html": [f"{name} {what}" for name, what, _ in _native.report_formats()],
        "found.html": [bug.package for bug in found.programs()],
        "limits.html": [path.stem for path in (ROOT / "tests" / "programs").glob("*/known_miss_*.py")],
        "costs.html": tables.COSTS.read_text().split(),
        "changes.html": ["ftsan merge"],
        "commands.html": [f"ftsan {name}" for name in ("run", "triage", "doctor")],
    }
    for page, rows in expected.items():
        text = text_of(site / page)
        assert rows and [row for row in rows if " ".join(row.split()) not in text] == [], page


def test_every_rule_has_its_page_and_all_that_its_manual_says(site: Path) -> None:
    for id_, name, manual in _native.rules_table():
        text = text_of(site / "rules" / f"{id_}.html")
        assert f"{id_} {name}" in text
        words = set(re.findall(r"\w{4,}", manual))
        assert words - set(re.findall(r"\w{4,}", text)) == set(), id_


def test_a_reader_of_the_site_fetches_nothing_from_elsewhere(site: Path) -> None:
    loaded = re.compile(
        r"<(?:script|img|iframe)[^>]* src=\"(https?:[^\"]+)|<link[^>]* rel=\"(?:stylesheet|preconnect)\"[^>]*href=\"(https?:[^\"]+)"
    )
    assert {match for page in site.rglob("*.html") for match in loaded.findall(page.read_text())} == set()


@pytest.mark.parametrize("text", ["<!-- csots -->", "<!-- readme Nothing -->", "[a](no-such-page.md)", "[a](limits.md#nothing)"])
def test_a_page_that_asks_for_what_there_is_not_is_no_site(text: str, tmp_path: Path) -> None:
    needs("mkdocs", "mkdocs-material")
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    (tmp_path / "docs" / "pages" / "costs.md").write_text(text + "\n")
    status, output = built(tmp_path / "docs", tmp_path / "site")
    assert status == 1 and "costs.md" in output
