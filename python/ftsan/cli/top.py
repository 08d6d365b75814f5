"""``ftsan top``: what a process that runs is doing, once as text or JSON, or on a terminal until it ends."""

import contextlib
import json
import os
import shutil
import signal
import sys
import time
from types import TracebackType

from .. import _native
from ..scratch import make, remove, remove_left_over
from . import begin_report, complain, say, show
from .attach import ENDING
from .entering import Closed, Process, Refused
from .picture import Picture, View, text

#: How long findings are made in the process without being asked for again, in seconds: nobody may come to leave it.
LEASE = 30.0


def top(pid: str, how: str, seconds: str) -> int:
    """Show what a process does; returns the exit status.

    :param pid: its number.
    :param how: ``once``, ``json``, or on a terminal: ``attach`` or ``outside``.
    :param seconds: how often it is looked at.
    """
    process = Process(int(pid))
    try:
        process.check()
        if how in ("once", "json"):
            picture = View(process).look()
            return show(json.dumps(picture, indent=1) + "\n" if how == "json" else text(picture, _columns()))
        # textual draws on stderr.
        if not all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):
            return complain("top needs a terminal; --once prints one picture, --json its data")
        try:
            from .top_screen import Screen
        except ModuleNotFoundError as error:
            missing = str(error.name).partition(".")[0]
            return complain(f"top needs {missing}: pip install 'ftsan[top]'; --once does without")
        before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
        try:
            with Watching(process, how == "attach") as watching:
                ended = Screen(watching, float(seconds)).show_until_end()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
    except Closed as error:
        say(f"ftsan: {pid}: {error} (--outside shows what can be seen without)\n")
        return _native.not_watched()
    except (Refused, OSError) as error:
        return complain(f"{pid}: {error}")
    if ended:
        say(f"ftsan: {pid}: {ended}\n")
    return 0


def _columns() -> int:
    """How wide the terminal is; 0 if there is none."""
    return shutil.get_terminal_size().columns if sys.stdout is not None and sys.stdout.isatty() else 0


class Watching:
    """A process that is looked at, and attached to as long if it is not watched otherwise and its findings are wanted."""

    def __init__(self, process: Process, attach: bool) -> None:
        self.process, self.view = process, View(process)
        self.attach = attach and not self.view.is_watched
        self.renew = 0.0

    def __enter__(self) -> Watching:
        """Attach to it, if need be.

        :raises Refused: it cannot be entered.
        :raises Closed: it does not answer.
        """
        if not self.attach:
            return self
        self.process.folder = make()
        try:
            remove_left_over(os.path.dirname(self.process.folder))
            report = os.path.join(self.process.folder, "report.json")
            options = {"report_json": report, "text": "none", "races": "none", "supervisor": str(os.getpid())}
            encoded = _native.encode_options(options)
            if (wrong := begin_report(report, encoded)) is not None:
                raise Refused(wrong)
            self.process.ask("begin", f"begin({encoded!r}, [], {LEASE})")
        except BaseException:
            remove(self.process.folder)
            raise
        self.view.report = report
        self.view.unseen = []
        self.renew = time.monotonic() + LEASE / 3
        return self

    def look(self) -> Picture:
        """Look once, and have findings made for some more time.

        :raises Refused: the process has ended, or cannot be looked at.
        """
        if self.attach and time.monotonic() > self.renew:
            self.renew = time.monotonic() + LEASE / 3
            with contextlib.suppress(Closed):  # it hangs, and is shown as it does
                self.process.ask("go_on", f"go_on({LEASE})")
        return self.view.look()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Leave it as it was."""
        if not self.attach:
            return
        try:
            if self.process.lives():
                self.process.ask("end", "end()")
        except (Closed, Refused) as problem:
            if self.process.lives():
                left = "its functions stay hooked, and report nothing, until somebody attaches again"
                say(f"ftsan: {self.process.pid}: {problem}; {left}\n")
        finally:
            remove(self.process.folder)
