"""A thread waits for any child while another one waits for its own: whichever gets it."""

import contextlib
import os
import subprocess
import threading

from ftsan.testing import wait_until_blocked


def reap() -> None:
    with contextlib.suppress(ChildProcessError):
        os.waitpid(-1, 0)  # offending: wait


process = subprocess.Popen(["cat"], stdin=subprocess.PIPE)
threads = [threading.Thread(target=reap), threading.Thread(target=lambda: process.wait())]  # owner
for thread in threads:
    thread.start()
    wait_until_blocked(thread)
assert process.stdin
process.stdin.close()
for thread in threads:
    thread.join()
