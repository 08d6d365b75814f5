"""limits 5.8.0: a hit is forgotten if another thread asks at the same time whether there is one left.

    pip install limits==5.8.0
    ftsan run --races limits limits_memory.py

``MemoryStorage.get`` looks whether the counter is out of date and removes it without its lock: if another thread hits in between,
what it counted.

WRONG: 20 of 20
AT: limits/storage/memory.py:MemoryStorage.get
KNOWN: not found in its tracker; that the timer is started twice is: alisaifee/limits#352
"""

import threading

from limits import RateLimitItemPerHour
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

ROUNDS = 20000
ONE = RateLimitItemPerHour(1)
users = [str(number) for number in range(ROUNDS)]
counted: list[bool] = []
limiter = FixedWindowRateLimiter(MemoryStorage())


def hit() -> None:
    start.wait()
    for user in users:
        counted.append(limiter.hit(ONE, user) and not limiter.test(ONE, user))


def ask() -> None:
    start.wait()
    for number, user in enumerate(users):
        while len(counted) <= number:
            limiter.test(ONE, user)


# The thread that tidies up dies of a KeyError now and then, for the same reason.
threading.excepthook = lambda failed: died.append(failed.exc_value)
died: list[BaseException | None] = []
start = threading.Barrier(2)
threads = [threading.Thread(target=hit), threading.Thread(target=ask)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(f"{counted.count(False)} of {ROUNDS} hits are forgotten, {len(died)} threads have died")
raise SystemExit(not all(counted))
