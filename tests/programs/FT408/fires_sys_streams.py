"""sys.stdout, sys.stderr and sys.stdin saved, replaced and restored by two threads."""

import io
import sys
import threading


def capture_output() -> None:
    saved = sys.stdout  # maybe: stdout
    sys.stdout = io.StringIO()  # race: stdout
    try:
        print("captured")
    finally:
        sys.stdout = saved  # maybe: stdout


def capture_errors() -> None:
    saved, sys.stderr = sys.stderr, io.StringIO()  # race: stderr
    sys.stderr = saved  # maybe: stderr


def feed() -> None:
    saved = sys.stdin  # maybe: stdin
    sys.stdin = io.StringIO("answer")  # race: stdin
    sys.stdin = saved  # maybe: stdin


def worker() -> None:
    capture_output()
    capture_errors()
    feed()


threads = [threading.Thread(target=worker) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
