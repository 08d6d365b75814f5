"""python-dateutil 2.9.0.post0: a zone becomes two zones, and the day between two of its midnights an hour shorter.

    pip install python-dateutil==2.9.0.post0
    ftsan run --races dateutil dateutil_zones.py

Python takes two times for times of one zone if their ``tzinfo`` is one object, so ``tzstr`` keeps its instances.  It looks for one
and puts it with ``WeakValueDictionary.setdefault``, which is no single step: two threads that ask at the same time get two.

WRONG: 11 of 20
AT: dateutil/tz/_factories.py:_TzStrFactory.__call__
KNOWN: that setdefault() takes one step is assumed there: dateutil/dateutil#504
"""

import itertools
import string
import threading
from datetime import datetime, timedelta

from dateutil import tz

ROUNDS = 15000
letters = itertools.product(string.ascii_uppercase, repeat=3)
names = ["".join(name) for name in itertools.islice(letters, ROUNDS)]
zones: list[list[tz.tzstr]] = [[], []]
start = threading.Barrier(2)


def ask(number: int) -> None:
    for name in names:
        start.wait()
        zones[number].append(tz.tzstr(f"{name}5EDT,M3.2.0,M11.1.0"))


threads = [threading.Thread(target=ask, args=(number,)) for number in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()

wrong = 0
for here, there in zip(*zones, strict=True):
    # In March, when the clocks change.
    between = datetime(2026, 3, 9, tzinfo=there) - datetime(2026, 3, 8, tzinfo=here)
    wrong += between != timedelta(days=1)
print(f"between midnight and midnight there is not a day: {wrong} of {ROUNDS} times")
raise SystemExit(wrong > 0)
