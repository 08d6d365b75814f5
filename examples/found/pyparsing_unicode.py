"""pyparsing 3.3.3: a set of Unicode characters may be without its letters for the threads that ask for them first.

    pip install pyparsing==3.3.3
    ftsan run --confirm --races pyparsing pyparsing_unicode.py

``_lazyclassproperty`` gives the class a dictionary for what it has computed (``cls._intern = {}``) if it has none, stores into it,
and reads it from there.  By then, the dictionary may be that of the second thread, which came to the same conclusion: a matter of
less than a microsecond, for which ``--confirm`` makes the threads wait.
"""

import threading
from collections import Counter

import pyparsing

ROUNDS = 500
THREADS = 4
outcomes: list[str] = []


def ask(letters: type[pyparsing.unicode_set]) -> None:
    start.wait()
    try:
        outcomes.append(f"{len(letters.alphas)} letters")
    except KeyError as error:
        outcomes.append(repr(error))


start = threading.Barrier(THREADS)
for _ in range(ROUNDS):
    vowels = type("Vowels", (pyparsing.unicode_set,), {"_ranges": [(0x61, 0x65), (0x69, 0x69), (0x6F, 0x6F), (0x75, 0x75)]})
    threads = [threading.Thread(target=ask, args=(vowels,)) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
print(dict(Counter(outcomes)))
