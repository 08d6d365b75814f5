"""Files, directories and links that exist while somebody holds what they stand for: the making of one comes after its removal."""

import contextlib
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path


class Count:
    by_open = by_mode = by_path = by_folder = by_link = by_symlink = 0


count = Count()
folder = Path(tempfile.mkdtemp())
(folder / "target").touch()


@contextlib.contextmanager
def holding(make: Callable[[], object], remove: Callable[[], object]) -> Iterator[None]:
    while True:
        try:
            made = make()
            break
        except FileExistsError:
            time.sleep(0.0001)
    try:
        yield
    finally:
        if isinstance(made, int):
            os.close(made)
        remove()


def touch(path: str) -> None:
    with open(path, "x") as file:
        file.write("held")


def worker() -> None:
    by_open, by_mode, by_folder = (str(folder / name) for name in ("open", "mode", "folder"))
    for _ in range(10):
        with holding(lambda: os.open(by_open, os.O_CREAT | os.O_EXCL | os.O_RDWR), lambda: os.unlink(by_open)):
            count.by_open += 1
        with holding(lambda: touch(by_mode), lambda: os.remove(by_mode)):
            count.by_mode += 1
        with holding(lambda: os.open(folder / "path", os.O_CREAT | os.O_EXCL), lambda: (folder / "path").unlink()):
            count.by_path += 1
        with holding(lambda: os.mkdir(by_folder), lambda: os.rename(by_folder, tempfile.mkdtemp(dir=folder))):
            count.by_folder += 1
        with holding(lambda: os.link(folder / "target", folder / "link"), lambda: os.unlink(folder / "link")):
            count.by_link += 1
        with holding(lambda: os.symlink("target", folder / "symlink"), lambda: os.remove(folder / "symlink")):
            count.by_symlink += 1


threads = [threading.Thread(target=worker) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert {vars(count)[name] for name in vars(Count) if name.startswith("by_")} == {20}
