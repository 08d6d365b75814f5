"""A thread that never runs Python closes what a loop has polled and polls no more."""

import asyncio
import ctypes
import os
import threading

libc = ctypes.PyDLL(None)
ours, theirs = os.pipe()
loop = asyncio.new_event_loop()
loop.call_soon(loop.add_reader, ours, int)
loop.call_soon(loop.stop)
runner = threading.Thread(target=loop.run_forever)
runner.start()
runner.join()

thread = ctypes.c_ulong()
close = ctypes.cast(libc.close, ctypes.c_void_p)
libc.pthread_create(ctypes.byref(thread), None, close, ctypes.c_void_p(ours))
libc.pthread_join(thread, None)

loop.close()
os.close(theirs)
