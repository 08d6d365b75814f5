"""Loops that go on until something is set, and set it themselves in the end; and threads that wait for each other by one flag.

ALSO: FT407
"""

import threading
import time


class Service:
    def __init__(self) -> None:
        self.is_running = True
        self.is_full = False
        self.box: list[int] = []

    def run(self) -> None:
        while self.is_running:
            time.sleep(0)
        self.is_running = False

    def put(self) -> None:
        for number in range(20):
            while self.is_full:
                time.sleep(0)
            self.box = [number]
            self.is_full = True

    def take(self) -> None:
        for number in range(20):
            while not self.is_full:
                time.sleep(0)
            assert self.box == [number]
            self.is_full = False


service = Service()
runners = [threading.Thread(target=service.run) for _ in range(3)]
others = [threading.Thread(target=target) for target in (service.put, service.take)]
for thread in (*runners, *others):
    thread.start()
for thread in others:
    thread.join()
service.is_running = False
for thread in runners:
    thread.join()
