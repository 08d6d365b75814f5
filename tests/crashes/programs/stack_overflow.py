"""C code that recurses until the stack of its thread is used up.

verdict: unknown
says: stack overflow
extension: assumes_gil
env: PYTHON_GIL=0
"""

import threading

import assumes_gil

thread = threading.Thread(target=assumes_gil.recurse, name="deep")
thread.start()
thread.join()
