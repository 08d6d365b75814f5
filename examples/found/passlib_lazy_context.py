"""passlib 1.7.4: a context that is prepared on first use fails in the threads that use it at the same time.

    pip install passlib==1.7.4
    ftsan run --races passlib passlib_lazy_context.py

``LazyCryptContext._lazy_init`` takes what it was given (``del self._lazy_kwds``) and becomes a ``CryptContext`` then; a second
thread that comes in between finds nothing to begin with.

WRONG: 20 of 20
AT: passlib/context.py:LazyCryptContext._lazy_init
KNOWN: not found in its tracker
"""

import threading
from collections import Counter

from passlib.context import LazyCryptContext

THREADS = 4
ROUNDS = 200
outcomes: list[str] = []


def use(context: LazyCryptContext) -> None:
    start.wait()
    try:
        outcomes.append("right" if context.schemes() else "no schemes")
    except Exception as error:
        outcomes.append(type(error).__name__)


start = threading.Barrier(THREADS)
for _ in range(ROUNDS):
    context = LazyCryptContext(["plaintext", "ldap_plaintext"])
    threads = [threading.Thread(target=use, args=(context,)) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
print(dict(Counter(outcomes)))
raise SystemExit(set(outcomes) != {"right"})
