"""All that a look decides may be done twice: a flag is set, and something is said to a log, woken up or emptied besides.

ALSO: FT407
"""

import logging
import os

from ftsan.testing import in_turns

log = logging.getLogger("quiet")
log.addHandler(logging.NullHandler())
reading, writing = os.pipe()
SETTINGS = {"level": 1}
NAMED = "is_named"


class Service:
    is_broken = is_stopping = is_told = False
    level = "low"
    settings: dict[str, int] | None = None

    def __init__(self) -> None:
        self.is_open = True
        self.lines = ["a"]

    def fail(self, reason: str) -> None:
        if not self.is_broken:
            self.is_broken = True
            log.warning("%s: connection is broken", reason)

    def warn_once(self) -> None:
        if not self.is_told:
            log.info(f"{self.level} and {self.is_open}")
            self.is_told = True

    def stop(self) -> None:
        if not self.is_stopping:
            self.is_stopping = True
            os.write(writing, b"\0")

    def close(self) -> None:
        if self.is_open:
            self.is_open = False
            self.lines.clear()

    def rise(self) -> None:
        if self.level == "low":
            self.level = "high"

    def configure(self) -> None:
        if self.settings is None:
            self.settings = SETTINGS

    def mark(self) -> None:
        if not getattr(self, "is_marked", False):
            self.is_marked = True
        if not hasattr(self, NAMED):
            setattr(self, NAMED, True)
        if not self.__dict__.get("is_ready"):
            self.is_ready = True


service = Service()
in_turns(lambda: service.fail("reset"), lambda: service.fail("refused"))
in_turns(service.warn_once, service.warn_once)
in_turns(service.stop, service.stop)
in_turns(service.close, service.close)
in_turns(service.rise, service.rise)
in_turns(service.configure, service.configure)
in_turns(service.mark, service.mark)
