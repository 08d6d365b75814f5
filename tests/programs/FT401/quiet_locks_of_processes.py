"""Locks of multiprocessing guard what threads share, too ("any process or thread", multiprocessing.Lock.release)."""

import multiprocessing as mp
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any


class Account:
    def __init__(self, guard: AbstractContextManager[Any]) -> None:
        self.guard = guard
        self.balance = 0

    def deposit(self) -> None:
        with self.guard:
            self.balance += 1


accounts = [
    Account(guard)
    for guard in (
        mp.Lock(),
        mp.RLock(),
        mp.Semaphore(1),
        mp.BoundedSemaphore(1),
        mp.Condition(),
        mp.Value("i").get_lock(),
        mp.Array("i", 3).get_lock(),
    )
]
by_calls = Account(mp.Lock())
ready, seen = mp.Event(), mp.Barrier(2)


def worker() -> None:
    for _ in range(20):
        for account in accounts:
            account.deposit()
        if by_calls.guard.acquire(timeout=10):  # type: ignore[attr-defined]
            by_calls.balance += 1
            by_calls.guard.release()  # type: ignore[attr-defined]


def announce() -> None:
    seen.wait()
    accounts[0].balance += 1
    ready.set()


def wait() -> None:
    seen.wait()
    ready.wait()
    accounts[0].balance += 1


def run(*targets: Callable[[], None]) -> None:
    threads = [threading.Thread(target=target) for target in targets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


run(worker, worker)
run(announce, wait)
assert [account.balance for account in [*accounts, by_calls]] == [42, *[40] * 7]
