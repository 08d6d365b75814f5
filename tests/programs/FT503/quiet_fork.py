"""A fork while locks are held: in the child they are its own."""

import os
import threading
import warnings

lock, other = threading.Lock(), threading.Lock()
held, done = threading.Event(), threading.Event()


def holder() -> None:
    with other:
        held.set()
        done.wait()


warnings.simplefilter("ignore")
thread = threading.Thread(target=holder)
thread.start()
held.wait()
with lock:
    child = os.fork()
    if not child:
        lock.release()
        # Its holder is not in this process.
        other.release()
        with lock, other:
            pass
        os._exit(0)
assert os.waitpid(child, 0)[1] == 0
done.set()
thread.join()
