"""Called by ``ftsan.pth`` or ``ftsan.start`` at start-up of every interpreter that has ``FTSAN=1`` in its environment.

The program has not begun yet: nothing may be printed, imported or raised here that it could notice, except one line and
status 2 for options that are wrong.
"""

import os
import sys


def start() -> None:
    """Watch this process, if its interpreter can be watched."""
    import _thread

    if not _thread._is_main_interpreter():  # type: ignore[attr-defined]
        return  # one session per process, and the native module is the main interpreter's
    from .env import unsupported

    reason = unsupported()
    if reason:
        # A child with another interpreter is run unwatched; the launcher says so if that was all there was.
        return
    from . import _native, process

    if process.is_enabled():
        if not process.has_enabled:  # not by this interpreter
            process.has_enabled = True
            _native.refuse_second_interpreter()
        return
    try:
        process.enable(os.environ.get("FTSAN_OPTIONS", ""))
    except ValueError as error:
        if sys.stderr is not None:
            sys.stderr.write(f"ftsan: {_native.printable(str(error))}\n")
            sys.stderr.flush()
        os._exit(2)
