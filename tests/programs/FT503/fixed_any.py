"""The thread that acquired the lock releases it; an event wakes the other one up."""

import threading

lock = threading.Lock()
done = threading.Event()


def work() -> None:
    with lock:
        pass
    done.set()


thread = threading.Thread(target=work)
thread.start()
done.wait()
with lock:
    pass
thread.join()
