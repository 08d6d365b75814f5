"""One lock is taken and given back in the care of another one: the second thread waits, and keeps the first one out."""

import threading

care, room = threading.Lock(), threading.Lock()
is_inside = threading.Event()

# It is a lock, and no signal.
room.acquire()
room.release()


def visit() -> None:
    with care:
        room.acquire()
    is_inside.set()
    waits.wait()
    care.acquire()  # offending: acquired B while holding A


def follow() -> None:
    is_inside.wait()
    with care:
        threading.Timer(0.2, waits.set).start()
        room.acquire()


waits = threading.Event()
threads = [threading.Thread(target=target, daemon=True) for target in (visit, follow)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join(0.5)
