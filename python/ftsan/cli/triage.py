"""``ftsan triage``: why a process died, from what was pasted, a log or a crash folder; many of them by signature."""

import sys
from collections.abc import Iterator
from pathlib import Path

from .. import _native
from . import complain, say, show

#: Larger files of a folder are no dumps.
LARGEST = 64 << 20


def triage(format: str, group: str, *sources: str) -> int:
    """Print the verdict on the crash in ``sources`` (a file, ``-`` or a folder) as ``text``, ``markdown`` or ``json``.

    Several sources need ``group``, which counts their crashes by signature.
    """
    if group:
        return _group(format, sources)
    if len(sources) > 1:
        return complain("triage: several files need --group")
    source = sources[0]
    path = Path(source)
    is_folder = source != "-" and path.is_dir()
    if is_folder:
        path /= "crash.json"
        if not path.is_file():
            return complain(f"{source}: no crash.json in it, so it is not a crash folder; --group reads a folder of them")
    try:
        content = sys.stdin.buffer.read() if source == "-" else path.read_bytes()
    except OSError as error:
        return complain(f"{path}: {error.strerror}")
    name = "standard input" if source == "-" else str(path)
    try:
        text = _native.triage(_decoded(content), is_folder, format)
    except ValueError as error:
        return complain(f"{name}: {error}")
    if format == "text":
        text += f"Markdown for an upstream issue: ftsan triage --markdown {_native.printable(source)}\n"
    return show(text)


def _group(format: str, sources: tuple[str, ...]) -> int:
    texts = []
    for source in sources:
        try:
            content = sys.stdin.buffer.read() if source == "-" else None
            if content is not None:
                texts.append(("standard input", _decoded(content), False))
                continue
            for path in _files(Path(source)):
                name = path.parent if path.name == "crash.json" else path
                texts.append((str(name), _decoded(path.read_bytes()), path.name == "crash.json"))
        except OSError as error:
            return complain(f"{error.filename or source}: {error.strerror}")
    text, without = _native.group_crashes(texts, format)
    if len(without) == len(texts):
        return complain(f"{sources[0]}: no crash dump found in any of {len(texts)} files")
    if without:
        say(f"ftsan: no crash dump in {len(without)} of {len(texts)} files: {_native.printable(', '.join(without[:3]))}\n")
    return show(text)


def _files(path: Path) -> Iterator[Path]:
    """The files of a folder that may be of a crash: of a crash folder, its ``crash.json`` only."""
    if not path.is_dir():
        yield path
    elif (path / "crash.json").is_file():
        yield path / "crash.json"
    else:
        for entry in sorted(path.iterdir()):
            if entry.is_dir() or (entry.is_file() and entry.stat().st_size <= LARGEST):
                yield from _files(entry)


def _decoded(content: bytes) -> str:
    """Text of a file; PowerShell writes UTF-16."""
    if content[:2] in (b"\xff\xfe", b"\xfe\xff") and content[2:4096].count(0) * 3 > min(len(content), 4096):
        return content.decode("utf-16", "replace")
    return content.decode("utf-8-sig", "replace")
