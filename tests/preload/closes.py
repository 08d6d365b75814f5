"""A thread of C code closes what a loop polls: closes.py LIBRARY FUNCTION."""

import asyncio
import ctypes
import os
import sys
import threading

library, function = sys.argv[1:]
ours, theirs = os.pipe()
loop = asyncio.new_event_loop()
loop.call_soon(loop.add_reader, ours, int)
running = threading.Event()
loop.call_soon(running.set)
threading.Thread(target=loop.run_forever, daemon=True).start()
running.wait()
ctypes.PyDLL(library)[function](ours)
