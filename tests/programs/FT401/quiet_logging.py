"""A logging handler of one's own is called under its lock; loggers are asked and used by all threads."""

import logging
import threading


class Counting(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.count = 0
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.count += 1
        self.lines = [*self.lines, self.format(record)]


handler = Counting()
logging.basicConfig(level=logging.INFO, handlers=[handler])


def worker(name: str) -> None:
    for number in range(50):
        logging.getLogger(name).info("line %d", number)
        logging.info("root")


threads = [threading.Thread(target=worker, args=(name,)) for name in ("a", "a.b")]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert handler.count == len(handler.lines) == 200
