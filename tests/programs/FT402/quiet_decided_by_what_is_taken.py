"""A look at the state only saves trying: of several threads one finds the token there, and the others go another way.

ALSO: FT407
"""

import threading


class Settled:
    def __init__(self) -> None:
        self.state = "open"
        self.is_set = self.is_cancelled = False
        self.is_open = True
        self.tokens = [True]
        self.rights = {"close": True}

    def set(self) -> bool:
        if self.is_set or self.is_cancelled:
            return False
        try:
            del self.is_open
        except AttributeError, IndexError:
            return False
        self.is_set = True
        return True

    def cancel(self) -> None:
        try:
            threading.get_ident()
        finally:
            if not self.is_set:
                try:
                    del self.is_open
                except AttributeError:
                    self.is_set = True
                else:
                    self.is_cancelled = True

    def begin(self) -> None:
        if self.state == "open":
            try:
                self.tokens.pop()
            except IndexError:
                return
            self.state = "begun"

    def close(self) -> None:
        if self.state != "closed":
            while True:
                try:
                    del self.rights["close"]
                except KeyError:
                    break
                self.state = "closed"


settled = [Settled() for _ in range(50)]
cancelled = [Settled() for _ in range(50)]


def worker() -> None:
    for one in settled:
        one.set()
        one.begin()
    for one in cancelled:
        one.cancel()
        one.close()


def other() -> None:
    for one in settled:
        one.cancel()
        one.begin()
    for one in cancelled:
        one.set()
        one.close()


threads = [threading.Thread(target=target) for target in (worker, other)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
