"""Children that threads wait for by Popen.wait(), each as often as it likes, and one that reaps what it has started."""

import os
import subprocess
import threading


def reap() -> None:
    child = os.posix_spawn("/bin/true", ["true"], {})
    assert os.waitpid(child, 0)[1] == 0


process = subprocess.Popen(["sleep", "0.01"])
threads = [threading.Thread(target=process.wait) for _ in range(3)] + [threading.Thread(target=reap)]
for thread in threads:
    thread.start()
assert process.wait() == 0
for thread in threads:
    thread.join()
