"""A counter that is an attribute of another module, and that module's own use of it as a global."""

import threading

import a_module_of_counters as counters


def from_outside() -> None:
    counters.calls += 1  # race: outside


def worker() -> None:
    from_outside()
    counters.increment()  # race: inside


threads = [threading.Thread(target=worker) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
