"""``ftsan triage``: why a process died, from a text, a crash folder or a core file; and what a living one waits for."""

import errno
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from .. import _native
from . import complain, say, show

#: Larger files are no dumps.
LARGEST = 64 << 20


def triage(format: str, group: str, *sources: str) -> int:
    """Print the verdict on the crash in ``sources``; several need ``group``, which counts them.

    :param format: ``text``, ``markdown`` or ``json``.
    :param sources: a file, ``-`` for standard input, a crash folder, a core file, or the number of a process.
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
        if source.isdigit() and not path.exists():
            return _stacks(source, format)
        if source != "-" and path.is_file():
            from .stacks import is_core

            if is_core(path):
                return _stacks(source, format)
        content = _content(source, path)
    except OSError as error:
        return complain(f"{path}: {error.strerror}")
    name = "standard input" if source == "-" else str(path)
    return _print(_decoded(content), is_folder, format, source, name)


def _content(source: str, path: Path | None) -> bytes:
    """What there is to triage, from standard input without a path.

    :raises OSError: it cannot be read, or has no end.
    """
    if path is None or source == "-":
        if sys.stdin is None:
            raise OSError(errno.EBADF, "closed", "standard input")
        content = sys.stdin.buffer.read(LARGEST + 1)
    else:
        with open(path, "rb") as file:
            content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise OSError(errno.EFBIG, f"larger than {LARGEST >> 20} MB", source)
    return content


def _stacks(source: str, format: str) -> int:
    """Triage a core file or a process."""
    from . import stacks

    is_process = source.isdigit() and not Path(source).exists()
    if is_process and not Path(f"/proc/{source}").exists():
        return complain(f"{source}: neither a file nor a process")
    try:
        found = stacks.of_process(int(source)) if is_process else stacks.of_core(Path(source))
    except stacks.Unreadable as problem:
        return complain(f"{source}: {problem}")
    return _print(json.dumps(found), True, format, source, source)


def _print(content: str, is_json: bool, format: str, source: str, name: str) -> int:
    try:
        text = _native.triage(content, is_json, format)
    except ValueError as error:
        return complain(f"{name}: {error}")
    if format == "text":
        text += f"Markdown for an upstream issue: ftsan triage --markdown {_native.printable(source)}\n"
    return show(text)


def _group(format: str, sources: tuple[str, ...]) -> int:
    texts = []
    for source in sources:
        try:
            if source == "-":
                texts.append(("standard input", _decoded(_content(source, None)), False))
                continue
            for path in _files(Path(source)):
                name = path.parent if path.name == "crash.json" else path
                texts.append((str(name), _decoded(_content(source, path)), path.name == "crash.json"))
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
