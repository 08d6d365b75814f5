"""A variable of the environment saved, replaced and restored by two threads."""

import os
import threading


def with_mode(value: str) -> None:
    saved = os.environ.get("FTSAN_TEST_MODE", "")  # maybe
    os.environ["FTSAN_TEST_MODE"] = value  # race
    os.environ["FTSAN_TEST_MODE"] = saved  # maybe


threads = [threading.Thread(target=with_mode, args=(value,)) for value in "ab"]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
