"""Caches that are filled one after the other: that the first is there promises nothing of the second, which is looked for, too."""

import threading

names: dict[int, str] = {}
sizes: dict[str, int] = {}


class Page:
    slug: str | None = None
    size: int | None = None


page = Page()


def worker() -> None:
    for number in range(20):
        if number not in names:
            names[number] = str(number)
    for name in [*names.values()]:
        if name not in sizes:
            sizes[name] = len(name)
    if page.slug is None:
        page.slug = "-".join([*names.values()])
    if page.size is None:
        page.size = sum(map(len, [*names.values()]))


threads = [threading.Thread(target=worker) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
