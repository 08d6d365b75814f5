"""A context that one thread is in is entered by another one."""

import contextlib
import contextvars
import threading

context = contextvars.copy_context()
inside, leave = threading.Event(), threading.Event()


def stay() -> None:
    inside.set()
    leave.wait()  # owner


thread = threading.Thread(target=lambda: context.run(stay))
thread.start()
inside.wait()
with contextlib.suppress(RuntimeError):
    context.run(int)  # offending: run
leave.set()
thread.join()
