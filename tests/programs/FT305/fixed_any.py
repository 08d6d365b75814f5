"""Threads signal each other by primitives of threading."""

import threading
import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import eventlet

ready = threading.Event()
thread = threading.Thread(target=ready.set)
thread.start()
while not ready.is_set():
    eventlet.sleep(0.001)
thread.join()
