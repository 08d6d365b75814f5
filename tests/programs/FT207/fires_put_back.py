"""Two threads redirect standard output and put it back in turn: told once, where the second one redirects."""

import os
import threading

together = threading.Barrier(2)
first_is_done = threading.Event()


def quiet(turn: int) -> None:
    saved, null = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    if turn:
        together.wait()
    os.dup2(null, 1)  # offending: dup  # owner
    if not turn:
        together.wait()
    together.wait()
    if not turn:
        first_is_done.wait()
    os.dup2(saved, 1)
    if turn:
        first_is_done.set()
    os.close(saved)
    os.close(null)


threads = [threading.Thread(target=quiet, args=(turn,)) for turn in (0, 1)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
