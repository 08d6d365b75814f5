"""A value is compared and replaced; the threads write different ones."""

import threading


class Monitor:
    def __init__(self) -> None:
        self.last = ""
        self.levels = {"cpu": 0}

    def see(self, name: str) -> None:
        if self.last != name:  # maybe: attribute
            self.last = name  # race: attribute

    def measure(self, level: int) -> None:
        if self.levels["cpu"] != level:  # maybe: item
            self.levels["cpu"] = level  # race: item


monitor = Monitor()


def worker(name: str, level: int) -> None:
    monitor.see(name)
    monitor.measure(level)


threads = [threading.Thread(target=worker, args=args) for args in (("a", 1), ("b", 2))]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
