"""Locks are held and a loop runs while other programs are started in all ways there are."""

import asyncio
import concurrent.futures.thread  # noqa: F401 (its handlers of forks may not come while another thread is in the middle of one)
import os
import pty
import subprocess
import sys
import threading
import warnings

lock = threading.Lock()
held, running, done = threading.Event(), threading.Event(), threading.Event()


def worker() -> None:
    with lock:
        held.set()
        done.wait()


async def serve() -> None:
    running.set()
    child = await asyncio.create_subprocess_exec("true")
    await child.wait()
    await asyncio.to_thread(done.wait)


def run() -> None:
    asyncio.run(serve())


warnings.simplefilter("ignore")
threads = [threading.Thread(target=target) for target in (worker, run)]
for thread in threads:
    thread.start()
held.wait()
running.wait()
subprocess.run(["true"], check=True)
subprocess.run(["true"], check=True, preexec_fn=os.getpid)
assert os.system("true") == 0
os.popen("true").close()
for fork in (os.fork, lambda: pty.fork()[0]):
    pid = fork()
    if not pid:
        os.execv(sys.executable, [sys.executable, "-S", "-c", ""])
    assert os.waitpid(pid, 0)[1] == 0
done.set()
for thread in threads:
    thread.join()
