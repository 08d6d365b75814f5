"""A cache that is asked for its keys in the order in which another thread has filled it: each answer is there or not, for itself.

ALSO: FT407
"""

import os
import tempfile
import threading
import time

modules: dict[str, str] = {}
LANGUAGES = ["de", "en", "ko"]


def module(language: str) -> str:
    try:
        return modules[language]
    except KeyError:
        return "unknown"


def fill(done: str) -> None:
    for language in LANGUAGES:
        modules[language] = language * 2
    os.mkdir(done)


def ask(done: str) -> None:
    while not os.path.exists(done):  # which nobody takes for order
        time.sleep(0.001)
    assert [module(language) for language in LANGUAGES] == ["dede", "enen", "koko"]


with tempfile.TemporaryDirectory() as folder:
    threads = [threading.Thread(target=target, args=(f"{folder}/done",)) for target in (fill, ask)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
