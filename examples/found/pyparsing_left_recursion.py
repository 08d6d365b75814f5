"""pyparsing 3.3.3 fails with a KeyError if two threads parse and left recursion is enabled.

    pip install pyparsing==3.3.3
    ftsan run --races pyparsing pyparsing_left_recursion.py

What ``Forward.parseImpl`` has found so far is in ``ParserElement.recursion_memos``, one for all parsers and all texts.  It is used
under ``recursion_lock``, but emptied, at the beginning of each ``parse_string``, under ``packrat_cache_lock``.

WRONG: 20 of 20
AT: pyparsing/core.py:ParserElement.reset_cache
KNOWN: pyparsing documents itself as not thread-safe since 3.3
"""

import threading
from collections import Counter

import pyparsing

ROUNDS = 300
THREADS = 4

pyparsing.ParserElement.enable_left_recursion()
outcomes: list[str] = []
start = threading.Barrier(THREADS)


def parse() -> None:
    total = pyparsing.Forward()
    total <<= total + "+" + pyparsing.Word(pyparsing.nums) | pyparsing.Word(pyparsing.nums)
    start.wait()
    for _ in range(ROUNDS):
        try:
            tokens = list(total.parse_string("1+2+3"))
        except KeyError as error:
            outcomes.append(type(error).__name__)
        except pyparsing.ParseException as error:
            outcomes.append(str(error))
        else:
            outcomes.append("right" if tokens == ["1", "+", "2", "+", "3"] else f"wrong: {tokens}")


threads = [threading.Thread(target=parse) for _ in range(THREADS)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(dict(Counter(outcomes)))
raise SystemExit(set(outcomes) != {"right"})
