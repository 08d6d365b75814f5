"""A thread that reaps takes the children of others, and two threads wait for one child."""

import contextlib
import os
import subprocess
import threading

taken = threading.Event()


def reap() -> None:
    os.waitpid(-1, 0)  # offending: wait
    taken.set()


def wait(child: int) -> None:
    os.waitpid(child, 0)
    taken.set()


process = subprocess.Popen(["true"])
threading.Thread(target=reap).start()
taken.wait()
process.wait()  # owner

taken.clear()
child = os.posix_spawn("/bin/true", ["true"], {})
threading.Thread(target=wait, args=(child,)).start()
taken.wait()
with contextlib.suppress(ChildProcessError):
    os.waitpid(child, 0)  # offending: wait
