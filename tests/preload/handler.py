"""A signal handler writes to what another thread has closed, in the midst of whatever the main thread does: nothing can be told."""

import ctypes
import gc
import os
import sys
import threading
import time

library = ctypes.CDLL(sys.argv[1])
reading, writing = os.pipe()
thread = threading.Thread(target=os.close, args=(writing,))
thread.start()
thread.join()
library.start(writing)
end = time.monotonic() + 1
while time.monotonic() < end:
    kept = [{number: [str(number)] * 3} for number in range(300)]
    gc.collect(0)
print("ok" if library.stop() else "never called")
