"""Called by ``ftsan.start`` at start-up of every interpreter (PEP 829): what ``ftsan.pth`` does in older ones.

A module of its own, so that a process that is not watched does not load the package; it leaves nothing behind.
"""

import os
import sys


def start() -> None:
    """Switch this process on if the environment says so, and may (``-E``, ``-I``)."""
    sys.modules.pop(__name__, None)
    if not sys.flags.ignore_environment and os.environ.get("FTSAN") == "1":
        from ftsan.autostart import start

        start()
