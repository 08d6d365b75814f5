"""textX 4.4.0: languages are unknown to the threads that come while another one looks for what is installed.

    pip install textX==4.4.0
    ftsan run --races textx textx_languages.py

``language_descriptions`` publishes an empty table (``languages = {}``) and fills it then; a second thread takes it for complete.
Each round forgets what was found, as if the process had just begun.

WRONG: 20 of 20
AT: textx/registration.py:language_descriptions
KNOWN: not found in its tracker
"""

import threading
from collections import Counter

from textx import clear_language_registrations, language_descriptions

THREADS = 4
ROUNDS = 50
outcomes: list[str] = []


def ask() -> None:
    start.wait()
    outcomes.append("known" if "textx" in language_descriptions() else "unknown")


start = threading.Barrier(THREADS)
for _ in range(ROUNDS):
    clear_language_registrations()
    threads = [threading.Thread(target=ask) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
print(dict(Counter(outcomes)))
raise SystemExit(set(outcomes) != {"known"})
