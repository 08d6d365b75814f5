"""The number is taken out of the object under a lock, and closed by whoever got it."""

import os
import threading


class Pipe:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.fd: int | None
        self.fd, other = os.pipe()
        os.close(other)

    def close(self) -> None:
        with self.lock:
            fd, self.fd = self.fd, None
        if fd is not None:
            os.close(fd)


pipe = Pipe()
threads = [threading.Thread(target=pipe.close) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
