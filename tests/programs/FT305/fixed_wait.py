"""A native thread waits by primitives of threading, and the hub for it by a pool."""

import threading
import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import eventlet.tpool

ready = threading.Event()
thread = threading.Thread(target=ready.set)
thread.start()
eventlet.tpool.execute(ready.wait)
thread.join()
eventlet.tpool.killall()
