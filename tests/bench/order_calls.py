"""Calls that hand something over, over and over: prints nanoseconds of CPU time for each, the least of several."""

from __future__ import annotations

import collections
import functools
import os
import queue
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

ROUNDS = 7


def least(count: int, run: Callable[[range], Any]) -> float:
    """Nanoseconds of one turn."""
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.process_time_ns()
        run(range(count))
        best = min(best, (time.process_time_ns() - start) / count)
    return best


def locks(lock: Any, turns: range) -> None:
    for _ in turns:
        with lock:
            pass


def queues(any_queue: Any, turns: range) -> None:
    put, get = any_queue.put, any_queue.get
    for _ in turns:
        put(1)
        get()


def deques(turns: range) -> None:
    deque: collections.deque[int] = collections.deque()
    for _ in turns:
        deque.append(1)
        deque.popleft()


def events(event: threading.Event, turns: range) -> None:
    for _ in turns:
        event.is_set()


def caches(cached: Callable[[int], int], turns: range) -> None:
    for _ in turns:
        cached(1)


def pipes(reading: int, writing: int, turns: range) -> None:
    for _ in turns:
        os.write(writing, b"x")
        os.read(reading, 1)


def sockets(one: socket.socket, other: socket.socket, turns: range) -> None:
    for _ in turns:
        one.send(b"x")
        other.recv(1)


def threads(turns: range) -> None:
    for _ in turns:
        thread = threading.Thread(target=int)
        thread.start()
        thread.join()


def jobs(executor: ThreadPoolExecutor, turns: range) -> None:
    for _ in turns:
        executor.submit(int).result()


def main() -> None:
    """Print the table, with a second thread that waits: alone, a thread hands nothing over."""
    done = threading.Lock()
    done.acquire()
    waiting = threading.Thread(target=done.acquire)
    waiting.start()
    event = threading.Event()
    event.set()
    print("Lock", least(200_000, functools.partial(locks, threading.Lock())))
    print("RLock", least(200_000, functools.partial(locks, threading.RLock())))
    print("SimpleQueue", least(100_000, functools.partial(queues, queue.SimpleQueue())))
    print("queue.Queue", least(20_000, functools.partial(queues, queue.Queue())))
    print("deque", least(200_000, deques))
    print("Event.is_set", least(200_000, functools.partial(events, event)))
    print("lru_cache", least(200_000, functools.partial(caches, functools.lru_cache(int))))
    print("pipe", least(20_000, functools.partial(pipes, *os.pipe())))
    print("socketpair", least(20_000, functools.partial(sockets, *socket.socketpair())))
    print("Thread", least(500, threads))
    with ThreadPoolExecutor(1) as executor:
        print("submit", least(2_000, functools.partial(jobs, executor)))
    done.release()
    waiting.join()


if __name__ == "__main__":
    main()
