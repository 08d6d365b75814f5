"""``ftsan issue``: what maintainers ask for, as Markdown: interpreter, GIL, extension modules, the finding, how to see it again."""

import json
import os
import shlex
import sys
import sysconfig
from importlib.metadata import Distribution, distributions
from typing import Any

from .. import _native
from ..env import gil_state, why_gil_is_on
from . import audit_native, complain, show


def issue(which: str, command: str, report: str = "") -> int:
    """Print it; returns 2 if there is no such report or finding."""
    content: dict[str, Any] = {}
    if report:
        try:
            content = json.loads(_native.read_report(report))
        except (OSError, ValueError) as error:
            return complain(f"cannot read {report}: {error}")
    findings = content.get("findings", [])
    chosen = _choose(findings, which)
    if findings and chosen is None:
        return complain(f"{report} has no finding {which}: give a number from 1 to {len(findings)}, or a fingerprint")
    parts = [_interpreter(content), _modules(chosen)]
    if chosen:
        parts.append(_finding(chosen))
    elif report:
        parts.append("### Finding\n\nNone.\n")
    parts.append(_again(command, chosen, content))
    return show("\n".join(parts))


def _choose(findings: list[dict[str, Any]], which: str) -> dict[str, Any] | None:
    if which.isdecimal() and 0 < int(which) <= len(findings):
        return findings[int(which) - 1]
    return next((finding for finding in findings if finding["fingerprint"] == which), None)


def _block(text: str, language: str = "") -> str:
    """A block of code, whatever is in the text."""
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}{language}\n{text.rstrip()}\n{fence}\n"


def _interpreter(report: dict[str, Any]) -> str:
    # What `python -VV` prints.
    lines = [f"Python {sys.version}".replace("\n", " ")]
    lines.append(f"platform: {sysconfig.get_platform()}, executable: {_install(sys.executable)}")
    gil = report.get("gil") or gil_state()
    lines.append(f"GIL: {gil}" + (f" ({why})" if (why := why_gil_is_on()) else ""))
    for name in ("PYTHON_GIL", "PYTHONMALLOC", "PYTHONASYNCIODEBUG"):
        if name in os.environ:
            lines.append(f"{name}={os.environ[name]}")
    version = report.get("python", {}).get("version")
    if version and version != sys.version.split()[0]:
        lines.append(f"the report was made by Python {version}, {report['python'].get('build', '')}")
    lines.append(f"ftsan {report.get('ftsan', _native.__version__)}")
    return "### Environment\n\n" + _block("\n".join(lines))


def _install(path: str) -> str:
    """How this interpreter came here, as far as its place says it."""
    base = os.path.realpath(path)
    signs = (
        ("/.local/share/uv/", "uv"),
        ("/.pyenv/", "pyenv"),
        ("/conda", "conda"),
        ("/hostedtoolcache/", "actions/setup-python"),
        ("/usr/bin/", "the system's package"),
        ("/usr/local/", "built from source or a container image"),
        ("/.cache/ftsan/", "built from source by tools/find-python"),
    )
    how = next((how for sign, how in signs if sign in base), "")
    return f"{base} ({how})" if how else base


def _wheel(distribution: Distribution) -> str:
    """The file name of the wheel that was installed, by its own account."""
    text = (distribution.read_text("WHEEL") or "").splitlines()
    tags = [line.partition(":")[2].strip() for line in text if line.startswith("Tag:")]
    if not tags:
        installer = (distribution.read_text("INSTALLER") or "?").strip()
        return f"{distribution.name} {distribution.version}, installed by {installer} from no wheel"
    parts = [sorted({tag.split("-")[place] for tag in tags if tag.count("-") == 2}) for place in range(3)]
    tag = "-".join(".".join(part) for part in parts)
    return f"{distribution.name.replace('-', '_')}-{distribution.version}-{tag}.whl"


def _modules(finding: dict[str, Any] | None) -> str:
    """Distributions with extension modules: their wheels, and what the modules declare.  Those of the finding come first."""
    python = sys.executable
    try:
        listed = {one["name"]: one for one in audit_native.ask(python, "list")["distributions"]}
    except OSError as error:
        return f"### Extension modules\n\nNot known: {error}\n"
    files = {frame["file"] for access in (finding or {}).get("accesses", []) for frame in access["stack"]}
    rows = []
    for distribution in distributions():
        one = listed.pop(distribution.name, None)
        if one is None:
            continue
        modules = [module for module in audit_native.look(python, one, may_import=True) if module["module"]]
        is_part = not files.isdisjoint(one["files"])
        if not modules and not is_part:
            continue
        undeclared = [module["module"] for module in modules if module["declares"] is False]
        unknown = [module["module"] for module in modules if module["declares"] is None]
        said = f"do not declare Py_MOD_GIL_NOT_USED: {', '.join(undeclared)}" if undeclared else ""
        said = "; ".join(filter(None, [said, f"not known: {', '.join(unknown)}" if unknown else ""]))
        said = said or ("all declare Py_MOD_GIL_NOT_USED" if modules else "no extension modules")
        rows.append((not is_part, _wheel(distribution).lower(), f"{_wheel(distribution)}: {said}"))
    lines = [_native.printable(line) for _, _, line in sorted(rows)] or ["none is installed"]
    return "### Distributions with extension modules\n\n" + _block("\n".join(lines))


def _finding(finding: dict[str, Any]) -> str:
    # The process that made it is of no use to a maintainer.
    text = _native.render(json.dumps(finding), 0, False, 0).replace(" (pid 0)", "", 1)
    return f"### Finding\n\n{_native.printable(finding['title'])}\n\n" + _block(text)


def _again(command: str, finding: dict[str, Any] | None, report: dict[str, Any]) -> str:
    options = " --races all" if finding and finding["rule"].startswith("FT4") else ""
    if perturbed := report.get("watched", {}).get("perturbed"):
        options += f" --perturb={perturbed['seed']}"
    words = command or "SCRIPT"
    try:
        given = shlex.split(words)
    except ValueError:
        given = [words]
    known = given[:2] == ["ftsan", "run"]
    line = words if known else f"ftsan run{options} {words}"
    return "### To see it again\n\n" + _block(f"pip install ftsan=={_native.__version__}\n{line}", "sh")
