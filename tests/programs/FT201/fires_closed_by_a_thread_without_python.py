"""A thread that never runs Python closes what a loop polls.  It must not wait for Python: a thread that is there waits for it."""

import asyncio
import ctypes
import os
import threading

# Unlike CDLL, stays attached during its calls.
libc = ctypes.PyDLL(None)
ours, theirs = os.pipe()
loop = asyncio.new_event_loop()
loop.call_soon(loop.add_reader, ours, int)
running = threading.Event()
loop.call_soon(running.set)
runner = threading.Thread(target=loop.run_forever)
runner.start()  # owner
running.wait()

thread = ctypes.c_ulong()
close = ctypes.cast(libc.close, ctypes.c_void_p)
libc.pthread_create(ctypes.byref(thread), None, close, ctypes.c_void_p(ours))  # offending: close
libc.pthread_join(thread, None)

loop.call_soon_threadsafe(loop.stop)
runner.join()
os.close(theirs)
