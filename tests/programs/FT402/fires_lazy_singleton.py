"""Singletons in a global, in a class attribute, and one that `__new__` makes."""

import threading


class Engine:
    current: Engine | None = None


class Service:
    _instance: Service | None = None

    def __new__(cls) -> Service:
        if cls._instance is None:  # maybe: new
            cls._instance = super().__new__(cls)  # race: new
        return cls._instance


_engine: Engine | None = None


def engine() -> Engine:
    global _engine
    if _engine is None:  # maybe: global
        _engine = Engine()  # race: global
    return _engine


def worker() -> None:
    engine()
    Service()
    if Engine.current is None:  # maybe: class attribute
        Engine.current = Engine()  # race: class attribute


threads = [threading.Thread(target=worker) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
