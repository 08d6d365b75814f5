"""``ftsan audit``: its rows as a table for people, as Markdown, and as JSON."""

import json
from typing import Any

from .. import _native

type Rows = list[dict[str, Any]]

#: How many variables of a distribution without native code are shown; JSON has all of them.
SHOWN = 5

HEADINGS = ("distribution", "version", "GIL", "native modules", "made by", "C API", "writable", "wheel", "risk")


def _gil(row: dict[str, Any]) -> str:
    extensions = [module for module in row["modules"] if module["module"]]
    if not extensions:
        return "-"
    if row["undeclared"]:
        return "switched on"
    return "not known" if row["unknown"] else "not used"


def _cells(row: dict[str, Any]) -> list[str]:
    modules = row["modules"]
    borrowed = {name for module in modules for name in module["borrowed"]}
    unsafe = {name for module in modules for name in module["unsafe"]}
    role = f" ({row['role']})" if row["role"] else ""
    cells = [
        row["name"] + role,
        row["version"],
        _gil(row),
        str(len(modules)) if modules else "-",
        ", ".join(row["generators"]) or "-",
        f"{len(borrowed)} borrowed, {len(unsafe)} unsafe" if modules else "-",
        _size(sum(module["writable"] for module in modules)) if modules else "-",
        row["wheel"],
        row["risk"],
    ]
    return [_native.printable(cell) for cell in cells]


def _size(count: int) -> str:
    return f"{count} B" if count < 10_000 else f"{count // 1000} kB"


def _state(row: dict[str, Any]) -> list[str]:
    """Lines on state that is worth watching for data races."""
    lines = [
        f"{one['file']}:{one['line']}: {one['name']}, changed by {', '.join(dict.fromkeys(one['written_by']))}"
        for one in row["state"]
    ]
    if len(lines) > SHOWN:
        lines[SHOWN:] = [f"and {len(lines) - SHOWN} more"]
    return [_native.printable(line) for line in lines]


def _heading(interpreter: dict[str, str]) -> str:
    return f"{interpreter['executable']}: CPython {interpreter['version'].partition(' ')[0]} ({interpreter['abi']})"


def text(interpreter: dict[str, str], rows: Rows, missing: list[str]) -> str:
    """Columns, and after them the state of modules that is worth watching."""
    table = [list(HEADINGS), *map(_cells, rows)]
    widths = [max(len(row[column]) for row in table) for column in range(len(HEADINGS) - 1)]
    lines = [_native.printable(_heading(interpreter)), ""]
    lines += [
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1]]).rstrip() for row in table
    ]
    for row in rows:
        if row["state"]:
            lines += ["", f"{row['name']}: to be watched under --races {_package(row)}:", *(f"  {line}" for line in _state(row))]
    if missing:
        lines += ["", f"not installed: {', '.join(map(_native.printable, missing))}"]
    return "\n".join(lines) + "\n"


def _package(row: dict[str, Any]) -> str:
    """The packages that the variables are in."""
    first = (one["file"].partition("/")[0].removesuffix(".py") for one in row["state"])
    return ",".join(sorted(set(first)))


def markdown(interpreter: dict[str, str], rows: Rows, missing: list[str]) -> str:
    """A table of Markdown."""

    def line(cells: list[str]) -> str:
        return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"

    lines = [_native.printable(_heading(interpreter)), "", line(list(HEADINGS)), "|" + "---|" * len(HEADINGS)]
    lines += [line(_cells(row)) for row in rows]
    lines += ["", f"Not installed: {', '.join(map(_native.printable, missing))}"] if missing else []
    return "\n".join(lines) + "\n"


def as_json(interpreter: dict[str, str], rows: Rows, missing: list[str]) -> str:
    """Everything that was looked at."""
    return json.dumps({"schema": 1, "python": interpreter, "distributions": rows, "not_installed": missing}, indent=1) + "\n"
