"""How far long work is, on a terminal: one line on stderr, which is gone when the work is done."""

import os
import sys

from .. import _native
from . import say

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

#: Back to the beginning of the line, and the text there is gone (ECMA-48, EL).
_CLEAR = "\r\x1b[K"


def is_seen() -> bool:
    """Whether somebody may be looking."""
    return sys.stderr is not None and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


def over(names: Sequence[str], what: str) -> Iterator[str]:
    """These names one by one; each is shown, as far as the line goes, for as long as it is worked on."""
    if not is_seen():
        yield from names
        return
    try:
        for number, name in enumerate(names, 1):
            line = f"{what}: {number} of {len(names)}: {_native.printable(name)}"
            say(_CLEAR + line[: max(_columns() - 1, 1)])
            yield name
    finally:
        say(_CLEAR)


def _columns() -> int:
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns or 80
    except OSError:
        return 80
