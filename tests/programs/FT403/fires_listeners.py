"""Listeners are called while another thread registers one: the container is an attribute."""

import contextlib
import threading
from collections.abc import Callable


class Subject:
    def __init__(self) -> None:
        self.listeners: list[Callable[[], None]] = [lambda: None]
        self.by_name: dict[str, Callable[[], None]] = {"a": lambda: None}

    def register(self, name: str, listener: Callable[[], None]) -> None:
        self.listeners.append(listener)  # race: list
        self.by_name[name] = listener  # race: dict

    def notify(self) -> None:
        for listener in self.listeners:  # race: list
            listener()
        for listener in self.by_name.values():  # race: dict
            listener()


subject = Subject()


def notifier() -> None:
    with contextlib.suppress(RuntimeError):
        subject.notify()


threads = [threading.Thread(target=notifier), threading.Thread(target=subject.register, args=("b", lambda: None))]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
