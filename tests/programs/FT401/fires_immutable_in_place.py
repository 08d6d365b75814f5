"""`+=` and `|=` on a str, tuple or frozenset make a new object: the other thread's is lost."""

import threading


class Page:
    def __init__(self) -> None:
        self.text = ""
        self.rows: tuple[str, ...] = ()
        self.tags: frozenset[str] = frozenset()

    def write(self, name: str) -> None:
        self.text += name  # race: str

    def add_row(self, name: str) -> None:
        self.rows += (name,)  # race: tuple

    def tag(self, name: str) -> None:
        self.tags |= {name}  # race: frozenset


page = Page()


def worker(name: str) -> None:
    page.write(name)
    page.add_row(name)
    page.tag(name)


threads = [threading.Thread(target=worker, args=(name,)) for name in "ab"]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
