"""``ftsan triage``: why a process died, from a dump of faulthandler or a crash folder."""

import sys
from pathlib import Path

from .. import _native
from . import complain


def triage(source: str, format: str) -> int:
    """Print the verdict on the crash in ``source`` (a file, ``-`` or a folder) as ``text``, ``markdown`` or ``json``."""
    path = Path(source)
    is_folder = source != "-" and path.is_dir()
    if is_folder:
        path /= "crash.json"
        if not path.is_file():
            return complain(f"{source}: no crash.json in it, so it is not a crash folder")
    try:
        content = sys.stdin.buffer.read() if source == "-" else path.read_bytes()
    except OSError as error:
        return complain(f"{path}: {error.strerror}")
    name = "standard input" if source == "-" else str(path)
    try:
        text = _native.triage(content.decode("utf-8-sig", "replace"), is_folder, format)
    except ValueError as error:
        return complain(f"{name}: {error}")
    if format == "text":
        text += f"Markdown for an upstream issue: ftsan triage --markdown {source}\n"
    sys.stdout.buffer.write(text.encode("utf-8", "replace"))
    sys.stdout.buffer.flush()
    return 0
