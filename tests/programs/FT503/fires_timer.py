"""A timer that releases what the main thread has in a `with` statement, and in a stack of context managers."""

import contextlib
import threading


def release(lock: threading.Lock, done: threading.Event) -> None:
    lock.release()  # offending: release
    done.set()


for is_stack in (False, True):
    lock, done = threading.Lock(), threading.Event()
    timer = threading.Timer(0.01, release, (lock, done))
    with contextlib.suppress(RuntimeError), contextlib.ExitStack() as held:
        if is_stack:
            held.enter_context(lock)
            timer.start()
            done.wait()
        else:
            with lock:
                timer.start()
                done.wait()
    timer.join()
