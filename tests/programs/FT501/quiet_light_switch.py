"""Readers and writers: the first reader takes the room, the last one lets it go, both in the care of the switch.

A reader waits for the room while it has the switch only if no other reader has the room.
"""

import threading


class Switch:
    def __init__(self) -> None:
        self.readers = 0
        self.mutex = threading.Lock()

    def turn_on(self, room: threading.Lock) -> None:
        with self.mutex:
            self.readers += 1
            if self.readers == 1:
                room.acquire()

    def turn_off(self, room: threading.Lock) -> None:
        with self.mutex:
            self.readers -= 1
            if self.readers == 0:
                room.release()


switch, room = Switch(), threading.Lock()


def read() -> None:
    for _ in range(30):
        switch.turn_on(room)
        switch.turn_off(room)


def write() -> None:
    for _ in range(10):
        with room:
            pass


threads = [threading.Thread(target=target) for target in (read, read, write)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
