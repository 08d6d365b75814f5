"""A pattern takes the place of the text that it is compiled from: two threads that do so write what is as good."""

import re
import threading
import time

patterns: dict[str, str | re.Pattern[str]] = {"bullet": "[-+*] ", "number": "[0-9]+"}


def pattern(name: str) -> re.Pattern[str]:
    found = patterns[name]
    if isinstance(found, str):
        time.sleep(0.001)  # the other thread finds the text, too
        re.purge()
        found = patterns[name] = re.compile(found)
    return found


def worker() -> None:
    assert pattern("bullet").match("* item")
    assert pattern("number").match("42")


threads = [threading.Thread(target=worker) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
