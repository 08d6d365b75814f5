"""A thread that has read a byte from a pipe comes after its writer: os.read and os.write, and files on top of descriptors."""

import os
import threading
from types import SimpleNamespace

shared = SimpleNamespace(n=0)


def worker(source: int, target: int) -> None:
    for _ in range(50):
        os.read(source, 1)
        shared.n += 1
        os.write(target, b".")


def with_files(source: int, target: int) -> None:
    with open(source, "rb", 0, closefd=False) as incoming, open(target, "wb", 0, closefd=False) as outgoing:
        for _ in range(50):
            incoming.read(1)
            shared.n += 1
            outgoing.write(b".")


for function in (worker, with_files):
    (source, to_first), (second, to_second) = os.pipe(), os.pipe()
    threads = [threading.Thread(target=function, args=ends) for ends in ((source, to_second), (second, to_first))]
    for thread in threads:
        thread.start()
    os.write(to_first, b".")
    for thread in threads:
        thread.join()
assert shared.n == 200
