"""A look decides something that may not be done twice, although a flag, a text or a call that may be is among it."""

import logging

from ftsan.testing import in_turns

log = logging.getLogger("fires")
log.addHandler(logging.NullHandler())


class Service:
    is_started = False
    level = "low"

    def __init__(self) -> None:
        self.starts: list[str] = []
        self.buffer: list[int] | None = [1]

    def start(self) -> None:
        if not self.is_started:  # race: started
            self.is_started = True  # race: started
            log.info("started")
            self.starts.append("start")

    def rise(self) -> None:
        if self.level == "low":  # maybe: level
            self.level = "high"  # race: level

    def fall(self) -> None:
        if self.level == "low":  # race: level
            self.level = "off"  # maybe: level

    def close(self) -> None:
        if self.buffer is not None:  # race: buffer
            self.buffer.clear()  # maybe: buffer
            self.buffer = None  # race: buffer

    def mark(self) -> None:
        if not getattr(self, "marks", None):  # race: marks
            self.marks = [len(self.starts)]  # race: marks


service = Service()
in_turns(service.start, service.start)
in_turns(service.rise, service.fall)
in_turns(service.close, service.close)
in_turns(service.mark, service.mark)
