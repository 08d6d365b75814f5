"""A thread that C code starts and waits for: how it does that does not show."""

import ctypes
import threading

shared = {"n": 0}
done = threading.Event()
Start = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p)


@Start
def count(_: object) -> None:
    shared["n"] += 1


libc = ctypes.CDLL(None)
other = threading.Thread(target=done.wait)
other.start()
for _ in range(5):
    shared["n"] += 1
    thread = ctypes.c_ulong()
    assert libc.pthread_create(ctypes.byref(thread), None, count, None) == 0
    assert libc.pthread_join(thread, None) == 0
    shared["n"] += 1
done.set()
other.join()
assert shared["n"] == 15
