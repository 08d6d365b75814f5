"""Two threads that close one number, as they both saw that it was not closed.

OPTIONS: --races none
"""

import contextlib
import os

from ftsan.testing import Meeting, run


class Connection:
    def __init__(self) -> None:
        self.fd: int | None = os.open("/dev/null", os.O_RDONLY)  # created
        self.seen, self.closed = Meeting(), Meeting()

    def close(self, place: int) -> None:
        if self.fd is not None:
            self.seen.join(place)
            with contextlib.suppress(OSError):
                os.close(self.fd)  # offending: close  # owner
            self.closed.join(place)
            self.fd = None


connection = Connection()
run(lambda: connection.close(0), lambda: connection.close(1))
