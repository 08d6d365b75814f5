"""The run method of a Thread subclass, and a Timer, count in one object."""

import threading


class Total:
    value = 0


total = Total()


def add() -> None:
    total.value += 1  # race


class Adder(threading.Thread):
    def run(self) -> None:
        add()


threads = [Adder(), threading.Timer(0, add)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
