"""Tables that are filled when they are first asked for, in one step; or under a lock; or one entry for each question.

ALSO: FT407
"""

import threading

from ftsan.testing import in_turns

TABLE: dict[int, str] = {}
GUARDED: set[int] = set()
RECENT: dict[str, int] = {}
lock = threading.Lock()


def user() -> None:
    if not TABLE:
        TABLE.update({number: str(number) for number in range(5)})
    with lock:
        if not GUARDED:
            for number in range(5):
                GUARDED.add(number)
    for number in range(5):
        if len(RECENT) > 100:
            RECENT.clear()
        RECENT.setdefault(str(number), number)
    TABLE.get(4)


in_turns(user, user)
