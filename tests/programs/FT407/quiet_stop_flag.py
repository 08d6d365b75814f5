"""A flag that one thread polls and another one sets: a stale read, which costs one more turn, and nothing worse.

ALSO: FT407
"""

import threading
import time


class Service:
    is_running = True
    turns = 0

    def run(self) -> None:
        while self.is_running:
            self.turns += 1
            time.sleep(0.001)


stopping = False


def poll() -> None:
    while not stopping:
        time.sleep(0.001)


service = Service()
threads = [threading.Thread(target=target) for target in (service.run, poll)]
for thread in threads:
    thread.start()
service.is_running = False
stopping = True
for thread in threads:
    thread.join()
assert service.turns >= 0
