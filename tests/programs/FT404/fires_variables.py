"""Two threads that write different values to one global and to one variable of an enclosing function."""

import threading

current = ""


def set_global(name: str) -> None:
    global current
    current = name  # race: global


def main() -> None:
    last = ""

    def worker(name: str) -> None:
        nonlocal last
        last = name  # race: cell
        set_global(name)

    threads = [threading.Thread(target=worker, args=(name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert last in "ab"


main()
