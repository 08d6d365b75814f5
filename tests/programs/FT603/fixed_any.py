"""The process forks before it has threads; what it starts later is another program."""

import os
import subprocess
import threading

lock = threading.Lock()
held, done = threading.Event(), threading.Event()


def worker() -> None:
    with lock:
        held.set()
        done.wait()


pid = os.fork()
if not pid:
    with lock:
        os._exit(0)
assert os.waitpid(pid, 0)[1] == 0
thread = threading.Thread(target=worker)
thread.start()
held.wait()
subprocess.run(["true"], check=True)
done.set()
thread.join()
