"""Entering a process that runs already: its interpreter is asked to run a script (PEP 768), and answers in a folder of ours."""

import contextlib
import os
import pwd
import sys
import time
from pathlib import Path

from .. import _native
from ..env import name

#: How long the process has to run Python code in the thread that is asked, in seconds.
PATIENCE = 5.0

#: How long it may take for what it is asked, in seconds: all its processors may be busy.
LONGEST = 60.0

#: After so many seconds without an answer another thread is asked, too.
TURN = 0.25

#: How many threads that wait are asked at once.
MOST = 16

#: How often it is looked for an answer, in seconds.
ANSWERS = 0.005

#: Run by the process, in whichever of the threads that were asked comes first; says what went wrong, or nothing.
SCRIPT = """
def ask():
    import os
    import sys
    try:
        os.close(os.open({answer!r} + ".taken", os.O_CREAT | os.O_EXCL | os.O_WRONLY))
    except OSError:
        return
    try:
        package = sys.modules.get("ftsan")
        if package is None:
            from _frozen_importlib import _load
            from _frozen_importlib_external import spec_from_file_location
            spec = spec_from_file_location("ftsan", {package!r} + "/__init__.py", submodule_search_locations=[{package!r}])
            package = _load(spec)
        elif os.path.dirname(os.path.realpath(package.__file__)) != {package!r}:
            raise RuntimeError("it has loaded another ftsan, from " + os.path.dirname(package.__file__))
        from ftsan import attached
        attached.{call}
        answer = ""
    except BaseException as error:
        answer = str(error) if type(error) is RuntimeError else type(error).__name__ + ": " + str(error)
    try:
        with open({answer!r} + ".new", "w", encoding="utf-8", errors="replace") as file:
            file.write(answer)
        os.rename({answer!r} + ".new", {answer!r})
    except OSError:
        pass  # nobody waits for it any more
try:
    ask()
finally:
    with open({answer!r} + ".runs", "ab") as runs:
        runs.write(b".")
    del ask, runs
"""


class Refused(Exception):
    """The process cannot be entered; one line that says why, and what to do."""


class Closed(Exception):
    """The process did not answer in time, or ended."""


class Process:
    """The process that is attached to."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.proc = Path(f"/proc/{pid}")
        #: Where it answers.
        self.folder = ""
        #: How often it was asked.
        self.count = 0
        #: The Python that has frida, once the process is entered by a thread that is brought in.
        self.injector: str | None = None

    def lives(self) -> bool:
        """Whether it has not ended."""
        try:
            return self.proc.joinpath("stat").read_bytes().rpartition(b")")[2].split()[0] not in (b"Z", b"X")
        except OSError:
            return False

    def check(self) -> None:
        """See whether it can be entered, as far as that can be seen from outside.

        :raises Refused: it cannot.
        """
        if not self.lives():
            raise Refused("there is no such process")
        if self.pid == os.getpid():
            raise Refused("that is this process")
        owner = self.proc.stat().st_uid
        if owner != os.geteuid():
            try:
                user = pwd.getpwuid(owner).pw_name
            except KeyError:
                user = str(owner)
            raise Refused(f"it belongs to {user}: call ftsan as that user")
        ours = Path(__file__).resolve()
        with contextlib.suppress(OSError):
            if ours.samefile(f"{self.proc}/root{ours}"):
                return
        raise Refused(f"it does not see {ours.parent.parent}, where ftsan is (a container?): call ftsan where the process runs")

    def ask(self, what: str, call: str) -> None:
        """Have it call a function of ``ftsan.attached``, and wait for its answer.

        :raises Refused: it cannot be entered, or refuses.
        :raises Closed: it does not answer.
        """
        self.count += 1
        answer = os.path.join(self.folder, f"{what}{self.count}.answer")
        script = os.path.join(self.folder, f"{what}{self.count}.py")
        package = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
        text = SCRIPT.format(package=package, call=call, answer=answer)
        if self.injector:
            self._inject(self.injector, text, answer)
            return
        with open(script, "w", encoding="utf-8") as file:
            file.write(text)
        try:
            sys.remote_exec(self.pid, script)
        except (OSError, RuntimeError, ValueError) as error:
            raise Refused(why_not(error)) from None
        asked, end = [self.pid], time.monotonic() + PATIENCE
        before, look = self._turns(), time.monotonic() + TURN
        while not os.path.exists(answer):
            if not self.lives():
                raise Closed("the process has ended")
            if (now := time.monotonic()) > end:
                if not os.path.exists(answer + ".taken"):
                    self._take_back(script, answer, len(asked))
                    raise Closed(f"it came to run no Python code within {PATIENCE:.0f} s: it hangs, or is in a long call of C code")
                if now > end + LONGEST:
                    raise Closed(f"it has not come to an end with what it was asked in {LONGEST:.0f} s")
            if now > look and not os.path.exists(answer + ".taken"):
                turns = self._turns()
                self._ask_another(script, asked, {thread: turns[thread] - before.get(thread, 0) for thread in turns})
                before, look = turns, now + TURN
            time.sleep(ANSWERS)
        self._take_back(script, answer, len(asked))
        _read(answer, script)

    def _inject(self, injector: str, text: str, answer: str) -> None:
        """Have a thread that is brought in call the function.

        :raises Refused: it cannot be brought in, or the process refuses.
        :raises Closed: it does not answer.
        """
        from .injecting import Injected

        injected, end = Injected(self.pid, injector, text), time.monotonic() + LONGEST
        try:
            while not os.path.exists(answer):
                if not self.lives():
                    raise Closed("the process has ended")
                if problem := injected.problem():
                    raise Refused(_native.printable(problem))
                if time.monotonic() > end:
                    raise Closed(f"the thread that was brought in has not come to its end in {LONGEST:.0f} s")
                time.sleep(ANSWERS)
        finally:
            injected.leave(os.path.exists(answer))
        _read(answer)

    def _ask_another(self, script: str, asked: list[int], turns: dict[int, int]) -> None:
        """The threads that were asked wait for something: another one will do that runs; those that wait are made to look around.

        :param turns: how often each thread has got a processor lately.
        """
        busy = max(turns.keys() - {*asked}, key=turns.__getitem__, default=0)
        idle = [thread for thread in turns if not turns[thread]]
        for thread in [busy] if busy and turns[busy] else [thread for thread in idle if thread not in asked][:MOST]:
            with contextlib.suppress(OSError):
                if _native.ask_thread(self.pid, thread, script):
                    asked.append(thread)
        for thread in idle:
            with contextlib.suppress(OSError):
                if thread in asked:
                    _native.nudge(thread)

    def _turns(self) -> dict[int, int]:
        """How often each thread that can be asked has got a processor."""
        turns = {}
        with contextlib.suppress(OSError):
            for thread in _native.threads_of(self.pid):
                turns[thread] = int(self.proc.joinpath(f"task/{thread}/schedstat").read_text().split()[2])
        return turns

    def _take_back(self, script: str, answer: str, asked: int) -> None:
        """See that no thread is going to run the script, which is removed."""
        with contextlib.suppress(OSError):
            begun = asked - _native.take_back(self.pid, script)
            end = time.monotonic() + PATIENCE
            while begun and time.monotonic() < end and self.lives():
                if os.path.exists(answer + ".runs") and os.path.getsize(answer + ".runs") >= begun:
                    break
                time.sleep(ANSWERS)


def _read(answer: str, *others: str) -> None:
    """Read what the process has answered, and remove the files.

    :raises Refused: it refuses.
    """
    problem = Path(answer).read_text(encoding="utf-8")
    for path in (*others, answer, answer + ".runs", answer + ".taken"):
        with contextlib.suppress(OSError):
            os.unlink(path)
    if problem:
        raise Refused(_native.printable(problem))


def why_not(error: Exception) -> str:
    """Why a process cannot be entered or looked at: what the interpreter says (``Python/remote_debugging.c``), and what to do."""
    here = name()
    if isinstance(error, PermissionError):
        return "this user may not look into its memory: see kernel.yama.ptrace_scope, or call ftsan with CAP_SYS_PTRACE"
    text = str(error)
    for said, meaning in (
        (
            "enabled in the remote",
            "it lets no debugger in: PYTHON_DISABLE_REMOTE_DEBUG, -X disable-remote-debug or a build without that",
        ),
        (
            "is not enabled",
            "this interpreter may not ask others: PYTHON_DISABLE_REMOTE_DEBUG or -X disable-remote-debug is set here",
        ),
        ("not been compiled in", "this interpreter may not ask others: it was built --without-remote-debug"),
        ("PyRuntime", f"it is no process of Python {here}"),
        ("send commands", f"it is no process of Python {here}: call the ftsan that is installed for its interpreter"),
        ("version of the remote", f"it is no process of Python {here}"),
        ("ttach from", f"it is no process of Python {here}: call the ftsan that is installed for its interpreter"),
        ("ttach to", f"it is no process of Python {here}: call the ftsan that is installed for its interpreter"),
        ("debug offsets", f"it is no process of Python {here}"),
    ):
        if said in text:
            return meaning
    return text
