"""``ftsan attach``: watches a process that runs already, for a time, and leaves it as it was.

What it finds goes into the report's journal, which is read here and printed as it comes.
"""

import json
import os
import signal
import time

from .. import _native
from ..findings_by_test import key_of
from ..scratch import make, remove, remove_left_over
from . import begin_report, complain, say
from .entering import PATIENCE, Closed, Process, Refused

#: How often it is looked for news, in seconds.
NEWS = 0.1

#: What ends the time before it is over.
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

#: What a run that begins with the program can see, and this cannot.
RACES = "races and locks: code that runs already has no probes: start it with ftsan run, or ask for none by --races=none"


def attach(options: dict[str, str], pid: str, seconds: str) -> int:
    """Watch a process; returns the exit status.

    :param pid: its number.
    :param seconds: how long.
    """
    process = Process(int(pid))
    try:
        every = _native.configured(options)
        process.check()
    except (OSError, ValueError) as error:
        return complain(str(error))
    except Refused as error:
        return complain(f"{pid}: {error}")
    options = {key: value for key, value in every.items() if key in _native.options_of_attach()}
    unwatched = [RACES] if options.get("races") != "none" else []
    options["races"] = "none"
    try:
        scratch = make()
    except OSError as error:
        return complain(f"no folder for temporary files: {error}")
    process.folder = scratch
    try:
        remove_left_over(os.path.dirname(scratch))
        return _attach(process, options, unwatched, float(seconds))
    except Refused as error:
        return complain(f"{pid}: {error}")
    finally:
        remove(scratch)


def _attach(process: Process, options: dict[str, str], unwatched: list[str], seconds: float) -> int:
    """Watch it, and say what it comes to.

    :raises Refused: it cannot be entered.
    """
    report = options.get("report_json", "").replace("%p", str(process.pid)) or os.path.join(process.folder, "report.json")
    encoded = _native.encode_options(options | {"report_json": report, "text": "none", "supervisor": str(os.getpid())})
    if (wrong := begin_report(report, encoded)) is not None:
        return complain(wrong)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
    try:
        if (wrong := _enter(process, f"begin({encoded!r}, {unwatched!r}, {seconds + 2 * PATIENCE})")) is not None:
            say(f"ftsan: {process.pid}: {wrong}; nothing was watched\n")
            return _native.not_watched()
        news = News(report, encoded, process.pid)
        _watch(process, news, seconds)
        try:
            if not process.lives():
                raise Closed("the process has ended")
            process.ask("end", "end()")
        except (Closed, Refused) as error:
            left = "" if not process.lives() else "; its functions stay hooked, and report nothing, until somebody attaches again"
            say(f"ftsan: {process.pid}: {error}{left}\n")
        news.tell()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    try:
        _native.finish_report(report)
    except OSError as error:
        say(f"ftsan: cannot complete the report {_native.printable(report)}: {error}\n")
    status, summary, _ = _native.conclude(report, encoded)
    say(summary)
    return status


def _enter(process: Process, begin: str) -> str | None:
    """Have the process call a function, by a thread that is brought in if none of its own does; returns why it was not to be had.

    :raises Refused: it cannot be entered.
    """
    try:
        process.ask("begin", begin)
        return None
    except Closed as error:
        if not process.lives():
            return str(error)
        from .injecting import INSTALL, python_with_frida
        from .picture import waits

        say(f"ftsan: {process.pid}: {error}\n")
        for line in waits(process):
            say(f"ftsan: {_native.printable(line)}\n")
    process.injector = python_with_frida()
    if process.injector is None:
        return f"frida could bring a thread into it ({INSTALL})"
    try:
        process.ask("begin", begin)
    except Closed as error:
        return str(error)
    return None


def _watch(process: Process, news: News, seconds: float) -> None:
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0 and process.lives():
        ended = signal.sigtimedwait(ENDING, min(left, NEWS))
        news.tell()
        if ended is not None:
            break


class News:
    """What the process has found since it was last asked."""

    def __init__(self, report: str, options: str, pid: int) -> None:
        self.report, self.options, self.pid = report, options, pid
        self.told: set[tuple[str, int]] = set()
        #: Of report and journal, which may be emptied into the report.
        self.state: tuple[int, ...] = ()

    def tell(self) -> None:
        """Print it as ``ftsan run`` does."""
        try:
            facts = [os.stat(path) for path in (self.report, self.report + ".journal") if os.path.exists(path)]
            state = tuple(number for fact in facts for number in (fact.st_size, fact.st_mtime_ns))
            if state == self.state:
                return
            self.state = state
            findings = json.loads(_native.read_report(self.report))["findings"]
        except OSError:
            return  # of the end, which says it again
        for finding in findings:
            key = key_of(finding)
            if key not in self.told and finding["severity"] != "info":
                self.told.add(key)
                say(_native.render_with(json.dumps(finding), self.pid, self.options))
