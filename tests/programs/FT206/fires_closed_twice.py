"""Two threads that close one number, as they both saw that it was not closed.

OPTIONS: --races none
"""

import contextlib
import os
import threading
import time


class Connection:
    def __init__(self) -> None:
        self.fd: int | None = os.open("/dev/null", os.O_RDONLY)  # created

    def close(self, delay: float) -> None:
        if self.fd is not None:
            time.sleep(delay)
            with contextlib.suppress(OSError):
                os.close(self.fd)  # offending: close  # owner
            time.sleep(0.3)
            self.fd = None


connection = Connection()
threads = [threading.Thread(target=connection.close, args=(delay,)) for delay in (0.05, 0.15)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
