"""isort 9.0.2: modules are put into the wrong section while another thread prepares the patterns of the configuration.

    pip install --no-binary isort isort==9.0.2
    ftsan run --races isort isort_known_patterns.py

The property ``Config.known_patterns`` publishes an empty list (``self._known_patterns = []``) and fills it then: a second thread
finds it and looks its module up in what is there.  The wheels of isort are compiled and have no Python code to watch.

WRONG: 20 of 20
AT: isort/settings.py:Config.known_patterns
KNOWN: not found in its tracker
"""

import threading
from collections import Counter

from isort import Config, place_module

THREADS = 4
ROUNDS = 100
outcomes: list[str] = []


def place(config: Config) -> None:
    start.wait()
    outcomes.append(place_module("zlib", config))


start = threading.Barrier(THREADS)
for _ in range(ROUNDS):
    config = Config()
    threads = [threading.Thread(target=place, args=(config,)) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
print(dict(Counter(outcomes)))
raise SystemExit(set(outcomes) != {"STDLIB"})
