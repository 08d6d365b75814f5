"""pyparsing 3.3.3 may break a grammar for good if several threads parse with it for the first time.

    pip install pyparsing==3.3.3
    ftsan run --races pyparsing pyparsing_streamline.py

The first ``parse_string`` rewrites the grammar: ``And(And(a, b), c)`` becomes ``And(a, b, c)`` in ``ParseExpression.streamline``.
Two threads that find it not ``streamlined`` do so at once, and what one has rewritten already is what the other one rewrites.

WRONG: 20 of 20
AT: pyparsing/core.py:ParseExpression.streamline
KNOWN: pyparsing documents itself as not thread-safe since 3.3
"""

import threading
from collections import Counter

import pyparsing

ROUNDS = 500
THREADS = 4
outcomes: list[str] = []


def parse(grammar: pyparsing.ParserElement) -> None:
    start.wait()
    try:
        tokens = "".join(grammar.parse_string("abcd"))
    except (TypeError, pyparsing.ParseException) as error:
        outcomes.append(str(error))
    else:
        outcomes.append("right" if tokens == "abcd" else f"wrong: {tokens}")


start = threading.Barrier(THREADS)
for _ in range(ROUNDS):
    grammar = pyparsing.Literal("a") + "b" + "c" + "d"
    threads = [threading.Thread(target=parse, args=(grammar,)) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
print(dict(Counter(outcomes)))
raise SystemExit(set(outcomes) != {"right"})
