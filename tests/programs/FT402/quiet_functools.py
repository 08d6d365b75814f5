"""lru_cache, cache and cached_property used by two threads: they may compute twice, and are documented to be thread-safe.

The objects that they return are complete, and only read afterwards.
"""

import functools
import threading


@functools.cache
def table(name: str) -> dict[str, list[str]]:
    made: dict[str, list[str]] = {}
    for letter in name:
        made[letter] = [*made.get(letter, []), name]
    return made


class Document:
    @functools.cached_property
    def lines(self) -> list[str]:
        made = ["a"]
        made.append("b")
        return made


document = Document()
words = functools.lru_cache(maxsize=2)(lambda number: [str(number)] * number)


def worker() -> None:
    for number in range(50):
        assert sorted(table("cba")) == ["a", "b", "c"]
        assert len(words(number % 5)) == number % 5 and all(document.lines)


threads = [threading.Thread(target=worker) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
