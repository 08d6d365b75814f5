"""Standard output and standard error redirected by two threads: each prints into the buffer of the other one."""

import contextlib
import io
import threading


def capture_output() -> None:
    with contextlib.redirect_stdout(io.StringIO()):  # race: stdout
        print("captured")


def capture_errors() -> None:
    with contextlib.redirect_stderr(io.StringIO()):  # race: stderr
        pass


def worker() -> None:
    capture_output()
    capture_errors()


threads = [threading.Thread(target=worker) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
