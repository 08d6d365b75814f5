"""Caches that anybody fills with what anybody would: equal, immutable values.  Computing twice is all that can happen."""

import threading


class Page:
    def __init__(self, path: str) -> None:
        self.path = path
        self._slug: str | None = None
        self._parts: tuple[str, ...] | None = None

    @property
    def slug(self) -> str:
        if self._slug is None:
            self._slug = self.path.strip("/").replace("/", "-")
        return self._slug

    def parts(self) -> tuple[str, ...]:
        if not self._parts:
            self._parts = tuple(self.path.split("/"))
        return self._parts


names, squares, page = dict[int, str](), dict[int, int](), Page("/a/b")


def worker() -> None:
    for number in range(50):
        if number not in names:
            names[number] = str(number)
        if squares.get(number) is None:
            squares[number] = number * number
        assert (page.slug, len(page.parts())) == ("a-b", 3)


threads = [threading.Thread(target=worker) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
