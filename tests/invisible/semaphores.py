"""A semaphore that is gone leaves nothing behind, whether it is a lock or several threads may hold it at once."""

import threading
import weakref

for count in (1, 2, 1):
    semaphore = threading.Semaphore(count)
    lock = weakref.ref(semaphore._cond._lock)
    with semaphore:
        pass
    del semaphore
    print(count, lock() is None)
