"""``ftsan merge``: one report of many."""

from .. import _native
from . import complain, say

#: Status of a merge that had to leave a report out: its findings are not in the result.
LEFT_OUT = 67


def merge(out: str, *paths: str) -> int:
    """Write to ``out`` what the reports at ``paths`` say together; returns the exit status."""
    try:
        skipped = _native.merge_reports(list(paths), out)
    except OSError as error:
        return complain(f"cannot merge into {out}: {error}")
    for path, why in skipped:
        say(f"ftsan: left out {_native.printable(path)}: {_native.printable(why)}\n")
    merged = len(paths) - len(skipped)
    say(f"ftsan: merged {merged} report{'' if merged == 1 else 's'} into {_native.printable(out)}\n")
    return LEFT_OUT if skipped else 0
