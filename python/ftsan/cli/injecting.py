"""Bringing a thread into a process whose interpreter runs no code: frida loads the injected library there, which runs a script.

frida has wheels for interpreters with the GIL only, so it may be in another Python than the one that is watched, and runs in a
process of its own.
"""

import contextlib
import importlib.util
import shutil
import subprocess
import sys

from ..library import HOOKS

#: Where it is looked for.
INSTALL = "pip install 'ftsan[frida]', or frida for the python3 on PATH"

#: Ends when the library has gone again, or with its parent.  frida is left to come to its end: it puts back the registers of one
#: of the process's threads after it has said that the library has gone.
PROGRAM = """
import os, sys, threading, frida
pid, library, entry, program = sys.argv[1:]
gone = threading.Event()
device = frida.get_local_device()
device.on("uninjected", lambda _: gone.set())
device.inject_library_file(int(pid), library, entry, program)
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
gone.wait()
frida.shutdown()
"""

#: How long the library may take to go after its work, in seconds.
LEAVING = 10.0


def python_with_frida() -> str | None:
    """The Python that has frida: this one, or the first on PATH."""
    if importlib.util.find_spec("frida"):
        return sys.executable
    other = shutil.which("python3")
    if other is None:
        return None
    done = subprocess.run([other, "-c", "import frida"], capture_output=True, check=False)
    return other if done.returncode == 0 else None


class Injected:
    """A thread that was brought into a process to run a script."""

    def __init__(self, pid: int, python: str, script: str) -> None:
        """Bring it in.

        :param python: what has frida.
        :param script: the text of the script.
        """
        program = f"exec({script!r}, {{}})"  # in a namespace of its own
        command = [python, "-c", PROGRAM, str(pid), HOOKS, "ftsan_hooks_enter", program]
        self.running = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def problem(self) -> str:
        """Why frida could not do it, in a line; empty if it can."""
        if not self.running.poll():
            return ""
        assert self.running.stderr is not None
        return "frida: " + (self.running.stderr.read().strip().splitlines() or ["it died"])[-1]

    def leave(self, is_done: bool) -> None:
        """Wait until the library has gone, if its work is done, and end frida."""
        if is_done:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.running.wait(LEAVING)
        self.running.kill()
        self.running.communicate()
