"""A cache in a global of another module, filled by whoever asks first."""

import threading

import a_module_with_a_cache


def worker() -> None:
    a_module_with_a_cache.parsed("text")  # race


threads = [threading.Thread(target=worker) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
