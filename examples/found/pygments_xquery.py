"""Pygments 2.21.0 loses its way in XQuery if two threads read some, each with a lexer of its own.

    pip install pygments==2.21.0
    ftsan run --races pygments pygments_xquery.py

The states that ``XQueryLexer`` is to come back to are in one list for all its objects: ``xquery_parse_state = []`` in the class.

WRONG: 20 of 20
AT: pygments/lexers/webmisc.py:XQueryLexer.popstate_callback
KNOWN: not found in its tracker
"""

import threading
from collections import Counter

from pygments.lexers import XQueryLexer

TEXT = 'for $a in (1, 2) return <b c="{$a}">{if ($a = 1) then <d>{$a}</d> else (: e :) element f {$a}}</b>\n' * 5
ROUNDS = 100
THREADS = 4

EXPECTED = list(XQueryLexer().get_tokens(TEXT))
outcomes: list[str] = []
start = threading.Barrier(THREADS)


def highlight() -> None:
    start.wait()
    for _ in range(ROUNDS):
        try:
            tokens = list(XQueryLexer().get_tokens(TEXT))
        except Exception as error:
            outcomes.append(repr(error))
        else:
            outcomes.append("right" if tokens == EXPECTED else "wrong")


threads = [threading.Thread(target=highlight) for _ in range(THREADS)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(dict(Counter(outcomes)))
raise SystemExit(set(outcomes) != {"right"})
