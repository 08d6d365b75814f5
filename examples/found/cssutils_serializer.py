"""cssutils 2.15.0: sheets are indented wrong if two threads write some, each a sheet of its own.

    pip install cssutils==2.15.0
    ftsan run --races cssutils cssutils_serializer.py

There is one serializer for the process, ``cssutils.ser``, and how deep it is nested is in itself: ``self._level += 1``.

WRONG: 19 of 20
AT: cssutils/serialize.py:CSSSerializer.do_CSSStyleRule
KNOWN: not found in its tracker
"""

import threading
from collections import Counter

import cssutils

THREADS = 2
ROUNDS = 500
TEXT = "a {\n    color: red;\n    margin: 0\n    }\nb {\n    color: blue\n    }"
outcomes: list[str] = []


def write() -> None:
    sheet = cssutils.parseString(TEXT)
    start.wait()
    for _ in range(ROUNDS):
        outcomes.append("right" if sheet.cssText.decode() == TEXT else "wrong")


start = threading.Barrier(THREADS, lambda: cssutils.ser.prefs.useDefaults())
threads = [threading.Thread(target=write) for _ in range(THREADS)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(dict(Counter(outcomes)))
raise SystemExit(set(outcomes) != {"right"})
