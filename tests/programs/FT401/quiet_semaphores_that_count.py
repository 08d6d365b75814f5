"""Semaphores that say how many places are free or filled, or that a writer takes all of: each acquisition comes after the releases
that it needs.
"""

import threading
from collections import deque

PLACES = 3


class Ring:
    def __init__(self) -> None:
        self.free, self.filled = threading.Semaphore(PLACES), threading.Semaphore(0)
        self.places: list[list[int] | None] = [None] * PLACES
        self.total = 0

    def put(self) -> None:
        for number in range(30):
            self.free.acquire()
            self.places[number % PLACES] = [number]
            self.filled.release()

    def take(self) -> None:
        for number in range(30):
            self.filled.acquire()
            taken = self.places[number % PLACES]
            self.places[number % PLACES] = None
            self.free.release()
            assert taken == [number]
            self.total += number


class ReadersAndWriters:
    def __init__(self) -> None:
        self.room, self.lock, self.table = threading.Semaphore(4), threading.Lock(), {"n": 0}

    def write(self) -> None:
        for _ in range(20):
            with self.lock:
                for _ in range(4):
                    self.room.acquire()
            self.table["n"] += 1
            self.room.release(4)

    def read(self) -> None:
        for _ in range(20):
            with self.room:
                assert all(number >= 0 for number in self.table.values())


class Connection:
    def __init__(self) -> None:
        self.used = 0


connections = deque([Connection(), Connection()])
places = threading.BoundedSemaphore(2)


def connect() -> None:
    for _ in range(20):
        with places:
            connection = connections.popleft()
            connection.used += 1
            connections.append(connection)


ring, table = Ring(), ReadersAndWriters()
targets = (ring.put, ring.take, table.write, table.read, table.write, table.read, connect, connect, connect)
threads = [threading.Thread(target=target) for target in targets]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert (ring.total, table.table["n"], sum(connection.used for connection in connections)) == (435, 40, 60)
