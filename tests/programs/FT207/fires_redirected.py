"""Two threads that capture what is written to standard output."""

import os
import tempfile
import threading

together = threading.Barrier(2)


def capture(turn: int) -> None:
    with tempfile.TemporaryFile() as file:
        saved = os.dup(1)
        if turn:
            together.wait()
        os.dup2(file.fileno(), 1)  # offending: dup  # owner
        if not turn:
            together.wait()
            together.wait()
            os.dup2(saved, 1)
        else:
            together.wait()
        os.close(saved)


threads = [threading.Thread(target=capture, args=(turn,)) for turn in (0, 1)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
