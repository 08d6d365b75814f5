"""Ranges that nobody uses, closed by one call; and all descriptors in the child of a fork, whose parent has a thread in one."""

import os
import threading
import warnings

from ftsan.testing import wait_until_blocked

end, start = os.pipe()
thread = threading.Thread(target=os.read, args=(end, 1))
thread.start()
wait_until_blocked(thread)
warnings.simplefilter("ignore", DeprecationWarning)
child = os.fork()
if child == 0:
    os.closerange(3, 4096)
    os._exit(0)
os.waitpid(child, 0)
unused = [os.dup(0) for _ in range(4)]
os.closerange(unused[0], unused[-1] + 1)
os.write(start, b"x")
thread.join()
os.closerange(end, start + 1)
